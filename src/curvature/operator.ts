/** Linear operators: a size and a product with blocks of vectors. What every estimator works on. @module */
import { requireInteger } from '../util/require.ts';
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';
import type { ChunkCost, ParameterSpace } from '../problem/index.ts';

/** A square linear operator on flat vectors. */
export interface LinearOperator {
  readonly name: string;
  /** Length of the vectors. */
  readonly size: number;
  readonly symmetric: boolean;
  /** The arithmetic behind the product: what its results are good to. */
  readonly precision: 'float32' | 'float64';
  /** Products of a block of vectors [k][size], in order; the vectors are only read. */
  multiply(vectors: readonly Float64Array[]): Promise<Float64Array[]>;
  /** Products carried out so far, counted as vectors. */
  readonly products: number;
  /** Vectors that one call handles best. */
  readonly block: number;
  /** The parameters that the coordinates are; absent for operators that are not over parameters. */
  readonly space?: ParameterSpace;
  /** What the latest product kept and recomputed of a data set evaluated in chunks. */
  readonly chunks?: ChunkCost | undefined;
  /** Releases compiled programs and what they keep. */
  dispose(): Promise<void>;
}

/** What an operator is made of. */
export interface OperatorParts {
  readonly name: string;
  readonly size: number;
  readonly symmetric?: boolean;
  readonly precision?: 'float32' | 'float64';
  readonly block?: number;
  readonly space?: ParameterSpace;
  /** Product of at most `block` vectors. */
  readonly apply: (vectors: readonly Float64Array[]) => Promise<Float64Array[]> | Float64Array[];
  readonly chunks?: () => ChunkCost | undefined;
  readonly dispose?: () => Promise<void>;
}

/** Unit roundoff of an operator's arithmetic. */
export const roundoff = ({ precision }: Pick<LinearOperator, 'precision'>): number => (precision === 'float32' ? 2 ** -24 : 2 ** -53);

/**
 * Makes an operator of its product: counts, checks, and cuts longer blocks into blocks of `block` (default 1) vectors; what
 * is left over is multiplied one by one, so that a product sees two signatures only.
 * @throws ShapeError when a vector has another length; NonFiniteError when a product is not finite.
 */
export function linearOperator(parts: OperatorParts): LinearOperator {
  const { name, size, symmetric = true, precision = 'float64', block = 1, space, apply, chunks, dispose } = parts;
  requireInteger(name, 'size', size, 1);
  requireInteger(name, 'block', block, 1);
  let products = 0;
  return {
    name, size, symmetric, precision, block, ...(space && { space }),
    get products() { return products; },
    get chunks() { return chunks?.(); },
    async multiply(vectors) {
      vectors.forEach((vector, i) => {
        if (vector.length !== size) throw new ShapeError({ operation: name, required: `vector ${i} must have ${size} entries`, received: String(vector.length) });
      });
      const out: Float64Array[] = [];
      for (let at = 0; at < vectors.length;) {
        const count = vectors.length - at >= block ? block : 1;
        const results = await apply(vectors.slice(at, at + count));
        results.forEach((result, i) => requireFinite(name, products + i, result));
        out.push(...results);
        products += count;
        at += count;
      }
      return out;
    },
    dispose: dispose ?? (() => Promise.resolve()),
  };
}

function requireFinite(operation: string, index: number, vector: Float64Array): void {
  // One pass without branches: a sum is finite only if every term is (or it overflows, which is as bad).
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * 0;
  if (sum === 0) return;
  const at = vector.findIndex((x) => !Number.isFinite(x));
  throw new NonFiniteError({ operation, required: 'products must be finite', received: `${vector[at]} at coordinate ${at} of product ${index}`, remedy: 'check that the loss is finite at these parameters, and that vectors are' });
}

/** The operator of a dense matrix [size, size], row-major. */
export function matrixOperator(matrix: Float64Array, size: number, name = 'matrix'): LinearOperator {
  if (matrix.length !== size * size) throw new ShapeError({ operation: 'matrixOperator', required: `matrix must hold ${size} x ${size} entries`, received: String(matrix.length) });
  let symmetric = true;
  for (let i = 0; i < size && symmetric; i++) for (let j = 0; j < i; j++) if (matrix[i * size + j] !== matrix[j * size + i]) symmetric = false;
  const product = (vector: Float64Array): Float64Array => Float64Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += matrix[i * size + j] * vector[j];
    return sum;
  });
  return linearOperator({ name, size, symmetric, block: 8, apply: (vectors) => vectors.map(product) });
}

/** The operator of a diagonal matrix. */
export const diagonalOperator = (diagonal: Float64Array, name = 'diagonal'): LinearOperator =>
  linearOperator({ name, size: diagonal.length, block: 8, apply: (vectors) => vectors.map((vector) => vector.map((x, i) => x * diagonal[i])) });

/** The dense matrix [size, size], row-major, of `size` products with unit vectors. For small operators. */
export async function denseMatrix(operator: LinearOperator): Promise<Float64Array> {
  const { size } = operator;
  const matrix = new Float64Array(size * size);
  const width = Math.max(operator.block, 1);
  for (let start = 0; start < size; start += width) {
    const units = Array.from({ length: Math.min(width, size - start) }, (_, i) => {
      const unit = new Float64Array(size);
      unit[start + i] = 1;
      return unit;
    });
    const columns = await operator.multiply(units);
    columns.forEach((column, i) => { for (let row = 0; row < size; row++) matrix[row * size + start + i] = column[row]; });
  }
  return matrix;
}

/** @throws ArgumentError unless the operator is symmetric. */
export function requireSymmetric(operation: string, operator: LinearOperator): void {
  if (!operator.symmetric) throw new ArgumentError({ operation, required: 'operator must be symmetric', received: `'${operator.name}', which is not` });
}
