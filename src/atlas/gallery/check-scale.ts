/** Where measured values lie against a threshold, drawn as a strip on the scale that the values of one comparison share. @module */
import type { Check, Quantity, Relation } from '../claim.ts';

/** A scale from values to per cent of a strip's width. */
export interface CheckScale {
  readonly isLogarithmic: boolean;
  /** Between 0 and 100; undefined for values that are not finite, or not positive on a logarithmic scale. */
  place(value: number): number | undefined;
}

/** Values that span more than this factor are on a logarithmic scale. */
const LOG_RATIO = 50;
const MARGIN = 7;

/** Both ends of what satisfies the relation. */
export function admitted(relation: Relation, threshold: Check['threshold']): readonly [number, number] {
  if (typeof threshold !== 'number') return threshold;
  return relation.startsWith('<') ? [-Infinity, threshold] : [threshold, Infinity];
}

/** The ends of the error bar, no further from the value than `limit`. */
const ends = ({ value, error }: Quantity, limit: number): number[] => (error > 0 ? [value - Math.min(error, limit), value + Math.min(error, limit)] : []);

/** The scale of comparisons with one threshold: all values and the threshold, and their errors as far as these leave the values apart. */
export function checkScale(checks: readonly Check[]): CheckScale {
  const { relation, threshold } = checks[0];
  const thresholds = admitted(relation, threshold).filter(Number.isFinite);
  const values = [...checks.map(({ measured }) => measured.value), ...thresholds].filter(Number.isFinite);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (low > 0 && high > LOG_RATIO * low) {
    const range = Math.log(high / low);
    const [first, width] = [Math.log(low) - 0.04 * range, 1.08 * range];
    return scale(true, (value) => (value > 0 ? (Math.log(value) - first) / width : NaN));
  }
  const spread = high - low;
  const all = [...values, ...checks.flatMap(({ measured }) => ends(measured, spread || Infinity))].filter(Number.isFinite);
  const [from, to] = [Math.min(...all), Math.max(...all)];
  // One value alone, without an error, is drawn in the middle of a scale that has no length.
  const width = to - from || Math.abs(to) || 1;
  return scale(false, (value) => (to === from ? 0.5 + (value - from) / width : (value - from) / width));
}

const scale = (isLogarithmic: boolean, fraction: (value: number) => number): CheckScale => ({
  isLogarithmic,
  place: (value) => {
    const at = fraction(value);
    return Number.isFinite(at) ? Math.min(100, Math.max(0, MARGIN + (100 - 2 * MARGIN) * at)) : undefined;
  },
});

const percent = (at: number): string => `${Math.round(at * 10) / 10}%`;

/**
 * One strip as SVG, as wide as its container: the admitted stretch shaded, its ends as lines, the value as a dot (a control's as a ring) with
 * its error. It repeats what the text beside it says, so it is hidden from screen readers.
 */
export function checkStrip({ measured, relation, threshold }: Check, role: 'check' | 'control', { place }: CheckScale): string {
  const [low, high] = admitted(relation, threshold);
  const [from, to] = [Number.isFinite(low) ? place(low) ?? 0 : 0, Number.isFinite(high) ? place(high) ?? 100 : 100];
  const at = place(measured.value);
  const line = (x: number): string => `<line class="threshold" x1="${percent(x)}" x2="${percent(x)}" y1="0" y2="26"/>`;
  const error = at === undefined || !(measured.error > 0) ? '' : (() => {
    const [left, right] = [place(measured.value - measured.error) ?? 0, place(measured.value + measured.error) ?? 100];
    return `<line class="error" x1="${percent(left)}" x2="${percent(right)}" y1="13" y2="13"/>`;
  })();
  return `<svg class="strip" width="100%" height="26" aria-hidden="true" focusable="false"><rect class="admitted" x="${percent(from)}" width="${percent(Math.max(to - from, 0))}" y="0" height="26"/>`
    + [low, high].filter(Number.isFinite).map((end) => line(place(end) ?? 0)).join('')
    + `<line class="axis" x1="0" x2="100%" y1="13" y2="13"/>${error}`
    + (at === undefined ? '' : `<circle class="${role}" cx="${percent(at)}" cy="13" r="5"/>`) + '</svg>';
}
