/** Order statistics of the rounds. @module */

/** Median with the quartiles around it. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** The quantile between order statistics, linearly (type 7 of Hyndman & Fan 1996). NaN for no values. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = at * (sorted.length - 1);
  const below = Math.floor(position);
  if (sorted.length === 0) return NaN;
  return sorted[below] + (position - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const spread = (values: readonly number[]): Spread => ({ median: median(values), lower: quantile(values, 0.25), upper: quantile(values, 0.75) });

/**
 * Ratios of two series round by round: what slows a whole round falls out of each ratio. Rounds that either lacks are left out.
 */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return numerators.slice(0, denominators.length).map((value, round) => value / denominators[round]).filter(Number.isFinite);
}

/** ||a - b|| / ||b|| of arrays in parts, in float64. */
export function relativeDifference(parts: readonly ArrayLike<number>[], reference: readonly ArrayLike<number>[]): number {
  let difference = 0;
  let norm = 0;
  parts.forEach((part, p) => {
    for (let i = 0; i < part.length; i++) {
      difference += (part[i] - reference[p][i]) ** 2;
      norm += reference[p][i] ** 2;
    }
  });
  return Math.sqrt(difference / norm);
}
