/** The logarithm of a determinant. @module */
import { requireNumber } from '../util/require.ts';
import type { LinearOperator } from './operator.ts';
import { logarithm } from './spectral-function.ts';
import { spectralTraceOf, type SpectralTrace, type SpectralTraceOptions } from './spectral-function-trace.ts';
import { lanczosQuadratures } from './spectral-quadrature.ts';

/** What is added to the diagonal. */
export interface LogDeterminantOptions extends SpectralTraceOptions {
  /** Added to every eigenvalue: a damping, a prior precision. Default 0. */
  readonly shift?: number;
}

/**
 * log det(A + shift I) of a positive definite A + shift I, by stochastic Lanczos quadrature (Ubaru, Chen, Saad 2017). With
 * `spectrum` (of A: [0, Infinity] where it is positive semi-definite, and a shift above 0) the error of quadrature is bounded between
 * Gauss rules, which are too large, and Gauss-Radau rules at the low end, which are too small. Divide by ln 10 for decimal
 * digits, by the size for the mean. Cost: probes * steps products.
 *
 * @throws NonFiniteError when a Ritz value shows that A + shift I is not positive definite.
 */
export async function logDeterminant(operator: LinearOperator, options: LogDeterminantOptions = {}): Promise<SpectralTrace> {
  const shift = requireNumber('logDeterminant', 'shift', options.shift ?? 0);
  return spectralTraceOf('logDeterminant', operator, await lanczosQuadratures('logDeterminant', operator, options), logarithm(shift), options.spectrum);
}
