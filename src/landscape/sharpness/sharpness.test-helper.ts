/** Networks and losses whose sharpness is known. @module */
import { array, NDArray, toDtype } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { crossEntropy } from '../../losses/index.ts';
import { mlp, type MlpParameters } from '../../nn/index.ts';
import { argmax, constant, mul, reshape, square, sum } from '../../ops/index.ts';
import { predict, type Point, type Problem } from '../../problem/index.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { compile } from '../../transforms/index.ts';
import { flatten } from '../../tree/index.ts';
import { key, normal, randint, split } from '../../util/random/index.ts';

export interface Vector<T = Tensor> { readonly w: T }

/** Mean loss sum_i curvature_i w_i^2 / 2, exactly; one example. */
export const quadratic = (curvature: readonly number[]): Problem<Vector> => ({
  name: 'quadratic',
  model: { name: 'parameters', init: () => ({ params: { w: array(curvature.map(() => 0), [curvature.length], 'float64') }, state: {} }), apply: ({ w }) => ({ outputs: reshape(w, [1, curvature.length]), state: {} }) },
  loss: (outputs) => sum(mul(square(outputs), constant(array(curvature.map((c) => c / 2), [1, curvature.length], 'float64'))), 1),
  train: { inputs: array([[0]]), targets: array([0]), size: 1 },
});
export const at = (...w: number[]): Point<Vector> => ({ params: { w: array(w, [w.length], 'float64') }, state: {} });

/** A ReLU network with labels of three classes. */
export function reluProblem(examples: number, options: { readonly bias?: boolean; readonly dtype?: 'float32' | 'float64'; readonly sizes?: readonly number[] } = {}): { problem: Problem<MlpParameters>; point: Point<MlpParameters> } {
  const { bias = true, dtype = 'float64', sizes = [4, 7, 5, 3] } = options;
  const model = mlp({ sizes, activation: 'relu', bias: bias as true });
  const inputs = new NDArray(normal(split(key(4), 'x'), [examples, 4]), [examples, 4], 'float32');
  const targets = new NDArray(randint(split(key(4), 'y'), examples, { high: 3 }), [examples], 'int32');
  const { params } = model.init(key(11));
  const { leaves, structure } = flatten<NDArray>(params);
  // Biases start at zero: moved, so that rescaling must take them along.
  const drawn = leaves.map((leaf, i) => {
    const values = Float64Array.from(leaf.data).map((x, j) => x + 0.2 * Math.sin(i + 3 * j));
    return new NDArray(dtype === 'float64' ? values : Float32Array.from(values), leaf.shape, dtype);
  });
  return { problem: { name: 'relu net', model, loss: crossEntropy, train: { inputs, targets, size: examples } }, point: { params: structure.rebuild(drawn) as never, state: {} } };
}

/** The same network: weights and biases of layer 0 times `factor`, weights of layer 1 divided by it. */
export function rescaled(point: Point<MlpParameters>, factor: number): Point<MlpParameters> {
  const { leaves, structure } = flatten<NDArray>(point.params);
  const times = leaves.map((leaf, i) => {
    const name = structure.paths[i];
    const by = name.startsWith('layers.0.') ? factor : name === 'layers.1.weight' ? 1 / factor : 1;
    return new NDArray(leaf.data.map((x: number) => x * by) as Float64Array, leaf.shape, leaf.dtype);
  });
  return { params: structure.rebuild(times) as never, state: {} };
}

/** The problem with the network's own answers as labels: no label is wrong. */
export async function withOwnLabels(problem: Problem<MlpParameters>, point: Point<MlpParameters>): Promise<Problem<MlpParameters>> {
  const { inputs, size } = problem.train;
  const answers = compile((params: MlpParameters, x: Tensor) => argmax(predict(problem, params, {}, x), 1), { executor: referenceExecutor });
  const targets = await answers(point.params as never, toDtype(inputs, 'float64'));
  await answers.dispose();
  return { ...problem, train: { inputs, targets: new NDArray(Int32Array.from(targets.data), [size], 'int32'), size } };
}
