/** Linear maps and operators: sizes and products with blocks of vectors. What every estimator works on. @module */
import { requireInteger } from '../util/require.ts';
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';
import type { ChunkCost, ParameterSpace } from '../problem/index.ts';

/** A linear map of flat vectors, known by its products. */
export interface LinearMap {
  readonly name: string;
  /** Length of the results of `multiply`. */
  readonly rows: number;
  /** Length of the vectors that `multiply` takes. */
  readonly columns: number;
  /** The arithmetic behind the products: what their results are good to. */
  readonly precision: 'float32' | 'float64';
  /** Vectors that one call handles best. */
  readonly block: number;
  /** Products carried out so far, of the map and of its transpose, counted as vectors. */
  readonly products: number;
  /** The parameters that the columns are; absent for maps that are not over parameters. */
  readonly space?: ParameterSpace;
  /** What the latest product kept and recomputed of a data set evaluated in chunks. */
  readonly chunks?: ChunkCost | undefined;
  /** Products A v with a block of vectors [k][columns], in order: [k][rows]. The vectors are only read. */
  multiply(vectors: readonly Float64Array[]): Promise<Float64Array[]>;
  /** Products A' u of the transpose with a block of vectors [k][rows], in order: [k][columns]. The vectors are only read. */
  multiplyTransposed(vectors: readonly Float64Array[]): Promise<Float64Array[]>;
  /** Releases compiled programs and what they keep. */
  dispose(): Promise<void>;
}

/** A square linear map on flat vectors. */
export interface LinearOperator extends LinearMap {
  /** Length of the vectors, arguments and results alike. */
  readonly size: number;
  readonly symmetric: boolean;
}

/** Products of at most `block` vectors. */
export type BlockProduct = (vectors: readonly Float64Array[]) => Promise<Float64Array[]> | Float64Array[];

/** What maps and operators are made of alike. */
export interface ProductParts {
  readonly name: string;
  /** Default float64. */
  readonly precision?: 'float32' | 'float64';
  /** Vectors that one call handles best. Default 1. */
  readonly block?: number;
  readonly space?: ParameterSpace;
  /** Product of at most `block` vectors. */
  readonly apply: BlockProduct;
  /** The same of the transpose; without it, `multiplyTransposed` throws (a symmetric operator uses `apply`). */
  readonly applyTransposed?: BlockProduct;
  readonly chunks?: () => ChunkCost | undefined;
  readonly dispose?: () => Promise<void>;
}

/** What a linear map is made of. */
export interface MapParts extends ProductParts {
  readonly rows: number;
  readonly columns: number;
}

/** What an operator is made of. */
export interface OperatorParts extends ProductParts {
  readonly size: number;
  /** Default true. */
  readonly symmetric?: boolean;
}

/** Unit roundoff of an operator's arithmetic. */
export const roundoff = ({ precision }: Pick<LinearMap, 'precision'>): number => (precision === 'float32' ? 2 ** -24 : 2 ** -53);

/**
 * Makes a linear map of its products: counts, checks, and cuts longer blocks into blocks of `block` (default 1) vectors; what
 * is left over is multiplied one by one, so that a product sees two signatures only.
 * @throws ShapeError when a vector has another length; NonFiniteError when a product is not finite; ArgumentError by
 * `multiplyTransposed` when no product of the transpose was given.
 */
export function linearMap(parts: MapParts): LinearMap {
  const { name, rows, columns, precision = 'float64', block = 1, space, apply, applyTransposed, chunks, dispose } = parts;
  requireInteger(name, 'rows', rows, 1);
  requireInteger(name, 'columns', columns, 1);
  requireInteger(name, 'block', block, 1);
  let products = 0;
  const inBlocks = async (vectors: readonly Float64Array[], length: number, product: BlockProduct): Promise<Float64Array[]> => {
    vectors.forEach((vector, i) => {
      if (vector.length !== length) throw new ShapeError({ operation: name, required: `vector ${i} must have ${length} entries`, received: String(vector.length) });
    });
    const out: Float64Array[] = [];
    for (let at = 0; at < vectors.length;) {
      const count = vectors.length - at >= block ? block : 1;
      const results = await product(vectors.slice(at, at + count));
      results.forEach((result, i) => requireFinite(name, products + i, result));
      out.push(...results);
      products += count;
      at += count;
    }
    return out;
  };
  return {
    name, rows, columns, precision, block, ...(space && { space }),
    get products() { return products; },
    get chunks() { return chunks?.(); },
    multiply: (vectors) => inBlocks(vectors, columns, apply),
    async multiplyTransposed(vectors) {
      if (!applyTransposed) throw new ArgumentError({ operation: name, required: 'a product of the transpose is needed', received: 'a map made without `applyTransposed`', remedy: 'give `applyTransposed`, or `symmetric: true` where the map is its own transpose' });
      return inBlocks(vectors, rows, applyTransposed);
    },
    dispose: dispose ?? (() => Promise.resolve()),
  };
}

/**
 * Makes a square operator of its product, as `linearMap` does; where `symmetric` (the default), the transpose is the operator.
 * @throws as `linearMap`.
 */
export function linearOperator(parts: OperatorParts): LinearOperator {
  const { size, symmetric = true, ...rest } = parts;
  requireInteger(parts.name, 'size', size, 1);
  const transposed = symmetric ? parts.apply : parts.applyTransposed;
  const map = linearMap({ ...rest, rows: size, columns: size, ...(transposed && { applyTransposed: transposed }) });
  // Getters count on: a copy by spreading would freeze `products` and `chunks`.
  return Object.defineProperties({ size, symmetric }, Object.getOwnPropertyDescriptors(map)) as LinearOperator;
}

function requireFinite(operation: string, index: number, vector: Float64Array): void {
  // One pass without branches, in four sums that do not wait for each other: 0 times a number is 0, or NaN where it is not finite.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= vector.length; i += 4) {
    s0 += vector[i] * 0;
    s1 += vector[i + 1] * 0;
    s2 += vector[i + 2] * 0;
    s3 += vector[i + 3] * 0;
  }
  for (; i < vector.length; i++) s0 += vector[i] * 0;
  if (s0 + s1 + s2 + s3 === 0) return;
  const at = vector.findIndex((x) => !Number.isFinite(x));
  throw new NonFiniteError({ operation, required: 'products must be finite', received: `${vector[at]} at coordinate ${at} of product ${index}`, remedy: 'check that the loss is finite at these parameters, and that vectors are' });
}

const MATRIX_BLOCK = 8;

/** The map of a dense matrix [rows, columns], row-major. */
export function matrixMap(matrix: Float64Array, rows: number, columns: number, name = 'matrix'): LinearMap {
  requireEntries('matrixMap', matrix, rows, columns);
  const { apply, applyTransposed } = matrixProducts(matrix, rows, columns);
  return linearMap({ name, rows, columns, block: MATRIX_BLOCK, apply, applyTransposed });
}

/** The operator of a dense matrix [size, size], row-major. */
export function matrixOperator(matrix: Float64Array, size: number, name = 'matrix'): LinearOperator {
  requireEntries('matrixOperator', matrix, size, size);
  let symmetric = true;
  for (let i = 0; i < size && symmetric; i++) for (let j = 0; j < i; j++) if (matrix[i * size + j] !== matrix[j * size + i]) symmetric = false;
  return linearOperator({ name, size, symmetric, block: MATRIX_BLOCK, ...matrixProducts(matrix, size, size) });
}

function requireEntries(operation: string, matrix: Float64Array, rows: number, columns: number): void {
  if (matrix.length !== rows * columns) throw new ShapeError({ operation, required: `matrix must hold ${rows} x ${columns} entries`, received: String(matrix.length) });
}

function matrixProducts(matrix: Float64Array, rows: number, columns: number): { apply: BlockProduct; applyTransposed: BlockProduct } {
  const product = (vector: Float64Array): Float64Array => Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += matrix[i * columns + j] * vector[j];
    return sum;
  });
  const transposed = (vector: Float64Array): Float64Array => {
    const out = new Float64Array(columns);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j] += matrix[i * columns + j] * vector[i];
    return out;
  };
  return { apply: (vectors) => vectors.map(product), applyTransposed: (vectors) => vectors.map(transposed) };
}

/** The operator of a diagonal matrix. */
export const diagonalOperator = (diagonal: Float64Array, name = 'diagonal'): LinearOperator =>
  linearOperator({ name, size: diagonal.length, block: MATRIX_BLOCK, apply: (vectors) => vectors.map((vector) => vector.map((x, i) => x * diagonal[i])) });

/** The dense matrix [rows, columns], row-major, by products with unit vectors. For small maps. */
export async function denseMatrix(map: LinearMap): Promise<Float64Array> {
  const { rows, columns } = map;
  const matrix = new Float64Array(rows * columns);
  const width = Math.max(map.block, 1);
  for (let start = 0; start < columns; start += width) {
    const units = Array.from({ length: Math.min(width, columns - start) }, (_, i) => {
      const unit = new Float64Array(columns);
      unit[start + i] = 1;
      return unit;
    });
    const images = await map.multiply(units);
    images.forEach((image, i) => { for (let row = 0; row < rows; row++) matrix[row * columns + start + i] = image[row]; });
  }
  return matrix;
}

/** @throws ArgumentError unless the operator is symmetric. */
export function requireSymmetric(operation: string, operator: LinearOperator): void {
  if (!operator.symmetric) throw new ArgumentError({ operation, required: 'operator must be symmetric', received: `'${operator.name}', which is not` });
}
