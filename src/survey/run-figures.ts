/** The figures of a training run, as far as its record goes. @module */
import { trainingCurves, trainingSeries, type CurveSeries, type NamedSeries, type TrainingSeriesData } from '../charts/index.ts';
import type { SurveyFigure } from './figures.ts';
import { columnOf, type RunColumn, type RunRecord } from './run-record.ts';

/** Probes that a stability threshold applies to, by the matrix whose largest eigenvalue they measure. */
const MATRICES: Readonly<Record<string, 'H' | 'P^-1 H'>> = { sharpness: 'H', 'top-eigenvalues': 'H', 'preconditioned-sharpness': 'P^-1 H' };
/** Parts of a probe whose sizes differ by more get panels of their own. */
const SAME_SIZE = 30;
const MOST_PANELS = 6;

/** Rounding is too small to be seen. */
const seriesOf = (column: RunColumn, name = column.name): NamedSeries => ({ name, steps: column.steps, values: column.values, ...(column.kind !== 'rounding' && { errors: column.errors }) });

/** What a column belongs to: the probe before the first dot. */
export const probeOf = ({ name }: RunColumn): string => name.split('.', 1)[0];
const partOf = ({ name }: RunColumn): string => name.slice(probeOf({ name } as RunColumn).length + 1);

/** Columns by probe, without those of the first figures. */
export function probeGroups({ columns }: RunRecord): ReadonlyMap<string, readonly RunColumn[]> {
  const groups = new Map<string, RunColumn[]>();
  for (const column of columns) {
    const probe = probeOf(column);
    if (['loss', 'accuracy', 'learningRate'].includes(probe)) continue;
    groups.set(probe, [...(groups.get(probe) ?? []), column]);
  }
  return groups;
}

/** The stability threshold where a probe measured: `factor / rate` with the rate of the step that followed. */
function thresholdOf(record: RunRecord, probe: string, { steps }: RunColumn): NamedSeries | undefined {
  const { stability } = record;
  const rates = columnOf(record, 'learningRate');
  if (stability === undefined || rates === undefined || !Object.hasOwn(MATRICES, probe) || MATRICES[probe] !== stability.matrix) return undefined;
  // After the last step there is no next rate: that of the last.
  const rateAt = (step: number): number => rates.values[Math.min(step, rates.values.length - 1)];
  return { name: stability.formula, steps, values: steps.map((step) => stability.factor / rateAt(step)) };
}

const typicalSize = ({ values }: RunColumn): number => {
  const sizes = values.map(Math.abs).filter((size) => Number.isFinite(size) && size > 0).sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] ?? 0;
};

/** Parts of one size in one panel; parts with a common last word (weights, biases) in a panel each word; else a panel each part. */
function panelsOf(record: RunRecord, probe: string, columns: readonly RunColumn[]): TrainingSeriesData[] {
  const reference = thresholdOf(record, probe, columns[0]);
  const panel = (chosen: readonly RunColumn[], name: (column: RunColumn) => string, heading?: string): TrainingSeriesData =>
    ({ series: chosen.map((column) => seriesOf(column, name(column))), ...(reference && { reference }), ...(heading !== undefined && { heading }) });
  const whole = (column: RunColumn): string => partOf(column) || probe;
  if (columns.length === 1) return [panel(columns, whole)];
  const words = [...new Set(columns.map((column) => /\.([^.]+)$/.exec(partOf(column))?.[1] ?? ''))];
  if (!words.includes('') && words.length > 1 && words.length <= MOST_PANELS && words.length < columns.length) {
    return words.map((word) => panel(columns.filter((column) => partOf(column).endsWith(`.${word}`)), (column) => partOf(column).slice(0, -word.length - 1), word));
  }
  // Numbered parts (eigenvalues) are of one kind, however they differ.
  if (columns.every((column) => /^\d+$/.test(partOf(column)))) return [panel(columns, whole)];
  const sizes = columns.map(typicalSize).filter((size) => size > 0);
  if (columns.length <= MOST_PANELS && Math.max(...sizes) > SAME_SIZE * Math.min(...sizes)) return columns.map((column) => panel([column], whole, whole(column)));
  return [panel(columns, whole)];
}

const spoken = (name: string): string => { const words = name.replaceAll('-', ' '); return words.charAt(0).toUpperCase() + words.slice(1); };

const ERROR_LABELS: Readonly<Record<RunColumn['kind'], string>> = { bound: 'error bound', 'standard error': '± standard error', rounding: 'rounding' };

/** Draws what was measured. */
export function runFigures(record: RunRecord): SurveyFigure[] {
  const figures: SurveyFigure[] = [];
  const losses = columnOf(record, 'loss');
  if (losses) {
    const curve = (name: string): CurveSeries | undefined => { const column = columnOf(record, name); return column && seriesOf(column); };
    const [testLoss, trainAccuracy, testAccuracy] = [curve('loss.test'), curve('accuracy.train'), curve('accuracy.test')];
    figures.push({
      name: 'loss', caption: 'Loss of each step’s batch before its update, and loss and accuracy of whole splits in evaluation mode with their standard errors over examples.',
      svg: trainingCurves({ trainLoss: seriesOf(losses), ...(testLoss && { testLoss }), ...(trainAccuracy && { trainAccuracy }), ...(testAccuracy && { testAccuracy }) }, { title: 'Loss' }),
    });
  }
  const rates = columnOf(record, 'learningRate');
  if (rates && new Set(rates.values).size > 1) {
    figures.push({ name: 'learning-rate', caption: 'The learning rate of each step.', svg: trainingSeries({ series: [seriesOf(rates, 'learning rate')] }, { title: 'Learning rate', scale: 'linear' }) });
  }
  for (const [probe, columns] of probeGroups(record)) {
    const drawable = columns.filter(({ values }) => values.some(Number.isFinite));
    if (drawable.length === 0) continue;
    const panels = panelsOf(record, probe, drawable);
    const { kind } = drawable[0];
    const caption = `${spoken(probe)} while training.${kind === 'rounding' ? '' : ` The band is ${kind === 'bound' ? 'the bound of its error' : 'its standard error'}.`}`;
    const threshold = panels[0].reference === undefined ? '' : ' Dashed: above it the method is unstable along the steepest direction, on a quadratic.';
    figures.push({ name: probe, caption: `${caption}${threshold}`, svg: trainingSeries(panels, { title: spoken(probe), errorLabel: ERROR_LABELS[kind] }) });
  }
  return figures;
}
