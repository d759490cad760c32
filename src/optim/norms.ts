/** Norms of trees of tensors. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, sqrt, square, sum } from '../ops/index.ts';
import { leaves } from '../tree/index.ts';

/** Euclidean norm of all leaves together. */
export const globalNorm = (tree: unknown): Tensor => sqrt(leaves<Tensor>(tree).map((leaf) => sum(square(leaf))).reduce((total, part) => add(total, part)));
