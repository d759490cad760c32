/** Sections of the report on weights, features, sharpness and the tangent kernel. @module */
import { formatNumber, type ReportFigure, type ReportSection } from '../charts/index.ts';
import type { FeaturesRecord, KernelRecord, SharpnessRecord, SurveyRecord, WeightsRecord } from './record.ts';
import { percent, show } from './show.ts';

type FiguresNamed = (...names: string[]) => ReportFigure[];

/** The sections for which there are measurements. */
export function extraSections({ weights, features, sharpness, kernel }: SurveyRecord, figure: FiguresNamed): ReportSection[] {
  return [
    ...(sharpness && sharpness.length > 0 ? [sharpnessSection(sharpness)] : []), ...(kernel ? [kernelSection(kernel, figure)] : []),
    ...(weights ? [weightsSection(weights, figure)] : []), ...(features ? [featuresSection(features)] : []),
  ];
}

const sharpnessSection = (sharpness: readonly SharpnessRecord[]): ReportSection => ({
  id: 'sharpness', heading: 'Sharpness',
  text: 'How much the loss rises when the parameters move a little: to the worst place of a ball or box, or on average under noise. Worst cases are attained by ascent, so they are lower bounds of the true maximum.\n\nMost of these numbers change when the layers of a ReLU network are rescaled although the function stays the same; only those marked invariant may be compared between networks of different scale.',
  tables: [{ columns: ['measure', 'value', 'kind of error', 'under rescaling of layers'], rows: sharpness.map(({ name, value, rescaling }) => [name, show(value), value.kind, rescaling]) }],
});

const kernelSection = ({ examples, largest, trace, effectiveRank, targetAlignment, maximalLearningRate, distanceFromStart, implementation }: KernelRecord, figure: FiguresNamed): ReportSection => ({
  id: 'kernel', heading: 'Tangent kernel',
  text: `The empirical neural tangent kernel says how a gradient step on one example moves the output of another: here on ${examples} training examples, averaged over the outputs. Its large eigenvalues belong to what gradient descent learns first.\n\nAlignment compares it with the kernel of the targets: 1 would mean that the kernel already knows the task. The distance from its start says how much training changed it: near 0 is the lazy regime, where the network behaves like its linearisation.`,
  figures: figure('kernel'),
  tables: [{
    caption: `Computed by ${implementation}.`, columns: ['measurement', 'value', 'kind of error'],
    rows: [
      ['largest eigenvalue', show(largest), largest.kind], ['trace', show(trace), trace.kind], ['effective rank', show(effectiveRank), effectiveRank.kind],
      ...(targetAlignment ? [['alignment with the targets, centred', show(targetAlignment), targetAlignment.kind]] : []), ['largest stable learning rate (squared error)', show(maximalLearningRate), maximalLearningRate.kind],
      ...(distanceFromStart ? [['distance from the kernel before training', show(distanceFromStart), distanceFromStart.kind]] : []),
    ],
  }],
});

const weightsSection = ({ diagnosis, layers, skipped }: WeightsRecord, figure: FiguresNamed): ReportSection => ({
  id: 'weights', heading: 'Weight spectra',
  text: `Eigenvalues of W'W for each weight matrix, and the power law that fits their tail best. Exponents between 2 and 6 are what well-trained layers of large networks show; a status other than fitted means that there is no exponent to speak of.\n\n${diagnosis}`,
  figures: figure('weights'),
  tables: [{
    caption: 'Errors of exponents are standard errors of the fit with the tail taken as known. Spikes are eigenvalues above the edge of a random bulk.',
    columns: ['matrix', 'size', 'status', 'alpha', 'alpha-hat', 'stable rank', 'spikes'],
    rows: layers.map(({ name, form, rows, columns, status, alpha, alphaHat, stableRank, spikes }) =>
      [form === 'matrix' ? name : `${name} (${form})`, `${rows} x ${columns}`, status, alpha ? show(alpha) : '—', alphaHat === undefined ? '—' : formatNumber(alphaHat), formatNumber(stableRank), spikes === undefined ? '—' : String(spikes)]),
    links: layers.map(({ name }) => `layer ${name.replace(/\.(weight|kernel)$/, '')}`),
  }, ...(skipped.length > 0 ? [{ caption: 'Matrices left out.', columns: ['matrix', 'reason'], rows: skipped.map(({ name, reason }) => [name, reason]) }] : [])],
});

const featuresSection = ({ examples, size, rankMe, decay, participationRatio, collapse, probe }: FeaturesRecord): ReportSection => ({
  id: 'features', heading: 'Features before the last layer',
  text: `The ${size} numbers that the last layer reads, on ${examples.toLocaleString('en')} training examples. Late in training, classifiers collapse them: examples of a class gather at their mean (NC1 falls to 0), and the means stand at equal lengths and equal, largest angles (NC2).\n\nThe ranks say how many directions the features really use; the linear probe says how well a new linear layer on them would classify.`,
  tables: [{
    columns: ['measurement', 'value', 'kind of error'],
    rows: [
      ['RankMe', show(rankMe), rankMe.kind], ['participation ratio', show(participationRatio), participationRatio.kind], ...(decay ? [['decay exponent of the spectrum', show(decay), decay.kind]] : []),
      ...(collapse ? [
        ['NC1: within-class over between-class variability', show(collapse.variability), collapse.variability.kind], ['NC2: variation of the lengths of class means', show(collapse.equinorm), collapse.equinorm.kind],
        ['NC2: variation of the angles', show(collapse.equiangular), collapse.equiangular.kind], ['NC2: distance from the largest angles', show(collapse.maximalAngle), collapse.maximalAngle.kind],
        ...(collapse.selfDuality ? [['NC3: distance of the classifier from the means', show(collapse.selfDuality), collapse.selfDuality.kind]] : []),
        ...(collapse.nearestMeanDisagreement ? [['NC4: disagreement with the nearest class mean', percent(collapse.nearestMeanDisagreement), collapse.nearestMeanDisagreement.kind]] : []),
      ] : []),
      ...(probe ? [['linear probe, training accuracy', percent(probe.trainAccuracy), probe.trainAccuracy.kind], ...(probe.testAccuracy ? [['linear probe, test accuracy', percent(probe.testAccuracy), probe.testAccuracy.kind]] : [])] : []),
    ],
  }],
});
