/** How far the predictions of a table of logits are from the true law. @module */
import { ShapeError } from '../util/errors.ts';

/**
 * KL(p_i || softmax(l_i)) of each row i in nats, [rows]: the expected cross-entropy after context i above the entropy of what follows it. Both
 * arguments are [rows, classes], row-major; rows of probabilities sum to one, and classes of probability 0 count nothing.
 *
 * @throws ShapeError when the arguments are not rows of `classes` or differ in length.
 */
export function rowDivergences(probabilities: ArrayLike<number>, logits: ArrayLike<number>, classes: number): Float64Array {
  const rows = probabilities.length / classes;
  if (!Number.isInteger(rows) || logits.length !== probabilities.length) {
    throw new ShapeError({ operation: 'rowDivergences', required: `both tables must have as many rows of ${classes}`, received: `${probabilities.length} probabilities and ${logits.length} logits` });
  }
  return Float64Array.from({ length: rows }, (_, row) => {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[row * classes + c]);
    let total = 0;
    for (let c = 0; c < classes; c++) total += Math.exp(logits[row * classes + c] - largest);
    let divergence = 0;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[row * classes + c];
      if (p > 0) divergence += p * (Math.log(p) - (logits[row * classes + c] - largest - Math.log(total)));
    }
    return divergence;
  });
}
