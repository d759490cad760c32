/** Long series thinned for drawing without hiding what they did. @module */
import type { NumberList } from './figure.ts';

/** A stretch of consecutive steps: their mean and range. */
export interface EnvelopePoint {
  readonly step: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Splits a series into at most `count` stretches of equal length and keeps the mean, minimum and maximum of each, at its last
 * step. A stretch with a value that is not finite has mean NaN, which a line shows as a gap.
 */
export function envelope(steps: NumberList, values: NumberList, count: number): EnvelopePoint[] {
  const size = Math.max(1, Math.ceil(values.length / count));
  const points: EnvelopePoint[] = [];
  for (let start = 0; start < values.length; start += size) {
    const part = Array.prototype.slice.call(values, start, start + size) as number[];
    const finite = part.every(Number.isFinite);
    points.push({
      step: steps[start + part.length - 1],
      mean: finite ? part.reduce((sum, value) => sum + value, 0) / part.length : NaN,
      low: finite ? Math.min(...part) : NaN, high: finite ? Math.max(...part) : NaN,
    });
  }
  return points;
}
