/** Curves over training steps: what the figures of a run share. @module */
import * as Plot from '@observablehq/plot';
import { requireIncreasing, requireSameLength, requireSome } from './check.ts';
import { envelope } from './envelope.ts';
import type { NumberList, Panel } from './figure.ts';
import { axisScale, finiteExtent, pad, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

/** One curve over training steps; `steps` increasing and as long as `values`. */
export interface CurveSeries {
  readonly steps: NumberList;
  readonly values: NumberList;
  /** Standard error of each value, where it was estimated on a sample. */
  readonly errors?: NumberList;
}

/** A curve as it is drawn. */
export interface Curve {
  readonly name: string;
  readonly paint: string;
  readonly dash?: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[];
  /** Values that each point is the mean of; one where every value is drawn. */
  readonly stretch: number;
}

/** How a curve is drawn, and how many points it has at most: 160 unless told otherwise. */
export interface CurveStyle {
  readonly paint: string;
  readonly dash?: string | undefined;
  readonly mostPoints?: number;
}

const MOST_POINTS = 160;

/** Long series become means of equal stretches with their range as a band; shorter ones have a band of their errors. */
export function curveOf(operation: string, name: string, { steps, values, errors }: CurveSeries, { paint, dash, mostPoints = MOST_POINTS }: CurveStyle): Curve {
  requireSome(operation, `${name} steps`, steps);
  requireSameLength(operation, { [`${name} steps`]: steps, values, errors });
  requireIncreasing(operation, `${name} steps`, steps);
  const stretch = Math.max(1, Math.ceil(values.length / mostPoints));
  const half = (i: number): number => { const error = stretch > 1 ? undefined : errors?.[i]; return error !== undefined && Number.isFinite(error) ? error : 0; };
  const points = envelope(steps, values, mostPoints).map(({ step, mean, low, high }, i) => ({ x: step, y: mean, low: low - half(i), high: high + half(i) }));
  return { name, paint, ...(dash !== undefined && { dash }), points, stretch };
}

/** From step zero to the last. */
export function stepDomain(curves: readonly Curve[]): [number, number] {
  const xs = finiteExtent(...curves.map((curve) => curve.points.map((point) => point.x))) ?? [0, 1];
  return widen([Math.min(0, xs[0]), xs[1]]);
}

export interface CurvesPanelOptions {
  readonly label: string;
  readonly xLabel: string | null;
  readonly domain: [number, number];
  readonly width: number;
  readonly logarithmic: boolean;
  readonly percent?: boolean;
  /** A line to compare with, dashed and muted; it widens the axis only where it comes near the curves. */
  readonly reference?: Curve;
}

/** A curve of no more values has a dot at each, so that one of a single value is seen at all. */
const DOTTED = 12;
const dotsOf = (curve: Curve): Curve['points'] => (curve.stretch === 1 && curve.points.length <= DOTTED ? curve.points.filter(({ y }) => Number.isFinite(y)) : []);
/** A band has no width at a single step. */
const barsOf = (curve: Curve): Curve['points'] => (curve.points.length === 1 ? curve.points.filter(({ low, high }) => high > low) : []);

/** A reference further above the largest value than this would flatten the curves. */
const NEAR = 3;

/** A panel of curves with their bands; on a logarithmic axis what is not positive has no place. */
export function curvesPanel(curves: readonly Curve[], { label, xLabel, domain, width, logarithmic, percent = false, reference }: CurvesPanelOptions): Panel {
  const factor = percent ? 100 : 1;
  const all = curves.flatMap((curve) => curve.points);
  const positive = all.filter((point) => !logarithmic || point.y > 0);
  const log = logarithmic && positive.length > 0;
  const lows = log ? positive : all;
  const highest = finiteExtent(lows.map((point) => point.y))?.[1] ?? Infinity;
  const near = (reference?.points ?? []).map(({ y }) => y).filter((y) => y <= NEAR * highest && (!log || y > 0));
  const range = widen(finiteExtent(lows.map((point) => (log && point.low <= 0 ? point.y : point.low) * factor), lows.map((point) => Math.max(point.y, point.high) * factor), near) ?? [0, 1]);
  const drawn = curves.map((curve) => ({
    ...curve,
    points: curve.points.map(({ x, y, low, high }) => ({ x, y: log && y <= 0 ? NaN : y * factor, low: Math.max(low * factor, log ? range[0] : -Infinity), high: Math.max(high * factor, log ? range[0] : -Infinity) })),
  }));
  const padded = pad(range, log);
  const top: [number, number] = percent ? [Math.max(0, padded[0]), Math.min(100, padded[1])] : padded;
  const vertical = axisScale(top, log, 5);
  const inside = (reference?.points ?? []).map(({ x, y }) => ({ x, y: y >= top[0] && y <= top[1] ? y : NaN }));
  return {
    plot: {
      width, height: xLabel === null ? 250 : 270, marginLeft: 62, marginRight: 20, marginTop: 34, marginBottom: xLabel === null ? 34 : 56,
      x: { ...axisScale(domain, false, 5), label: xLabel, labelArrow: 'none', labelAnchor: 'center' },
      y: { ...vertical, axis: null },
      marks: [
        ...verticalAxis(vertical, label),
        drawn.map(({ points, paint }) => Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: paint, fillOpacity: 0.22, ariaDescription: 'band' })),
        ...(reference === undefined ? [] : [Plot.lineY(inside, { x: 'x', y: 'y', stroke: color.muted, strokeWidth: 1.6, strokeDasharray: '5,4', ariaDescription: reference.name })]),
        drawn.map(({ points, paint, dash, name }) => Plot.lineY(points, { x: 'x', y: 'y', stroke: paint, strokeWidth: 1.8, strokeDasharray: dash, ariaDescription: name })),
        drawn.map((curve) => Plot.ruleX(barsOf(curve), { x: 'x', y1: 'low', y2: 'high', stroke: curve.paint, strokeWidth: 1.6, ariaDescription: 'standard error' })),
        drawn.map((curve) => Plot.dot(dotsOf(curve), { x: 'x', y: 'y', r: 3, fill: curve.paint, ariaDescription: curve.name })),
      ],
    },
  };
}
