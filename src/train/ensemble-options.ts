/** What an ensemble is a function of, and what it tells. @module */
import type { EnsembleOptimizer, EnsembleSchedule, EnsembleStart, Variation } from './ensemble-vary.ts';
import type { TrainOptions } from './options.ts';
import type { Measured } from './probe.ts';

/** What an ensemble tells while it runs. Replicas are counted from zero, steps of each from one. */
export type EnsembleEvent =
  /** The ensemble begins; so many replicas are trained at a time, one slice after another. */
  | { readonly type: 'begin'; readonly steps: number; readonly replicas: number; readonly slices: readonly number[]; /** Predicted for a step of the largest slice. */ readonly bytes: number; readonly memoryBudget: number }
  /** A slice begins: replicas from `first` on. */
  | { readonly type: 'slice'; readonly slice: number; readonly first: number; readonly replicas: number }
  | {
    readonly type: 'step';
    /** Steps done by the replicas of this slice. */
    readonly step: number;
    readonly steps: number;
    /** Epochs done, so zero in the first. */
    readonly epoch: number;
    /** The first replica of the slice. */
    readonly first: number;
    /** Batch loss of each replica of the slice; NaN of those that have diverged. */
    readonly losses: readonly number[];
    /** Of the slice as a whole, since it began. */
    readonly stepsPerSecond: number;
  }
  | { readonly type: 'epoch'; readonly step: number; readonly epoch: number; readonly first: number }
  | { readonly type: 'measured'; readonly step: number; readonly epoch: number; readonly probe: string; readonly replica: number; readonly measured: Measured }
  /** A replica stays where it was last well; the others go on. */
  | { readonly type: 'diverged'; readonly replica: number; readonly step: number; readonly loss: number; readonly message: string };

/** What `trainEnsemble` is a function of, and its hooks. Options that `train` has mean what they mean there. */
export interface EnsembleOptions<P, State> extends Omit<TrainOptions<P, State>, 'optimizer' | 'schedule' | 'start' | 'checkpoint' | 'resume' | 'microBatch' | 'onEvent' | 'labels'> {
  /** Default: the length of the lists in `vary` and `schedule`. */
  readonly replicas?: number;
  /** What differs between replicas. Default: the seed. */
  readonly vary?: Variation;
  /** Of all replicas, or made of the hyper-parameters that `vary` names. */
  readonly optimizer: EnsembleOptimizer;
  /** Of all replicas, or one a replica; absent where `vary` gives learning rates. */
  readonly schedule?: EnsembleSchedule;
  /** Where to start: one point of all replicas, or one each. Default: the model's own initialisation from each replica's seed. */
  readonly start?: EnsembleStart<P, State>;
  /** Examples evaluated at a time. Default: the whole batch. */
  readonly microBatch?: number;
  /** Bytes that a step of the replicas trained at a time may take, besides the training set. Default 512 MiB. */
  readonly memoryBudget?: number;
  /** Replicas trained at a time. Default: as many as are predicted to fit. */
  readonly replicasAtOnce?: number;
  readonly onEvent?: (event: EnsembleEvent) => void;
}
