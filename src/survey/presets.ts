/** How thorough a survey is. @module */

/** Sizes of every measurement. */
export interface SurveySettings {
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
  readonly linePoints: number;
}

/** Settings by name. */
export const presets = {
  /** Everything the report shows, at the accuracy its readers expect. */
  full: {
    epochs: 5, batchSize: 128, learningRate: 0.1, momentum: 0.9, samples: 10_000, testSamples: 5_000, eigenvalues: 10, tolerance: 1e-3, maxProducts: 300,
    densityProbes: 6, densitySteps: 50, traceProbes: 40, planePoints: 41, linePoints: 41,
  },
  /** The same measurements, smaller: a look in seconds. */
  quick: {
    epochs: 1, batchSize: 128, learningRate: 0.1, momentum: 0.9, samples: 1_000, testSamples: 1_000, eigenvalues: 3, tolerance: 1e-2, maxProducts: 100,
    densityProbes: 3, densitySteps: 30, traceProbes: 10, planePoints: 15, linePoints: 15,
  },
} as const satisfies Readonly<Record<string, SurveySettings>>;

/** Names of the settings above. */
export type PresetName = keyof typeof presets;
