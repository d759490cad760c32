/** Derivatives of one example's outputs with respect to parameters, kept as factors where a parameter is a factor of a product. @module */
import { substitute } from '../core/graph.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, concat, einsum, expandDims, mul, pad, reshape, slice, transpose, zeros } from '../ops/index.ts';
import type { ConvParams } from '../prims/conv.ts';
import type { DotParams } from '../prims/dot.ts';
import type { ParameterSpace, PointTensors } from '../problem/index.ts';
import { vjp, vmap } from '../transforms/index.ts';
import { outputsOfOne, type Network } from './network.ts';
import { productUses, type ProductUse } from './parameter-uses.ts';

/**
 * The derivative with respect to the weight of a product y = a w, [seeds, inputs, outputs], as the factors it is a sum of
 * outer products of ('structured derivatives', Novak et al. 2022): sum over positions of a[position] d[seed, position]'.
 */
export interface ProductFactors<A = Tensor> {
  /** What the weight is multiplied with, [positions, inputs]: patches of the input for a convolution. */
  readonly a: A;
  /** Derivatives of the seeded outputs with respect to the product, [seeds, positions, outputs]. */
  readonly d: A;
}

/** Derivatives of seeded outputs with respect to all chosen parameters; a leading axis of examples comes by `vmap`. */
export interface Factors<A = Tensor> {
  readonly products: readonly ProductFactors<A>[];
  /** Of the other parameters, written out: [seeds, elements]. */
  readonly jacobians: readonly A[];
}

/** How the derivative with respect to a product's weight is kept. */
export type ProductForm = 'factors' | 'jacobian';
/** Chooses the form by the extents of the product. */
export type ChooseForm = (extents: { readonly positions: number; readonly inputs: number; readonly outputs: number }) => ProductForm;

/** Which derivatives: of the network at a point, with respect to the space's parameters. */
export interface Derivative<P, State> {
  readonly network: Network<P, State>;
  readonly space: ParameterSpace;
  readonly point: PointTensors<P, State>;
}

/**
 * Factors of one example's derivatives, seeded by rows [seeds, outputs]. Without `choose` no product is recognised and every
 * derivative is written out.
 */
export function factorsOf<P, State>({ network, space, point }: Derivative<P, State>, input: Tensor, seeds: Tensor, choose?: ChooseForm): Factors {
  const leaves = space.pick<Tensor>(point.params);
  const outputs = outputsOfOne(network, space, point, leaves, input);
  const uses: (ProductUse | null)[] = choose === undefined ? leaves.map(() => null) : productUses(leaves, [outputs]);
  const others = leaves.map((_, i) => i).filter((i) => uses[i] === null);
  const taps = tapsOf(uses);
  // The outputs as a function of the other parameters and of something added to each product.
  const shifted = (chosen: Tensor[], shifts: Tensor[]): Tensor => {
    const all = [...leaves];
    others.forEach((leaf, i) => { all[leaf] = chosen[i]; });
    const again = outputsOfOne(network, space, point, all, input);
    const places = tapsOf(choose === undefined ? [] : productUses(all, [again]).map((use, i) => (uses[i] === null ? null : use)));
    return addAt(again, places, shifts);
  };
  const [, pull] = vjp(shifted, others.map((i) => leaves[i]), taps.map(({ shape, dtype }) => zeros(shape, dtype)));
  const [direct, atTaps] = vmap((seed: Tensor) => pull(seed))(seeds);
  const rows = seeds.shape[0];
  const products: ProductFactors[] = [];
  const jacobians = direct.map((jacobian) => reshape(jacobian, [rows, sizeOf(jacobian.shape.slice(1))]));
  for (const use of uses) {
    if (use === null) continue;
    const factors = use.node.primitive.name === 'dot' ? dotFactors(use, atTaps[taps.indexOf(use.node.outputs[0])]) : convFactors(use, atTaps[taps.indexOf(use.node.outputs[0])]);
    const d = use.scales.reduce((scaled, scale) => mul(scaled, reshape(scale, [])), factors.d);
    const [positions, inputs] = factors.a.shape;
    if (choose!({ positions, inputs, outputs: d.shape[2] }) === 'factors') products.push({ a: factors.a, d });
    else jacobians.push(reshape(einsum('kto,ti->koi', d, factors.a), [rows, d.shape[2] * inputs]));
  }
  return { products, jacobians };
}

/** The results of the products, each once, in the order they were made. */
const tapsOf = (uses: readonly (ProductUse | null)[]): Tensor[] =>
  [...new Set(uses.filter((use) => use !== null).map(({ node }) => node))].sort((x, y) => x.id - y.id).map((node) => node.outputs[0]);

/** The output with a shift added to each tap; from the last to the first, so that later ones are rebuilt with the earlier. */
function addAt(output: Tensor, taps: readonly Tensor[], shifts: readonly Tensor[]): Tensor {
  let result = output;
  for (let i = taps.length - 1; i >= 0; i--) [result] = substitute([result], new Map([[taps[i], add(taps[i], shifts[i])]]));
  return result;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Of y = x w over contracted axes: y's axes are x free, w free (or the other way round). `d` is [seeds, ...y]. */
function dotFactors({ node, argument }: ProductUse, d: Tensor): ProductFactors {
  const { contract } = node.params as DotParams;
  const other = node.inputs[1 - argument];
  const along = contract[1 - argument];
  const free = range(other.rank).filter((axis) => !along.includes(axis));
  const positions = sizeOf(free.map((axis) => other.shape[axis]));
  const inputs = sizeOf(along.map((axis) => other.shape[axis]));
  const a = reshape(transpose(other, [...free, ...along]), [positions, inputs]);
  const seeds = d.shape[0];
  const outputs = sizeOf(d.shape.slice(1)) / positions;
  return { a, d: argument === 1 ? reshape(d, [seeds, positions, outputs]) : transpose(reshape(d, [seeds, outputs, positions]), [0, 2, 1]) };
}

/** Of a convolution: positions are the places of the window. `d` is [seeds, batch, outputs, ...space]. */
function convFactors({ node }: ProductUse, d: Tensor): ProductFactors {
  const [x, kernel] = node.inputs;
  const [seeds, batch, outputs, ...space] = d.shape;
  const positions = batch * sizeOf(space);
  return {
    a: patches(x, kernel.shape.slice(2), space, node.params as ConvParams),
    d: reshape(transpose(reshape(d, [seeds, batch, outputs, sizeOf(space)]), [0, 1, 3, 2]), [seeds, positions, outputs]),
  };
}

/** What lies under the window at each of its places, [batch * places, channels * window]. */
function patches(x: Tensor, window: readonly number[], space: readonly number[], { strides, padding, kernelDilation }: ConvParams): Tensor {
  const [batch, channels] = x.shape;
  const padded = pad(x, [0, 0, ...padding.map(([low]) => low)], [0, 0, ...padding.map(([, high]) => high)]);
  const size = sizeOf(window);
  const taps = range(size).map((at) => {
    let rest = at;
    const start = window.map((_, i) => {
      const stride = sizeOf(window.slice(i + 1));
      const tap = Math.floor(rest / stride);
      rest -= tap * stride;
      return tap * kernelDilation[i];
    });
    const limit = start.map((from, i) => from + (space[i] - 1) * strides[i] + 1);
    const seen = slice(padded, [0, 0, ...start], [batch, channels, ...limit], [1, 1, ...strides]);
    return expandDims(reshape(seen, [batch, channels, sizeOf(space)]), 3);
  });
  return reshape(transpose(concat(taps, 3), [0, 2, 1, 3]), [batch * sizeOf(space), channels * size]);
}
