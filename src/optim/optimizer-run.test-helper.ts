/** Runs optimizers on traced losses, without models: what tests of update rules share. */
import type { Executor } from '../core/backend.ts';
import { NDArray, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, type Host } from '../transforms/index.ts';
import { normal, split, key } from '../util/random/index.ts';
import { mapTree } from '../tree/index.ts';
import { updateContext } from './context.ts';
import type { Optimizer, Schedule } from './optimizer.ts';

export interface RunSettings {
  readonly steps: number;
  readonly rate: number | Schedule;
  /** Default float64. */
  readonly dtype?: 'float32' | 'float64';
  /** Default: the reference interpreter. */
  readonly executor?: Executor;
}

export interface OptimizerRun<P> {
  /** Parameters after each step. */
  readonly path: readonly Host<P>[];
  readonly params: Host<P>;
  readonly state: unknown;
  /** Loss before each step. */
  readonly losses: readonly number[];
  /** What each step reported. */
  readonly reports: readonly Readonly<Record<string, number>>[];
  /** What the optimizer gives as its answer after the last step. */
  readonly answer: Host<P>;
}

/** Steps of an optimizer on a loss of parameters (a second argument: the step, f[]). */
export async function runOptimizer<P>(optimizer: Optimizer, loss: (params: P, step: Tensor) => Tensor, start: Host<P>, { steps, rate, dtype = 'float64', executor = referenceExecutor }: RunSettings): Promise<OptimizerRun<P>> {
  const settings = { executor, dtype, name: optimizer.name } as const;
  type Call = { params: P; state: unknown; step: Tensor; learningRate: Tensor; normal: P };
  const traced = ({ params, state, step, learningRate, normal: drawn }: Call) => {
    const context = updateContext<P>({ params, step, learningRate, lossAt: (at) => loss(at, step), normal: () => drawn });
    const { report = {}, ...updated } = optimizer.update(context, state);
    return { ...updated, report, loss: context.loss() };
  };
  const program = compile(traced as never, settings) as unknown as (call: unknown) => Promise<{ params: Host<P>; state: unknown; loss: NDArray; report: Record<string, NDArray> }>;
  const initial = compile(((p: P) => optimizer.init(p)) as never, settings) as unknown as (p: unknown) => Promise<unknown>;
  const answer = compile(((p: P, s: unknown) => (optimizer.answer ? optimizer.answer(p, s) : p)) as never, settings) as unknown as (p: unknown, s: unknown) => Promise<Host<P>>;
  let params = start;
  let state = await initial(start);
  const path: Host<P>[] = [];
  const losses: number[] = [];
  const reports: Record<string, number>[] = [];
  for (let step = 0; step < steps; step++) {
    const noise = mapTree((leaf: NDArray) => new NDArray(normal(split(key(11), step), leaf.shape, { dtype: 'float64' }), leaf.shape, 'float64'), start);
    const learningRate = scalar(typeof rate === 'number' ? rate : rate(step, { losses }), dtype);
    const next = await program({ params, state, step: scalar(step, dtype), learningRate, normal: noise });
    ({ params, state } = next);
    path.push(params);
    losses.push(next.loss.item());
    reports.push(Object.fromEntries(Object.entries(next.report).map(([name, value]) => [name, value.item()])));
  }
  return { path, params, state, losses, reports, answer: await answer(params, state) };
}
