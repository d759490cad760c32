/** The loss at points of an affine subspace of parameter space. @module */
import { requireInteger, requireNumber } from '../util/require.ts';
import type { Split } from '../data/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { accuracyMetric, lossMetric } from './metrics.ts';
import { cellSampler, type CellOptions, type CellValue } from './sample-cells.ts';

/** How points of a landscape are evaluated; progress is counted in points. */
export interface SampleOptions extends CellOptions {
  /** Stops before the next call, which takes `cells` points. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Loss and accuracy at one point; NaN where the loss is not finite or was not reached. */
export interface LandscapeSample {
  readonly loss: number;
  /** Standard error of the loss over the examples, as an estimate of the mean over their source. */
  readonly standardError: number;
  /** Share of correct labels; NaN for targets that are not labels. */
  readonly accuracy: number;
}

/**
 * Evaluates the mean loss at `params + sum_i c_i directions[i]` for each list of coefficients, over all examples of a split.
 * Interrupted, it returns NaN for the rest. `sampleBox` keeps a record, measures anything, and can be continued.
 *
 * @throws TreeError when a direction is not shaped like the parameters; ShapeError when a point has too few coefficients.
 */
export async function sampleLandscape<P, State>(
  problem: Problem<P, State>, point: Point<P, State>, directions: readonly Host<P>[], points: readonly (readonly number[])[], data: Split, options: SampleOptions = {},
): Promise<LandscapeSample[]> {
  const { signal, onProgress, ...cellOptions } = options;
  const sampler = cellSampler(problem, point, directions.map((direction) => ({ direction })), data, [lossMetric, accuracyMetric], cellOptions);
  const samples: LandscapeSample[] = [];
  try {
    while (samples.length < points.length && signal?.aborted !== true) {
      for (const cell of await sampler.evaluate(points.slice(samples.length, samples.length + sampler.cells))) samples.push(sampleOf(cell));
      onProgress?.(samples.length, points.length);
    }
  } finally {
    await sampler.dispose();
  }
  return points.map((_, i) => samples[i] ?? sampleOf([null, null]));
}

const sampleOf = ([loss, accuracy]: readonly (CellValue | null)[]): LandscapeSample => ({ loss: loss?.value ?? NaN, standardError: loss?.error ?? NaN, accuracy: accuracy?.value ?? NaN });

/** `n` evenly spaced numbers from `-radius` to `radius`; an odd `n` has zero in the middle. */
export function symmetricRange(radius: number, n: number): number[] {
  requireNumber('symmetricRange', 'radius', radius, Number.MIN_VALUE);
  requireInteger('symmetricRange', 'n', n, 2);
  // From both ends, so that the middle is exactly zero and the range exactly symmetric.
  return Array.from({ length: n }, (_, i) => (radius * (2 * i - (n - 1))) / (n - 1));
}
