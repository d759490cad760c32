/** Problems with known paths: losses (|w + x|^2 - 1)^2 whose minima form a circle, or two points in one dimension. */
import { array, NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { add, square, sub, sum } from '../../ops/index.ts';
import type { Point, Problem } from '../../problem/index.ts';
import { key, normal } from '../../util/random/index.ts';

export interface Weight { readonly w: Tensor }

/** Examples x are normal with the given deviation; every target is zero and unused. */
export function circleProblem(dimensions: number, examples: number, deviation = 0): Problem<Weight> {
  const inputs = new NDArray(normal(key(3), [examples, dimensions], { deviation }), [examples, dimensions], 'float32');
  const targets = new NDArray(new Float32Array(examples), [examples, 1], 'float32');
  return {
    name: 'circle', loss: (outputs) => square(sub(sum(square(outputs), 1), 1)), train: { inputs, targets, size: examples },
    model: { name: 'shift', init: () => ({ params: { w: array(new Float64Array(dimensions), [dimensions], 'float64') }, state: {} }), apply: ({ w }, x) => ({ outputs: add(x, w), state: {} }) },
  };
}

export const at = (...w: number[]): Point<Weight> => ({ params: { w: array(w, [w.length], 'float64') }, state: {} });
