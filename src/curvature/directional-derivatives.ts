/** Loss, slope and curvature along directions, at points that move: two forward passes nested, no gradient. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { chunkedSum, examplesOf, lossSum, ParameterSpace, pointOf, type ChunkOptions, type Examples, type ParameterFilter, type Point, type PointTensors, type Problem } from '../problem/index.ts';
import { jvp, vmap } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';

/** Derivatives of the mean loss at a point along one direction v. */
export interface DirectionalDerivative {
  readonly loss: number;
  /** g'v. */
  readonly slope: number;
  /** v'Hv. */
  readonly curvature: number;
}

/** Options of `directionalDerivatives`. */
export interface DirectionalOptions extends ChunkOptions {
  /** The examples; default: the problem's training split. */
  readonly data?: Split;
  /** Directions in these parameters only. Default: all. */
  readonly parameters?: ParameterFilter;
}

/** Measures derivatives at any point of a problem; keeps its compiled programs. */
export interface DirectionalDerivatives<P, State> {
  /** The parameters that directions are made of. */
  readonly space: ParameterSpace;
  /** Along each direction [space.size], in order; not normalised. A number of directions that was not given before compiles anew. */
  at(point: Point<P, State>, directions: readonly Float64Array[]): Promise<DirectionalDerivative[]>;
  dispose(): Promise<void>;
}

/**
 * Prepares d/dt and d^2/dt^2 of L(theta + t v) at t = 0, the mean loss L over a split: slope g'v and quadratic form v'Hv of the Hessian.
 * A tangent pass over a tangent pass (Griewank & Walther 2008, chapter 13): about four forward passes a direction and no reverse pass, so
 * cheaper than the product H v where only the number v'Hv is wanted. Parameters are arguments: nothing is compiled anew at another
 * point. Results are rounded as the parameters are, sums over chunks in float64. Model in eval mode.
 *
 * @param like Any point of the problem: its shapes.
 * @throws ArgumentError when no parameter or no direction is given; ShapeError when a direction has another length.
 */
export function directionalDerivatives<P, State>(problem: Problem<P, State>, like: Point<P, State>, options: DirectionalOptions = {}): DirectionalDerivatives<P, State> {
  const { data = problem.train, parameters, ...chunking } = options;
  const space = new ParameterSpace(like.params, parameters);
  type Sums<A = Tensor> = readonly [loss: A, slope: A, curvature: A];
  const along = ({ params, state }: PointTensors<P, State>, batch: Examples, direction: Tensor[]): Sums => {
    const loss = (...chosen: Tensor[]): Tensor => lossSum(problem, space.replace(params, chosen) as P, state, batch);
    const slope = (...chosen: Tensor[]): readonly Tensor[] => jvp(loss, chosen, direction);
    const [[value, first], [, second]] = jvp(slope, space.pick<Tensor>(params), direction);
    return [value, first, second];
  };
  const total = chunkedSum<Record<string, never>, Examples, [PointTensors<P, State>, Tensor[]], Sums>(
    (_, batch, point, directions) => vmap((direction: Tensor[]) => along(point, batch, direction))(directions),
    {}, examplesOf(data, space.dtype), { ...chunking, bind: false, name: `directional derivatives of ${problem.name}` },
  );
  return {
    space,
    async at(point, directions) {
      if (directions.length === 0) throw new ArgumentError({ operation: 'directionalDerivatives', required: 'directions must hold at least one', received: 'none' });
      directions.forEach((direction, i) => {
        if (direction.length !== space.size) throw new ShapeError({ operation: 'directionalDerivatives', required: `direction ${i} must have ${space.size} entries`, received: String(direction.length) });
      });
      const sums = await total.evaluate(pointOf(point) as never, space.split(directions) as never) as unknown as Sums<NDArray>;
      const [loss, slope, curvature] = sums.map((sum) => Float64Array.from(sum.data, (x) => x / data.size));
      return directions.map((_, i) => ({ loss: loss[i], slope: slope[i], curvature: curvature[i] }));
    },
    dispose: () => total.dispose(),
  };
}
