/** How far two lists of numbers are in the same order. @module */
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';

/**
 * Spearman's rank correlation: Pearson's correlation of the ranks, where equal values share the mean of their ranks (Spearman 1904).
 * 1 for the same order, -1 for the opposite one; NaN where all values of a list are equal, since there is no order then.
 *
 * @throws ShapeError when the lists differ in length; ArgumentError with fewer than two values; NonFiniteError for values without a rank (NaN).
 */
export function rankCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) throw new ShapeError({ operation: 'rankCorrelation', required: 'both lists must be of one length', received: `${x.length} and ${y.length}` });
  if (x.length < 2) throw new ArgumentError({ operation: 'rankCorrelation', required: 'at least two values', received: String(x.length) });
  const [p, q] = [ranks(x), ranks(y)];
  const centre = (x.length + 1) / 2;
  const product = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + (value - centre) * (b[i] - centre), 0);
  return product(p, q) / Math.sqrt(product(p, p) * product(q, q));
}

/**
 * The rank of each value, 1 for the smallest; equal values share the mean of theirs.
 * @throws NonFiniteError when one is NaN.
 */
export function ranks(values: ArrayLike<number>): Float64Array {
  const all = Array.from(values);
  const odd = all.findIndex(Number.isNaN);
  if (odd >= 0) throw new NonFiniteError({ operation: 'ranks', required: 'every value must be a number that can be ordered', received: `NaN at ${odd}` });
  const order = all.map((_, i) => i).sort((i, j) => all[i] - all[j]);
  const out = new Float64Array(all.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && all[order[to]] === all[order[from]]) to++;
    for (let k = from; k < to; k++) out[order[k]] = (from + 1 + to) / 2;
    from = to;
  }
  return out;
}
