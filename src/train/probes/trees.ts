/** Trees of tensors as vectors: inner products and norms, whole and by layer. @module */
import type { Tensor } from '../../core/tensor.ts';
import { add, mul, sqrt, square, sub, sum } from '../../ops/index.ts';
import { layerOf } from '../../problem/index.ts';
import { flatten, leaves, mapTree } from '../../tree/index.ts';

const total = (parts: readonly Tensor[]): Tensor => parts.reduce((a, b) => add(a, b));

/** Sum of products of all elements of two trees, []. */
export function innerProduct(a: unknown, b: unknown): Tensor {
  const others = leaves<Tensor>(b);
  return total(leaves<Tensor>(a).map((leaf, i) => sum(mul(leaf, others[i]))));
}

export const squaredLength = (tree: unknown): Tensor => total(leaves<Tensor>(tree).map((leaf) => sum(square(leaf))));

/** a - b, leaf by leaf. */
export const difference = <T>(a: T, b: T): T => mapTree((x: Tensor, y: Tensor) => sub(x, y), a, b) as T;

/** Norms of the parameters of each layer (leaf paths without their last name), []. */
export function lengthsByLayer(tree: unknown): Readonly<Record<string, Tensor>> {
  const { leaves: all, structure } = flatten<Tensor>(tree);
  const parts = new Map<string, Tensor[]>();
  all.forEach((leaf, i) => {
    const layer = layerOf(structure.paths[i]);
    parts.set(layer, [...(parts.get(layer) ?? []), sum(square(leaf))]);
  });
  return Object.fromEntries([...parts].map(([layer, squares]) => [layer, sqrt(total(squares))]));
}
