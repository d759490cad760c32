/** Second moments of a gradient along each of its axes, and products with matrices along one. @module */
import type { Tensor } from '../core/tensor.ts';
import { dot, moveAxis, square, sum } from '../ops/index.ts';

const others = (rank: number, axis: number): number[] => Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);

/** The sum over all other axes of outer products along one, [n, n]: for a matrix G and axis 0, G G'. */
export const gramAlong = (x: Tensor, axis: number): Tensor => dot(x, x, { batch: [[], []], contract: [others(x.rank, axis), others(x.rank, axis)] });

/** Its diagonal, [n]. */
export const squaresAlong = (x: Tensor, axis: number): Tensor => sum(square(x), others(x.rank, axis));

/** x with its vectors along an axis multiplied by a matrix: `matrix' v` for each of them (so for a matrix x and axis 0, matrix' x). */
export function timesAlong(x: Tensor, axis: number, matrix: Tensor): Tensor {
  // So the first axis stays first without a transpose.
  if (axis === 0) return dot(matrix, x, { batch: [[], []], contract: [[0], [0]] });
  return moveAxis(dot(x, matrix, { batch: [[], []], contract: [[axis], [0]] }), x.rank - 1, axis);
}
