/** Which class is taken for which. @module */
import * as Plot from '@observablehq/plot';
import { ShapeError } from '../util/errors.ts';
import { wilsonInterval } from '../util/wilson-interval.ts';
import { requireSome } from './check.ts';
import type { FigureOptions, NumberList } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH, shorten } from './figure.ts';
import { formatNumber } from './format.ts';
import { color, textWidth } from './theme.ts';

export interface ConfusionMatrixData {
  /** `counts[true][predicted]`. */
  readonly counts: readonly NumberList[];
  /** Class names; indices by default. */
  readonly labels?: readonly string[];
}

const percent = (fraction: number): string => (Number.isFinite(fraction) ? (100 * fraction).toFixed(1) : 'NaN');

/**
 * Counts by true class (rows) and predicted class (columns). Correct ones are tinted by recall and mistakes, in another hue, by
 * their share of the most frequent mistake, so that both can be seen; at the right the recall with its 95 % Wilson interval.
 * @throws ShapeError unless counts are square with one label a class; ArgumentError when there are no classes.
 */
export function confusionMatrix({ counts, labels: given }: ConfusionMatrixData, options: FigureOptions = {}): string {
  requireSome('confusionMatrix', 'counts', counts);
  const size = counts.length;
  const labels = given ?? counts.map((_, i) => String(i));
  if (counts.some((row) => row.length !== size) || labels.length !== size) {
    throw new ShapeError({
      operation: 'confusionMatrix', required: `counts must be square with one label a class`,
      received: `rows of ${counts.map((row) => row.length).join(', ')} and ${labels.length} labels`,
    });
  }
  const totals = counts.map((row) => Array.from(row).reduce((sum, n) => sum + n, 0));
  const worst = Math.max(1e-12, ...counts.flatMap((row, i) => Array.from(row, (n, j) => (i === j || totals[i] === 0 ? 0 : n / totals[i]))));
  const cells = counts.flatMap((row, i) => Array.from(row, (n, j) => {
    const rate = totals[i] === 0 ? 0 : n / totals[i];
    return { row: i, column: j, n, opacity: i === j ? 0.5 * rate : 0.75 * (rate / worst), paint: i === j ? color.train : color.test };
  }));
  const recalls = counts.map((row, i) => {
    const [low, high] = wilsonInterval(row[i], totals[i]);
    return { row: i, text: `${percent(row[i] / totals[i])} [${percent(low)}, ${percent(high)}]` };
  });
  const correct = counts.reduce((sum, row, i) => sum + row[i], 0);
  const all = totals.reduce((sum, n) => sum + n, 0);
  const [low, high] = wilsonInterval(correct, all);
  const accuracy = `${percent(correct / all)} % correct of ${formatNumber(all)}, 95 % interval ${percent(low)} to ${percent(high)} %`;
  const width = options.width ?? DEFAULT_WIDTH;
  const names = labels.map((label) => shorten(label, 12));
  const marginLeft = Math.max(...names.map((name) => textWidth(name))) + 18;
  const marginRight = textWidth('100.0 [100.0, 100.0]') * 0.9;
  const cell = Math.min(48, (width - marginLeft - marginRight) / size);
  return composeFigure({
    title: options.title ?? 'Confusion matrix',
    subtitle: options.subtitle ?? accuracy,
    description: options.description ?? `${size} classes; ${accuracy}.`,
    width,
    legend: [{ label: 'correct', color: color.train, shape: 'square' }, { label: 'mistaken', color: color.test, shape: 'square' }],
    rows: [[{
      plot: {
        width, height: cell * size + 56 + 42, marginLeft, marginRight: width - marginLeft - cell * size, marginTop: 42, marginBottom: 56,
        x: { type: 'band', domain: labels.map((_, i) => i), label: 'predicted class', labelAnchor: 'center', labelArrow: 'none', tickFormat: (i: number) => names[i], tickSize: 0, padding: 0 },
        y: { type: 'band', domain: labels.map((_, i) => i), label: null, tickFormat: (i: number) => names[i], tickSize: 0, padding: 0 },
        marks: [
          Plot.cell(cells, { x: 'column', y: 'row', fill: 'paint', fillOpacity: 'opacity', stroke: color.grid, inset: 0.5, ariaDescription: 'cell' }),
          Plot.text(cells, { x: 'column', y: 'row', text: (item: { n: number }) => String(item.n), fillOpacity: (item: { n: number }) => (item.n === 0 ? 0.35 : 1), fontSize: size > 12 ? '0.7em' : '0.86em', fontVariant: 'tabular-nums', ariaDescription: 'count' }),
          Plot.text(recalls, { y: 'row', text: 'text', frameAnchor: 'right', textAnchor: 'start', dx: 10, fontSize: '0.86em', fontVariant: 'tabular-nums', ariaDescription: 'recall' }),
          Plot.text(['recall, % [95 %]'], { frameAnchor: 'top-right', textAnchor: 'start', lineAnchor: 'bottom', dx: 10, dy: -8, fontSize: '0.86em', fill: color.muted }),
          Plot.text(['true class'], { frameAnchor: 'top-left', textAnchor: 'start', lineAnchor: 'bottom', dx: 4 - marginLeft, dy: -8 }),
        ],
      },
    }]],
  });
}
