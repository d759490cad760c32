/** What is reported of a path: losses with paired differences to the chord, their maximum and their means. @module */
import { estimated, type Measurement } from '../../problem/index.ts';
import type { ExampleLosses } from './path-evaluation.ts';
import type { Height } from './path-refinement.ts';

/** One point of a path. Standard errors are over examples. */
export interface PathSample {
  /** Position in [0, 1]. */
  readonly t: number;
  readonly loss: Measurement;
  /** Loss above the chord between the ends' losses, paired by example. */
  readonly excess: Measurement;
  /** Absent where targets are no labels. */
  readonly accuracy?: Measurement;
}

/** What all paths report of one split. */
export interface PathMeasures {
  readonly samples: readonly PathSample[];
  /** The largest loss of the sampled points. */
  readonly maximum: Measurement & { readonly t: number };
  /** Mean loss, uniform in t (trapezoidal rule over the samples). */
  readonly mean: Measurement;
  /** Mean loss, uniform in arc length; for a straight line the same as `mean`. */
  readonly meanOverLength: Measurement;
  /**
   * (L(0) + L(1)) / 2 - L(t*) where |L - (L(0) + L(1)) / 2| is largest among the samples: negative for a barrier, positive where
   * the path dips (Yang et al. 2021; PyLandscape's `max_deviation`).
   */
  readonly maxDeviation: Measurement & { readonly t: number };
}

/** Collects the samples of a path, in order of t. */
export interface PathCollector {
  readonly count: number;
  add(t: number, at: ExampleLosses): void;
  height(t: number, at: ExampleLosses): { loss: Measurement; accuracy?: Measurement };
  lossHeights(): Height[];
  accuracyHeights(): Height[] | undefined;
  finish(): PathMeasures;
}

type Vector = Float64Array;
const combine = (n: number, f: (i: number) => number): Vector => Float64Array.from({ length: n }, (_, i) => f(i));
const exactZero = (samples: number): Measurement => ({ value: 0, error: 0, kind: 'standard error', samples });

/** Collects a path's samples relative to its ends; `weight` is the speed of the path at t, for means over its length. */
export function pathMeasures([first, last]: readonly [ExampleLosses, ExampleLosses], weight: (t: number) => number = () => 1): PathCollector {
  const n = first.losses.length;
  const samples: PathSample[] = [];
  const heights: { t: number; loss: Measurement; accuracy?: Measurement; deviation: Measurement }[] = [];
  const rows: { t: number; losses: Vector }[] = [];

  const height = (t: number, { losses, correct }: ExampleLosses): { loss: Measurement; accuracy?: Measurement } => {
    // At the ends the difference is zero for every example, by definition.
    if (t === 0 || t === 1) return { loss: exactZero(n), ...(correct && { accuracy: exactZero(n) }) };
    return {
      loss: estimated(combine(n, (i) => losses[i] - ((1 - t) * first.losses[i] + t * last.losses[i]))),
      ...(correct && { accuracy: estimated(combine(n, (i) => (1 - t) * first.correct![i] + t * last.correct![i] - correct[i])) }),
    };
  };

  return {
    get count() { return samples.length; },
    height,
    add(t, at) {
      const { loss, accuracy } = height(t, at);
      samples.push({ t, loss: estimated(at.losses), excess: loss, ...(at.correct && { accuracy: estimated(at.correct) }) });
      heights.push({ t, loss, accuracy, deviation: estimated(combine(n, (i) => (first.losses[i] + last.losses[i]) / 2 - at.losses[i])) });
      rows.push({ t, losses: at.losses });
    },
    lossHeights: () => heights.map(({ t, loss }) => ({ t, height: loss })),
    accuracyHeights: () => (heights[0]?.accuracy === undefined ? undefined : heights.map(({ t, accuracy }) => ({ t, height: accuracy! }))),
    finish() {
      const top = samples.reduce((best, sample) => (sample.loss.value > best.loss.value ? sample : best), samples[0]);
      const far = heights.reduce((best, at) => (Math.abs(at.deviation.value) > Math.abs(best.deviation.value) ? at : best), heights[0]);
      return {
        samples, maximum: { ...top.loss, t: top.t }, mean: meanAlong(rows, () => 1), meanOverLength: meanAlong(rows, weight),
        maxDeviation: { ...far.deviation, t: far.t },
      };
    },
  };
}

/** Weighted mean along the path of each example's loss, then over examples, which gives its standard error. */
function meanAlong(rows: readonly { t: number; losses: Vector }[], weight: (t: number) => number): Measurement {
  if (rows.length < 2) return estimated(rows[0]?.losses ?? []);
  const shares = rows.map(({ t }, i) => weight(t) * ((rows[i + 1]?.t ?? t) - (rows[i - 1]?.t ?? t)) / 2);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return estimated(combine(rows[0].losses.length, (i) => rows.reduce((sum, { losses }, row) => sum + shares[row] * losses[i], 0) / total));
}
