/** Final losses over a grid of learning rates and batch sizes, every run on the same samples. @module */
import type { Executor } from '../core/backend.ts';
import type { Optimizer, Schedule } from '../optim/index.ts';
import { evaluator, type Evaluator, type Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { trainEnsemble } from './ensemble.ts';
import type { EnsembleEvent } from './ensemble-options.ts';
import { evenStepsPerCall } from './steps-per-call.ts';

/** What a grid is a function of. */
export interface HyperparameterGridOptions<P, State> {
  /** Factors of the schedule: peak learning rates, where its peak is 1. */
  readonly rates: readonly number[];
  readonly batchSizes: readonly number[];
  /** Examples that each run sees, repetitions counted: a run has samples / batchSize steps. A multiple of every batch size. */
  readonly samples: number;
  /** The schedule of a run of so many steps. */
  readonly scheduleOf: (steps: number) => Schedule;
  readonly optimizer: Optimizer;
  /** Of the start and of the order of examples, which are the same for all runs. */
  readonly seed: number;
  /** Of the problem's test split, if there is one to share between grids; else one is made. */
  readonly evaluator?: Evaluator<P, State>;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  /** Steps done of all. Awaited between batch sizes; what it throws there ends the grid. */
  readonly onProgress?: (fraction: number, batchSize: number) => void | Promise<void>;
}

/** Losses on the test split after training. */
export interface HyperparameterGrid {
  readonly rates: readonly number[];
  readonly batchSizes: readonly number[];
  /** One a batch size. */
  readonly steps: readonly number[];
  /** A row for each rate, a number for each batch size; Infinity for a run that diverged. */
  readonly losses: readonly (readonly number[])[];
}

/**
 * Trains a run for every learning rate and batch size, all rates of a batch size in one program: they share batches, so a batch is gathered once. The
 * examples come in the same order at every batch size, except that an epoch leaves out what does not fill its last batch.
 *
 * @throws ArgumentError when the problem has no test split, or a batch size does not divide the samples; the signal's reason when it is aborted.
 */
export async function hyperparameterGrid<P, State>(problem: Problem<P, State>, options: HyperparameterGridOptions<P, State>): Promise<HyperparameterGrid> {
  const { rates, batchSizes, samples, scheduleOf, optimizer, seed, executor, signal, onProgress } = options;
  const { test } = problem;
  if (test === undefined) throw new ArgumentError({ operation: 'hyperparameterGrid', required: 'the problem must have a test split', received: `'${problem.name}', which has none` });
  requireInteger('hyperparameterGrid', 'samples', samples, 1);
  const steps = batchSizes.map((batchSize) => requireInteger('hyperparameterGrid', `samples / batchSize of batch size ${batchSize}`, samples / batchSize, 1));
  const total = steps.reduce((sum, count) => sum + count, 0);
  const evaluated = options.evaluator ?? evaluator(problem, test, { executor });
  const columns: number[][] = [];
  try {
    let done = 0;
    for (const [i, batchSize] of batchSizes.entries()) {
      await onProgress?.(done / total, batchSize);
      const onEvent = (event: EnsembleEvent): void => {
        // Nobody waits inside the loop: an interruption is seen there by the signal, and thrown at the next batch size.
        if (event.type === 'step') void Promise.resolve(onProgress?.((done + event.step) / total, batchSize)).catch(() => undefined);
      };
      const { replicas } = await trainEnsemble(problem, {
        optimizer, batchSize, steps: steps[i], seed, executor, signal, onEvent, stepsPerCall: evenStepsPerCall(steps[i]),
        schedule: scheduleOf(steps[i]), vary: { learningRateFactor: rates },
      });
      signal?.throwIfAborted();
      const column: number[] = [];
      for (const { end, params, state } of replicas) {
        const loss = end.reason === 'diverged' ? Infinity : (await evaluated.evaluate({ params, state })).loss.value;
        column.push(Number.isFinite(loss) ? loss : Infinity);
      }
      columns.push(column);
      done += steps[i];
    }
  } finally {
    if (options.evaluator === undefined) await evaluated.dispose();
  }
  await onProgress?.(1, batchSizes.at(-1) ?? 0);
  return { rates, batchSizes, steps, losses: rates.map((_, r) => columns.map((column) => column[r])) };
}
