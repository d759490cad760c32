/** What every decomposition requires of its arguments. @module */
import { NonFiniteError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';

/**
 * @throws ShapeError when `matrix` does not hold rows x columns numbers; NonFiniteError naming the first entry that is
 * NaN or infinite; ArgumentError when an extent is not a non-negative integer.
 */
export function requireMatrix(operation: string, matrix: ArrayLike<number>, rows: number, columns: number, name = 'matrix'): void {
  requireInteger(operation, 'rows', rows);
  requireInteger(operation, 'columns', columns);
  if (matrix.length !== rows * columns) {
    const square = rows === columns ? 'square, ' : '';
    throw new ShapeError({
      operation, required: `${name} must be ${square}[${rows},${columns}] in row-major order`, received: `${matrix.length} numbers`,
    });
  }
  for (let i = 0; i < matrix.length; i++) {
    if (!Number.isFinite(matrix[i])) {
      throw new NonFiniteError({
        operation, required: `${name} must be finite`,
        received: `${matrix[i]} at [${Math.floor(i / columns)},${i % columns}]`,
      });
    }
  }
}

/** The power of two that brings the largest magnitude to [0.5, 1); 1 for zeros. Multiplying by it is exact. */
export function powerOfTwoScale(...parts: readonly ArrayLike<number>[]): number {
  let largest = 0;
  for (const part of parts) for (let i = 0; i < part.length; i++) largest = Math.max(largest, Math.abs(part[i]));
  if (largest === 0) return 1;
  // Bounded so that neither the scale nor its inverse overflows for subnormal or huge entries.
  return 2 ** Math.max(-1022, Math.min(1022, -Math.ceil(Math.log2(largest))));
}
