/** Interleaved spirals in the plane. @module */
import { NDArray } from '../core/ndarray.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { normal, split, uniform } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { drawSplits, SYNTHETIC_LICENCE } from './synthetic.ts';
import type { SyntheticOptions } from './synthetic.ts';

export interface SpiralsOptions extends SyntheticOptions {
  /** Spirals, one a class; 2 by default. */
  readonly arms?: number;
  /** Full turns of each spiral from the centre to radius 1; 1.5 by default. */
  readonly turns?: number;
  /** Standard deviation of the normal noise on both coordinates; 0.02 by default. */
  readonly noise?: number;
}

/**
 * Archimedean spirals of radius r in [0, 1] at the angle 2 pi (turns r + arm / arms), plus noise: inputs f32[n, 2], targets
 * i32[n]; example i lies on the arm i mod arms. After Lang and Witbrock, "Learning to tell two spirals apart", 1988.
 * @throws ArgumentError
 */
export function spirals(options: SpiralsOptions = {}): Dataset {
  const { arms = 2, turns = 1.5, noise = 0.02 } = options;
  requireInteger('spirals', 'arms', arms, 1);
  requireNumber('spirals', 'turns', turns);
  requireNumber('spirals', 'noise', noise, 0);
  const { train, test } = drawSplits('spirals', options, (key, samples) => {
    const radii = uniform(split(key, 'radius'), samples, { dtype: 'float64' });
    const jitter = normal(split(key, 'noise'), [samples, 2], { deviation: noise, dtype: 'float64' });
    const labels = Int32Array.from({ length: samples }, (_, i) => i % arms);
    const inputs = Float32Array.from(jitter, (shift, at) => {
      const i = at >> 1;
      const angle = 2 * Math.PI * (turns * radii[i] + labels[i] / arms);
      return radii[i] * (at % 2 === 0 ? Math.cos(angle) : Math.sin(angle)) + shift;
    });
    return makeSplit(new NDArray(inputs, [samples, 2], 'float32'), new NDArray(labels, [samples], 'int32'));
  });
  return {
    name: 'spirals', kind: 'classification', train, test, classes: Array.from({ length: arms }, (_, arm) => `arm ${arm}`),
    inputShape: [2], licence: SYNTHETIC_LICENCE, source: `${arms} spirals of ${turns} turns, noise ${noise}; after Lang and Witbrock 1988`,
  };
}
