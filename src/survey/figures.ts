/** The figures of a survey, as far as the record goes. @module */
import { confusionMatrix, costBars, eigenvalueChart, layerBars, lineProfiles, planeContour, spectralDensity, trainingCurves } from '../charts/index.ts';
import type { Measurement } from '../problem/index.ts';
import type { LossGridRecord, SurveyRecord } from './record.ts';

/** A figure of the report that can also stand alone as a file. */
export interface SurveyFigure {
  /** Name of the file without its ending. */
  readonly name: string;
  readonly svg: string;
  readonly caption: string;
}

/** Whether any cell was reached and is finite. */
const isSeen = ({ loss }: LossGridRecord): boolean => loss.some((row) => row.some(Number.isFinite));
const withBound = ({ value, error }: Measurement): { value: number; bound: number } => ({ value, bound: error });

/** Draws what was measured; parts that are missing from the record are left out. */
export function surveyFigures(record: SurveyRecord): SurveyFigure[] {
  const { training, quality, eigenvalues, density, layers, plane, lines, costs, problem } = record;
  const figures: SurveyFigure[] = [];
  const draw = (name: string, caption: string, make: () => string): void => { figures.push({ name, caption, svg: make() }); };
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
      () => eigenvalueChart({ largest: eigenvalues.largest.map(withBound), smallest: eigenvalues.smallest.map(withBound) }, { title: 'Extreme eigenvalues of the Hessian' }));
  }
  if (density) {
    draw('density', `Spectral density by stochastic Lanczos quadrature (${density.probes} probes of ${density.steps} steps, smoothed with a Gaussian of width ${density.width.toPrecision(2)}); the band is one standard error across probes.`,
      () => spectralDensity({ ...density, eigenvalues: eigenvalues && [...eigenvalues.largest, ...eigenvalues.smallest].map(withBound) }, { title: 'Spectral density of the Hessian' }));
  }
  if (layers && layers.length > 0) draw('layers', 'Trace and top eigenvalue of each layer’s block of the Hessian.', () => layerBars(layers, { title: 'Curvature by layer' }));
  const contour = (grid: LossGridRecord, split: string): string => planeContour({ x: grid.x, y: grid.y, loss: grid.loss, standardError: grid.standardError },
    { title: `Loss plane, ${split}`, xLabel: 'random direction 1', yLabel: 'random direction 2', valueLabel: `${split} loss` });
  if (plane && isSeen(plane.train)) draw('plane', `Training loss around the trained parameters; axes: ${plane.axes}.`, () => contour(plane.train, 'train'));
  if (plane?.test && isSeen(plane.test)) { const { test } = plane; draw('plane-test', 'The same plane, test loss.', () => contour(test, 'test')); }
  if (lines && lines.length > 0) {
    draw('lines', 'Loss along the top axes of the Hessian, to where the quadratic model of the training loss has risen by one.', () => lineProfiles(lines, { title: "Loss along the Hessian's top axes", xLabel: 'distance in parameter space' }));
  }
  if (costs.length > 0) draw('cost', 'Seconds and Hessian-vector products of each part.', () => costBars(costs, { title: 'What it cost' }));
  return figures;
}
