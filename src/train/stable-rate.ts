/** The largest learning rate that a point can be trained on with, found by trying all of a grid at once. @module */
import type { Executor } from '../core/backend.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { trainEnsemble } from './ensemble.ts';
import type { EnsembleEvent } from './ensemble-options.ts';
import { grid } from './ensemble-vary.ts';
import type { BesideProbe, Measured, PreparedProbe, ProbeSetting } from './probe.ts';
import { loss } from './probes/evaluation.ts';

/** Options of `largestStableRate`. */
export interface StableRateOptions<P, State> {
  /** Where every run starts: a point that is trained already, since at an initial one most rates lower the loss. */
  readonly start: Point<P, State>;
  readonly optimizer: Optimizer;
  /** Learning rates to try, increasing. */
  readonly rates: readonly number[];
  readonly batchSize: number | 'full';
  /** Seeds of the order of batches: every rate is run with each. */
  readonly orders: readonly number[];
  /** Steps of a run. Default 80. */
  readonly steps?: number;
  /** The last so many steps, over which the loss is averaged. Default 20. */
  readonly last?: number;
  /** A rate is stable while that mean is below so many times the loss at the start. Default 1.3. */
  readonly growth?: number;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: EnsembleEvent) => void;
}

/** What was found on the grid. */
export interface StableRate {
  /** The largest stable rate; undefined where none is. */
  readonly rate: number | undefined;
  /** It is the largest of the grid: the true one may lie beyond. */
  readonly isAtEnd: boolean;
  /** Mean loss over the training set at the start. */
  readonly initialLoss: number;
  /** Of each rate: the same after each of the last steps, averaged over these and the orders; Infinity where a run diverged. */
  readonly losses: readonly number[];
}

/** The loss over the training set at the start and after the steps from `first` on. */
const endLoss = (first: number): BesideProbe => ({
  where: 'beside', name: 'end-loss', every: 1,
  async prepare<P, State>(setting: ProbeSetting<P, State>): Promise<PreparedProbe<P, State>> {
    const whole = await loss({ every: 1, split: 'train', at: 'params' }).prepare(setting);
    const isDue = (step: number): boolean => step === 0 || step >= first;
    return {
      measure: (moment) => (isDue(moment.step) ? whole.measure(moment) : Promise.resolve({})),
      measureAll: (moments) => (isDue(moments[0].step) ? whole.measureAll!(moments) : Promise.resolve(moments.map((): Measured => ({})))),
      dispose: () => whole.dispose(),
    };
  },
});

/**
 * The largest learning rate of a grid with which training on batches does not raise the loss: from `start`, each rate is run for some steps with
 * each order of batches, all as one ensemble, and is stable when the loss over the whole training set, averaged over the last steps and the orders,
 * stays below `growth` times that at the start (the measurement of Granziol, Zohren & Roberts, JMLR 2022, arXiv 2006.09092, made short). Known to the
 * spacing of the grid. Interrupted, the signal's reason is thrown.
 *
 * @throws ArgumentError when an option is out of range.
 */
export async function largestStableRate<P, State>(problem: Problem<P, State>, { start, optimizer, rates, batchSize, orders, steps = 80, last = 20, growth = 1.3, ...others }: StableRateOptions<P, State>): Promise<StableRate> {
  requireInteger('largestStableRate', 'steps', steps, 1);
  requireInteger('largestStableRate', 'last', last, 1, steps);
  requireNumber('largestStableRate', 'growth', growth, 1);
  if (orders.length === 0) throw new ArgumentError({ operation: 'largestStableRate', required: 'orders must have at least one seed', received: 'none' });
  if (rates.length === 0 || rates.some((rate, i) => !(rate > (i === 0 ? 0 : rates[i - 1])))) throw new ArgumentError({ operation: 'largestStableRate', required: 'rates must be positive and increasing', received: `[${rates.join(', ')}]` });
  const { replicas } = await trainEnsemble(problem, { ...others, start, optimizer, batchSize, steps, seed: orders[0], vary: grid({ learningRate: rates, order: orders }), probes: [endLoss(steps - last + 1)] });
  others.signal?.throwIfAborted();
  const series = replicas.map(({ table }) => table.series('end-loss.train').values);
  const initialLoss = series[0][0];
  const losses = rates.map((_, r) => {
    const own = orders.map((__, o) => r * orders.length + o);
    if (own.some((replica) => replicas[replica].end.reason === 'diverged')) return Infinity;
    return own.reduce((sum, replica) => sum + series[replica].slice(1).reduce((a, b) => a + b, 0) / last / own.length, 0);
  });
  const at = losses.findLastIndex((mean) => mean < growth * initialLoss);
  return { rate: at < 0 ? undefined : rates[at], isAtEnd: at === rates.length - 1, initialLoss, losses };
}
