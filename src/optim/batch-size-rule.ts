/** How a learning rate goes with the batch size. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';

/** Options of `batchSizeRule`. */
export interface BatchSizeRuleOptions {
  /** The rate at `batchSize`. */
  readonly rate: number;
  readonly batchSize: number;
  /**
   * `linear`: in proportion (Goyal et al. 2017), for gradient descent whose noise sets the limit. `square-root`: as the root
   * (Krizhevsky 2014), for methods that divide by the root of a curvature, such as Adam.
   */
  readonly rule: 'linear' | 'square-root';
  /** The rate grows no further from here on. Default Infinity. */
  readonly criticalBatchSize?: number;
}

/**
 * The learning rate of a batch size B: rate (min(B, critical) / batchSize)^k with k = 1 or 1/2. Granziol, Zohren & Roberts (JMLR 2022, arXiv
 * 2006.09092) derive both from the largest eigenvalue of a batch's Hessian: while noise prevails it goes as 1 / B, and the largest stable
 * step as its inverse, or as the inverse root where the method is preconditioned; it saturates where the noise falls below the curvature.
 *
 * @throws ArgumentError when an option is out of range, or a batch size that is asked for.
 */
export function batchSizeRule({ rate, batchSize, rule, criticalBatchSize = Infinity }: BatchSizeRuleOptions): (batch: number) => number {
  requireNumber('batchSizeRule', 'rate', rate, 0);
  requireNumber('batchSizeRule', 'batchSize', batchSize, Number.MIN_VALUE);
  if (criticalBatchSize !== Infinity) requireNumber('batchSizeRule', 'criticalBatchSize', criticalBatchSize, Number.MIN_VALUE);
  const exponent = { linear: 1, 'square-root': 1 / 2 }[rule] as number | undefined;
  if (exponent === undefined) throw new ArgumentError({ operation: 'batchSizeRule', required: "rule must be 'linear' or 'square-root'", received: `'${String(rule)}'` });
  return (batch) => rate * (Math.min(requireNumber('batchSizeRule', 'batch', batch, Number.MIN_VALUE), criticalBatchSize) / batchSize) ** exponent;
}
