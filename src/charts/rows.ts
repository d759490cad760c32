/** Horizontal rows: a name, a bar or a dot with its error bar, and the number itself. The panel behind several figures. @module */
import * as Plot from '@observablehq/plot';
import type { Panel } from './figure.ts';
import { LINK, shorten } from './figure.ts';
import { formatMeasurement } from './format.ts';
import { axisScale, finiteExtent, widen } from './scale.ts';
import { color, textWidth } from './theme.ts';

export interface Row {
  readonly label: string;
  readonly value: number;
  /** Half-width of the error bar; absent for exact quantities. */
  readonly error?: number;
  /** What stands at the right; the formatted measurement by default. */
  readonly text?: string;
  /** The thing that this row is about, by the name that other figures give it. */
  readonly link?: string;
}

export interface RowsOptions {
  readonly axisLabel: string;
  readonly mark: 'bar' | 'dot';
  readonly paint: string;
  readonly width: number;
  readonly heading?: string;
}

const ROW_HEIGHT = 27;
const MARGIN_TOP = 6;
const MARGIN_BOTTOM = 56;
const LONGEST_LABEL = 20;

/** A panel of rows on a common linear axis that includes zero. A non-finite value has no mark, only its text. */
export function rowsPanel(rows: readonly Row[], { axisLabel, mark, paint, width, heading }: RowsOptions): Panel {
  const labels = rows.map((row) => shorten(row.label, LONGEST_LABEL));
  const items = rows.map((row, index) => {
    const drawnError = row.error !== undefined && Number.isFinite(row.error) ? row.error : 0;
    return {
      index, link: row.link === undefined ? null : LINK + row.link, value: row.value, low: row.value - drawnError, high: row.value + drawnError,
      hasError: row.error !== undefined && Number.isFinite(row.error),
      text: row.text ?? formatMeasurement(row.value, row.error), tip: `${row.label}: ${row.text ?? formatMeasurement(row.value, row.error)}`,
    };
  });
  const finite = items.filter((item) => Number.isFinite(item.value));
  const uncertain = finite.filter((item) => item.hasError);
  const domain = widen(finiteExtent([0], items.map((item) => item.low), items.map((item) => item.high)) ?? [0, 1]);
  const marginLeft = Math.max(...labels.map((label) => textWidth(label))) + 14;
  const marginRight = Math.max(...items.map((item) => textWidth(item.text))) + 18;
  const bar = { y: 'index', fill: paint, fillOpacity: 0.45, insetTop: 4, insetBottom: 4, title: 'tip', ariaLabel: 'link' };
  return {
    heading,
    plot: {
      width, height: rows.length * ROW_HEIGHT + MARGIN_TOP + MARGIN_BOTTOM,
      marginLeft, marginRight, marginTop: MARGIN_TOP, marginBottom: MARGIN_BOTTOM,
      x: { ...axisScale(domain, false, 4), label: axisLabel, labelArrow: 'none', labelAnchor: 'center', nice: true },
      y: { type: 'band', domain: items.map((item) => item.index), padding: 0, label: null },
      marks: [
        Plot.gridX({ stroke: color.grid, strokeOpacity: 1, ticks: 4 }),
        Plot.axisY({ tickSize: 0, label: null, tickFormat: (index: number) => labels[index] }),
        mark === 'bar'
          ? Plot.barX(finite, { x1: 0, x2: 'value', ...bar })
          : Plot.ruleY(finite, { x1: 0, x2: 'value', y: 'index', stroke: color.grid, strokeWidth: 1.5 }),
        Plot.ruleX([0], { stroke: color.muted }),
        ...errorBars(uncertain, mark === 'bar' ? color.ink : paint),
        mark === 'dot' ? Plot.dot(finite, { x: 'value', y: 'index', r: 4, fill: paint, title: 'tip', ariaLabel: 'link' }) : null,
        Plot.text(items, { y: 'index', text: 'text', frameAnchor: 'right', textAnchor: 'start', dx: 12, fontVariant: 'tabular-nums' }),
      ],
    },
  };
}

/** A bar with caps; where the error is below a pixel the caps remain as a tick. */
const errorBars = (items: readonly object[], paint: string): Plot.Markish[] => [
  Plot.ruleY(items, { x1: 'low', x2: 'high', y: 'index', stroke: paint, strokeWidth: 1.5, ariaDescription: 'error bar' }),
  Plot.tickX(items, { x: 'low', y: 'index', stroke: paint, strokeWidth: 1.5, insetTop: 8, insetBottom: 8, ariaDescription: 'error bar' }),
  Plot.tickX(items, { x: 'high', y: 'index', stroke: paint, strokeWidth: 1.5, insetTop: 8, insetBottom: 8, ariaDescription: 'error bar' }),
];
