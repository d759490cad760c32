/** How thorough a survey is. @module */

/** Kinds of planes. */
export const planeAxes = ['random', 'hessian'] as const;
/** One of them. */
export type PlaneAxes = (typeof planeAxes)[number];

/** Sizes of every measurement, and which are made. */
export interface SurveySettings {
  /** Parts that run unless others are asked for. */
  readonly parts: readonly string[];
  readonly epochs: number;
  readonly batchSize: number;
  /** Peak learning rate of SGD with momentum; it falls along half a cosine. */
  readonly learningRate: number;
  readonly momentum: number;
  /** Training examples that curvature and landscape are measured on. */
  readonly samples: number;
  /** Test examples of the landscape. */
  readonly testSamples: number;
  readonly eigenvalues: number;
  /** Residual norm asked for, relative to the eigenvalue. */
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly densityProbes: number;
  readonly densitySteps: number;
  readonly traceProbes: number;
  readonly planePoints: number;
  /** What spans the plane: random directions with the filters' norms, or the Hessian's top two axes, each to where the quadratic model rises by one. */
  readonly planeAxes: PlaneAxes;
  /** Half the width of the plane, in units of its axes. */
  readonly planeRadius: number;
  readonly linePoints: number;
  /** Training examples whose tangent kernel is formed. */
  readonly kernelExamples: number;
  /** Radius of the balls that sharpness is searched in, in parameter space. */
  readonly sharpnessRadius: number;
  /** Ascent steps of that search. */
  readonly sharpnessSteps: number;
}

const basic = ['quality', 'gradient', 'eigenvalues', 'trace', 'density', 'layers', 'plane', 'lines'];
const training = { batchSize: 128, learningRate: 0.1, momentum: 0.9 };
const plane = { planeAxes: 'random', planeRadius: 1 } as const;

/** Settings by name. */
export const presets = {
  /** Small samples and few probes: a look in seconds. */
  economy: {
    ...training, ...plane, parts: [...basic, 'weights', 'features'], epochs: 1, samples: 1_000, testSamples: 1_000, eigenvalues: 3, tolerance: 1e-2, maxProducts: 100,
    densityProbes: 3, densitySteps: 30, traceProbes: 10, planePoints: 15, linePoints: 15, kernelExamples: 100, sharpnessRadius: 0.05, sharpnessSteps: 3,
  },
  /** Everything most readers look for, at the accuracy they expect. */
  standard: {
    ...training, ...plane, parts: [...basic, 'weights', 'features'], epochs: 5, samples: 10_000, testSamples: 5_000, eigenvalues: 10, tolerance: 1e-3, maxProducts: 300,
    densityProbes: 6, densitySteps: 50, traceProbes: 40, planePoints: 41, linePoints: 41, kernelExamples: 250, sharpnessRadius: 0.05, sharpnessSteps: 10,
  },
  /** All parts, with more probes: for a paper rather than a look. */
  full: {
    ...training, ...plane, parts: [...basic, 'weights', 'features', 'sharpness', 'kernel'], epochs: 5, samples: 10_000, testSamples: 10_000, eigenvalues: 20, tolerance: 1e-3, maxProducts: 1000,
    densityProbes: 10, densitySteps: 100, traceProbes: 100, planePoints: 41, linePoints: 81, kernelExamples: 500, sharpnessRadius: 0.05, sharpnessSteps: 20,
  },
} as const satisfies Readonly<Record<string, SurveySettings>>;

/** Names of the settings above. */
export type PresetName = keyof typeof presets;
