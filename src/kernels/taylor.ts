/** Networks expanded in their parameters about a point: linearised, or to any order. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../nn/index.ts';
import { add, constant, mul, sub } from '../ops/index.ts';
import { jvp, type Host } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { requireInteger } from '../util/require.ts';

/**
 * The Taylor polynomial of f about `point` in its first argument, for use inside traced functions: the sum over k of
 * d^k f(point)[params - point, ...] / k!, by nested forward mode (cost grows as 2^order).
 * @throws ArgumentError on an impossible order.
 */
export function taylorExpansion<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => Tensor, point: P, order: number): (params: P, ...rest: Rest) => Tensor {
  requireInteger('taylorExpansion', 'order', order, 0);
  return (params, ...rest) => {
    const step = mapTree((p: Tensor, at: Tensor) => sub(p, at), params, point) as P;
    let derivative = (p: P): Tensor => f(p, ...rest);
    let total = derivative(point);
    let factorial = 1;
    for (let k = 1; k <= order; k++) {
      const previous = derivative;
      derivative = (p) => jvp(previous, [p], [step])[1];
      factorial *= k;
      total = add(total, mul(derivative(point), 1 / factorial));
    }
    return total;
  };
}

/**
 * A model whose outputs are the Taylor polynomial of another's in the parameters, about `params` (order 1: the linearised
 * network of Lee et al. 2019). It fits wherever the model did: train it, take its Hessian, plot its landscape. The point becomes
 * a constant of the programs. State is handed through from the point's own pass.
 */
export function taylorModel<P, State>(model: Model<P, State>, params: Host<P>, order = 1): Model<P, State> {
  requireInteger('taylorModel', 'order', order, 0);
  return {
    ...model,
    name: order === 1 ? `linearised ${model.name}` : `${model.name} to order ${order}`,
    apply(moved, inputs, context) {
      const point = mapTree((leaf: NDArray) => constant(leaf), params) as P;
      const outputs = taylorExpansion((p: P) => model.apply(p, inputs, context).outputs, point, order)(moved);
      return { outputs, state: model.apply(point, inputs, context).state };
    },
  };
}
