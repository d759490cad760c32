/** The maximum of a function sampled on a grid, refined. @module */
import type { Measurement } from '../../problem/index.ts';

/** A height above the chord at one position. */
export interface Height {
  readonly t: number;
  readonly height: Measurement;
}

/** A barrier and where it was found. */
export interface BarrierHeight extends Measurement {
  /** Where on the path, in [0, 1]. */
  readonly position: number;
  /** The highest point of the sampled path lies in here; the height between its points is not known. */
  readonly bracket: readonly [number, number];
  /** How much the refinement added to the maximum over the grid. */
  readonly refinement: number;
}

/** `points` even positions in [0, 1], both ends exact. */
export const uniformGrid = (points: number): number[] => Array.from({ length: points }, (_, i) => i / (points - 1));

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The largest of the heights, improved by golden section between the neighbours of the largest until the bracket is shorter
 * than `refineTo`. Within the bracket the height is assumed to have one maximum; elsewhere the grid alone is the evidence. Heights at the
 * ends are zero by definition and without error: where one of them is the largest, the error is that of the highest point of the grid
 * between, since other examples might have lifted that one above.
 */
export async function refineMaximum(grid: readonly Height[], refineTo: number, signal: AbortSignal | undefined, heightAt?: (t: number) => Promise<Measurement>): Promise<BarrierHeight> {
  if (grid.length === 0) return { value: NaN, error: NaN, kind: 'standard error', position: NaN, bracket: [0, 1], refinement: 0 };
  const top = grid.reduce((best, candidate, i) => (candidate.height.value > grid[best].height.value ? i : best), 0);
  let best = grid[top];
  // Of the grid alone: what a search for a maximum at an end visits lies ever closer to it, where heights vanish with their errors.
  const inner = grid.filter(({ t }) => t > 0 && t < 1).reduce<Height | undefined>((most, candidate) => (most === undefined || candidate.height.value > most.height.value ? candidate : most), undefined);
  let low = grid[Math.max(0, top - 1)].t;
  let high = grid[Math.min(grid.length - 1, top + 1)].t;
  const isStopped = (): boolean => signal?.aborted === true;
  const coarse = best.height.value;
  // At an end the height is zero by definition, and the highest cell may still rise beside it: both inner points are tried.
  const evaluate = async (t: number): Promise<Height> => {
    const found = { t, height: await heightAt!(t) };
    if (found.height.value > best.height.value) best = found;
    return found;
  };
  if (heightAt !== undefined && refineTo > 0 && high - low > refineTo && !isStopped()) {
    let left = await evaluate(high - GOLDEN * (high - low));
    let right = await evaluate(low + GOLDEN * (high - low));
    while (high - low > refineTo && !isStopped()) {
      if (left.height.value >= right.height.value) {
        high = right.t;
        right = left;
        left = await evaluate(high - GOLDEN * (high - low));
      } else {
        low = left.t;
        left = right;
        right = await evaluate(low + GOLDEN * (high - low));
      }
    }
  }
  const isAtEnd = best.t === 0 || best.t === 1;
  return { ...best.height, ...(isAtEnd && inner && { error: inner.height.error }), position: best.t, bracket: [Math.min(low, best.t), Math.max(high, best.t)], refinement: best.height.value - coarse };
}
