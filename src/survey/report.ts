/** The report of a survey: every number explained in two sentences, with its error. @module */
import { eigenvalueLink, formatNumber, formatSeconds, reportPage, type ReportFigure, type ReportSection, type ReportSurface, type ReportTable, type SummaryItem } from '../charts/index.ts';
import { isSeen, type SurveyFigure } from './figures.ts';
import { extraSections } from './report-extras.ts';
import type { SurveyRecord } from './record.ts';
import type { Measurement } from '../problem/index.ts';
import { percent, show } from './show.ts';

/** What a report says of the statistics of batch normalisation, since landscapes differ by them. */
const BATCH_NORM: Readonly<Record<SurveyRecord['problem']['batchNorm'], string>> = {
  absent: '', eval: '; batch normalisation by kept statistics', batch: '; batch normalisation by the statistics of each batch', recomputed: '; batch normalisation by statistics recomputed on the training examples',
};

/** Where the mean gradient is lost in noise only a lower bound is known. */
const showNoiseScale = (scale: NonNullable<SurveyRecord['gradientNoiseScale']>): string => (Number.isFinite(scale.value) ? show(scale) : `above ${formatNumber(Number(scale.atLeast.toPrecision(2)))}`);

/** The page as HTML, self-contained. */
export function surveyReport(record: SurveyRecord, figures: readonly SurveyFigure[]): string {
  const { problem } = record;
  const state = record.complete ? '' : ' This survey is incomplete: parts that were interrupted or failed are missing.';
  return reportPage({
    title: `Survey of ${problem.name}`,
    subtitle: `${problem.parameters.toLocaleString('en')} parameters, ${problem.loss} loss; curvature and landscape on ${problem.samples.toLocaleString('en')} of ${problem.trainExamples.toLocaleString('en')} training examples${BATCH_NORM[problem.batchNorm]}.${state}`,
    provenance: { ...record.provenance, data: `${problem.data} (${problem.licence})`, schema: record.schema },
    summary: surveySummary(record),
    sections: sections(record, figures),
  });
}

/** The headline numbers. */
export function surveySummary({ quality, eigenvalues, trace, gradientNorm, gradientNoiseScale, plane, lines, sharpness, kernel, features, weights }: SurveyRecord): SummaryItem[] {
  const items: SummaryItem[] = [];
  const add = (label: string, value: string | undefined, note: string): void => { if (value !== undefined) items.push({ label, value, note }); };
  add('Test accuracy', quality?.testAccuracy && percent(quality.testAccuracy), 'share of test examples labelled correctly');
  add('Test loss', quality?.testLoss && show(quality.testLoss), 'mean over the test split');
  add('Training loss', quality && show(quality.trainLoss), 'mean over the training split');
  add('Largest eigenvalue', eigenvalues && show(eigenvalues.largest[0]), 'sharpness: curvature along the steepest direction');
  add('Smallest eigenvalue', eigenvalues?.smallest[0] && show(eigenvalues.smallest[0]), 'negative: the loss bends down in some direction');
  add('Trace of the Hessian', trace && show(trace), 'sum of all eigenvalues');
  add('Gradient norm', gradientNorm && show(gradientNorm), 'zero at a stationary point');
  add('Gradient noise scale', gradientNoiseScale && showNoiseScale(gradientNoiseScale), 'batch size at which noise and signal are equal');
  if (plane && isSeen(plane.train)) add('Training loss on the plane', ...rangeOf(plane.train.loss.flatMap((row, j) => row.map((loss, i) => ({ loss, place: `(${formatNumber(plane.train.x[i])}, ${formatNumber(plane.train.y[j])})` }))), 'at axes’ coordinates'));
  add('Training loss along the axes', ...rangeOf((lines ?? []).flatMap(({ name, position, trainLoss }) => trainLoss.map((loss, i) => ({ loss, place: `${formatNumber(position[i])} along ${name}` }))), 'at'));
  add('SAM sharpness', sharpness?.[0] && show(sharpness[0].value), 'rise of the loss after one ascent step');
  add('Tangent kernel, top eigenvalue', kernel && show(kernel.largest), `of ${kernel?.examples} examples`);
  add('Neural collapse (NC1)', features?.collapse && show(features.collapse.variability), 'zero: each class is one point');
  add('Feature rank (RankMe)', features && show(features.rankMe), `of ${features?.size} penultimate features`);
  add('Weights', weights && weights.layers.length > 0 ? `power law in ${weights.layers.filter(({ status }) => status === 'fitted').length} of ${weights.layers.length} spectra` : undefined, weights?.diagnosis ?? '');
  return items;
}

/** Lowest and highest of finite losses, and where the lowest is. */
function rangeOf(cells: readonly { readonly loss: number | null; readonly place: string }[], at: string): [value: string | undefined, note: string] {
  const finite = cells.filter((cell): cell is { loss: number; place: string } => cell.loss !== null && Number.isFinite(cell.loss));
  if (finite.length === 0) return [undefined, ''];
  const [lowest, highest] = [finite.reduce((a, b) => (b.loss < a.loss ? b : a)), finite.reduce((a, b) => (b.loss > a.loss ? b : a))];
  return [`${formatNumber(lowest.loss)} to ${formatNumber(highest.loss)}`, `lowest ${at} ${lowest.place}`];
}

function sections(record: SurveyRecord, figures: readonly SurveyFigure[]): ReportSection[] {
  const figure = (...names: string[]): ReportFigure[] => figures.filter(({ name }) => names.includes(name)).map(({ svg, caption, plane: drawn }) => ({ svg, caption, ...(drawn !== undefined && { plane: drawn }) }));
  const { training, quality, eigenvalues, density, layers, plane, lines, costs, failures } = record;
  const list: (ReportSection | false | undefined)[] = [
    training && {
      id: 'training', heading: 'Training',
      text: `${training.steps} steps of ${training.optimizer} at batch size ${training.batchSize}, learning rate ${training.learningRate}; the run ${howItEnded(training)}.\n\nThe loss of a mini-batch is a noisy sample of the training loss. Compare it with the test loss: where they part, the model learns its examples rather than the task.`,
      figures: figure('training', 'confusion'), tables: quality ? [qualityTable(record)] : [],
    },
    (record.gradientNorm !== undefined) && {
      id: 'gradient', heading: 'Gradient',
      text: 'The gradient norm says how far the parameters are from a stationary point of the loss on the sample. At a minimum it is zero; after training with mini-batches it settles where noise and descent balance.\n\nThe gradient noise scale is the trace of the covariance of example gradients over the squared norm of their mean (McCandlish et al. 2018). Batches much smaller than it are dominated by noise; much larger ones waste computation.',
      tables: [gradientTable(record)],
    },
    eigenvalues && {
      id: 'eigenvalues', heading: 'Extreme eigenvalues of the Hessian',
      text: `Each eigenvalue is the curvature of the loss along one axis; gradient descent with a rate above 2 / lambda_max diverges along the top one. Each comes with a bound from its residual norm: an eigenvalue of the matrix lies within it. Search: ${eigenvalues.stopped}.\n\nThe ratio lambda_max / lambda_min is ${show(eigenvalues.ratio)}. Large positive values far from a small negative end are typical of trained classifiers: about as many outliers as classes, and a bulk near zero.`,
      figures: figure('eigenvalues'), tables: [eigenvalueTable(record)],
    },
    density && {
      id: 'density', heading: 'Spectral density',
      text: 'The density says what share of all eigenvalues lies where, on a logarithmic axis. It is estimated from random probes by Lanczos quadrature and smoothed, so peaks narrower than the smoothing width are not resolved; the band is one standard error across probes.\n\nRead it together with the eigenvalues above: isolated ones appear as bumps of height about one over the number of parameters.',
      figures: figure('density'),
    },
    layers && layers.length > 0 && {
      id: 'layers', heading: 'Curvature by layer',
      text: 'The trace of a layer’s diagonal block is its share of the total curvature, and the traces of all layers add up to the whole trace. The top eigenvalue of a block is the sharpness that moving this layer alone would meet; by interlacing it is never above the sharpness of the whole network.',
      figures: figure('layers'), tables: [layerTable(record)],
    },
    plane && {
      id: 'plane', heading: 'The loss on a plane',
      text: !plane.axes.startsWith('random') ? `Loss over a plane through the trained parameters; axes: ${plane.axes}. These are the sharpest directions there are: the loss rises faster here than on any other plane through this point, as far as the quadratic model goes.` : 'Loss over a plane through the trained parameters, spanned by two random directions whose filters are scaled to the size of the model’s own (Li et al. 2018). Two random directions among thousands miss the sharp axes almost surely, so a plane shows how wide the valley is, and says nothing about the sharpest axes: see the lines below for those.',
      ...(isSeen(plane.train) && { surface: surfaceOf(plane) }), figures: figure('plane', 'plane-test'),
    },
    lines && lines.length > 0 && {
      id: 'lines', heading: 'The loss along the top axes of the Hessian',
      text: 'Training and test loss along the eigenvectors of the largest eigenvalues. Where the curve departs from a parabola, the quadratic picture that eigenvalues give has ended; where the test curve’s minimum is displaced, the sharp directions do not generalise.',
      figures: figure('lines'),
    },
    ...extraSections(record, figure),
    { id: 'cost', heading: 'Cost', text: 'What each part took on this machine. A product is one multiplication of the Hessian with a vector over all sampled examples.', figures: figure('cost'), tables: [costTable(costs)] },
    costs.some(({ omitted }) => omitted !== undefined) && { id: 'omitted', heading: 'What was not measured', text: costs.flatMap(({ name, omitted }) => (omitted === undefined ? [] : [`${name}: ${omitted}`])).join('\n\n') },
    failures.length > 0 && { id: 'failures', heading: 'What failed', text: failures.map(({ name, message }) => `${name}: ${message}`).join('\n\n') },
  ];
  return list.filter((section): section is ReportSection => Boolean(section));
}

/** Height and colour are the loss; both splits where both were measured. */
const surfaceOf = ({ axes, train, test }: NonNullable<SurveyRecord['plane']>): ReportSurface => ({
  plane: 'plane', x: train.x, y: train.y, caption: `The same plane as a surface, the trained parameters in its middle; axes: ${axes}.`,
  grids: [{ name: 'training loss', ...train }, ...(test && isSeen(test) ? [{ name: 'test loss', ...test }] : [])],
});

const howItEnded = ({ end, divergence }: NonNullable<SurveyRecord['training']>): string => {
  if (divergence) return `diverged: the loss of step ${divergence.step} is ${divergence.loss}, so nothing was measured after it. ${divergence.message}`;
  return end === 'interrupted' ? 'was interrupted' : 'finished';
};

const qualityTable = ({ quality }: SurveyRecord): ReportTable => ({
  caption: 'Errors are standard errors over examples.', columns: ['', 'loss', 'accuracy'],
  rows: [
    ['training split', show(quality!.trainLoss), quality!.trainAccuracy ? percent(quality!.trainAccuracy) : '—'],
    ...(quality!.testLoss ? [['test split', show(quality!.testLoss), quality!.testAccuracy ? percent(quality!.testAccuracy) : '—']] : []),
  ],
});

const gradientTable = ({ gradientNorm, gradientNoiseScale }: SurveyRecord): ReportTable => ({
  columns: ['measurement', 'value', 'kind of error'],
  rows: [
    ...(gradientNorm ? [['gradient norm', show(gradientNorm), gradientNorm.kind]] : []),
    ...(gradientNoiseScale ? [['gradient noise scale', showNoiseScale(gradientNoiseScale), Number.isFinite(gradientNoiseScale.value) ? gradientNoiseScale.kind : 'lower end of a 95 % interval']] : []),
  ],
});

/** Two digits of an error by sub-sampling. */
const fromSampling = (measured: Measurement | undefined): string => (measured ? `± ${formatNumber(Number(measured.error.toPrecision(2)))}` : '—');

const eigenvalueTable = ({ eigenvalues, trace, traceSampling }: SurveyRecord): ReportTable => ({
  caption: `A residual bound holds with certainty up to rounding, which is included; it is of the Hessian over the sampled examples.${eigenvalues!.sampling || traceSampling ? ' The error from sampling says how much other examples of the training split would move the number; it stands beside the other.' : ''}`,
  columns: ['eigenvalue', 'value', 'kind of error', 'error from sampling'],
  rows: [
    ...eigenvalues!.largest.map((value, i) => [`largest ${i + 1}`, show(value), `residual ${value.kind}`, fromSampling(eigenvalues!.sampling?.[i])]),
    ...eigenvalues!.smallest.map((value, i) => [`smallest ${i + 1}`, show(value), `residual ${value.kind}`, '—']),
    ...(trace ? [['trace', show(trace), trace.kind, fromSampling(traceSampling)]] : []),
  ],
  links: [...eigenvalues!.largest.map((_, i) => eigenvalueLink('max', i)), ...eigenvalues!.smallest.map((_, i) => eigenvalueLink('min', i)), null],
});

const layerTable = ({ layers }: SurveyRecord): ReportTable => ({
  columns: ['layer', 'parameters', 'trace', 'top eigenvalue'],
  rows: layers!.map(({ name, parameters, trace, topEigenvalue }) => [name, parameters.toLocaleString('en'), trace ? show(trace) : '—', topEigenvalue ? show(topEigenvalue) : '—']),
  links: layers!.map(({ name }) => `layer ${name}`),
});

const costTable = (costs: SurveyRecord['costs']): ReportTable => ({
  columns: ['part', 'seconds', 'products'], rows: costs.map(({ name, seconds, products }) => [name, formatSeconds(seconds), products === 0 ? '—' : String(products)]),
});
