/** The loss on a plane through parameter space: cells, level lines, a colour bar. @module */
import * as Plot from '@observablehq/plot';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireIncreasing } from './check.ts';
import type { FigureOptions, LegendItem, NumberList, Panel } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber, formatTick } from './format.ts';
import { axisScale, finiteExtent, logTicks, widen } from './scale.ts';
import { color, HEATMAP_SCHEME } from './theme.ts';

export interface PlaneData {
  /** Positions along the horizontal axis, increasing and evenly spaced, `[columns]`. */
  readonly x: NumberList;
  /** Positions along the vertical axis, increasing and evenly spaced, `[rows]`. */
  readonly y: NumberList;
  /** `loss[j][i]` at `(x[i], y[j])`; cells that are not finite are masked. */
  readonly loss: readonly NumberList[];
  /** Standard error of each loss where it was estimated on a sample, in the same layout; its largest value is stated. */
  readonly standardError?: readonly NumberList[];
}

/** Options of `planeContour`: labels, the scale of the losses and the marker of the trained parameters. */
export interface PlaneContourOptions extends FigureOptions {
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly valueLabel?: string;
  /** `auto` takes a logarithmic scale when all losses are positive and span more than a factor of fifty. */
  readonly scale?: 'auto' | 'linear' | 'log';
  /** Where the trained parameters lie; the origin by default, `null` for no marker. */
  readonly center?: readonly [number, number] | null;
}

interface Cell { x: number; y: number; x1: number; x2: number; y1: number; y2: number; loss: number }

const COLORBAR_WIDTH = 122;
const MARGINS = { marginLeft: 62, marginRight: 14, marginTop: 32, marginBottom: 56 } as const;
const COLORBAR_STEPS = 64;
const LOG_RATIO = 50;

/** Half the spacing of an evenly spaced axis. */
function halfStep(name: string, values: NumberList): number {
  if (values.length < 2) throw new ArgumentError({ operation: 'planeContour', required: `${name} must have at least two positions`, received: `${values.length}` });
  requireIncreasing('planeContour', name, values);
  const step = (values[values.length - 1] - values[0]) / (values.length - 1);
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i] - (values[0] + i * step)) > 1e-3 * step) {
      throw new ArgumentError({ operation: 'planeContour', required: `${name} must be evenly spaced`, received: `${values[i]} at ${i}` });
    }
  }
  return step / 2;
}

function cellsOf({ x, y, loss }: PlaneData): Cell[] {
  const hx = halfStep('x', x);
  const hy = halfStep('y', y);
  if (loss.length !== y.length || loss.some((row) => row.length !== x.length)) {
    throw new ShapeError({
      operation: 'planeContour', required: `loss must have ${y.length} rows (one per y) of ${x.length} (one per x)`,
      received: `${loss.length} rows of ${[...new Set(loss.map((row) => row.length))].join(' or ')}`,
    });
  }
  return loss.flatMap((row, j) => Array.from(row, (value, i) => ({
    // The frame ends at the outermost samples, where half of their cells remain.
    x: x[i], y: y[j], loss: value,
    x1: Math.max(x[0], x[i] - hx), x2: Math.min(x[x.length - 1], x[i] + hx),
    y1: Math.max(y[0], y[j] - hy), y2: Math.min(y[y.length - 1], y[j] + hy),
  })));
}

/** Round numbers inside the range, about eight of them. */
function linearLevels(low: number, high: number): number[] {
  const rough = (high - low) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Heatmap of the sampled cells with level lines at the ticks of its colour bar, `y` upward, one colour scale in light and dark.
 * Cells that are not finite carry a cross and no colour; level lines do not enter them.
 * @throws ShapeError when `loss` is not `[rows][columns]`; ArgumentError when an axis is uneven, nothing is finite, or a
 * logarithmic scale meets a loss that is not positive.
 */
export function planeContour(data: PlaneData, options: PlaneContourOptions = {}): string {
  const cells = cellsOf(data);
  const finite = cells.filter((cell) => Number.isFinite(cell.loss));
  const masked = cells.filter((cell) => !Number.isFinite(cell.loss));
  const extent = finiteExtent(finite.map((cell) => cell.loss));
  if (extent === undefined) throw new ArgumentError({ operation: 'planeContour', required: 'loss must have a finite value', received: 'none' });
  const { scale = 'auto', valueLabel = 'loss', center = [0, 0] } = options;
  const logarithmic = scale === 'log' || (scale === 'auto' && extent[0] > 0 && extent[1] > LOG_RATIO * extent[0]);
  if (logarithmic && extent[0] <= 0) {
    throw new ArgumentError({ operation: 'planeContour', required: "loss must be positive for scale 'log'", received: formatNumber(extent[0]), remedy: "scale: 'linear'" });
  }
  const width = options.width ?? DEFAULT_WIDTH;
  const domain = widen(extent);
  const ticks = logarithmic ? logTicks(domain[0], domain[1], 9) : linearLevels(domain[0], domain[1]);
  const error = finiteExtent(...(data.standardError ?? []))?.[1];
  const note = error === undefined ? undefined : `standard error of a cell at most ${formatNumber(error, 2)}`;
  const legend: LegendItem[] = center === null ? [] : [{ label: 'trained parameters', color: color.ink, shape: 'cross' }];
  if (masked.length > 0) legend.push({ label: `${masked.length} cells not finite, masked`, color: color.grid, shape: 'square' });
  const paint = { type: logarithmic ? 'log' : 'linear', domain, scheme: HEATMAP_SCHEME } as const;
  return composeFigure({
    title: options.title ?? 'Loss on a plane',
    subtitle: options.subtitle ?? note,
    description: options.description ?? `${data.y.length} by ${data.x.length} plane of ${valueLabel} from ${formatNumber(extent[0])} to ${formatNumber(extent[1])}`
      + `, ${masked.length} cells masked.`,
    width, legend,
    rows: [[
      planePanel(data, { finite, masked }, { ...options, center }, paint, ticks, width - COLORBAR_WIDTH),
      colorbar(paint, ticks, valueLabel, width - COLORBAR_WIDTH),
    ]],
  });
}

type Paint = { readonly type: 'log' | 'linear'; readonly domain: readonly [number, number]; readonly scheme: typeof HEATMAP_SCHEME };
const plotDomain = (paint: Paint): object => ({ ...paint, domain: [...paint.domain] });
/** The frame is square whatever the axes span: directions are scaled by the caller. */
const panelHeight = (width: number): number => width - MARGINS.marginLeft - MARGINS.marginRight + MARGINS.marginTop + MARGINS.marginBottom;

/**
 * Draws contours as open lines that end at the frame: Plot closes each around the border of the outermost cells, half a cell
 * beyond the outermost samples, where nothing was measured.
 */
const insideFrame: Plot.RenderFunction = (index, _scales, values, { width, height, marginLeft, marginRight, marginTop, marginBottom }, { document }) => {
  const inside = ([px, py]: readonly number[]): boolean =>
    px > marginLeft - 0.01 && px < width - marginRight + 0.01 && py > marginTop - 0.01 && py < height - marginBottom + 0.01;
  const geometry = (values as unknown as { geometry: { coordinates: number[][][][] }[] }).geometry;
  const group = document.createElementNS('http://www.w3.org/2000/svg', 'g');
  for (const [key, value] of Object.entries({ 'aria-label': 'contour', fill: 'none', stroke: 'white', 'stroke-width': 0.9, 'stroke-opacity': 0.75 })) {
    group.setAttribute(key, String(value));
  }
  for (const level of index) {
    const segments = geometry[level].coordinates.flat().flatMap((ring) => ring.slice(1).map((end, i) => [ring[i], end] as const));
    let d = '';
    let last: readonly number[] = [];
    for (const [start, end] of segments.filter((segment) => segment.every(inside))) {
      d += `${last === start ? '' : `M${start.join(',')}`}L${end.join(',')}`;
      last = end;
    }
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', d);
    group.appendChild(path);
  }
  return group;
};

function planePanel(
  { x, y }: PlaneData, { finite, masked }: { finite: Cell[]; masked: Cell[] },
  { xLabel = 'direction 1', yLabel = 'direction 2', center }: PlaneContourOptions, paint: Paint, ticks: number[], width: number,
): Panel {
  const position = paint.type === 'log' ? (cell: Cell): number => Math.log10(cell.loss) : (cell: Cell): number => cell.loss;
  const hx = halfStep('x', x);
  const hy = halfStep('y', y);
  const [left, right, bottom, top] = [x[0], x[x.length - 1], y[0], y[y.length - 1]];
  const edges = { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2' };
  const cross = { x: (center ?? [0, 0])[0], y: (center ?? [0, 0])[1], symbol: 'times', r: 6 } as const;
  return {
    plot: {
      ...MARGINS, width, height: panelHeight(width),
      x: { ...axisScale([left, right], false, 4), label: xLabel, labelArrow: 'none', labelAnchor: 'center' },
      y: { ...axisScale([bottom, top], false, 5), label: yLabel, labelArrow: 'none' },
      color: plotDomain(paint),
      marks: [
        Plot.rect(finite, { ...edges, fill: 'loss', shapeRendering: 'crispEdges', ariaDescription: 'cell' }),
        // Masked samples take the value of their nearest neighbour here, and are painted over below: the lines end at their border.
        Plot.contour(finite, {
          x: 'x', y: 'y', value: position, x1: left - hx, x2: right + hx, y1: top + hy, y2: bottom - hy, width: x.length, height: y.length, interpolate: 'nearest',
          thresholds: ticks.map((tick) => (paint.type === 'log' ? Math.log10(tick) : tick)), render: insideFrame,
        }),
        Plot.rect(masked, { ...edges, fill: color.grid, stroke: color.grid, ariaDescription: 'masked cell' }),
        Plot.dot(masked, { x: (cell: Cell) => (cell.x1 + cell.x2) / 2, y: (cell: Cell) => (cell.y1 + cell.y2) / 2, symbol: 'times', r: 2.5, stroke: color.muted, ariaDescription: 'masked' }),
        Plot.frame({ stroke: color.muted, strokeWidth: 2 }),
        ...(center === null ? [] : [
          Plot.dot([0], { ...cross, stroke: 'black', strokeWidth: 4.5 }),
          Plot.dot([0], { ...cross, stroke: 'white', strokeWidth: 2, ariaDescription: 'center' }),
        ]),
      ],
    },
  };
}

function colorbar(paint: Paint, ticks: number[], label: string, panelWidth: number): Panel {
  const [low, high] = paint.domain;
  const at = (t: number): number => (paint.type === 'log' ? low * (high / low) ** t : low + (high - low) * t);
  const steps = Array.from({ length: COLORBAR_STEPS }, (_, i) => ({
    low: at(i / COLORBAR_STEPS), high: at((i + 1) / COLORBAR_STEPS), middle: at((i + 0.5) / COLORBAR_STEPS),
  }));
  return {
    plot: {
      width: COLORBAR_WIDTH, height: panelHeight(panelWidth), marginLeft: 14, marginRight: COLORBAR_WIDTH - 34, marginTop: MARGINS.marginTop, marginBottom: MARGINS.marginBottom,
      x: { axis: null },
      y: { type: paint.type, domain: [low, high], label: null },
      color: plotDomain(paint),
      marks: [
        Plot.rect(steps, { y1: 'low', y2: 'high', fill: 'middle', shapeRendering: 'crispEdges', ariaDescription: 'colour bar' }),
        Plot.ruleY(ticks, { stroke: 'white', strokeOpacity: 0.75, strokeWidth: 0.9 }),
        Plot.axisY({ anchor: 'right', ticks, text: (value: number) => formatTick(value), label: null }),
        Plot.text([label], { frameAnchor: 'top-left', dy: -24, lineAnchor: 'top', textAnchor: 'start' }),
      ],
    },
  };
}
