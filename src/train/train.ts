/** The training loop: one compiled step (batch gathering, loss, gradient, update), driven from the host. @module */
import { ArgumentError } from '../util/errors.ts';
import { key, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import type { Executor } from '../core/backend.ts';
import { batches, epochOrder } from '../data/index.ts';
import { ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import type { Optimizer, Schedule } from '../optim/index.ts';
import type { Host } from '../transforms/index.ts';
import { trainingProgram, type StepArguments } from './program.ts';

/** What the loop tells while it runs. */
export interface TrainEvent {
  /** Steps done, counted from one. */
  readonly step: number;
  readonly steps: number;
  /** Epochs done, so zero in the first. */
  readonly epoch: number;
  /** Mean loss of the step's batch, before its update. */
  readonly loss: number;
}

/** What a run of `train` is a function of, and its hooks. */
export interface TrainOptions<P, State> {
  readonly optimizer: Optimizer<unknown>;
  readonly learningRate: number | Schedule;
  /** Passes over the training set. */
  readonly epochs: number;
  /** Examples a step, drawn without replacement in each epoch; an incomplete last batch is left out. */
  readonly batchSize: number;
  readonly seed: number;
  /** Where to start; default: the model's own initialisation from the seed. */
  readonly start?: Point<P, State>;
  readonly executor?: Executor;
  /** Stops before the next step; what was done is returned. */
  readonly signal?: AbortSignal;
  readonly onStep?: (event: TrainEvent) => void;
  /** Called after each epoch, counted from zero, with the parameters reached. */
  readonly onEpoch?: (epoch: number, params: Host<P>, state: Host<State>) => Promise<void> | void;
}

/** A loss that is not finite ended the run. */
export interface Divergence {
  readonly reason: 'diverged';
  /** The step whose loss it was, counted from one. */
  readonly step: number;
  readonly loss: number;
  /** The first operation whose result is not finite, found by evaluating the step again, operation by operation. */
  readonly message: string;
}

/** Where a run ended and how it got there. */
export interface TrainingRun<P, State> {
  /** Where the run ended; diverged, the last parameters whose batch loss was finite (the initial ones if none was). */
  readonly params: Host<P>;
  readonly state: Host<State>;
  /** Batch loss of every step; all finite. */
  readonly losses: readonly number[];
  readonly end: { readonly reason: 'finished' | 'interrupted' } | Divergence;
}

/**
 * Trains a problem. The run is a pure function of the options: batch order, dropout and initial parameters come from the
 * seed. A loss that is not finite stops the run, is explained, and keeps everything until then.
 *
 * @throws ArgumentError when the batch is larger than the training set or an option is out of range.
 */
export async function train<P, State>(problem: Problem<P, State>, options: TrainOptions<P, State>): Promise<TrainingRun<P, State>> {
  requireOptions(problem.train.size, options);
  const { seed, learningRate, optimizer, executor } = options;
  const root = key(seed);
  const start = options.start ?? problem.model.init(split(root, 'init'));
  const { dtype } = new ParameterSpace(start.params);
  const program = trainingProgram(problem, { optimizer, executor, dtype, key: split(root, 'step'), rateAt: typeof learningRate === 'number' ? () => learningRate : learningRate });
  try {
    const orderOf = (epoch: number): Int32Array[] => batches(epochOrder(split(root, 'order'), problem.train.size, epoch), { batchSize: options.batchSize, remainder: 'drop' });
    return await runSteps(program, start, orderOf, options);
  } finally {
    await program.dispose();
  }
}

function requireOptions(size: number, { epochs, batchSize }: Pick<TrainOptions<unknown, unknown>, 'epochs' | 'batchSize'>): void {
  requireInteger('train', 'epochs', epochs, 1);
  requireInteger('train', 'batchSize', batchSize, 1);
  if (batchSize > size) throw new ArgumentError({ operation: 'train', required: `batchSize must be at most the ${size} training examples`, received: String(batchSize) });
}

async function runSteps<P, State>(program: ReturnType<typeof trainingProgram<P, State>>, start: Point<P, State>, batchesOf: (epoch: number) => Int32Array[], options: TrainOptions<P, State>): Promise<TrainingRun<P, State>> {
  const { epochs, signal, onStep, onEpoch } = options;
  const losses: number[] = [];
  let { params, state } = start;
  let memory = await program.initialMemory(params);
  let last: StepArguments<P, State> | undefined;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = batchesOf(epoch);
    for (const indices of order) {
      if (signal?.aborted === true) return { params, state, losses, end: { reason: 'interrupted' } };
      const call = program.argumentsOf({ params, state, memory, indices, step: losses.length });
      const next = await program.step(call);
      const loss = next.loss.item();
      if (!Number.isFinite(loss)) {
        const message = program.explain(call, last);
        return { params: last?.params ?? params, state: last?.state ?? state, losses, end: { reason: 'diverged', step: losses.length + 1, loss, message } };
      }
      ({ params, state, memory } = next);
      last = call;
      losses.push(loss);
      onStep?.({ step: losses.length, steps: epochs * order.length, epoch, loss });
    }
    await onEpoch?.(epoch, params, state);
  }
  return { params, state, losses, end: { reason: 'finished' } };
}
