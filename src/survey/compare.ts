/** Several surveys side by side. @module */
import { panels, reportPage, type PanelSeries, type ReportSection, type SeriesPanel } from '../charts/index.ts';
import { lineRows, linesFigure, type CheckpointLine } from './checkpoint-lines.ts';
import { surveyFigures, type SurveyFigure } from './figures.ts';
import type { SurveyRecord } from './record.ts';
import { surveySummary } from './report.ts';

/** A survey under the name it has in the comparison. */
export interface NamedRecord {
  readonly label: string;
  readonly record: SurveyRecord;
}

/** The version of the layout below. */
export const COMPARISON_SCHEMA = 'thalweg-comparison/1';

/** The content of `comparison.json`. */
export interface ComparisonRecord {
  readonly schema: typeof COMPARISON_SCHEMA;
  /** Names of the checkpoints, in the order of everything else. */
  readonly labels: readonly string[];
  readonly surveys: readonly SurveyRecord[];
  /** Straight lines between them. */
  readonly lines: readonly CheckpointLine[];
}

/** Other figures worth seeing beside each other, with their headings. */
const COMPARED = [
  ['layers', 'Curvature by layer'], ['weights', 'Weight spectra'], ['plane', 'The loss on a plane'],
  ['lines', 'The loss along the top axes of the Hessian'],
] as const;

const LINES_TEXT = 'Loss on the straight line between two checkpoints, ends included. The barrier is how far it rises above the chord between the ends, at its highest; zero means that the line leads downhill or along the floor of one basin. Its error is the standard error over examples, paired: other examples would move it by so much.';

/**
 * A page with every headline number in one table, the spectra on one axis, the lines between the checkpoints, and other figures beside each
 * other. `rows` and `lineRows` are its tables as text, `figures` those that belong to no single checkpoint.
 */
export function comparisonReport(items: readonly NamedRecord[], lines: readonly CheckpointLine[] = []): { html: string; rows: string[][]; lineRows: string[][]; figures: SurveyFigure[] } {
  const labels = items.map(({ label }) => label);
  const summaries = items.map(({ record }) => new Map(surveySummary(record).map((item) => [item.label, String(item.value)])));
  const names = [...new Set(summaries.flatMap((summary) => [...summary.keys()]))];
  const rows = names.map((name) => [name, ...summaries.map((summary) => summary.get(name) ?? '—')]);
  const columns = ['', ...labels];
  const spectra = [eigenvaluesFigure(items), densitiesFigure(items)].filter((figure) => figure !== undefined);
  const between = linesFigure(lines, labels);
  const [lineColumns, ...lineCells] = lineRows(lines, labels);
  const figures = items.map(({ record }) => new Map(surveyFigures(record).map((figure) => [figure.name, figure])));
  const sections: ReportSection[] = COMPARED.flatMap(([name, heading]) => {
    const shown = figures.flatMap((of, i) => { const figure = of.get(name); return figure === undefined ? [] : [{ svg: figure.svg, caption: `${labels[i]}. ${figure.caption}` }]; });
    return shown.length === 0 ? [] : [{ id: name, heading, text: 'Axes are scaled to each checkpoint’s own values: compare numbers, then shapes.', figures: shown }];
  });
  const { problem } = items[0].record;
  const html = reportPage({
    title: `${items.length} checkpoints of ${problem.name}`,
    subtitle: `${problem.parameters.toLocaleString('en')} parameters, ${problem.loss} loss, the same ${problem.samples.toLocaleString('en')} training examples for all.`,
    provenance: items[0].record.provenance, summary: [],
    sections: [
      { id: 'numbers', heading: 'Numbers side by side', text: 'Differences smaller than the errors are no differences.', tables: [{ columns, rows }] },
      ...(spectra.length === 0 ? [] : [{ id: 'spectra', heading: 'Spectra of the Hessian side by side', text: 'The same axes for all checkpoints.', figures: spectra }]),
      ...(between === undefined ? [] : [{ id: 'between', heading: 'The loss between checkpoints', text: LINES_TEXT, figures: [between], tables: [{ columns: lineColumns, rows: lineCells, ...(lines[0].batchNorm === 'moved' && { caption: 'Statistics of batch normalisation are interpolated as the parameters are.' }) }] }]),
      ...sections,
    ],
  });
  return { html, rows: [columns, ...rows], lineRows: lines.length === 0 ? [] : [lineColumns, ...lineCells], figures: [...spectra, ...(between ? [between] : [])] };
}

/** Place of a checkpoint on the ramp of colours; three or fewer have hues of their own. */
const colorOf = (i: number, count: number): NonNullable<PanelSeries['color']> => (count <= 3 ? i as 0 | 1 | 2 : { place: i / (count - 1) });

/** Largest eigenvalues by rank, those of all checkpoints in one panel. */
function eigenvaluesFigure(items: readonly NamedRecord[]): SurveyFigure | undefined {
  const series = items.flatMap(({ label, record: { eigenvalues } }, i): PanelSeries[] => {
    if (eigenvalues === undefined) return [];
    const { largest } = eigenvalues;
    return [{
      name: label, mark: 'both', color: colorOf(i, items.length), x: largest.map((_, rank) => rank + 1), y: largest.map(({ value }) => value),
      low: largest.map(({ value, error }) => value - error), high: largest.map(({ value, error }) => value + error),
    }];
  });
  if (series.length === 0) return undefined;
  const values = series.flatMap(({ y }) => Array.from(y));
  const isWide = Math.min(...values) > 0 && Math.max(...values) > 50 * Math.min(...values);
  const caption = 'The largest eigenvalues of each checkpoint’s Hessian by rank; the band is the residual bound.';
  return {
    name: 'eigenvalues-compared', caption,
    svg: panels([{ x: { label: 'rank', domain: [0, Math.max(4, 1 + Math.max(...series.map(({ x }) => x.length)))] }, y: { label: 'eigenvalue', scale: isWide ? 'log' : 'linear' }, series }], { title: 'Largest eigenvalues of the Hessian', description: `${caption} ${items.length} checkpoints.` }),
  };
}

/** Decades of density that are drawn below the highest peak. */
const DECADES = 8;

/** Spectral densities below each other, on common axes. */
function densitiesFigure(items: readonly NamedRecord[]): SurveyFigure | undefined {
  const drawn = items.flatMap(({ label, record: { density, eigenvalues } }) => (density === undefined ? [] : [{ label, density, eigenvalues }]));
  if (drawn.length === 0) return undefined;
  const ticks = drawn.flatMap(({ eigenvalues }) => [...(eigenvalues?.largest ?? []), ...(eigenvalues?.smallest ?? [])].map(({ value }) => value));
  const places = [...drawn.flatMap(({ density: { grid } }) => [grid[0], grid[grid.length - 1]]), ...ticks];
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const peak = Math.max(...drawn.flatMap(({ density: { density, standardError } }) => density.map((y, j) => y + standardError[j])));
  const floor = peak * 10 ** -DECADES;
  const list = drawn.map(({ label, density: { grid, density, standardError }, eigenvalues }): SeriesPanel => {
    const found = [...(eigenvalues?.largest ?? []), ...(eigenvalues?.smallest ?? [])].map(({ value }) => value);
    return {
      heading: label, x: { label: 'eigenvalue', domain: [low - 0.02 * (high - low), high + 0.02 * (high - low)] }, y: { label: 'density', scale: 'log', domain: [floor, 3 * peak] },
      series: [
        { name: 'density ± standard error', color: 0, x: grid, y: density.map((y) => Math.max(y, floor)), low: density.map((y, j) => Math.max(floor, y - standardError[j])), high: density.map((y, j) => Math.max(floor, y + standardError[j])) },
        ...(found.length === 0 ? [] : [{ name: 'eigenvalue', color: 1 as const, mark: 'dot' as const, x: found, y: found.map(() => 3 * floor) }]),
      ],
    };
  });
  const caption = 'Spectral densities below each other on the same axes, and the eigenvalues known one by one. What lies more than eight decades below the highest peak lies on the axis.';
  return { name: 'densities-compared', caption, svg: panels(list, { title: 'Spectral density', columns: 1, height: 230, description: caption }) };
}
