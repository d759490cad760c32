/** Label smoothing as another problem. @module */
import { crossEntropy } from '../losses/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import type { Problem } from './problem.ts';

/**
 * The problem whose loss is the cross-entropy to smoothed labels: `smoothing` of the probability moved from the label to all classes
 * alike (Szegedy et al. 2016, section 7). It is the objective everywhere: in training, and in curvature and landscapes measured of it; evaluate
 * the original problem for the plain loss.
 *
 * @throws ArgumentError when the problem's loss is not `crossEntropy`, or `smoothing` is not within [0, 1].
 */
export function withLabelSmoothing<P, State>(problem: Problem<P, State>, smoothing: number): Problem<P, State> {
  requireNumber('withLabelSmoothing', 'smoothing', smoothing, 0, 1);
  if (smoothing === 0) return problem;
  if (problem.loss !== crossEntropy) {
    throw new ArgumentError({ operation: 'withLabelSmoothing', required: "the problem's loss must be crossEntropy", received: `'${problem.name}' with another`, remedy: 'smooth inside of your own loss' });
  }
  return { ...problem, loss: (outputs, targets) => crossEntropy(outputs, targets, { labelSmoothing: smoothing }) };
}
