/** Extreme eigenvalues with their residual bounds. @module */
import { requireSome } from './check.ts';
import type { FigureOptions, Panel } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatMeasurement } from './format.ts';
import { rowsPanel } from './rows.ts';
import type { BoundedEigenvalue } from './spectral-density.ts';
import { color } from './theme.ts';

export interface EigenvalueChartData {
  /** From the largest down. */
  readonly largest: readonly BoundedEigenvalue[];
  /** From the smallest up; often negative. */
  readonly smallest?: readonly BoundedEigenvalue[];
}

/** The name under which figures know the eigenvalue at a position of the upper or lower end. */
export const eigenvalueLink = (end: 'max' | 'min', position: number): string => `eigenvalue ${end} ${position + 1}`;

/**
 * Each eigenvalue as a dot with its residual bound as error bar and the number beside it; the largest above, the smallest
 * below on an axis of their own, since they commonly differ by orders of magnitude.
 * @throws ArgumentError when there are no eigenvalues.
 */
export function eigenvalueChart(data: EigenvalueChartData, options: FigureOptions = {}): string {
  const { largest, smallest = [] } = data;
  requireSome('eigenvalueChart', 'largest and smallest together', [...largest, ...smallest]);
  const width = options.width ?? DEFAULT_WIDTH;
  const panel = (name: 'max' | 'min', heading: string, values: readonly BoundedEigenvalue[], paint: string): Panel[] =>
    values.length === 0 ? [] : [rowsPanel(
      values.map(({ value, bound }, i) => ({ label: i === 0 ? `λ ${name}` : `${i + 1}`, value, error: bound, link: eigenvalueLink(name, i) })),
      { heading, axisLabel: 'eigenvalue', mark: 'dot', paint, width },
    )];
  const top = largest.length > 0 ? `largest ${formatMeasurement(largest[0].value, largest[0].bound)}` : '';
  const bottom = smallest.length > 0 ? `smallest ${formatMeasurement(smallest[0].value, smallest[0].bound)}` : '';
  return composeFigure({
    title: options.title ?? 'Extreme eigenvalues',
    subtitle: options.subtitle,
    description: options.description ?? `Eigenvalues with residual bounds: ${[top, bottom].filter((text) => text !== '').join(', ')}.`,
    width,
    legend: [{ label: 'eigenvalue ± residual bound', color: color.estimate, shape: 'dot' }],
    rows: [panel('max', 'Largest', largest, color.estimate), panel('min', 'Smallest', smallest, color.marker)].filter((row) => row.length > 0),
  });
}
