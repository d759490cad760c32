/** Similarity of two points by their weights. @module */
import type { NDArray } from '../core/ndarray.ts';
import { ParameterSpace, rounded, type Measurement, type ParameterFilter, type Point } from '../problem/index.ts';
import { leaves, flatten, requireSameStructure } from '../tree/index.ts';
import { ShapeError } from '../util/errors.ts';

/** Distance and angle of one group of parameters. */
export interface WeightSimilarity {
  /** A layer, a parameter, or `all`. */
  readonly name: string;
  readonly parameters: number;
  /** |a - b|, Euclidean. */
  readonly distance: Measurement;
  /** |a - b| / |a|. */
  readonly relative: Measurement;
  /** <a, b> / (|a| |b|); NaN where one is zero. */
  readonly cosine: Measurement;
}

/** What `weightSimilarity` measures. */
export interface WeightSimilarities {
  readonly all: WeightSimilarity;
  readonly layers: readonly WeightSimilarity[];
  /** Of each parameter that is a matrix or a convolution kernel: see `weightAlignment`. */
  readonly alignment: readonly { readonly name: string; readonly value: Measurement }[];
}

/**
 * Distances and angles between two points, whole and layer by layer. They depend on the order of hidden units: align first.
 * Errors are of rounding. @throws TreeError | ShapeError when the points differ in structure.
 */
export function weightSimilarity(first: Point<unknown, unknown>, second: Point<unknown, unknown>, options: { readonly parameters?: ParameterFilter } = {}): WeightSimilarities {
  requireAlike(first, second);
  const space = new ParameterSpace(first.params, options.parameters);
  const [a, b] = [space.flatten(first.params), space.flatten(second.params)];
  const between = (name: string, start: number, end: number): WeightSimilarity => similarityOf(name, a.subarray(start, end), b.subarray(start, end));
  return {
    all: between('all', 0, space.size),
    layers: space.groups('layer').map(({ name, start, end }) => between(name, start, end)),
    alignment: space.ranges.filter(({ shape }) => shape.length >= 2).map(({ name, leaf }) => ({ name, value: weightAlignment(leaves<NDArray>(first.params)[leaf], leaves<NDArray>(second.params)[leaf]) })),
  };
}

const EPSILON = 2 ** -52;

function similarityOf(name: string, a: Float64Array, b: Float64Array): WeightSimilarity {
  let [difference, aa, bb, ab] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    aa += a[i] ** 2;
    bb += b[i] ** 2;
    ab += a[i] * b[i];
  }
  const rounding = (value: number): Measurement => rounded(value, Math.abs(value) * EPSILON * Math.sqrt(a.length));
  return {
    name, parameters: a.length, distance: rounding(Math.sqrt(difference)), relative: rounding(Math.sqrt(difference / aa)),
    cosine: rounded(ab / Math.sqrt(aa * bb), EPSILON * Math.sqrt(a.length)),
  };
}

/**
 * |A' B| / sqrt(|A' A| |B' B|) in Frobenius norms, without centring: WeightWatcher's CKA of weights (the norms are not squared). One for
 * equal matrices, and for A and A Q with Q orthogonal. As there, the longer axis of a matrix is its rows, over which it is summed, so
 * that rotations and permutations along the shorter axis do not count. A convolution kernel [out, in, ...window] counts as
 * the matrix [in * window, out], where WeightWatcher treats each place of the window by itself.
 *
 * @throws ShapeError unless both have one shape of at least two axes.
 */
export function weightAlignment(a: NDArray, b: NDArray): Measurement {
  if (a.shape.length < 2 || String(a.shape) !== String(b.shape)) throw new ShapeError({ operation: 'weightAlignment', required: 'two arrays of one shape with at least two axes', received: `${a} and ${b}` });
  const [x, y] = [asMatrix(a), asMatrix(b)];
  return rounded(crossNorm(x, y) / Math.sqrt(crossNorm(x, x) * crossNorm(y, y)), EPSILON * Math.sqrt(a.size));
}

interface Matrix { readonly rows: number; readonly columns: number; readonly data: Float64Array }

/** With at least as many rows as columns. */
function asMatrix({ shape, data }: NDArray): Matrix {
  const isConvolution = shape.length > 2;
  const [first, rest] = [shape[0], data.length / shape[0]];
  // A kernel is [outputs, inputs * window]: transposed it is the matrix that multiplies patches from the right.
  const stored = { rows: first, columns: rest, data: Float64Array.from(data) };
  const matrix = isConvolution ? transposed(stored) : stored;
  return matrix.rows >= matrix.columns ? matrix : transposed(matrix);
}

const transposed = ({ rows, columns, data }: Matrix): Matrix =>
  ({ rows: columns, columns: rows, data: Float64Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]) });

/** |A' B|_F */
function crossNorm(a: Matrix, b: Matrix): number {
  let sum = 0;
  const product = new Float64Array(a.columns * b.columns);
  for (let r = 0; r < a.rows; r++) {
    for (let i = 0; i < a.columns; i++) {
      const x = a.data[r * a.columns + i];
      for (let j = 0; j < b.columns; j++) product[i * b.columns + j] += x * b.data[r * b.columns + j];
    }
  }
  for (const value of product) sum += value * value;
  return Math.sqrt(sum);
}

function requireAlike(first: Point<unknown, unknown>, second: Point<unknown, unknown>): void {
  const a = flatten<NDArray>(first.params);
  const b = flatten<NDArray>(second.params);
  requireSameStructure('weightSimilarity', a.structure, b.structure);
  const odd = a.leaves.findIndex((leaf, i) => String(leaf.shape) !== String(b.leaves[i].shape));
  if (odd >= 0) throw new ShapeError({ operation: 'weightSimilarity', required: `both points must hold ${a.leaves[odd]} at '${a.structure.paths[odd]}'`, received: String(b.leaves[odd]) });
}
