/** What a survey measures, as plain data: the content of `survey.json`. Numbers that are not finite are written as null. @module */
import type { Measurement } from '../problem/index.ts';

/** The version of the layout below; raised when a field changes its meaning or goes. */
export const SURVEY_SCHEMA = 'thalweg-survey/1';

/** A series over training steps. */
export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Standard errors, where values are means over a sample. */
  readonly errors?: readonly number[];
}

/** How the surveyed point was reached. Accuracies are fractions; `learningRate` is the schedule in words. */
export interface TrainingRecord {
  readonly optimizer: string;
  readonly epochs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: string;
  readonly end: 'finished' | 'interrupted' | 'diverged';
  /** Where a loss came about that is not finite; nothing is measured after it. */
  readonly divergence?: DivergenceRecord;
  readonly batchLoss: Series;
  readonly testLoss?: Series;
  readonly testAccuracy?: Series;
}

/** Where training met a loss that is not finite. */
export interface DivergenceRecord {
  /** Counted from one. */
  readonly step: number;
  /** `NaN` or `Infinity`. */
  readonly loss: string;
  /** The first operation whose result is not finite. */
  readonly message: string;
}

/** The trained model over whole splits, in evaluation mode; accuracies are fractions, absent where targets are not labels. */
export interface QualityRecord {
  readonly trainLoss: Measurement;
  readonly trainAccuracy?: Measurement;
  readonly testLoss?: Measurement;
  readonly testAccuracy?: Measurement;
  /** counts[true label][predicted label] over the test split. */
  readonly confusion?: readonly (readonly number[])[];
}

export interface EigenvaluesRecord {
  /** Descending; each error bounds the distance to an eigenvalue. */
  readonly largest: readonly Measurement[];
  /** Ascending. */
  readonly smallest: readonly Measurement[];
  /** lambda_max / lambda_min, with the bound that follows from theirs. */
  readonly ratio: Measurement;
  /** Whether the residuals asked for were reached, or why not. */
  readonly stopped: string;
  /**
   * Where the sample is a part of the training split: the largest eigenvalues as estimates for the whole split, with the standard error
   * that other samples would make (the jackknife over groups of examples). It stands beside the residual bound.
   */
  readonly sampling?: readonly Measurement[];
}

/** Spectral density of the Hessian by stochastic Lanczos quadrature; the lists are as long as `grid`, the eigenvalue axis. */
export interface DensityRecord {
  readonly grid: readonly number[];
  /** Mean over probes; integrates to one. */
  readonly density: readonly number[];
  /** Standard error across probes. */
  readonly standardError: readonly number[];
  readonly probes: number;
  readonly steps: number;
  /** Standard deviation of the Gaussians that smooth the quadrature nodes. */
  readonly width: number;
}

/** A layer's diagonal block of the Hessian; what was not reached is absent. */
export interface LayerRecord {
  readonly name: string;
  readonly parameters: number;
  readonly trace?: Measurement;
  readonly topEigenvalue?: Measurement;
}

/** Mean losses of one split on a grid; the coordinates are coefficients of the plane's two directions. */
export interface LossGridRecord {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** loss[row][column] at (x[column], y[row]); null where not finite or not reached. */
  readonly loss: readonly (readonly number[])[];
  readonly standardError: readonly (readonly number[])[];
}

/** The plane through the trained parameters, which lie at the origin; `axes` says in words what its directions are. */
export interface PlaneRecord {
  readonly axes: string;
  readonly train: LossGridRecord;
  readonly test?: LossGridRecord;
}

/** Mean losses along a unit direction; `position` is the distance from the trained parameters, increasing. */
export interface LineRecord {
  readonly name: string;
  readonly position: readonly number[];
  readonly trainLoss: readonly number[];
  readonly trainError: readonly number[];
  readonly testLoss?: readonly number[];
  readonly testError?: readonly number[];
}

/** A weight matrix (of a convolution: each way to make one of its kernel). */
export interface WeightLayerRecord {
  readonly name: string;
  readonly form: string;
  readonly rows: number;
  readonly columns: number;
  /** `fitted`, or why there is no exponent. */
  readonly status: string;
  /** Exponent of the power law that fits the tail of the eigenvalues of W'W. */
  readonly alpha?: Measurement;
  /** Where the tail begins. */
  readonly xmin?: number;
  /** Kolmogorov-Smirnov distance of the tail from the law. */
  readonly distance?: number;
  readonly alphaHat?: number;
  readonly stableRank: number;
  readonly logSpectralNorm: number;
  /** Eigenvalues above the edge of a random bulk, and that edge. */
  readonly spikes?: number;
  readonly bulkEdge?: number;
  /** Eigenvalues of the effective correlation space (trace-log condition). */
  readonly traceLog: number;
  /** Of W'W, ascending. */
  readonly eigenvalues: readonly number[];
}

/** Spectra of the weights. */
export interface WeightsRecord {
  /** One sentence in plain words. */
  readonly diagnosis: string;
  readonly layers: readonly WeightLayerRecord[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** The penultimate features of the sampled training examples; classes as far as targets are labels. */
export interface FeaturesRecord {
  readonly examples: number;
  readonly size: number;
  readonly rankMe: Measurement;
  /** Absent where too few eigenvalues differ from rounding. */
  readonly decay?: Measurement;
  readonly participationRatio: Measurement;
  readonly collapse?: {
    readonly variability: Measurement;
    readonly equinorm: Measurement;
    readonly equiangular: Measurement;
    readonly maximalAngle: Measurement;
    readonly selfDuality?: Measurement;
    readonly nearestMeanDisagreement?: Measurement;
  };
  readonly probe?: { readonly trainAccuracy: Measurement; readonly testAccuracy?: Measurement };
}

/** The empirical tangent kernel of some training examples, traced over the outputs and divided by their number. */
export interface KernelRecord {
  readonly examples: number;
  readonly implementation: string;
  readonly largest: Measurement;
  readonly trace: Measurement;
  /** exp of the entropy of the eigenvalues' shares. */
  readonly effectiveRank: Measurement;
  /** The largest, descending. */
  readonly eigenvalues: readonly number[];
  /** Centred alignment with the kernel of the targets; absent where they are all the same. */
  readonly targetAlignment?: Measurement;
  /** Of gradient descent on the squared error with this kernel. */
  readonly maximalLearningRate: Measurement;
  /** 1 - cosine to the kernel before training; absent for given checkpoints. */
  readonly distanceFromStart?: Measurement;
}

/** A sharpness measure of the literature. */
export interface SharpnessRecord {
  readonly name: string;
  readonly value: Measurement;
  /** What rescaling the layers of a homogeneous network does to it. */
  readonly rescaling: string;
}

/** What a part of the survey cost. */
export interface CostRecord {
  readonly name: string;
  readonly seconds: number;
  readonly products: number;
  /** Why the part measured nothing of this problem, where that is no failure. */
  readonly omitted?: string;
}

/** All that a survey found: the content of `survey.json`. A part that did not run or failed is absent. */
export interface SurveyRecord {
  readonly schema: typeof SURVEY_SCHEMA;
  /** Versions, machine, seed and options: what is needed to repeat it. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly problem: {
    readonly name: string;
    readonly model: string;
    readonly loss: string;
    readonly data: string;
    readonly licence: string;
    readonly parameters: number;
    readonly trainExamples: number;
    readonly testExamples: number;
    /** Training examples that the curvature and the landscape were measured on. */
    readonly samples: number;
    readonly classes?: readonly string[];
    /** Which statistics batch normalisation used in everything measured after training; `absent` for models without. */
    readonly batchNorm: 'eval' | 'batch' | 'recomputed' | 'absent';
  };
  /** False when it was interrupted, training diverged or a part failed: what is missing was not reached. */
  readonly complete: boolean;
  readonly training?: TrainingRecord;
  readonly quality?: QualityRecord;
  readonly gradientNorm?: Measurement;
  /** `atLeast` is the lower end of a 95 % interval; the value is infinite where the noise hides the mean gradient. */
  readonly gradientNoiseScale?: Measurement & { readonly atLeast: number };
  readonly eigenvalues?: EigenvaluesRecord;
  readonly trace?: Measurement;
  /** Where the sample is a part of the training split: the trace from a few probes, with the standard error that other samples would make. */
  readonly traceSampling?: Measurement;
  readonly density?: DensityRecord;
  readonly layers?: readonly LayerRecord[];
  readonly plane?: PlaneRecord;
  readonly lines?: readonly LineRecord[];
  readonly weights?: WeightsRecord;
  readonly features?: FeaturesRecord;
  readonly sharpness?: readonly SharpnessRecord[];
  readonly kernel?: KernelRecord;
  readonly costs: readonly CostRecord[];
  /** Parts that failed, with the message. */
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}
