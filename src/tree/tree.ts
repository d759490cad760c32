/** Trees: nested plain objects and arrays with leaves of one kind. Leaf paths are the names users see. @module */
import { TreeError } from '../util/errors.ts';

/** A nested structure of plain objects and arrays with leaves `T`. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> };

/** `Tr` with every leaf of type `From` replaced by `To`; the keys and lengths are kept. */
export type MapLeaves<Tr, From, To> = Tr extends From ? To : Tr extends object ? { [K in keyof Tr]: MapLeaves<Tr[K], From, To> } : Tr;

/** The shape of a tree without its leaves: equal structures can be zipped. Object keys keep insertion order. */
export interface Structure {
  readonly paths: readonly string[];
  rebuild(leaves: readonly unknown[]): unknown;
}

const isPlain = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** True for arrays and plain objects: what a tree branches on. Everything else is a leaf. */
export const isBranch = (value: unknown): value is readonly unknown[] | Record<string, unknown> => Array.isArray(value) || isPlain(value);

const join = (path: string, key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);

/** Leaves in depth-first order with their paths (`layers.0.weight`); a bare leaf has the path ``. */
export function leavesWithPaths(tree: unknown, path = ''): [string, unknown][] {
  if (Array.isArray(tree)) return tree.flatMap((child, i) => leavesWithPaths(child, join(path, i)));
  if (isPlain(tree)) return Object.keys(tree).flatMap((key) => leavesWithPaths(tree[key], join(path, key)));
  return [[path, tree]];
}

/** Leaves in depth-first order. */
export function leaves<T>(tree: unknown): T[] {
  const out: T[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (isPlain(node)) for (const key of Object.keys(node)) walk(node[key]);
    else out.push(node as T);
  };
  walk(tree);
  return out;
}

/** Splits a tree into its leaves and its structure; `structure.rebuild` puts leaves back. */
export function flatten<T>(tree: unknown): { leaves: T[]; structure: Structure } {
  const entries = leavesWithPaths(tree);
  return {
    leaves: entries.map(([, leaf]) => leaf as T),
    structure: { paths: entries.map(([path]) => path), rebuild: (values) => unflatten(tree, values) },
  };
}

/** Rebuilds the structure of `like` with other leaves, given in depth-first order. */
export function unflatten(like: unknown, values: readonly unknown[]): unknown {
  let next = 0;
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (isPlain(node)) return Object.fromEntries(Object.keys(node).map((key) => [key, walk(node[key])]));
    return values[next++];
  };
  const result = walk(like);
  if (next !== values.length) {
    throw new TreeError({ operation: 'unflatten', required: `the tree has ${next} leaves`, received: `${values.length} values` });
  }
  return result;
}

/** Applies `f` to every leaf, or to the corresponding leaves of several trees of one structure. @throws TreeError */
export function mapTree<Tr, To>(f: (leaf: never, ...rest: never[]) => To, tree: Tr, ...others: unknown[]): unknown {
  const first = flatten<never>(tree);
  const rest = others.map((other) => {
    const flat = flatten<never>(other);
    requireSameStructure('mapTree', first.structure, flat.structure);
    return flat.leaves;
  });
  return first.structure.rebuild(first.leaves.map((leaf, i) => f(leaf, ...rest.map((r) => r[i]))));
}

/** Refuses trees that cannot be zipped. @throws TreeError naming the first path that differs. */
export function requireSameStructure(operation: string, expected: Structure, received: Structure): void {
  const n = Math.max(expected.paths.length, received.paths.length);
  for (let i = 0; i < n; i++) {
    if (expected.paths[i] !== received.paths[i]) {
      throw new TreeError({
        operation, required: `trees must have one structure; expected leaf ${i} at '${expected.paths[i] ?? '(none)'}'`,
        received: `'${received.paths[i] ?? '(none)'}'`, remedy: 'pass trees with the same keys in the same order',
      });
    }
  }
}
