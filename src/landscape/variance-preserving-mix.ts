/** Points between two initialisations that are initialisations themselves. @module */
import type { Point } from '../problem/index.ts';
import { requireNumber } from '../util/require.ts';
import { combinePoints } from './connectivity/path-points.ts';

/**
 * ((1 - alpha) theta + alpha theta') / sqrt(alpha^2 + (1 - alpha)^2): for two independent draws of one initialisation of mean zero, each coordinate
 * keeps its variance. alpha is the distance to theta, 0 to 1 (the locality of a student to its teacher; Sarnthein, Bachmann, Anagnostidis,
 * Hofmann 2023, arXiv 2302.12091). @throws ArgumentError unless 0 <= alpha <= 1; ShapeError when the points differ.
 */
export function variancePreservingMix<P, State>(point: Point<P, State>, other: Point<P, State>, alpha: number): Point<P, State> {
  requireNumber('variancePreservingMix', 'alpha', alpha, 0, 1);
  const length = Math.hypot(alpha, 1 - alpha);
  return combinePoints([point, other], [(1 - alpha) / length, alpha / length]);
}
