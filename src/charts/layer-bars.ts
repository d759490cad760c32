/** Curvature layer by layer: trace and top eigenvalue. @module */
import { requireSome } from './check.ts';
import type { FigureOptions, Panel } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatMeasurement } from './format.ts';
import { rowsPanel } from './rows.ts';
import { color } from './theme.ts';

export interface LayerCurvature {
  /** Name of the block, usually the path of its parameters. */
  readonly name: string;
  /** Trace of the block with the standard error of its estimate. */
  readonly trace?: { readonly value: number; readonly error: number };
  /** Top eigenvalue of the block with its residual bound. */
  readonly topEigenvalue?: { readonly value: number; readonly error: number };
}

/**
 * Bars with error bars of each layer's trace, and below them its top eigenvalue with its residual bound.
 * @throws ArgumentError when no layer has either.
 */
export function layerBars(layers: readonly LayerCurvature[], options: FigureOptions = {}): string {
  const width = options.width ?? DEFAULT_WIDTH;
  const traces = layers.flatMap(({ name, trace }) => (trace === undefined ? [] : [{ label: name, link: `layer ${name}`, ...trace }]));
  const tops = layers.flatMap(({ name, topEigenvalue }) => (topEigenvalue === undefined ? [] : [{ label: name, link: `layer ${name}`, ...topEigenvalue }]));
  requireSome('layerBars', 'traces and top eigenvalues of layers together', [...traces, ...tops]);
  const rows: Panel[][] = [];
  if (traces.length > 0) {
    rows.push([rowsPanel(traces, { heading: 'Trace ± standard error', axisLabel: 'trace of the block', mark: 'bar', paint: color.estimate, width })]);
  }
  if (tops.length > 0) {
    rows.push([rowsPanel(tops, { heading: 'Top eigenvalue ± residual bound', axisLabel: 'top eigenvalue of the block', mark: 'bar', paint: color.second, width })]);
  }
  const spoken = (list: readonly { label: string; value: number; error: number }[]): string =>
    list.map(({ label, value, error }) => `${label} ${formatMeasurement(value, error)}`).join(', ');
  return composeFigure({
    title: options.title ?? 'Curvature by layer', subtitle: options.subtitle,
    description: options.description ?? `Traces: ${spoken(traces)}. Top eigenvalues: ${spoken(tops)}.`,
    width, rows,
  });
}
