/** Trees of parameters as one vector: what methods with inner products over all parameters work in. @module */
import { sizeOf } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { concat, narrow, reshape } from '../ops/index.ts';
import { flatten } from '../tree/index.ts';

/** The way between a tree and a vector [size], leaves one after another in depth-first order. */
export interface FlatSpace<P> {
  readonly size: number;
  vector(tree: P): Tensor;
  tree(vector: Tensor): P;
}

/** The space of trees shaped like `like`. */
export function flatSpace<P>(like: P): FlatSpace<P> {
  const { leaves, structure } = flatten<Tensor>(like);
  const sizes = leaves.map(({ shape }) => sizeOf(shape));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  return {
    size: sizes.reduce((sum, size) => sum + size, 0),
    vector: (tree) => concat(flatten<Tensor>(tree).leaves.map((leaf, i) => reshape(leaf, [sizes[i]]))),
    tree: (vector) => structure.rebuild(leaves.map(({ shape }, i) => reshape(narrow(vector, 0, starts[i], starts[i] + sizes[i]), shape))) as P,
  };
}
