/** Parts of a tree of parameters, chosen by the paths of leaves, and what an update sees when it is given such a part. @module */
import type { Tensor } from '../core/tensor.ts';
import { concat, slice, zeros, zerosLike } from '../ops/index.ts';
import { leavesWithPaths, unflatten } from '../tree/index.ts';
import type { LayerFactors, UpdateContext } from './optimizer.ts';

/** Chooses leaves of a tree of parameters by their path (`layers.0.weight`) and tensor. */
export type LeafPredicate = (path: string, leaf: Tensor) => boolean;

/** Leaves of at least two axes: weights, but not biases and scales. */
export const matricesOnly: LeafPredicate = (_path, { rank }) => rank >= 2;

/** Chosen leaves by path. */
export type Part = Readonly<Record<string, Tensor>>;

const entries = (tree: unknown): [string, Tensor][] => leavesWithPaths(tree) as [string, Tensor][];

/** The paths of the leaves that are chosen. */
export const chosenPaths = (params: unknown, chosen: LeafPredicate): ReadonlySet<string> => new Set(entries(params).filter(([path, leaf]) => chosen(path, leaf)).map(([path]) => path));

/** The leaves at the paths. */
export const partOf = (tree: unknown, paths: ReadonlySet<string>): Part => Object.fromEntries(entries(tree).filter(([path]) => paths.has(path)));

/** The tree with the leaves of the parts in the place of its own. */
export function withParts<P>(tree: P, ...parts: readonly Part[]): P {
  const replaced = new Map(parts.flatMap((part) => Object.entries(part)));
  return unflatten(tree, entries(tree).map(([path, leaf]) => replaced.get(path) ?? leaf)) as P;
}

/** What an update may ask for, as functions of the part alone: the other parameters stay where they are. */
export function restrictedContext<P>(context: UpdateContext<P>, paths: ReadonlySet<string>): UpdateContext<Part> {
  const restrict = (tree: P): Part => partOf(tree, paths);
  const moved = (part: Part): P => withParts(context.params, part);
  const directed = (part: Part): P => unflatten(context.params, entries(context.params).map(([path, leaf]) => (paths.has(path) ? part[path] : zerosLike(leaf)))) as P;
  return {
    params: restrict(context.params), step: context.step, learningRate: context.learningRate, batchSize: context.batchSize,
    loss: () => context.loss(),
    lossAt: (part) => context.lossAt(moved(part)),
    grad: () => restrict(context.grad()),
    gradAt: (part) => restrict(context.gradAt(moved(part))),
    hvp: (part) => restrict(context.hvp(directed(part))),
    ggnvp: (part) => restrict(context.ggnvp(directed(part))),
    perExampleGrad: () => restrict(context.perExampleGrad()),
    sampledGrad: () => restrict(context.sampledGrad()),
    normal: () => restrict(context.normal()),
    layerFactors: () => context.layerFactors().flatMap((factors) => restrictedFactors(factors, paths, directed)),
  };
}

/** The factors of a layer whose weight is in the part; without its bias where that is not. */
function restrictedFactors<P>(factors: LayerFactors<P>, paths: ReadonlySet<string>, directed: (part: Part) => P): LayerFactors<Part>[] {
  const { inputs, slopes } = factors;
  const names = factors.names.filter((name) => paths.has(name));
  if (names.length === 0 || names[0] !== factors.names[0]) return [];
  const whole = names.length === factors.names.length;
  const n = inputs.shape[0] - (whole ? 0 : 1);
  const outputs = slopes.shape[0];
  return [{
    names, slopes,
    inputs: whole ? inputs : slice(inputs, [0, 0], [n, n]),
    matrix: (part) => (whole ? factors.matrix(directed(part)) : slice(factors.matrix(directed(part)), [0, 0], [n, outputs])),
    leaves: (matrix) => partOf(factors.leaves(whole ? matrix : concat([matrix, zeros([1, outputs], matrix.dtype)], 0)), paths),
  }];
}
