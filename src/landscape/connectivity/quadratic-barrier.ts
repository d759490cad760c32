/** How high the loss rises between two points, predicted from derivatives at the points alone. @module */
import type { DirectionalDerivative, DirectionalDerivatives } from '../../curvature/index.ts';
import type { Point } from '../../problem/index.ts';

/** A predicted rise above the chord between the ends. */
export interface PredictedRise {
  /**
   * beta(t) = (1/2) t (1 - t) [t q_A + (1 - t) q_B], the share of the curvatures q = D'H D: all there is where both ends are minima. At 1/2,
   * (q_A + q_B) / 16.
   */
  readonly midpoint: number;
  /** The slopes' share at 1/2, (g_A - g_B)'D / 4: negative where both ends fall towards the middle. */
  readonly slopes: number;
  /** The curvatures' share at t in [0, 1]. */
  at(t: number): number;
}

/**
 * The rise above the chord that two expansions to second order predict, from A with weight 1 - t and from B with weight t (Singh, Adilova,
 * Kamp, Fischer, Schölkopf, Hofmann 2024): without walking along the line. Where the loss is
 * quadratic, the sum of both shares is exact.
 */
export function quadraticRise(from: Omit<DirectionalDerivative, 'loss'>, to: Omit<DirectionalDerivative, 'loss'>): PredictedRise {
  const at = (t: number): number => 0.5 * t * (1 - t) * (t * from.curvature + (1 - t) * to.curvature);
  return { midpoint: at(0.5), slopes: (from.slope - to.slope) / 4, at };
}

/** One layer of A moved half of the way to B, the others where they are. */
export interface LayerRise {
  /** Path of the layer: `layers.0`. */
  readonly name: string;
  /** Length of the layer's difference D_l. */
  readonly distance: number;
  /** D_l'H_A D_l / 8: half of the curvature over half of the difference, squared. */
  readonly predicted: number;
  /** L(A with its layer half of the way to B's) - L(A). */
  readonly measured: number;
}

/** Predictions of the rise between two points, and of each layer's share. */
export interface QuadraticBarrier {
  /** |B - A|. */
  readonly distance: number;
  /** At both ends, along B - A. */
  readonly ends: readonly [DirectionalDerivative, DirectionalDerivative];
  readonly rise: PredictedRise;
  readonly layers: readonly LayerRise[];
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

/**
 * Predicts the loss barrier between two points from derivatives at both along their difference, and the barriers of single layers from those at
 * the first. `derivatives` are prepared once for all pairs of points, over all parameters.
 *
 * @throws ShapeError when the points are not those of the derivatives' problem.
 */
export async function quadraticBarrier<P, State>(derivatives: DirectionalDerivatives<P, State>, from: Point<P, State>, to: Point<P, State>): Promise<QuadraticBarrier> {
  const { space } = derivatives;
  const [a, b] = [space.flatten(from.params), space.flatten(to.params)];
  const difference = b.map((x, i) => x - a[i]);
  const groups = space.groups('layer');
  const parts = groups.map(({ start, end }) => difference.map((x, i) => (i >= start && i < end ? x : 0)));
  // The same number of directions everywhere: one program for all.
  const directions = [difference, ...parts];
  const [first, ...layers] = await derivatives.at(from, directions);
  const [second] = await derivatives.at(to, directions);
  const rises: LayerRise[] = [];
  for (const [l, { name }] of groups.entries()) {
    const half = { ...from, params: space.unflatten(a.map((x, i) => x + parts[l][i] / 2)) as Point<P, State>['params'] };
    const [moved] = await derivatives.at(half, directions);
    rises.push({ name, distance: lengthOf(parts[l]), predicted: layers[l].curvature / 8, measured: moved.loss - first.loss });
  }
  const ends = [first, second] as const;
  return { distance: lengthOf(difference), ends, rise: quadraticRise(...ends), layers: rises };
}
