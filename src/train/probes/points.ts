/** Which examples a probe looks at, and sums over them at points that move. @module */
import type { Executor } from '../../core/backend.ts';
import type { Tensor } from '../../core/tensor.ts';
import { subset, type Split } from '../../data/index.ts';
import { chunkedSum, examplesOf, lossSum, ParameterSpace, pointOf, type Examples, type Point, type PointTensors, type Problem } from '../../problem/index.ts';
import { grad, vmap, type Host } from '../../transforms/index.ts';
import { leaves } from '../../tree/index.ts';
import { sliceOf, stacked } from '../inputs.ts';
import type { ProbeSetting } from '../probe.ts';

/** Which examples a probe looks at. */
export interface ExampleOptions {
  /** The first so many examples of the split. */
  readonly samples?: number | undefined;
  /** Default `train`. */
  readonly split?: 'train' | 'test' | undefined;
}

/** What a probe evaluates a problem with. */
export interface Evaluated<P, State> {
  readonly problem: Problem<P, State>;
  readonly executor: Executor | undefined;
  readonly dtype: 'float32' | 'float64';
  readonly split: Split;
}

/** The examples of a probe: the first `samples` (at most all there are) of the training split or, where there is one, of the test split. */
export function evaluatedOf<P, State>({ problem, executor, start }: Pick<ProbeSetting<P, State>, 'problem' | 'executor' | 'start'>, { samples = Infinity, split = 'train' }: ExampleOptions): Evaluated<P, State> {
  const chosen = split === 'test' ? (problem.test ?? problem.train) : problem.train;
  return { problem, executor, dtype: new ParameterSpace(start.params).dtype, split: subset(chosen, Math.min(samples, chosen.size)) };
}

/** Results at points that move; programs are compiled once. */
export interface MovingSums<P, State, Out> {
  /** Sums over all examples, added in float64. */
  at(point: Point<P, State>): Promise<Host<Out>>;
  /** The same at several points at once. */
  atAll(points: readonly Point<P, State>[]): Promise<readonly Host<Out>[]>;
  /** Not sums: what the function gives for each chunk of examples, in order. */
  each(point: Point<P, State>, visit: (part: Host<Out>, start: number, count: number) => void): Promise<void>;
  dispose(): Promise<void>;
}

/** A traced function of a batch at a point, evaluated over all examples of a split. For `at` and `atAll`, its results must be sums over the examples. */
export function movingSums<P, State, Out>(name: string, { problem, executor, dtype, split }: Evaluated<P, State>, f: (point: PointTensors<P, State>, batch: Examples) => Out, chunk?: number): MovingSums<P, State, Out> {
  type At = PointTensors<P, State>;
  const options = { bind: false, name: `${name} of ${problem.name}`, ...(executor && { executor }), ...(chunk !== undefined && { chunk }) };
  const examples = examplesOf(split, dtype);
  const one = chunkedSum<Record<string, never>, Examples, [At], Out>((_, batch, point) => f(point, batch), {}, examples, options);
  const many = chunkedSum<Record<string, never>, Examples, [At], Out>((_, batch, points) => vmap((point: At) => f(point, batch))(points), {}, examples, options);
  const at = (point: Point<P, State>): Promise<Host<Out>> => one.evaluate(pointOf(point) as never);
  return {
    at,
    async atAll(points) {
      if (points.length === 1) return [await at(points[0])];
      const all = await many.evaluate(stacked(points.map(pointOf)) as never);
      return points.map((_, i) => sliceOf(all, i));
    },
    each: (point, visit) => one.each([pointOf(point) as never], (part, { start, count }) => visit(part, start, count)),
    dispose: async () => { await Promise.all([one.dispose(), many.dispose()]); },
  };
}

/** The gradient of the sum of losses with respect to all parameters, leaf by leaf. */
export const movingGradient = <P, State>(evaluated: Evaluated<P, State>, chunk?: number): MovingSums<P, State, Tensor[]> =>
  movingSums('gradient', evaluated, ({ params, state }, batch) => leaves<Tensor>(grad((at: P) => lossSum(evaluated.problem, at, state, batch))(params)), chunk);
