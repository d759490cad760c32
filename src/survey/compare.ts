/** Several surveys side by side. @module */
import { reportPage, type ReportSection } from '../charts/index.ts';
import { surveyFigures } from './figures.ts';
import type { SurveyRecord } from './record.ts';
import { surveySummary } from './report.ts';

/** A survey under the name it has in the comparison. */
export interface NamedRecord {
  readonly label: string;
  readonly record: SurveyRecord;
}

/** Figures worth seeing beside each other, with their headings. */
const COMPARED = [
  ['eigenvalues', 'Extreme eigenvalues of the Hessian'], ['density', 'Spectral density'], ['layers', 'Curvature by layer'], ['weights', 'Weight spectra'], ['plane', 'The loss on a plane'],
  ['lines', 'The loss along the top axes of the Hessian'],
] as const;

/** A page that holds every headline number in one table and like figures beside each other, and the table as rows of text. */
export function comparisonReport(items: readonly NamedRecord[]): { html: string; rows: string[][] } {
  const summaries = items.map(({ record }) => new Map(surveySummary(record).map((item) => [item.label, String(item.value)])));
  const labels = [...new Set(summaries.flatMap((summary) => [...summary.keys()]))];
  const rows = labels.map((label) => [label, ...summaries.map((summary) => summary.get(label) ?? '—')]);
  const columns = ['', ...items.map(({ label }) => label)];
  const figures = items.map(({ record }) => new Map(surveyFigures(record).map((figure) => [figure.name, figure])));
  const sections: ReportSection[] = COMPARED.flatMap(([name, heading]) => {
    const shown = figures.flatMap((of, i) => { const figure = of.get(name); return figure === undefined ? [] : [{ svg: figure.svg, caption: `${items[i].label}. ${figure.caption}` }]; });
    return shown.length === 0 ? [] : [{ id: name, heading, text: 'Axes are scaled to each checkpoint’s own values: compare numbers, then shapes.', figures: shown }];
  });
  const { problem } = items[0].record;
  const html = reportPage({
    title: `${items.length} checkpoints of ${problem.name}`,
    subtitle: `${problem.parameters.toLocaleString('en')} parameters, ${problem.loss} loss, the same ${problem.samples.toLocaleString('en')} training examples for all.`,
    provenance: items[0].record.provenance, summary: [],
    sections: [{ id: 'numbers', heading: 'Numbers side by side', text: 'Differences smaller than the errors are no differences.', tables: [{ columns, rows }] }, ...sections],
  });
  return { html, rows: [columns, ...rows] };
}
