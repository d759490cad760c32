/** What a training run is a function of, and what it tells. @module */
import type { Executor } from '../core/backend.ts';
import type { DistributionChoice, DistributionName } from '../curvature/index.ts';
import type { Optimizer, Schedule } from '../optim/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { Checkpoint, CheckpointStore } from './checkpoint.ts';
import type { MixupOptions } from './mixup.ts';
import type { Measured, Probe } from './probe.ts';
import type { MeasurementTable } from './table.ts';

/** What the loop tells while it runs. */
export type TrainEvent =
  /** The run begins, or goes on after so many steps; the table grows with it. */
  | { readonly type: 'begin'; readonly step: number; readonly steps: number; readonly table: MeasurementTable }
  | {
    readonly type: 'step';
    /** Steps done, counted from one. */
    readonly step: number;
    readonly steps: number;
    /** Epochs done, so zero in the first. */
    readonly epoch: number;
    /** Mean loss of the step's batch, before its update. */
    readonly loss: number;
    readonly learningRate: number;
  }
  /** The last step of an epoch, counted from zero, is done. */
  | { readonly type: 'epoch'; readonly step: number; readonly epoch: number }
  /** A probe measured, after so many steps. */
  | { readonly type: 'measured'; readonly step: number; readonly epoch: number; readonly probe: string; readonly measured: Measured }
  /** A checkpoint is whole. */
  | { readonly type: 'checkpoint'; readonly step: number };

/** What a run of `train` is a function of, and its hooks. */
export interface TrainOptions<P, State> {
  readonly optimizer: Optimizer;
  /** Learning rate, at every step or as a function of the step. */
  readonly schedule: number | Schedule;
  /** Updates to do. One of `steps` and `epochs` is given. */
  readonly steps?: number;
  /** Passes over the training set. */
  readonly epochs?: number;
  /** Examples a step, drawn without replacement in each epoch, an incomplete last batch left out; or all of them, in their order. */
  readonly batchSize: number | 'full';
  readonly seed: number;
  /** Where to start; default: the model's own initialisation from the seed. */
  readonly start?: Point<P, State>;
  /** What is measured meanwhile. */
  readonly probes?: readonly Probe[];
  /** Mixes the examples of each batch (Zhang et al. 2018). */
  readonly mixup?: MixupOptions;
  /**
   * Examples evaluated at a time, for batches whose activations do not fit in memory; `auto`: predicted from the step. The gradient is
   * the same up to rounding, except that batch normalisation takes the statistics of each part. Default: the whole batch.
   */
  readonly microBatch?: number | 'auto';
  /** Bytes that a step may take, for `microBatch: 'auto'`. Default 512 MiB. */
  readonly memoryBudget?: number;
  /** The distribution behind a loss of one's own, for optimizers that draw targets. */
  readonly distribution?: DistributionName | DistributionChoice;
  /** Where and how often to save; a run that has one also saves at its end. */
  readonly checkpoint?: { readonly store: CheckpointStore; /** Steps between two. */ readonly every: number };
  /** Goes on from there. The other options must be those of the run that was saved, except that `steps` or `epochs` may be larger. */
  readonly resume?: Checkpoint;
  /** Free words that belong to the configuration: a checkpoint made under others is refused. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly executor?: Executor;
  /** Stops before the next step; what was done is returned. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
  /**
   * Most steps in one call of the backend, where nothing is due between them: less overhead a step, with the same results up to
   * rounding. Default: 16 where steps are small, else 1.
   */
  readonly stepsPerCall?: number;
}

/** Options that are needed to count steps. */
type Extent = Pick<TrainOptions<unknown, unknown>, 'steps' | 'epochs' | 'batchSize'>;

/** Number of steps of a run, and of one epoch. @throws ArgumentError when an option is out of range. */
export function extentOf({ train: { size } }: Pick<Problem<unknown, unknown>, 'train'>, { steps, epochs, batchSize }: Extent): { readonly steps: number; readonly stepsPerEpoch: number; readonly examples: number } {
  if ((steps === undefined) === (epochs === undefined)) {
    throw new ArgumentError({ operation: 'train', required: 'one of steps and epochs must be given', received: steps === undefined ? 'neither' : 'both' });
  }
  if (steps !== undefined) requireInteger('train', 'steps', steps, 1);
  if (epochs !== undefined) requireInteger('train', 'epochs', epochs, 1);
  if (batchSize !== 'full') requireInteger('train', 'batchSize', batchSize, 1);
  const examples = batchSize === 'full' ? size : batchSize;
  if (examples > size) throw new ArgumentError({ operation: 'train', required: `batchSize must be at most the ${size} training examples`, received: String(batchSize) });
  const stepsPerEpoch = Math.floor(size / examples);
  return { steps: steps ?? epochs! * stepsPerEpoch, stepsPerEpoch, examples };
}

/** @throws ArgumentError naming the first option that is out of range. */
export function requireOptions<P, State>(problem: Problem<P, State>, options: TrainOptions<P, State>): void {
  const { probes = [], checkpoint, mixup, microBatch, stepsPerCall, memoryBudget } = options;
  const { examples } = extentOf(problem as never, options);
  const names = new Set<string>();
  for (const { name, every } of probes) {
    if (names.has(name)) throw new ArgumentError({ operation: 'train', required: 'every probe must have a name of its own', received: `'${name}' twice` });
    names.add(name);
    requireInteger('train', `every of probe '${name}'`, every, 1);
  }
  if (checkpoint) requireInteger('train', 'checkpoint.every', checkpoint.every, 1);
  if (stepsPerCall !== undefined) requireInteger('train', 'stepsPerCall', stepsPerCall, 1);
  if (memoryBudget !== undefined) requireNumber('train', 'memoryBudget', memoryBudget, 0);
  if (typeof microBatch === 'number') {
    requireInteger('train', 'microBatch', microBatch, 1, examples);
    if (examples % microBatch !== 0) throw new ArgumentError({ operation: 'train', required: `microBatch must divide the batch of ${examples}`, received: String(microBatch) });
  }
  if (mixup) {
    requireNumber('train', 'mixup.alpha', mixup.alpha, Number.MIN_VALUE);
    if (problem.train.inputs.dtype === 'int32') throw new ArgumentError({ operation: 'train', required: 'mixup needs inputs that can be averaged', received: `tokens, ${problem.train.inputs}` });
  }
}
