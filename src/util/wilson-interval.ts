/** The confidence interval of a proportion. @module */

/** Normal quantile of a 95 % interval. */
const Z = 1.959964;

/**
 * The 95 % score interval of a proportion (Wilson, 1927): honest near zero and one, where the standard error vanishes.
 * Both ends are NaN when there are no trials.
 */
export function wilsonInterval(successes: number, trials: number): readonly [number, number] {
  const p = successes / trials;
  const scale = 1 + Z ** 2 / trials;
  const middle = (p + Z ** 2 / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((p * (1 - p)) / trials + Z ** 2 / (4 * trials ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
