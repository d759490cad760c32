/** The report of a training run. @module */
import { formatMeasurement, formatNumber, formatSeconds, reportPage, type ReportFigure, type ReportSection, type ReportTable, type SummaryItem } from '../charts/index.ts';
import { probes } from '../train/index.ts';
import type { SurveyFigure } from './figures.ts';
import { probeGroups } from './run-figures.ts';
import { columnOf, type RunColumn, type RunRecord } from './run-record.ts';

const lastOf = (column: RunColumn): string => formatMeasurement(column.values[column.values.length - 1], column.kind === 'rounding' ? undefined : column.errors[column.errors.length - 1]);
const lastPercent = ({ values, errors }: RunColumn): string => `${formatMeasurement(100 * values[values.length - 1], 100 * errors[errors.length - 1])} %`;

/** How the run ended, in a clause. */
export function endOfRun({ end, settings }: RunRecord): string {
  if (end.reason === 'diverged') return `diverged: the loss of step ${end.step} is ${end.loss}. ${end.message}`;
  return end.reason === 'interrupted' ? `was interrupted after ${end.steps.toLocaleString('en')} of ${settings.steps.toLocaleString('en')} steps` : `finished after ${end.steps.toLocaleString('en')} steps`;
}

/** Seconds of all parts together. */
export const secondsOf = ({ costs }: RunRecord): number => costs.reduce((sum, { seconds }) => sum + (Number.isFinite(seconds) ? seconds : 0), 0);

/** Where sharpness stands at the end, as a multiple of the threshold. */
function stabilityItem(record: RunRecord): SummaryItem | undefined {
  const { stability } = record;
  const column = stability && columnOf(record, stability.matrix === 'H' ? 'sharpness' : 'preconditioned-sharpness');
  const rate = columnOf(record, 'learningRate')?.values.at(-1);
  if (stability === undefined || column === undefined || rate === undefined) return undefined;
  const threshold = stability.factor / rate;
  return { label: 'Sharpness / threshold', value: formatNumber(column.values[column.values.length - 1] / threshold, 3), note: `one is the edge of stability: ${stability.formula} = ${formatNumber(threshold)}` };
}

/** The headline numbers. */
export function runSummary(record: RunRecord): SummaryItem[] {
  const items: SummaryItem[] = [];
  const add = (label: string, name: string, note: string, show = lastOf): void => { const column = columnOf(record, name); if (column) items.push({ label, value: show(column), note }); };
  add('Test accuracy', 'accuracy.test', 'share of test examples labelled correctly', lastPercent);
  add('Training accuracy', 'accuracy.train', 'share of training examples labelled correctly', lastPercent);
  add('Test loss', 'loss.test', 'mean over the test split');
  add('Training loss', 'loss.train', 'mean over the training split, in evaluation mode');
  add('Batch loss', 'loss', `of the last step, ${record.settings.batchSize === 'full' ? 'over all training examples' : `over ${record.settings.batchSize} examples`}`);
  for (const [probe, columns] of probeGroups(record)) {
    if (columns.length === 1 && columns[0].name === probe) add(spoken(probe), probe, 'at the last measurement');
  }
  const stability = stabilityItem(record);
  if (stability) items.push(stability);
  items.push({ label: 'Time', value: formatSeconds(secondsOf(record)), note: `${record.end.steps.toLocaleString('en')} steps` });
  return items;
}

const spoken = (name: string): string => { const words = name.replaceAll('-', ' '); return words.charAt(0).toUpperCase() + words.slice(1); };

/** What a probe is, from the registry. */
const describe = (probe: string): string => {
  const known: Readonly<Record<string, { readonly description: string }>> = probes;
  if (!Object.hasOwn(known, probe)) return probe === 'optimizer' ? 'What the optimizer reports of its own work.' : '';
  const { description } = known[probe];
  return `${description.charAt(0).toUpperCase()}${description.slice(1)}${description.endsWith('.') ? '' : '.'}`;
};

const probeTable = (columns: readonly RunColumn[]): ReportTable => ({
  columns: ['column', 'first', 'last', 'measurements', 'kind of error'],
  rows: columns.map((column) => [column.name, formatNumber(column.values[0]), lastOf(column), column.values.length, column.kind]),
});

const costTable = (costs: RunRecord['costs']): ReportTable => ({
  columns: ['part', 'seconds', 'times', 'products'], caption: 'A probe inside the step is charged what its steps took longer; a dash where every step had it.',
  rows: costs.map(({ name, seconds, count, products }) => [name, Number.isFinite(seconds) ? formatSeconds(seconds) : '—', count, products === 0 ? '—' : products]),
});

const EDGE = 'Dashed is the threshold of the method: on a quadratic of larger sharpness it diverges. Trained with large enough steps, networks sharpen until they reach it and then hover there, the loss falling unsteadily: the edge of stability (Cohen et al. 2021).';

/** The page as HTML, self-contained. */
export function runReport(record: RunRecord, figures: readonly SurveyFigure[]): string {
  const { problem, settings, costs, stability } = record;
  const figure = (...names: string[]): ReportFigure[] => figures.filter(({ name }) => names.includes(name)).map(({ svg, caption }) => ({ svg, caption }));
  const sections: ReportSection[] = [
    {
      id: 'loss', heading: 'Loss', figures: figure('loss', 'learning-rate'),
      text: `${settings.optimizer} with learning rate ${settings.learningRate} (${settings.schedule}), batches of ${settings.batchSize === 'full' ? `all ${problem.trainExamples.toLocaleString('en')} examples` : settings.batchSize}, ${settings.stepsPerEpoch.toLocaleString('en')} step${settings.stepsPerEpoch === 1 ? '' : 's'} an epoch. The run ${endOfRun(record)}.`,
    },
    ...[...probeGroups(record)].map(([probe, columns]): ReportSection => ({
      id: `probe-${probe.replaceAll(/[^\w-]/g, '-')}`, heading: spoken(probe), figures: figure(probe), tables: [probeTable(columns)],
      text: [describe(probe), stability !== undefined && ['sharpness', 'preconditioned-sharpness'].includes(probe) && figures.some(({ name, caption }) => name === probe && caption.includes('Dashed')) ? EDGE : ''].join('\n\n'),
    })),
    { id: 'cost', heading: 'Cost', text: 'What each part took on this machine, in the process that ended the run. A product is one multiplication of a curvature matrix with a vector.', tables: [costTable(costs)] },
  ];
  return reportPage({
    title: `Training of ${problem.name}`,
    subtitle: `${problem.parameters.toLocaleString('en')} parameters, ${problem.loss} loss, ${problem.trainExamples.toLocaleString('en')} training examples.${record.complete ? '' : ` This run ${endOfRun(record)}`}`,
    provenance: { ...record.provenance, data: `${problem.data} (${problem.licence})`, schema: record.schema }, summary: runSummary(record), sections,
  });
}
