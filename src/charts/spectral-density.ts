/** The eigenvalue density of a curvature matrix, as the literature draws it. @module */
import * as Plot from '@observablehq/plot';
import { requireIncreasing, requireSameLength, requireSome } from './check.ts';
import type { FigureOptions, LegendItem, NumberList } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH, LINK } from './figure.ts';
import { formatMeasurement, formatNumber } from './format.ts';
import { axisScale, finiteExtent, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

/** An eigenvalue with its residual bound: a true eigenvalue lies within `bound` of `value`. */
export interface BoundedEigenvalue {
  readonly value: number;
  readonly bound: number;
  /** The name under which other figures know it. */
  readonly link?: string;
}

export interface SpectralDensityData {
  /** Eigenvalue axis, increasing, `[points]`. */
  readonly grid: NumberList;
  /** Mean density over probes, `[points]`; integrates to one. */
  readonly density: NumberList;
  /** Standard error of that mean across probes, `[points]`. */
  readonly standardError: NumberList;
  /** Eigenvalues known one by one, drawn as ticks with their bounds. */
  readonly eigenvalues?: readonly BoundedEigenvalue[];
}

export interface SpectralDensityOptions extends FigureOptions {
  /** Lowest density drawn; by default eight decades below the peak. Smaller densities lie on the axis. */
  readonly floor?: number;
  /** Name of the horizontal axis. */
  readonly axisLabel?: string;
}

const DECADES = 1e-8;
const HEIGHT = 320;

/**
 * Density on a logarithmic axis with a band of one standard error across probes, and known eigenvalues as ticks
 * (Ghorbani, Krishnan, Xiao, 2019, figure 1). A band whose lower edge is not positive reaches down to the axis.
 * @throws ShapeError when the lists differ in length; ArgumentError when the grid does not increase or no density is positive.
 */
export function spectralDensity(data: SpectralDensityData, options: SpectralDensityOptions = {}): string {
  const { grid, density, standardError, eigenvalues = [] } = data;
  requireSome('spectralDensity', 'grid', grid);
  requireSameLength('spectralDensity', { grid, density, standardError });
  requireIncreasing('spectralDensity', 'grid', grid);
  const width = options.width ?? DEFAULT_WIDTH;
  const peak = finiteExtent(density)?.[1] ?? 0;
  const floor = options.floor ?? (peak > 0 ? peak * DECADES : 1e-8);
  const points = Array.from(grid, (x, i) => ({
    x, y: Math.max(floor, density[i]),
    low: Math.max(floor, density[i] - standardError[i]), high: Math.max(floor, density[i] + standardError[i]),
  }));
  const ceiling = Math.max(floor * 10, peak * 2, finiteExtent(points.map((point) => point.high))?.[1] ?? 0);
  const level = (fraction: number): number => floor * (ceiling / floor) ** fraction;
  const ticks = eigenvalues.filter(({ value }) => Number.isFinite(value)).map(({ value, bound, link }) => ({
    link: link === undefined ? null : LINK + link, value, low: value - (Number.isFinite(bound) ? bound : 0), high: value + (Number.isFinite(bound) ? bound : 0),
    tip: `λ = ${formatMeasurement(value, bound)}`,
  }));
  const domain = widen(finiteExtent(grid, ticks.map((tick) => tick.low), ticks.map((tick) => tick.high)) ?? [0, 1]);
  const vertical = axisScale([floor, ceiling], true, 5);
  const legend: LegendItem[] = [
    { label: 'density', color: color.estimate, shape: 'line' },
    { label: '± standard error across probes', color: color.estimate, shape: 'band' },
  ];
  if (ticks.length > 0) legend.push({ label: 'eigenvalue, with its bound', color: color.marker, shape: 'tick' });
  return composeFigure({
    title: options.title ?? 'Spectral density',
    subtitle: options.subtitle,
    description: options.description ?? `Eigenvalue density on a log axis from ${formatNumber(grid[0])} to ${formatNumber(grid[grid.length - 1])}, `
      + `peak ${formatNumber(peak)}, with its standard error; ${ticks.length} eigenvalues marked.`,
    width, legend,
    rows: [[{
      plot: {
        width, height: HEIGHT, marginLeft: 64, marginRight: 22, marginTop: 32, marginBottom: 56,
        x: { ...axisScale(domain, false, 6), label: options.axisLabel ?? 'eigenvalue λ', labelArrow: 'none', labelAnchor: 'center' },
        y: { ...vertical, axis: null, clamp: true },
        marks: [
          ...verticalAxis(vertical, 'density ρ(λ)'),
          Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: color.estimate, fillOpacity: 0.25, ariaDescription: 'standard error' }),
          Plot.lineY(points, { x: 'x', y: 'y', stroke: color.estimate, strokeWidth: 1.6, ariaDescription: 'density' }),
          Plot.ruleY([floor], { stroke: color.muted }),
          Plot.ruleX(ticks, { x: 'value', y1: floor, y2: level(0.1), stroke: color.marker, strokeWidth: 1.6, title: 'tip', ariaLabel: 'link', ariaDescription: 'eigenvalue' }),
          Plot.ruleY(ticks, { x1: 'low', x2: 'high', y: level(0.05), stroke: color.marker, strokeWidth: 3, strokeOpacity: 0.55, ariaDescription: 'error bar' }),
        ],
      },
    }]],
  });
}
