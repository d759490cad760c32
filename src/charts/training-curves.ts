/** Loss and accuracy over training. @module */
import { curveOf, curvesPanel, stepDomain, type Curve, type CurveSeries } from './curves.ts';
import type { FigureOptions, LegendItem } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber } from './format.ts';
import { color } from './theme.ts';

/** What `trainingCurves` draws: losses in one panel, accuracies in a second where there are any. */
export interface TrainingCurvesData {
  /** Usually of each mini-batch; drawn as the mean and range of stretches of steps when long. */
  readonly trainLoss: CurveSeries;
  readonly testLoss?: CurveSeries;
  /** Fractions between zero and one. */
  readonly trainAccuracy?: CurveSeries;
  readonly testAccuracy?: CurveSeries;
}

/** Options of `trainingCurves`; by default the loss axis is logarithmic and the x axis is labelled `step`. */
export interface TrainingCurvesOptions extends FigureOptions {
  readonly xLabel?: string;
  readonly lossScale?: 'log' | 'linear';
}

/**
 * Train and test loss against the step, on a logarithmic axis by default, and accuracy below when given. A series of more than
 * 160 values is drawn as the mean of equal stretches with a band from their minimum to their maximum, and the legend says so;
 * shorter ones with given errors carry a band of one standard error.
 * @throws ShapeError when lists differ in length; ArgumentError when a series is empty or its steps do not increase.
 */
export function trainingCurves(data: TrainingCurvesData, options: TrainingCurvesOptions = {}): string {
  const width = options.width ?? DEFAULT_WIDTH;
  const pair = (train: CurveSeries | undefined, test: CurveSeries | undefined): Curve[] => [
    ...(train === undefined ? [] : [curveOf('trainingCurves', 'train', train, { paint: color.train })]),
    ...(test === undefined ? [] : [curveOf('trainingCurves', 'test', test, { paint: color.test, dash: '6,4' })]),
  ];
  const losses = pair(data.trainLoss, data.testLoss);
  const accuracies = pair(data.trainAccuracy, data.testAccuracy);
  const domain = stepDomain([...losses, ...accuracies]);
  const label = options.xLabel ?? 'step';
  const lossPanel = curvesPanel(losses, { label: 'loss', xLabel: accuracies.length > 0 ? null : label, domain, width, logarithmic: options.lossScale !== 'linear' });
  const rows = [[lossPanel]];
  if (accuracies.length > 0) rows.push([curvesPanel(accuracies, { label: 'accuracy, %', xLabel: label, domain, width, logarithmic: false, percent: true })]);
  const last = (curve: Curve): string => `${curve.name} ${formatNumber(curve.points.at(-1)?.y ?? NaN)}`;
  return composeFigure({
    title: options.title ?? 'Training', subtitle: options.subtitle,
    description: options.description ?? `At the end: loss ${losses.map(last).join(', ')}; accuracy ${accuracies.map(last).join(', ') || 'not measured'}.`,
    width, legend: legendOf(data, [...losses, ...accuracies]), rows,
  });
}

function legendOf(data: TrainingCurvesData, curves: readonly Curve[]): LegendItem[] {
  const legend: LegendItem[] = [{ label: 'train', color: color.train, shape: 'line' }];
  if (data.testLoss !== undefined || data.testAccuracy !== undefined) legend.push({ label: 'test', color: color.test, shape: 'dashed' });
  const stretch = Math.max(...curves.map((curve) => curve.stretch));
  if (stretch > 1) legend.push({ label: `mean and range of ${stretch} steps`, color: color.train, shape: 'band' });
  const errors = [data.trainLoss, data.testLoss, data.trainAccuracy, data.testAccuracy].some((series) => series?.errors !== undefined);
  if (errors) legend.push({ label: '± standard error', color: color.muted, shape: 'band' });
  return legend;
}
