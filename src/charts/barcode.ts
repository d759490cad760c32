/** The persistence barcode of a landscape. @module */
import * as Plot from '@observablehq/plot';
import { ArgumentError } from '../util/errors.ts';
import { requireSome } from './check.ts';
import type { FigureOptions, LegendItem } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber } from './format.ts';
import { axisScale, finiteExtent, pad, widen } from './scale.ts';
import { color } from './theme.ts';

/** A component of the level sets, from the level where it appears to that where it joins another. */
export interface BarcodeBar {
  readonly birth: number;
  /** Where the bar ends: the death, or the end of the landscape for an essential component. */
  readonly end: number;
  /** A component that never joins another: its bar ends in an arrow. */
  readonly essential: boolean;
}

/** Options of `barcode`. */
export interface BarcodeOptions extends FigureOptions {
  /** Bars of at most this persistence are drawn muted. */
  readonly threshold?: number;
  /** Most bars drawn, the longest; the subtitle says how many there are. Default 40. */
  readonly most?: number;
  /** Default `loss`. */
  readonly axisLabel?: string;
}

const BAR_HEIGHT = 9;

/**
 * One bar a component over the axis of levels, the longest on top; essential ones with an arrow, those within the threshold
 * muted. @throws ArgumentError when there is no bar or a level is not finite.
 */
export function barcode(bars: readonly BarcodeBar[], options: BarcodeOptions = {}): string {
  requireSome('barcode', 'bars', bars);
  const odd = bars.find(({ birth, end }) => !Number.isFinite(birth) || !Number.isFinite(end));
  if (odd !== undefined) throw new ArgumentError({ operation: 'barcode', required: 'births and ends must be finite', received: `${odd.birth} to ${odd.end}`, remedy: 'end the bars of essential components at the end of the landscape' });
  const { threshold, most = 40, axisLabel = 'loss' } = options;
  const width = options.width ?? DEFAULT_WIDTH;
  const sorted = bars.map((bar) => ({ ...bar, length: Math.abs(bar.end - bar.birth) })).sort((a, b) => Number(b.essential) - Number(a.essential) || b.length - a.length);
  const drawn = sorted.slice(0, most).map((bar, row) => ({
    ...bar, row, paint: threshold !== undefined && !bar.essential && bar.length <= threshold ? color.muted : bar.essential ? color.marker : color.estimate,
    tip: `${formatNumber(bar.birth)} to ${bar.essential ? '∞' : formatNumber(bar.end)}, persistence ${bar.essential ? '∞' : formatNumber(bar.length)}`,
  }));
  const essential = drawn.filter((bar) => bar.essential);
  const domain = pad(widen(finiteExtent(drawn.map(({ birth }) => birth), drawn.map(({ end }) => end))!), false);
  const legend: LegendItem[] = [];
  if (drawn.some(({ paint }) => paint === color.estimate)) legend.push({ label: 'joins another', color: color.estimate, shape: 'line' });
  if (essential.length > 0) legend.push({ label: 'never does', color: color.marker, shape: 'line' });
  if (drawn.some(({ paint }) => paint === color.muted)) legend.push({ label: `persistence up to ${formatNumber(threshold!)}`, color: color.muted, shape: 'line' });
  const finite = sorted.find((bar) => !bar.essential);
  const cut = bars.length > most ? `the ${most} longest of ${bars.length} bars` : undefined;
  return composeFigure({
    title: options.title ?? 'Persistence barcode', subtitle: options.subtitle ?? cut,
    description: options.description ?? `${bars.length} components of level sets, ${sorted.filter((bar) => bar.essential).length} of them essential${finite ? `; the longest other bar spans ${formatNumber(finite.length)}` : ''}.`,
    width, legend,
    rows: [[{
      plot: {
        width, height: drawn.length * BAR_HEIGHT + 70, marginLeft: 14, marginRight: 22, marginTop: 8, marginBottom: 56,
        x: { ...axisScale(domain, false, 5), label: axisLabel, labelArrow: 'none', labelAnchor: 'center' },
        y: { type: 'band', domain: drawn.map(({ row }) => row), padding: 0.3, axis: null },
        marks: [
          Plot.gridX({ stroke: color.grid, strokeOpacity: 1, ticks: 5 }),
          Plot.ruleY(drawn, { x1: 'birth', x2: 'end', y: 'row', stroke: 'paint', strokeWidth: 4, title: 'tip', ariaDescription: 'bars' }),
          Plot.text(essential, { x: 'end', y: 'row', text: () => '→', textAnchor: 'start', dx: 2, fill: color.marker, ariaDescription: 'essential' }),
        ],
      },
    }]],
  });
}
