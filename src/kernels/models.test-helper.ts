/** Small networks that use their parameters in every way the kernels must cope with, and their Jacobians written out. */
import { array, NDArray, sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mlp, type Model } from '../nn/index.ts';
import { add, conv, dot, matmul, mul, reshape, sigmoid, sum, tanh, transpose } from '../ops/index.ts';
import { ParameterSpace, type Point } from '../problem/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, jacrev } from '../transforms/index.ts';
import { flatten, mapTree } from '../tree/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { outputsOf, type Network } from './network.ts';

/** A network, where it is looked at, and the shape of an example. */
export interface Sample {
  readonly network: Network<unknown>;
  readonly point: Point<unknown>;
  readonly inputShape: readonly number[];
}

export const draw = (name: string, shape: readonly number[], scale = 1): NDArray => array(normal(split(key(11), name), sizeOf(shape), { dtype: 'float64' }).map((x) => scale * x), shape, 'float64');

function sample(name: string, inputShape: readonly number[], shapes: Readonly<Record<string, readonly number[]>>, apply: (params: Record<string, Tensor>, x: Tensor) => Tensor): Sample {
  const params = Object.fromEntries(Object.entries(shapes).map(([leaf, shape]) => [leaf, draw(`${name} ${leaf}`, shape, 0.5)]));
  const model = { name, init: () => ({ params, state: {} }), apply: (p: Record<string, Tensor>, x: Tensor) => ({ outputs: apply(p, x), state: {} }) };
  return { network: { name, model: model as unknown as Model<unknown> }, point: { params, state: {} }, inputShape };
}

function mlpSample(): Sample {
  const model = mlp({ sizes: [4, 5, 3], parametrization: 'ntk', biasScale: 0.3 });
  const params = mapTree((leaf: NDArray) => array(leaf.data, leaf.shape, 'float64'), model.init(key(4)).params);
  return { network: { name: 'mlp', model: model as unknown as Model<unknown> }, point: { params, state: {} }, inputShape: [4] };
}

const window = { strides: 1, padding: 'valid' } as const;

export const samples: readonly Sample[] = [
  mlpSample(),
  // Strides, padding and dilation; weights transposed and reshaped before use; a bias over channels.
  sample('convolutions', [2, 6, 5], { first: [3, 2, 3, 2], bias: [3], second: [2, 3, 2, 2], head: [3, 16] }, ({ first, bias, second, head }, x) => {
    const h = tanh(add(conv(x, first, { strides: [2, 1], padding: [[1, 1], [0, 2]] }), reshape(bias, [1, 3, 1, 1])));
    const g = tanh(conv(h, second, { ...window, kernelDilation: [1, 2] }));
    return matmul(reshape(g, [g.shape[0], sizeOf(g.shape.slice(1))]), transpose(reshape(head, [3, 16])));
  }),
  // One weight used twice, one elementwise, one through a gate of itself, one scaled by another, and one that is not used.
  sample('odd uses', [3], { tied: [3, 3], scale: [3], gated: [3, 2], head: [2, 3], gain: [1], unused: [2] }, ({ tied, scale, gated, head, gain }, x) => {
    const h = mul(tanh(matmul(tanh(matmul(x, tied)), tied)), scale);
    return matmul(tanh(matmul(h, mul(gated, sigmoid(gated)))), mul(head, gain));
  }),
  // Positions (tokens) that share a weight, a parameter as the left factor, a product of two parameters, a grouped convolution.
  sample('tokens', [4, 3], { value: [3, 2], left: [2, 4], first: [2, 3], second: [3, 2], grouped: [4, 1, 1] }, ({ value, left, first, second, grouped }, x) => {
    const tokens = tanh(matmul(x, value));
    const mixed = tanh(transpose(dot(left, tokens, { batch: [[], []], contract: [[1], [1]] }), [1, 0, 2]));
    const both = reshape(matmul(mixed, matmul(first, second)), [x.shape[0], 4]);
    return add(both, reshape(sum(conv(x, grouped, { groups: 4 }), [1, 2]), [x.shape[0], 1]));
  }),
];

/** Inputs of a sample. */
export const inputsFor = ({ inputShape, network }: Sample, examples: number, name = 'inputs'): NDArray => draw(`${network.name} ${name}`, [examples, ...inputShape]);

/** The Jacobian [examples, outputs, parameters] written out by reverse mode, with respect to all parameters, in float64. */
export async function jacobianOf({ network, point }: Sample, inputs: NDArray): Promise<{ readonly rows: Float64Array; readonly outputs: number; readonly space: ParameterSpace }> {
  const space = new ParameterSpace(point.params);
  const program = compile((params: unknown, x: Tensor) => jacrev((p: unknown) => outputsOf(network, p, {}, x))(params), { executor: referenceExecutor });
  const jacobian = await program(point.params as never, inputs as never);
  const leaves = flatten<NDArray>(jacobian).leaves;
  const [examples, outputs] = leaves[0].shape;
  const rows = new Float64Array(examples * outputs * space.size);
  space.ranges.forEach(({ leaf, offset, size }) => {
    for (let row = 0; row < examples * outputs; row++) rows.set(leaves[leaf].data.subarray(row * size, (row + 1) * size), row * space.size + offset);
  });
  return { rows, outputs, space };
}
