/** A panel of coloured cells over two lists of values, with the numbers in them where there is room. @module */
import * as Plot from '@observablehq/plot';
import { interpolateViridis } from 'd3-scale-chromatic';
import { ShapeError } from '../util/errors.ts';
import type { Panel } from './figure.ts';
import { formatNumber, formatTick } from './format.ts';
import { finiteExtent } from './scale.ts';
import { color } from './theme.ts';

/** An axis of a grid: the value or name that each column or row stands for. */
export interface GridAxis {
  readonly label: string;
  readonly values: readonly (number | string)[];
}

/** Cells over a grid. */
export interface GridPanel {
  readonly heading?: string;
  readonly x: GridAxis;
  readonly y: GridAxis;
  /** A row of cells for each value of y, the first at the bottom; NaN leaves a cell empty. A text is written as it is and not coloured by value. */
  readonly cells: readonly (readonly (number | string)[])[];
  /** How values become colours. Default `linear`; `log` needs positive values. */
  readonly scale?: 'linear' | 'log';
  /** Column and row of cells to frame. */
  readonly framed?: readonly (readonly [column: number, row: number])[];
}

/** Narrower cells have no numbers in them. */
const TEXT_CELL = 44;
const MOST_TICKS = 7;
const MARGIN_LEFT = 70;

/**
 * Draws the cells with their numbers, dark text on light cells and light on dark.
 * @throws ShapeError when there are not as many rows and columns of cells as values.
 */
export function gridPanel({ heading, x, y, cells, scale = 'linear', framed = [] }: GridPanel, width: number, height: number): Panel {
  if (cells.length !== y.values.length || cells.some((row) => row.length !== x.values.length)) {
    throw new ShapeError({ operation: 'panels', required: `cells must be ${y.values.length} rows of ${x.values.length}`, received: `${cells.length} rows of ${[...new Set(cells.map((row) => row.length))].join(', ')}` });
  }
  const place = (value: number): number => (scale === 'log' ? Math.log(value) : value);
  const [low, high] = finiteExtent(cells.flat().map((value) => (typeof value === 'number' ? place(value) : NaN))) ?? [0, 1];
  const labels = [...new Set(cells.flat().filter((value) => typeof value === 'string'))];
  const shade = (value: number | string): number => {
    if (typeof value === 'string') return labels.length < 2 ? 0.5 : labels.indexOf(value) / (labels.length - 1);
    return high > low ? (place(value) - low) / (high - low) : 0.5;
  };
  const items = cells.flatMap((row, j) => row.flatMap((value, i) => (typeof value === 'number' && !Number.isFinite(place(value)) ? [] : [{ i, j, shade: shade(value), text: typeof value === 'string' ? value : formatNumber(value, 3) }])));
  const cellWidth = (width - 90) / x.values.length;
  // Without labels, as under a picture, there is no room for them.
  const bottom = x.label !== '' ? 56 : x.values.every((value) => value === '') ? 12 : 34;
  const isSparse = (count: number) => (index: number): boolean => index % Math.ceil(count / MOST_TICKS) === 0;
  const name = (value: number | string): string => (typeof value === 'string' ? value : formatTick(value));
  return {
    heading,
    plot: {
      width, height, marginLeft: MARGIN_LEFT, marginRight: 20, marginTop: y.label === '' ? 10 : 34, marginBottom: bottom,
      x: { type: 'band', domain: x.values.map((_, i) => i), label: x.label, labelArrow: 'none', labelAnchor: 'center', labelOffset: 46, ticks: x.values.map((_, i) => i).filter(isSparse(x.values.length)), tickFormat: (i: number) => name(x.values[i]), tickSize: 0, padding: 0 },
      y: { type: 'band', domain: y.values.map((_, j) => y.values.length - 1 - j), label: null, ticks: y.values.map((_, j) => j).filter(isSparse(y.values.length)), tickFormat: (j: number) => name(y.values[j]), tickSize: 0, padding: 0 },
      marks: [
        // On top, as the label of every other vertical axis.
        Plot.text([y.label], { frameAnchor: 'top-left', textAnchor: 'start', dx: -MARGIN_LEFT + 3, dy: -31, ariaDescription: 'label of the vertical axis' }),
        Plot.cell(items, { x: 'i', y: 'j', fill: ({ shade: at }: { shade: number }) => interpolateViridis(0.1 + 0.85 * at), ...(cellWidth > 12 ? { inset: 0.5 } : { shapeRendering: 'crispEdges' }) }),
        cellWidth < TEXT_CELL ? null : Plot.text(items, { x: 'i', y: 'j', text: 'text', fill: ({ shade: at }: { shade: number }) => (at > 0.6 ? '#1d2430' : '#ffffff') }),
        Plot.cell(framed.map(([i, j]) => ({ i, j })), { x: 'i', y: 'j', fill: 'none', stroke: color.marker, strokeWidth: 2.5, inset: 1 }),
      ],
    },
  };
}
