/** Panels of curves, points and grids side by side: the figures of the atlas, and of whoever has numbers to show. @module */
import * as Plot from '@observablehq/plot';
import { ArgumentError } from '../util/errors.ts';
import { requireSameLength, requireSome } from './check.ts';
import { composeFigure, DEFAULT_WIDTH, type FigureOptions, type LegendItem, type NumberList, type Panel } from './figure.ts';
import { gridPanel, type GridPanel } from './grid-panel.ts';
import { rampColor } from './ramp.ts';
import { axisScale, finiteExtent, pad, verticalAxis, widen, type AxisScale } from './scale.ts';
import { color, textWidth } from './theme.ts';

/** One axis of a panel. */
export interface PanelAxis {
  readonly label: string;
  /** Default `linear`. Values that are not positive have no place on a logarithmic axis. */
  readonly scale?: 'linear' | 'log';
  /** Default: what the data spans. Points beyond are left out, lines leave the panel. */
  readonly domain?: readonly [number, number];
}

/** Points of one kind: a line, marks, or both. */
export interface PanelSeries {
  /** In the legend; series of one name share a line of it. */
  readonly name: string;
  readonly x: NumberList;
  readonly y: NumberList;
  /** Ends of a band, or of error bars where there are marks. */
  readonly low?: NumberList;
  readonly high?: NumberList;
  /** Default `line`. `both`: a line with a dot at each point. */
  readonly mark?: 'line' | 'dot' | 'ring' | 'cross' | 'both';
  readonly dashed?: boolean;
  /** 0 to 2: one of three hues; `muted`: for what is only compared with; `{ place }`, 0 to 1: on the scale of an ordered sweep. Default: by the order of names. */
  readonly color?: 0 | 1 | 2 | 'muted' | { readonly place: number };
}

/** A straight line across the panel at one value. */
export interface PanelRule {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label?: string;
}

/** A shaded stretch of the horizontal axis, with its name at the top. */
export interface PanelBand {
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

/** A panel with two numeric axes. */
export interface SeriesPanel {
  readonly heading?: string;
  readonly x: PanelAxis;
  readonly y: PanelAxis;
  readonly series: readonly PanelSeries[];
  readonly rules?: readonly PanelRule[];
  readonly bands?: readonly PanelBand[];
}

/** Options of `panels`. */
export interface PanelsOptions extends FigureOptions {
  readonly title: string;
  /** Panels in a row: default 2, or 1 where there is one panel. */
  readonly columns?: number;
  /** Height of each panel in pixels, default 290. */
  readonly height?: number;
}

interface Point { readonly x: number; readonly y: number; readonly low: number; readonly high: number }

type Paint = Required<Pick<PanelSeries, 'mark'>> & { readonly paint: string; readonly dash: string | undefined };

const HUES = [color.train, color.test, color.second];
const DASH = '6,4';
/** Upright rules closer than this share of the axis have their labels on different lines. */
const NEAR = 0.3;
const MARGIN_LEFT = 62;
const MARGIN_RIGHT = 20;
/** From a horizontal axis to its label: as near as the ticks allow where text grows on a phone. */
const LABEL_OFFSET = 46;

function paintOf({ name, mark = 'line', dashed = false, color: chosen }: PanelSeries, names: readonly string[]): Paint {
  const i = names.indexOf(name);
  const own = names.length <= HUES.length ? HUES[i] : rampColor(i / (names.length - 1));
  const paint = chosen === undefined ? own : chosen === 'muted' ? color.muted : typeof chosen === 'number' ? HUES[chosen] : rampColor(chosen.place);
  return { mark, paint, dash: dashed ? DASH : undefined };
}

function pointsOf({ name, x, y, low, high }: PanelSeries): Point[] {
  requireSome('panels', `x of ${name}`, x);
  requireSameLength('panels', { [`x of ${name}`]: x, y, low, high });
  return Array.from(x, (value, i) => ({ x: value, y: y[i], low: low?.[i] ?? y[i], high: high?.[i] ?? y[i] }));
}

/** The given domain, or what the values and marks at fixed places span, with room at both ends. */
function domainOf(axis: PanelAxis, values: readonly NumberList[], fixed: readonly number[], name: string): [number, number] {
  if (axis.domain !== undefined) return [...axis.domain];
  const log = axis.scale === 'log';
  const inside = [...values, fixed].map((list) => Array.from(list).filter((value) => !log || value > 0));
  const extent = finiteExtent(...inside);
  if (extent === undefined && log) throw new ArgumentError({ operation: 'panels', required: `a logarithmic ${name} axis needs a positive value`, received: 'none', remedy: "take scale: 'linear'." });
  const [low, high] = extent ?? [0, 1];
  return pad(log && low === high ? [low / 2, high * 2] : widen([low, high]), log);
}

/** The horizontal axis; on a logarithmic one, whose ticks crowd at the upper end of each decade, those whose labels would meet on a phone are left out. */
function horizontalScale(domain: readonly [number, number], log: boolean, width: number): AxisScale {
  const scale = axisScale(domain, log, 5);
  if (typeof scale.ticks === 'number' || !log) return scale;
  const at = (tick: number): number => (width - MARGIN_LEFT - MARGIN_RIGHT) * (Math.log(tick / domain[0]) / Math.log(domain[1] / domain[0]));
  const isDecade = (tick: number): boolean => Number.isInteger(Number(Math.log10(tick).toFixed(9)));
  const half = (tick: number): number => 0.5 * textWidth(scale.tickFormat(tick)) + 2;
  const kept: number[] = [];
  for (const tick of [...scale.ticks.filter(isDecade), ...scale.ticks.filter((tick) => !isDecade(tick))]) {
    if (at(tick) + half(tick) < width - MARGIN_LEFT && kept.every((other) => Math.abs(at(tick) - at(other)) >= half(tick) + half(other))) kept.push(tick);
  }
  return { ...scale, ticks: kept.sort((a, b) => a - b) };
}

function seriesPanel(panel: SeriesPanel, names: readonly string[], width: number, height: number): Panel {
  const drawn = panel.series.map((series) => ({ ...paintOf(series, names), name: series.name, hasRange: series.low !== undefined || series.high !== undefined, points: pointsOf(series) }));
  const all = drawn.flatMap(({ points }) => points);
  const { rules = [], bands = [] } = panel;
  const fixed = (axis: 'x' | 'y'): number[] => rules.filter((rule) => rule.axis === axis).map(({ at }) => at);
  const xDomain = domainOf(panel.x, [all.map(({ x }) => x)], fixed('x'), 'x');
  const yDomain = domainOf(panel.y, [all.map(({ y }) => y), all.map(({ low }) => low), all.map(({ high }) => high)], fixed('y'), 'y');
  const [xLog, yLog] = [panel.x.scale === 'log', panel.y.scale === 'log'];
  const vertical = axisScale(yDomain, yLog, 5);
  const shownX = (x: number): number => (Number.isFinite(x) && (!xLog || x > 0) && x >= xDomain[0] && x <= xDomain[1] ? x : NaN);
  // A line ends where it leaves the panel; one point beyond is drawn at the edge, so that the last stretch is seen.
  const shownY = (y: number): number => (Number.isNaN(y) || (yLog && y <= 0) ? NaN : Math.min(yDomain[1], Math.max(yDomain[0], y)));
  const clipped = drawn.map((one) => ({ ...one, points: one.points.map(({ x, y, low, high }) => ({ x: shownX(x), y: shownY(y), low: shownY(low), high: shownY(high), isInside: y >= yDomain[0] && y <= yDomain[1] })) }));
  const marked = clipped.map((one) => ({ ...one, points: one.points.filter(({ x, y, isInside }) => isInside && !Number.isNaN(x) && !Number.isNaN(y)) }));
  const isLine = ({ mark }: Paint): boolean => mark === 'line' || mark === 'both';
  return {
    heading: panel.heading,
    plot: {
      width, height, marginLeft: MARGIN_LEFT, marginRight: MARGIN_RIGHT, marginBottom: 56,
      // Names of bands have a line of their own under the label of the axis.
      marginTop: bands.some(({ label }) => label !== undefined) ? 48 : 34,
      x: { ...horizontalScale(xDomain, xLog, width), label: panel.x.label, labelArrow: 'none', labelAnchor: 'center', labelOffset: LABEL_OFFSET },
      y: { ...vertical, axis: null },
      marks: [
        bands.map(({ from, to }, i) => Plot.rectX([{ from: Math.max(from, xDomain[0]), to: Math.min(to, xDomain[1]) }], { x1: 'from', x2: 'to', fill: color.muted, fillOpacity: i % 2 === 0 ? 0.14 : 0.06, ariaDescription: 'band of the axis' })),
        ...verticalAxis(vertical, panel.y.label),
        rules.map(({ axis, at, label }) => {
          const style = { stroke: color.muted, strokeWidth: 1.3, strokeDasharray: '3,3', ariaDescription: label ?? 'rule' };
          return axis === 'x' ? Plot.ruleX([at], style) : Plot.ruleY([at], style);
        }),
        clipped.filter((one) => isLine(one) && one.hasRange).map(({ points, paint }) => Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: paint, fillOpacity: 0.2, ariaDescription: 'band' })),
        clipped.filter(isLine).map(({ points, paint, dash, name }) => Plot.lineY(points, { x: 'x', y: 'y', stroke: paint, strokeWidth: 1.8, strokeDasharray: dash, ariaDescription: name })),
        marked.filter((one) => !isLine(one) && one.hasRange).map(({ points, paint }) => Plot.ruleX(points, { x: 'x', y1: 'low', y2: 'high', stroke: paint, strokeWidth: 1.4, ariaDescription: 'error bar' })),
        marked.filter(({ mark }) => mark !== 'line').map(({ points, paint, mark, name }) => Plot.dot(points, {
          x: 'x', y: 'y', r: mark === 'cross' ? 4 : 3.2, symbol: mark === 'cross' ? 'times' : 'circle', ariaDescription: name,
          ...(mark === 'ring' || mark === 'cross' ? { stroke: paint, fill: 'none', strokeWidth: 1.6 } : { fill: paint }),
        })),
        Plot.text(rules.filter(({ axis, label }) => axis === 'y' && label !== undefined), { x: xDomain[1], y: 'at', text: 'label', textAnchor: 'end', dx: -4, dy: -8, fill: color.muted }),
        ruleLabels(rules, xDomain, xLog).map(({ at, label, isLeft, level }) => Plot.text([label], { x: at, y: yDomain[1], textAnchor: isLeft ? 'end' : 'start', dx: isLeft ? -4 : 4, dy: 9 + 17 * level, fill: color.muted })),
        Plot.text(bands.filter(({ label }) => label !== undefined), { x: ({ from, to }: PanelBand) => middle(Math.max(from, xDomain[0]), Math.min(to, xDomain[1]), xLog), y: yDomain[1], text: 'label', dy: -8, fill: color.muted }),
      ],
    },
  };
}

interface RuleLabel { readonly at: number; readonly label: string; readonly isLeft: boolean; readonly level: number }

/** Labels of upright rules on the side that has room, one line lower where the one before is near. */
function ruleLabels(rules: readonly PanelRule[], [low, high]: readonly [number, number], log: boolean): RuleLabel[] {
  const place = (at: number): number => (log ? Math.log(at / low) / Math.log(high / low) : (at - low) / (high - low));
  const placed: RuleLabel[] = [];
  for (const { at, label } of rules.filter(({ axis }) => axis === 'x').sort((a, b) => a.at - b.at)) {
    if (label === undefined || !(place(at) >= 0 && place(at) <= 1)) continue;
    const last = placed.at(-1);
    const isNear = last !== undefined && place(at) - place(last.at) < NEAR;
    placed.push({ at, label, isLeft: place(at) > 0.4, level: isNear ? last.level + 1 : 0 });
  }
  return placed;
}

const middle = (from: number, to: number, log: boolean): number => (log ? Math.sqrt(from * to) : (from + to) / 2);

const shapes: Readonly<Record<Required<PanelSeries>['mark'], LegendItem['shape']>> = { line: 'line', both: 'line-dot', dot: 'point', ring: 'ring', cross: 'cross' };

/**
 * Panels in rows, each with its own axes; one legend for all. A series whose values are not finite, or not positive on a
 * logarithmic axis, has gaps there.
 * @throws ShapeError when lists of a series differ in length; ArgumentError when there is no panel or no series in one.
 */
export function panels(all: readonly (SeriesPanel | GridPanel)[], options: PanelsOptions): string {
  requireSome('panels', 'panels', all);
  const { columns = Math.min(2, all.length), height = 290 } = options;
  const width = options.width ?? (columns === 1 ? DEFAULT_WIDTH : columns * 430);
  const series = all.flatMap((panel) => ('series' in panel ? panel.series : []));
  // Muted series are for comparison and take no hue.
  const names = [...new Set(series.filter(({ color: chosen }) => chosen === undefined).map(({ name }) => name))];
  const drawn = all.map((panel) => ('series' in panel ? seriesPanel(panel, names, width / columns, height) : gridPanel(panel, width / columns, height)));
  const legend = [...new Map(series.map((one) => {
    const { paint, dash, mark } = paintOf(one, names);
    return [one.name, { label: one.name, color: paint, shape: dash === undefined ? shapes[mark] : 'dashed' } as LegendItem];
  })).values()];
  return composeFigure({
    title: options.title, subtitle: options.subtitle, width, legend,
    description: options.description ?? `${all.length} panels: ${all.map(({ heading, x, y }) => heading ?? `${y.label} against ${x.label}`).join('; ')}. Series: ${legend.map(({ label }) => label).join(', ')}.`,
    rows: Array.from({ length: Math.ceil(drawn.length / columns) }, (_, row) => drawn.slice(row * columns, (row + 1) * columns)),
  });
}
