/** Loss and accuracy over training. @module */
import * as Plot from '@observablehq/plot';
import { requireIncreasing, requireSameLength, requireSome } from './check.ts';
import { envelope } from './envelope.ts';
import type { FigureOptions, LegendItem, NumberList, Panel } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber } from './format.ts';
import { axisScale, finiteExtent, pad, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

/** One curve over training steps; `steps` increasing and as long as `values`. */
export interface CurveSeries {
  readonly steps: NumberList;
  readonly values: NumberList;
  /** Standard error of each value, where it was estimated on a sample. */
  readonly errors?: NumberList;
}

/** What `trainingCurves` draws: losses in one panel, accuracies in a second where there are any. */
export interface TrainingCurvesData {
  /** Usually of each mini-batch; drawn as the mean and range of stretches of steps when long. */
  readonly trainLoss: CurveSeries;
  readonly testLoss?: CurveSeries;
  /** Fractions between zero and one. */
  readonly trainAccuracy?: CurveSeries;
  readonly testAccuracy?: CurveSeries;
}

/** Options of `trainingCurves`; by default the loss axis is logarithmic and the x axis is labelled `step`. */
export interface TrainingCurvesOptions extends FigureOptions {
  readonly xLabel?: string;
  readonly lossScale?: 'log' | 'linear';
}

interface Curve { name: string; paint: string; dash?: string; points: { x: number; y: number; low: number; high: number }[]; stretch: number }

const MOST_POINTS = 160;

function curveOf(name: string, series: CurveSeries | undefined, paint: string, dash?: string): Curve[] {
  if (series === undefined) return [];
  const { steps, values, errors } = series;
  requireSome('trainingCurves', `${name} steps`, steps);
  requireSameLength('trainingCurves', { [`${name} steps`]: steps, values, errors });
  requireIncreasing('trainingCurves', `${name} steps`, steps);
  const means = envelope(steps, values, MOST_POINTS);
  const stretch = Math.ceil(values.length / MOST_POINTS);
  const points = means.map(({ step, mean, low, high }, i) => (stretch > 1 || errors === undefined
    ? { x: step, y: mean, low, high }
    : { x: step, y: mean, low: mean - errors[i], high: mean + errors[i] }));
  return [{ name, paint, dash, points, stretch: Math.max(1, stretch) }];
}

/**
 * Train and test loss against the step, on a logarithmic axis by default, and accuracy below when given. A series of more than
 * 160 values is drawn as the mean of equal stretches with a band from their minimum to their maximum, and the legend says so;
 * shorter ones with given errors carry a band of one standard error.
 * @throws ShapeError when lists differ in length; ArgumentError when a series is empty or its steps do not increase.
 */
export function trainingCurves(data: TrainingCurvesData, options: TrainingCurvesOptions = {}): string {
  const width = options.width ?? DEFAULT_WIDTH;
  const losses = [...curveOf('train', data.trainLoss, color.train), ...curveOf('test', data.testLoss, color.test, '6,4')];
  const accuracies = [...curveOf('train', data.trainAccuracy, color.train), ...curveOf('test', data.testAccuracy, color.test, '6,4')];
  const xs = finiteExtent(...[...losses, ...accuracies].map((curve) => curve.points.map((point) => point.x))) ?? [0, 1];
  const domain = widen([Math.min(0, xs[0]), xs[1]]);
  const label = options.xLabel ?? 'step';
  const lossPanel = curvesPanel(losses, { label: 'loss', xLabel: accuracies.length > 0 ? null : label, domain, width, logarithmic: options.lossScale !== 'linear' });
  const rows = [[lossPanel]];
  if (accuracies.length > 0) rows.push([curvesPanel(accuracies, { label: 'accuracy, %', xLabel: label, domain, width, logarithmic: false, percent: true })]);
  const last = (curve: Curve): string => `${curve.name} ${formatNumber(curve.points.at(-1)?.y ?? NaN)}`;
  return composeFigure({
    title: options.title ?? 'Training', subtitle: options.subtitle,
    description: options.description ?? `At the end: loss ${losses.map(last).join(', ')}; accuracy ${accuracies.map(last).join(', ') || 'not measured'}.`,
    width, legend: legendOf(data, [...losses, ...accuracies]), rows,
  });
}

function legendOf(data: TrainingCurvesData, curves: readonly Curve[]): LegendItem[] {
  const legend: LegendItem[] = [{ label: 'train', color: color.train, shape: 'line' }];
  if (data.testLoss !== undefined || data.testAccuracy !== undefined) legend.push({ label: 'test', color: color.test, shape: 'dashed' });
  const stretch = Math.max(...curves.map((curve) => curve.stretch));
  if (stretch > 1) legend.push({ label: `mean and range of ${stretch} steps`, color: color.train, shape: 'band' });
  const errors = [data.trainLoss, data.testLoss, data.trainAccuracy, data.testAccuracy].some((series) => series?.errors !== undefined);
  if (errors) legend.push({ label: '± standard error', color: color.muted, shape: 'band' });
  return legend;
}

interface CurvesPanelOptions {
  readonly label: string;
  readonly xLabel: string | null;
  readonly domain: [number, number];
  readonly width: number;
  readonly logarithmic: boolean;
  readonly percent?: boolean;
}

function curvesPanel(curves: readonly Curve[], { label, xLabel, domain, width, logarithmic, percent = false }: CurvesPanelOptions): Panel {
  const factor = percent ? 100 : 1;
  const positive = curves.flatMap((curve) => curve.points).filter((point) => !logarithmic || point.low > 0);
  const log = logarithmic && positive.length > 0;
  const range = widen(finiteExtent(positive.map((point) => point.low * factor), positive.map((point) => Math.max(point.y, point.high) * factor)) ?? [0, 1]);
  const drawn = curves.map((curve) => ({
    ...curve,
    points: curve.points.map(({ x, y, low, high }) => ({ x, y: y * factor, low: Math.max(low * factor, log ? range[0] : -Infinity), high: high * factor })),
  }));
  const padded = pad(range, log);
  const top: [number, number] = percent ? [Math.max(0, padded[0]), Math.min(100, padded[1])] : padded;
  const vertical = axisScale(top, log, 5);
  return {
    plot: {
      width, height: xLabel === null ? 250 : 270, marginLeft: 62, marginRight: 20, marginTop: 34, marginBottom: xLabel === null ? 34 : 56,
      x: { ...axisScale(domain, false, 5), label: xLabel, labelArrow: 'none', labelAnchor: 'center' },
      y: { ...vertical, axis: null },
      marks: [
        ...verticalAxis(vertical, label),
        drawn.map(({ points, paint }) => Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: paint, fillOpacity: 0.22, ariaDescription: 'band' })),
        drawn.map(({ points, paint, dash, name }) => Plot.lineY(points, { x: 'x', y: 'y', stroke: paint, strokeWidth: 1.8, strokeDasharray: dash, ariaDescription: name })),
      ],
    },
  };
}
