/** The figures of a survey, as far as the record goes. @module */
import { confusionMatrix, costBars, eigenvalueChart, eigenvalueLink, layerBars, lineProfiles, planeContour, spectralDensity, trainingCurves, weightSpectrum } from '../charts/index.ts';
import type { Measurement } from '../problem/index.ts';
import type { EigenvaluesRecord, LossGridRecord, SurveyRecord, WeightLayerRecord } from './record.ts';

/** A figure of the report that can also stand alone as a file. */
export interface SurveyFigure {
  /** Name of the file without its ending. */
  readonly name: string;
  readonly svg: string;
  readonly caption: string;
  /** Name of the plane it draws. */
  readonly plane?: string;
}

/** Whether any cell was reached and is finite. */
export const isSeen = ({ loss }: LossGridRecord): boolean => loss.some((row) => row.some(Number.isFinite));
const withBound = ({ value, error }: Measurement, end: 'max' | 'min', position: number): { value: number; bound: number; link: string } => ({ value, bound: error, link: eigenvalueLink(end, position) });
const ends = ({ largest, smallest }: EigenvaluesRecord): { largest: ReturnType<typeof withBound>[]; smallest: ReturnType<typeof withBound>[] } =>
  ({ largest: largest.map((value, i) => withBound(value, 'max', i)), smallest: smallest.map((value, i) => withBound(value, 'min', i)) });

/** Draws what was measured; parts that are missing from the record are left out. */
export function surveyFigures(record: SurveyRecord): SurveyFigure[] {
  const { training, quality, eigenvalues, density, layers, plane, lines, kernel, weights, costs, problem } = record;
  const figures: SurveyFigure[] = [];
  const draw = (name: string, caption: string, make: () => string, drawn?: string): void => { figures.push({ name, caption, svg: make(), ...(drawn !== undefined && { plane: drawn }) }); };
  if (training && training.batchLoss.values.length > 0) {
    draw('training', 'Loss of each mini-batch while training, and loss and accuracy on the test split after each epoch with their standard errors.',
      () => trainingCurves({ trainLoss: training.batchLoss, testLoss: training.testLoss, testAccuracy: training.testAccuracy }, { title: 'Training' }));
  }
  if (quality?.confusion) {
    const { confusion } = quality;
    draw('confusion', 'Test examples by true and predicted label.', () => confusionMatrix({ counts: confusion, labels: problem.classes }, { title: 'Confusion matrix' }));
  }
  if (eigenvalues) {
    draw('eigenvalues', 'Extreme eigenvalues of the loss Hessian; each bar is the bound within which an eigenvalue must lie.',
      () => eigenvalueChart(ends(eigenvalues), { title: 'Extreme eigenvalues of the Hessian' }));
  }
  if (density) {
    draw('density', `Spectral density by stochastic Lanczos quadrature (${density.probes} probes of ${density.steps} steps, smoothed with a Gaussian of width ${density.width.toPrecision(2)}); the band is one standard error across probes.`,
      () => spectralDensity({ ...density, eigenvalues: eigenvalues && Object.values(ends(eigenvalues)).flat() }, { title: 'Spectral density of the Hessian' }));
  }
  if (layers && layers.length > 0) draw('layers', 'Trace and top eigenvalue of each layer’s block of the Hessian.', () => layerBars(layers, { title: 'Curvature by layer' }));
  const contour = (grid: LossGridRecord, split: string): string => planeContour({ x: grid.x, y: grid.y, loss: grid.loss, standardError: grid.standardError },
    { title: `Loss plane, ${split}`, xLabel: 'axis 1', yLabel: 'axis 2', valueLabel: `${split} loss` });
  if (plane && isSeen(plane.train)) draw('plane', `Training loss around the trained parameters; axes: ${plane.axes}.`, () => contour(plane.train, 'train'), 'plane');
  if (plane?.test && isSeen(plane.test)) { const { test } = plane; draw('plane-test', 'The same plane, test loss.', () => contour(test, 'test'), 'plane'); }
  if (lines && lines.length > 0) {
    draw('lines', 'Loss along the top axes of the Hessian, to where the quadratic model of the training loss has risen by one.', () => lineProfiles(lines.map((line, i) => ({ ...line, link: eigenvalueLink('max', i) })), { title: "Loss along the Hessian's top axes", xLabel: 'distance in parameter space' }));
  }
  if (kernel) {
    draw('kernel', `Largest eigenvalues of the empirical tangent kernel of ${kernel.examples} training examples.`,
      () => eigenvalueChart({ largest: kernel.eigenvalues.map((value) => ({ value, bound: kernel.largest.error })) }, { title: 'Tangent kernel' }));
  }
  const widest = weights?.layers.filter(({ eigenvalues: list }) => list.some((value) => value > 0)).reduce<WeightLayerRecord | undefined>((best, layer) => (best === undefined || layer.eigenvalues.length > best.eigenvalues.length ? layer : best), undefined);
  if (widest) {
    draw('weights', `Eigenvalues of W'W for the matrix with the most of them, ${widest.name}.`, () => weightSpectrum({
      eigenvalues: widest.eigenvalues, ...(widest.bulkEdge !== undefined && { bulkEdge: widest.bulkEdge }),
      ...(widest.alpha && widest.xmin !== undefined && { tail: { alpha: widest.alpha.value, error: widest.alpha.error, xmin: widest.xmin, xmax: widest.eigenvalues[widest.eigenvalues.length - 1] } }),
    }, { title: `Weight spectrum of ${widest.name}` }));
  }
  if (costs.length > 0) draw('cost', 'Seconds and Hessian-vector products of each part.', () => costBars(costs, { title: 'What it cost' }));
  return figures;
}
