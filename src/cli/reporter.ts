/** A survey's events as lines of text. @module */
import { formatSeconds } from '../charts/index.ts';
import { surveySummary, type SurveyEvent, type SurveyRecord } from '../survey/index.ts';
import { progressLine } from './progress.ts';

type Estimate = Extract<SurveyEvent, { kind: 'estimate' }>;

/** Two significant digits: an estimate is no more than that. */
const about = (seconds: number): string => formatSeconds(Number(seconds.toPrecision(2)));

/** What the parts and the presets will take, from a trial. */
function estimateText({ costs, presets }: Estimate): string {
  const parts = costs.map(({ name, seconds, products }) => `${name} ${about(seconds)}${products > 1 ? ` (${products} products)` : ''}`);
  const total = costs.reduce((sum, { seconds }) => sum + seconds, 0);
  const others = Object.entries(presets).map(([name, seconds]) => `${name} ${about(seconds)}`);
  return `expected, from a trial: ${about(total)} = ${parts.join(', ')}\npresets on this machine: ${others.join(', ')}`;
}

/** Writes what a survey does to `stream`. */
export function reporter(stream: NodeJS.WriteStream): (event: SurveyEvent) => void {
  const line = progressLine(stream, true);
  let title = '';
  return (event) => {
    if (event.kind === 'trial') line.start('a trial, to tell what each part will take');
    else if (event.kind === 'estimate') line.end(estimateText(event));
    else if (event.kind === 'start') line.start(title = event.title);
    else if (event.kind === 'progress') line.update(event.done, event.total, event.note);
    else line.end(`  ${title.padEnd(56)} ${formatSeconds(event.seconds)}${event.failure !== undefined ? `  FAILED: ${event.failure}` : event.omitted !== undefined ? `  not measured: ${event.omitted}` : ''}`);
  };
}

/** The headline numbers as aligned lines. */
export function summaryTable(record: SurveyRecord): string {
  return `\n${alignedRows(surveySummary(record).map(({ label, value, note }) => [label, String(value), note ?? '']))}\n\n`;
}

/** Cells in columns as wide as their widest, two spaces apart and indented. */
export function alignedRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}`).join('\n');
}
