/** Loss landscapes: directions, lines and planes. @module */
export { filterNormalizedDirection, randomPlane } from './directions.ts';
export { lossLine, lossPlane, type LossLine, type LossPlane, type PlaneOptions } from './plane.ts';
export { sampleLandscape, symmetricRange, type LandscapeSample, type SampleOptions } from './sample.ts';
