/** What probes measured over training: one or many curves with their errors, and a line to compare them with. @module */
import { interpolateViridis } from 'd3-scale-chromatic';
import { requireSome } from './check.ts';
import { curveOf, curvesPanel, stepDomain, type Curve, type CurveSeries } from './curves.ts';
import type { FigureOptions, LegendItem } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatMeasurement, formatNumber } from './format.ts';
import { finiteExtent } from './scale.ts';
import { color } from './theme.ts';

/** A curve with the name that the legend gives it. */
export interface NamedSeries extends CurveSeries {
  readonly name: string;
}

/** What `trainingSeries` draws in one panel. */
export interface TrainingSeriesData {
  readonly series: readonly NamedSeries[];
  /** A bound or threshold that the curves are compared with, drawn dashed: 2 / learning rate for sharpness. */
  readonly reference?: NamedSeries;
  /** Stands above the panel where there are several. */
  readonly heading?: string;
}

/** Options of `trainingSeries`. */
export interface TrainingSeriesOptions extends FigureOptions {
  /** What the vertical axis shows. */
  readonly label?: string;
  readonly xLabel?: string;
  /** `auto` takes a logarithmic axis when all values are positive and span more than a factor of fifty. */
  readonly scale?: 'auto' | 'linear' | 'log';
  /** What the bands are; `± error` by default. */
  readonly errorLabel?: string;
}

const LOG_RATIO = 50;
const MOST_POINTS = 400;
/** More curves than this are told apart by a scale of colours in their order, of which the legend names some. */
const FEW = 3;
const MOST_NAMES = 8;

/** Middle of the scale: readable on light pages and dark ones. */
const ramp = (position: number): string => interpolateViridis(0.12 + 0.7 * position);

function styleOf(i: number, count: number): { paint: string; dash?: string } {
  if (count > FEW) return { paint: ramp(i / (count - 1)) };
  return [{ paint: color.train }, { paint: color.test, dash: '6,4' }, { paint: color.second, dash: '2,3' }][i];
}

interface DrawnPanel {
  readonly curves: readonly Curve[];
  readonly reference: Curve | undefined;
}

function legendOf(panels: readonly DrawnPanel[], isNamed: boolean, bands: string | undefined): LegendItem[] {
  const curves = [...new Map(panels.flatMap((panel) => panel.curves).map((curve) => [curve.name, curve])).values()];
  const references = [...new Set(panels.flatMap(({ reference }) => (reference === undefined ? [] : [reference.name])))];
  const stride = Math.ceil(curves.length / MOST_NAMES);
  const named = curves.filter((_, i) => i % stride === 0 || i === curves.length - 1);
  const legend: LegendItem[] = isNamed ? named.map(({ name, paint, dash }) => ({ label: name, color: paint, shape: dash === undefined ? 'line' : 'dashed' })) : [];
  for (const label of references) legend.push({ label, color: color.muted, shape: 'dashed' });
  const stretch = Math.max(...curves.map((curve) => curve.stretch));
  if (stretch > 1) legend.push({ label: `mean and range of ${stretch} measurements`, color: color.muted, shape: 'band' });
  else if (bands !== undefined) legend.push({ label: bands, color: color.muted, shape: 'band' });
  return legend;
}

const hasErrors = ({ errors }: NamedSeries): boolean => errors !== undefined && Array.from(errors).some((error) => error > 0 && Number.isFinite(error));
const lastOf = ({ name, values, errors }: NamedSeries): string =>
  `${name} ${errors === undefined ? formatNumber(values[values.length - 1]) : formatMeasurement(values[values.length - 1], errors[errors.length - 1])}`;

/**
 * Curves against the step with a band of their errors, in one panel or several below each other. Up to three are told apart by colour
 * and dash; more by a scale of colours in the order given (layers, say); one name has one colour in all panels. A series of more than
 * 400 values is drawn as means of equal stretches with their range.
 * @throws ShapeError when lists differ in length; ArgumentError when there is no series, one is empty, or steps do not increase.
 */
export function trainingSeries(data: TrainingSeriesData | readonly TrainingSeriesData[], options: TrainingSeriesOptions = {}): string {
  const panels = 'series' in data ? [data] : data;
  requireSome('trainingSeries', 'panels', panels);
  panels.forEach(({ series }) => { requireSome('trainingSeries', 'series', series); });
  const width = options.width ?? DEFAULT_WIDTH;
  // One curve a panel needs no names but the headings.
  const isSingle = panels.every(({ series }) => series.length === 1);
  const isNamed = !isSingle || (panels.length === 1 && panels[0].reference !== undefined);
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const drawn = panels.map(({ series, reference }): DrawnPanel => ({
    curves: series.map((one) => curveOf('trainingSeries', one.name, one, { ...(isSingle ? styleOf(0, 1) : styleOf(names.indexOf(one.name), names.length)), mostPoints: MOST_POINTS })),
    reference: reference && curveOf('trainingSeries', reference.name, reference, { paint: color.muted, dash: '5,4', mostPoints: MOST_POINTS }),
  }));
  const domain = stepDomain(drawn.flatMap(({ curves }) => curves));
  const { scale = 'auto', label = '', xLabel = 'step' } = options;
  const rows = panels.map(({ series, heading }, i) => {
    const { curves, reference } = drawn[i];
    const [low, high] = finiteExtent(...series.map(({ values }) => values)) ?? [0, 0];
    const logarithmic = low > 0 && (scale === 'log' || (scale === 'auto' && high > LOG_RATIO * low));
    const panel = curvesPanel(curves, { label, xLabel: i < panels.length - 1 ? null : xLabel, domain, width, logarithmic, ...(reference && { reference }) });
    return [heading === undefined ? panel : { ...panel, heading }];
  });
  const all = panels.flatMap(({ series, reference }) => [...series, ...(reference ? [reference] : [])]);
  return composeFigure({
    title: options.title ?? panels[0].series[0].name, subtitle: options.subtitle,
    description: options.description ?? `At the end: ${all.slice(0, MOST_NAMES).map(lastOf).join(', ')}.`,
    width, legend: legendOf(drawn, isNamed, all.some(hasErrors) ? options.errorLabel ?? '± error' : undefined), rows,
  });
}
