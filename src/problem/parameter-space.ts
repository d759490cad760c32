/** Named parameters as one flat vector: which leaf lies where, and choices among them by name. @module */
import { allocate, isFloat, NDArray, type Shape } from '../core/ndarray.ts';
import { flatten, unflatten } from '../tree/index.ts';
import { ArgumentError, DtypeError, ShapeError } from '../util/errors.ts';

/** Where one parameter lies in the flat vector. */
export interface ParameterRange {
  /** Leaf path: `layers.0.weight`. */
  readonly name: string;
  /** Position in the full tree's depth-first order. */
  readonly leaf: number;
  readonly offset: number;
  readonly size: number;
  readonly shape: Shape;
}

/** Names of parameters: leaf paths, branches (all below them), or patterns (`*` within a name, `**` across dots). */
export type ParameterFilter = string | readonly string[] | ((name: string) => boolean);

/** A range of coordinates under a name: a layer, a parameter. */
export interface Group {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The parameters of a tree, or those chosen by name, laid end to end in depth-first order: the space that operators,
 * gradients and directions live in.
 */
export class ParameterSpace {
  readonly ranges: readonly ParameterRange[];
  /** Length of the flat vector. */
  readonly size: number;
  readonly dtype: 'float32' | 'float64';
  readonly #tree: unknown;
  readonly #leaves: readonly NDArray[];

  /**
   * @throws ArgumentError when the filter chooses nothing; DtypeError when a chosen parameter is not floating-point or they
   * differ in type.
   */
  constructor(params: unknown, filter?: ParameterFilter) {
    const { leaves, structure } = flatten<NDArray>(params);
    const chosen = selector(filter, structure.paths);
    const ranges: ParameterRange[] = [];
    let offset = 0;
    leaves.forEach(({ shape, size }, leaf) => {
      const name = structure.paths[leaf];
      if (!chosen(name)) return;
      ranges.push({ name, leaf, offset, size, shape });
      offset += size;
    });
    if (ranges.length === 0) throw new ArgumentError({ operation: 'ParameterSpace', required: 'the filter must choose at least one parameter', received: describe(filter), remedy: `one of ${structure.paths.join(', ')}` });
    const { dtype } = leaves[ranges[0].leaf];
    const odd = ranges.find(({ leaf }) => !isFloat(leaves[leaf].dtype) || leaves[leaf].dtype !== dtype);
    if (odd !== undefined) throw new DtypeError({ operation: 'ParameterSpace', required: 'parameters must be float32, or all float64', received: `${leaves[odd.leaf]} at '${odd.name}'` });
    this.ranges = ranges;
    this.size = offset;
    this.dtype = dtype as 'float32' | 'float64';
    this.#tree = params;
    this.#leaves = leaves;
  }

  get names(): readonly string[] { return this.ranges.map(({ name }) => name); }

  /** The full tree with other values for the chosen leaves; works on host arrays and on tensors alike. */
  replace<T>(tree: unknown, values: readonly T[]): unknown {
    const { leaves } = flatten<T>(tree);
    this.ranges.forEach(({ leaf }, i) => { leaves[leaf] = values[i]; });
    return unflatten(tree, leaves);
  }

  /** The chosen leaves of a tree of this structure. */
  pick<T>(tree: unknown): T[] {
    const { leaves } = flatten<T>(tree);
    return this.ranges.map(({ leaf }) => leaves[leaf]);
  }

  /** The chosen leaves of a tree as one float64 vector [size]; default: of the tree the space was made of. */
  flatten(tree: unknown = this.#tree): Float64Array {
    return this.join(this.pick<NDArray>(tree));
  }

  /** Lays chosen leaves end to end. */
  join(arrays: readonly NDArray[]): Float64Array {
    const vector = new Float64Array(this.size);
    this.ranges.forEach(({ offset, size, name }, i) => {
      if (arrays[i].size !== size) throw new ShapeError({ operation: 'ParameterSpace', required: `'${name}' must hold ${size} elements`, received: String(arrays[i]) });
      vector.set(arrays[i].data, offset);
    });
    return vector;
  }

  /** A block of vectors [k][size] as leaves [k, ...shape]; a single vector (`stacked` false) as leaves [...shape]. */
  split(vectors: readonly Float64Array[], stacked = true): NDArray[] {
    return this.ranges.map(({ offset, size, shape }) => {
      const data = allocate(this.dtype, vectors.length * size);
      vectors.forEach((vector, row) => data.set(vector.subarray(offset, offset + size), row * size));
      return new NDArray(data, stacked ? [vectors.length, ...shape] : shape, this.dtype);
    });
  }

  /** The full tree at `vector`: chosen leaves from it, the others as they were. */
  unflatten(vector: Float64Array): unknown {
    if (vector.length !== this.size) throw new ShapeError({ operation: 'ParameterSpace', required: `vector must have ${this.size} entries`, received: String(vector.length) });
    const leaves = [...this.#leaves];
    this.split([vector], false).forEach((array, i) => { leaves[this.ranges[i].leaf] = array; });
    return unflatten(this.#tree, leaves);
  }

  /** One group a parameter (`parameter`), or one for all parameters of a module (`layer`: the path without its last name). */
  groups(by: 'layer' | 'parameter'): Group[] {
    const groups: { name: string; start: number; end: number }[] = [];
    for (const { name, offset, size } of this.ranges) {
      const title = by === 'parameter' ? name : layerOf(name);
      const last = groups.at(-1);
      if (last !== undefined && last.name === title) last.end = offset + size;
      else groups.push({ name: title, start: offset, end: offset + size });
    }
    return groups;
  }
}

/** `layers.0.weight` -> `layers.0`; a name without dots stands for itself. */
export const layerOf = (name: string): string => (name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : name);

const describe = (filter: ParameterFilter | undefined): string => (typeof filter === 'function' ? 'a function that refuses every name' : JSON.stringify(filter ?? 'an empty tree'));

function selector(filter: ParameterFilter | undefined, names: readonly string[]): (name: string) => boolean {
  if (filter === undefined) return () => true;
  if (typeof filter === 'function') return filter;
  const tests = (typeof filter === 'string' ? [filter] : filter).map((pattern) => {
    const test = toExpression(pattern);
    if (!names.some((name) => test.test(name))) throw new ArgumentError({ operation: 'ParameterSpace', required: 'every pattern must match a parameter', received: `'${pattern}'`, remedy: `one of ${names.join(', ')}` });
    return test;
  });
  return (name) => tests.some((test) => test.test(name));
}

/** A branch matches all below it. */
function toExpression(pattern: string): RegExp {
  const body = pattern.split('**').map((part) => part.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('[^.]*')).join('.*');
  return new RegExp(`^${body}(\\..*)?$`);
}
