/** The spectrum of a weight matrix on logarithmic axes, with the power law fitted to its tail. @module */
import * as Plot from '@observablehq/plot';
import { ArgumentError } from '../util/errors.ts';
import type { FigureOptions, LegendItem, NumberList } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatMeasurement, formatNumber } from './format.ts';
import { axisScale, pad, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

export interface WeightSpectrumData {
  /** Eigenvalues of W^T W, in any order; those at or below zero are left out. */
  readonly eigenvalues: NumberList;
  /** The fitted tail: density proportional to x^-alpha from xmin on. */
  readonly tail?: { readonly alpha: number; readonly error?: number; readonly xmin: number; readonly xmax: number };
  /** Upper edge of the bulk that looks like noise. */
  readonly bulkEdge?: number;
  /** Eigenvalues of the same matrix with its entries shuffled. */
  readonly randomised?: NumberList;
}

export interface WeightSpectrumOptions extends FigureOptions {
  /** Bins, of equal width in the logarithm; by default the square root of the number of eigenvalues, 12 to 60. */
  readonly bins?: number;
}

interface Bin {
  readonly x1: number;
  readonly x2: number;
  readonly x: number;
  readonly density: number;
}

const HEIGHT = 320;
/** Eigenvalues further below the largest are rounding; they would push the tail into a corner. */
const DECADES = 1e-8;

/** Densities (per unit of eigenvalue, of all eigenvalues) on bins of equal logarithmic width; empty bins are left out. */
function histogram(values: readonly number[], total: number, [low, high]: readonly [number, number], count: number): Bin[] {
  const ratio = (high / low) ** (1 / count);
  const counts = new Array<number>(count).fill(0);
  for (const value of values) counts[Math.min(count - 1, Math.max(0, Math.floor(Math.log(value / low) / Math.log(ratio))))]++;
  return counts.flatMap((n, i) => {
    const x1 = low * ratio ** i;
    return n === 0 ? [] : [{ x1, x2: x1 * ratio, x: x1 * Math.sqrt(ratio), density: n / (total * x1 * (ratio - 1)) }];
  });
}

/**
 * The empirical spectral density on log-log axes (Martin, Mahoney 2021): bars, the fitted power law over its tail, xmin, the edge of the
 * noise bulk, and the spectrum of the shuffled matrix where given.
 * @throws ArgumentError when no eigenvalue is positive.
 */
export function weightSpectrum(data: WeightSpectrumData, options: WeightSpectrumOptions = {}): string {
  const { tail, bulkEdge } = data;
  const all = Array.from(data.eigenvalues).filter((x) => Number.isFinite(x));
  const largest = all.reduce((a, b) => Math.max(a, b), 0);
  if (!(largest > 0)) throw new ArgumentError({ operation: 'weightSpectrum', required: 'some eigenvalue must be positive', received: `${all.length} eigenvalues, none positive` });
  const visible = (list: NumberList): number[] => Array.from(list).filter((x) => x > largest * DECADES && Number.isFinite(x));
  const shown = visible(data.eigenvalues);
  const random = visible(data.randomised ?? []);
  const extent = widen([Math.min(...[shown, random].map((list) => list.reduce((a, b) => Math.min(a, b), largest))), Math.max(largest, ...random.slice(-1))]);
  const count = options.bins ?? Math.min(60, Math.max(12, Math.round(Math.sqrt(shown.length))));
  const bins = histogram(shown, all.length, extent, count);
  const control = histogram(random, random.length, extent, count);
  const lowest = Math.min(...bins.map(({ density }) => density)) / 3;
  const law = tail === undefined ? [] : lawPoints(tail, shown.filter((x) => x >= tail.xmin).length / all.length);
  const highest = Math.max(...[...bins, ...control, ...law].map(({ density }) => density)) * 3;
  const domain = pad(extent, true);
  const vertical = axisScale([lowest, highest], true, 5);
  const legend: LegendItem[] = [{ label: 'eigenvalues', color: color.estimate, shape: 'band' }];
  if (random.length > 0) legend.push({ label: 'entries shuffled', color: color.second, shape: 'thin' });
  if (tail !== undefined) legend.push({ label: `power law, α = ${formatMeasurement(tail.alpha, tail.error)}`, color: color.marker, shape: 'dashed' });
  if (bulkEdge !== undefined) legend.push({ label: 'edge of the noise bulk', color: color.second, shape: 'tick' });
  const width = options.width ?? DEFAULT_WIDTH;
  return composeFigure({
    title: options.title ?? 'Spectrum of a weight matrix', subtitle: options.subtitle, width, legend,
    description: options.description ?? `Density of ${all.length} eigenvalues up to ${formatNumber(largest)} on log axes${tail === undefined ? '' : `, with a power law of exponent ${formatMeasurement(tail.alpha, tail.error)} from ${formatNumber(tail.xmin)} on`}.`,
    rows: [[{
      plot: {
        width, height: HEIGHT, marginLeft: 64, marginRight: 22, marginTop: 32, marginBottom: 56,
        x: { ...axisScale(domain, true, 5), label: 'eigenvalue λ of WᵀW', labelArrow: 'none', labelAnchor: 'center' },
        y: { ...vertical, axis: null, clamp: true },
        marks: [
          ...verticalAxis(vertical, 'density ρ(λ)'),
          Plot.rect(bins, { x1: 'x1', x2: 'x2', y1: lowest, y2: 'density', fill: color.estimate, fillOpacity: 0.35, ariaDescription: 'density' }),
          Plot.line(control, { x: 'x', y: 'density', stroke: color.second, strokeWidth: 1, ariaDescription: 'shuffled' }),
          Plot.line(law, { x: 'x', y: 'density', stroke: color.marker, strokeWidth: 2, strokeDasharray: '6,4', ariaDescription: 'power law' }),
          Plot.ruleX(bulkEdge === undefined || bulkEdge < domain[0] || bulkEdge > domain[1] ? [] : [bulkEdge], { stroke: color.second, strokeWidth: 1.6, ariaDescription: 'bulk edge' }),
          Plot.ruleY([lowest], { stroke: color.muted }),
        ],
      },
    }]],
  });
}

/** The law's density over its range, scaled to the share of eigenvalues in the tail. */
function lawPoints({ alpha, xmin, xmax }: NonNullable<WeightSpectrumData['tail']>, share: number): { x: number; density: number }[] {
  return Array.from({ length: 33 }, (_, i) => {
    const x = xmin * (xmax / xmin) ** (i / 32);
    return { x, density: (share * (alpha - 1) * (x / xmin) ** -alpha) / xmin };
  });
}
