/** Runs optimizers on problems with a model, their whole training set being the batch: what tests of methods that ask for its curvature share. */
import type { Executor } from '../core/backend.ts';
import { scalar, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mean } from '../ops/index.ts';
import { examplesOf, ParameterSpace, type Examples, type Point, type Problem } from '../problem/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { modelQuantities, stepDraws, type StepDraws } from '../train/quantities.ts';
import { compile, type Host } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { updateContext } from './context.ts';
import type { Optimizer } from './optimizer.ts';

export interface ModelRun<P> {
  /** Parameters after each step. */
  readonly path: readonly Host<P>[];
  /** Loss before each step, and after the last. */
  readonly losses: readonly number[];
  readonly state: unknown;
  /** Reports of each step. */
  readonly reports: readonly Readonly<Record<string, number>>[];
}

/** Full-batch steps from the problem's own start, or another. */
export async function runOnProblem<P, State>(optimizer: Optimizer, problem: Problem<P, State>, { steps, rate, start = problem.model.init(key(0)), executor = referenceExecutor }: { readonly steps: number; readonly rate: number; readonly start?: Point<P, State>; readonly executor?: Executor }): Promise<ModelRun<P>> {
  const { dtype } = new ParameterSpace(start.params);
  type Call = { params: P; memory: unknown; step: Tensor; learningRate: Tensor; batch: Examples; state: State; draws: StepDraws<P> };
  const traced = ({ params, memory, step, learningRate, batch, state, draws }: Call) => {
    const lossAt = (at: P): Tensor => mean(problem.loss(problem.model.apply(at, batch.inputs, { mode: 'train', state }).outputs, batch.targets));
    const context = updateContext<P>({ params, step, learningRate, batchSize: problem.train.size, lossAt, ...modelQuantities(problem, { params, state, batch, draws }) });
    const next = optimizer.update(context, memory);
    return { params: next.params, state: next.state, loss: context.loss(), report: next.report ?? {} };
  };
  const program = compile(traced as never, { executor, name: optimizer.name }) as unknown as (call: unknown) => Promise<{ params: Host<P>; state: unknown; loss: NDArray; report: Record<string, NDArray> }>;
  const initial = compile(((p: P) => optimizer.init(p)) as never, { executor }) as unknown as (p: unknown) => Promise<unknown>;
  const drawsAt = stepDraws(problem, start, optimizer.draws ?? [], { batchSize: problem.train.size, key: key(3) });
  const batch = examplesOf(problem.train, dtype);
  let { params } = start;
  let memory = await initial(params);
  const [path, losses, reports]: [Host<P>[], number[], Record<string, number>[]] = [[], [], []];
  for (let step = 0; step <= steps; step++) {
    const next = await program({ params, memory, step: scalar(step, dtype), learningRate: scalar(rate, dtype), batch, state: start.state, draws: drawsAt(step) });
    losses.push(next.loss.item());
    if (step === steps) break;
    ({ params, state: memory } = next);
    path.push(params);
    reports.push(Object.fromEntries(Object.entries(next.report).map(([name, value]) => [name, value.item()])));
  }
  return { path, losses, state: memory, reports };
}
