/** What each measurement cost. @module */
import { requireSome } from './check.ts';
import type { FigureOptions } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber, formatSeconds } from './format.ts';
import { rowsPanel } from './rows.ts';
import { color } from './theme.ts';

/** What one measurement cost in wall-clock time and in products. */
export interface MeasurementCost {
  readonly name: string;
  readonly seconds: number;
  /** Matrix-vector products with the curvature, zero where none were needed. */
  readonly products: number;
}

/**
 * Seconds of each measurement with its share of the whole, and below them its products. Costs are counted, not estimated,
 * so they carry no error bar. @throws ArgumentError when there are none.
 */
export function costBars(costs: readonly MeasurementCost[], options: FigureOptions = {}): string {
  requireSome('costBars', 'costs', costs);
  const width = options.width ?? DEFAULT_WIDTH;
  const seconds = costs.reduce((sum, cost) => sum + cost.seconds, 0);
  const products = costs.reduce((sum, cost) => sum + cost.products, 0);
  const share = (value: number): string => (seconds > 0 ? ` · ${formatNumber((100 * value) / seconds, 2)} %` : '');
  const counted = costs.filter((cost) => cost.products > 0);
  const rows = [[rowsPanel(
    costs.map((cost) => ({ label: cost.name, value: cost.seconds, text: `${formatSeconds(cost.seconds)}${share(cost.seconds)}` })),
    { heading: 'Time', axisLabel: 'seconds', mark: 'bar', paint: color.estimate, width },
  )]];
  if (counted.length > 0) {
    rows.push([rowsPanel(
      counted.map((cost) => ({ label: cost.name, value: cost.products, text: formatNumber(cost.products) })),
      { heading: 'Curvature-vector products', axisLabel: 'products', mark: 'bar', paint: color.second, width },
    )]);
  }
  return composeFigure({
    title: options.title ?? 'Cost of each measurement',
    subtitle: options.subtitle ?? `${formatSeconds(seconds)} and ${formatNumber(products)} products in all`,
    description: options.description ?? costs.map((cost) => `${cost.name}: ${formatSeconds(cost.seconds)}, ${cost.products} products`).join('; '),
    width, rows,
  });
}
