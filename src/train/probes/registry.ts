/** Probes by name. @module */
import { ArgumentError } from '../../util/errors.ts';
import { flag, nonNegative, oneOf, option, parseOptions, positive, positiveInteger, type DescribedOption, type DescribedOptions, type OptionValues } from '../../util/options.ts';
import type { Probe } from '../probe.ts';
import { activations } from './activations.ts';
import { calibration } from './calibration.ts';
import { deadUnits } from './dead-units.ts';
import { directionalSharpness } from './directional-sharpness.ts';
import { distance } from './distance.ts';
import { accuracy, loss, predictionEntropy } from './evaluation.ts';
import { featureRank } from './feature-rank.ts';
import { gradientAlignment } from './gradient-alignment.ts';
import { gradientCosine } from './gradient-cosine.ts';
import { gradientNoise } from './gradient-noise.ts';
import { gradientNorm } from './gradient-norm.ts';
import { hessianTrace } from './hessian-trace.ts';
import { kernelEigenvalue } from './kernel-eigenvalue.ts';
import { neuralCollapse } from './neural-collapse.ts';
import { preconditionedSharpness } from './preconditioned-sharpness.ts';
import { samSharpness } from './sam-sharpness.ts';
import { sharpness } from './sharpness.ts';
import { tangentKernel } from './tangent-kernel.ts';
import { topEigenvalues } from './top-eigenvalues.ts';
import { updateRatio } from './update-ratio.ts';
import { weightRank } from './weight-rank.ts';

/** A probe that can be had by name. */
export interface ProbeEntry<K extends DescribedOptions = DescribedOptions> {
  /** One line for lists. */
  readonly description: string;
  /** The columns it adds to the table; LAYER, NAME and K stand for what there is. */
  readonly columns: readonly string[];
  /** What a measurement costs, in words. */
  readonly cost: string;
  /** Its page in docs/probes, without the extension. */
  readonly page: string;
  /** Every probe has `every`. */
  readonly options: K;
  make(values: OptionValues<K>): Probe;
}

const entry = <const K extends DescribedOptions & { readonly every: DescribedOption<number> }>(described: ProbeEntry<K>): ProbeEntry<K> => described;
const every = (steps: number): DescribedOption<number> => option(positiveInteger, 'steps between measurements', steps);
const samples = (most?: number): DescribedOption<number> => option(positiveInteger, 'the first so many examples; default all of the split', most);
const split = option(oneOf(['train', 'test']), 'whose examples', 'train');
const tolerance = (standard: number): DescribedOption<number> => option(positive, 'residual norm relative to the eigenvalue', standard);
const evaluation = { every: every(100), samples: samples(), split: option(oneOf(['train', 'test', 'both']), 'whose examples', 'both'), at: option(oneOf(['answer', 'params']), 'at the averages where the optimizer gives any, or at the parameters it steps from', 'answer') };

/** All probes, in alphabetical order. */
export const probes = {
  accuracy: entry({
    description: 'share of examples answered right', columns: ['accuracy.train', 'accuracy.test'], cost: 'a forward pass over the examples', page: 'evaluation',
    options: evaluation, make: accuracy,
  }),
  activations: entry({
    description: 'mean, standard deviation and saturation of each layer\'s units', columns: ['activations.LAYER.mean', 'activations.LAYER.std', 'activations.LAYER.saturation'],
    cost: 'a forward pass over the examples and a tangent pass through the nonlinearities', page: 'activations',
    options: { every: every(100), samples: samples(500), split, slope: option(positive, 'a unit is saturated below this slope of its nonlinearity', 0.05) }, make: activations,
  }),
  calibration: entry({
    description: 'expected calibration error of the largest probability (Guo et al. 2017)', columns: ['calibration', 'calibration.overconfidence'], cost: 'a forward pass over the examples', page: 'predictions',
    options: { every: every(100), samples: samples(), split: option(oneOf(['train', 'test']), 'whose examples', 'test'), at: evaluation.at, bins: option(positiveInteger, 'bins of equal width', 15) }, make: calibration,
  }),
  'dead-units': entry({
    description: 'share of units that no example wakes', columns: ['dead-units', 'dead-units.LAYER'], cost: 'a forward pass over the examples', page: 'activations',
    options: { every: every(100), samples: samples(1000), split, threshold: option(nonNegative, 'dead below this part of the layer\'s mean activation', 0) }, make: deadUnits,
  }),
  'directional-sharpness': entry({
    description: 'curvature of the batch loss along the gradient and along the step', columns: ['directional-sharpness.gradient', 'directional-sharpness.update'], cost: 'two Hessian-vector products on the batch', page: 'sharpness',
    options: { every: every(10) }, make: directionalSharpness,
  }),
  distance: entry({
    description: 'distance from the start, and length of the path', columns: ['distance.start', 'distance.path'], cost: 'a few additions a parameter, at every step', page: 'motion',
    options: { every: every(1) }, make: distance,
  }),
  'feature-rank': entry({
    description: 'RankMe, spectral decay and participation ratio of the penultimate features', columns: ['feature-rank.rankme', 'feature-rank.decay', 'feature-rank.participation'],
    cost: 'a forward pass over the examples and 22 eigenvalue problems of the features\' size', page: 'features', options: { every: every(200), samples: samples(2000), split }, make: featureRank,
  }),
  'gradient-alignment': entry({
    description: 'cosine of the gradient with the Hessian\'s top eigenvector, share in the top ones', columns: ['gradient-alignment', 'gradient-alignment.share'], cost: 'that of sharpness and a gradient', page: 'sharpness',
    options: { every: every(20), samples: samples(), split, tolerance: tolerance(1e-3), count: option(positiveInteger, 'eigenvectors whose span the share is of', 1) }, make: gradientAlignment,
  }),
  'gradient-cosine': entry({
    description: 'cosine of the batch gradients of successive steps', columns: ['gradient-cosine'], cost: 'a few operations a parameter, at every step', page: 'gradients', options: { every: every(1) }, make: gradientCosine,
  }),
  'gradient-noise': entry({
    description: 'gradient noise scale, with its covariance trace and squared norm', columns: ['gradient-noise', 'gradient-noise.covariance-trace', 'gradient-noise.squared-norm'],
    cost: 'a gradient over the examples; groups x parameters numbers meanwhile', page: 'gradients', options: { every: every(100), samples: samples(2000), split, groups: option(positiveInteger, 'groups of examples behind the errors', 50) }, make: gradientNoise,
  }),
  'gradient-norm': entry({
    description: 'norm of the batch gradient', columns: ['gradient-norm', 'gradient-norm.LAYER'], cost: 'a few operations a parameter', page: 'gradients',
    options: { every: every(1), layers: option(flag, 'one number a layer besides', false) }, make: gradientNorm,
  }),
  'hessian-trace': entry({
    description: 'trace of the Hessian by random vectors', columns: ['hessian-trace'], cost: '`vectors` Hessian-vector products over the examples', page: 'hessian-spectrum',
    options: { every: every(100), samples: samples(), split, vectors: option(positiveInteger, 'random vectors', 16) }, make: hessianTrace,
  }),
  'kernel-eigenvalue': entry({
    description: 'largest eigenvalue of the empirical tangent kernel', columns: ['kernel-eigenvalue'], cost: 'the kernel: (examples x outputs)^2 entries', page: 'tangent-kernel',
    options: { every: every(100), samples: samples(64), split, outputs: option(oneOf(['full', 'mean']), 'all pairs of outputs, or their mean', 'full') }, make: kernelEigenvalue,
  }),
  loss: entry({
    description: 'mean loss over whole splits', columns: ['loss.train', 'loss.test'], cost: 'a forward pass over the examples', page: 'evaluation', options: evaluation, make: loss,
  }),
  'neural-collapse': entry({
    description: 'neural collapse NC1 to NC4 of the penultimate features', columns: ['neural-collapse.nc1', 'neural-collapse.nc2-equinorm', 'neural-collapse.nc2-equiangular', 'neural-collapse.nc2-angle', 'neural-collapse.nc3', 'neural-collapse.nc4'],
    cost: 'a forward pass over the examples; examples x size^2 multiplications on the host', page: 'features', options: { every: every(200), samples: samples(2000), split }, make: neuralCollapse,
  }),
  'preconditioned-sharpness': entry({
    description: 'largest eigenvalue of P^-1 H, P the optimizer\'s diagonal preconditioner', columns: ['preconditioned-sharpness'], cost: 'that of sharpness', page: 'sharpness',
    options: { every: every(20), samples: samples(), split, tolerance: tolerance(1e-3) }, make: preconditionedSharpness,
  }),
  'prediction-entropy': entry({
    description: 'mean entropy of the predicted distributions, in nats', columns: ['prediction-entropy.train', 'prediction-entropy.test'], cost: 'a forward pass over the examples', page: 'predictions', options: evaluation, make: predictionEntropy,
  }),
  'sam-sharpness': entry({
    description: 'rise of the batch loss one step of length rho up the gradient', columns: ['sam-sharpness'], cost: 'a forward pass on the batch', page: 'sharpness',
    options: { every: every(1), radius: option(positive, 'rho, the length of the step', 0.05) }, make: samSharpness,
  }),
  sharpness: entry({
    description: 'largest eigenvalue of the Hessian', columns: ['sharpness'], cost: 'about 10 Hessian-vector products over the examples', page: 'sharpness',
    options: { every: every(20), samples: samples(), split, tolerance: tolerance(1e-3) }, make: sharpness,
  }),
  'tangent-kernel': entry({
    description: 'velocity of the tangent kernel, distance from its start, alignment with the targets', columns: ['tangent-kernel.velocity', 'tangent-kernel.distance', 'tangent-kernel.alignment'], cost: 'the kernel: examples^2 entries, summed over outputs', page: 'tangent-kernel',
    options: { every: every(100), samples: samples(100), split }, make: tangentKernel,
  }),
  'top-eigenvalues': entry({
    description: 'the largest eigenvalues of the Hessian', columns: ['top-eigenvalues.K'], cost: 'some 3 Hessian-vector products an eigenvalue, at least 10', page: 'hessian-spectrum',
    options: { every: every(100), samples: samples(), split, tolerance: tolerance(1e-2), count: option(positiveInteger, 'how many', 5) }, make: topEigenvalues,
  }),
  'update-ratio': entry({
    description: 'length of each layer\'s step relative to its weights', columns: ['update-ratio.LAYER'], cost: 'a few operations a parameter', page: 'motion', options: { every: every(1) }, make: updateRatio,
  }),
  'weight-rank': entry({
    description: 'effective rank of each weight matrix', columns: ['weight-rank.NAME'], cost: 'a Gram matrix and its eigenvalues a matrix', page: 'weight-rank', options: { every: every(200) }, make: weightRank,
  }),
} as const satisfies Readonly<Record<string, ProbeEntry>>;

/** Names that a probe's text may start with. */
export type ProbeName = keyof typeof probes;

/**
 * A probe from a text: a name and, after a colon, options separated by commas, such as `sharpness`, `sharpness:20` (a number alone is
 * `every`) or `sharpness:every=20,samples=1000`.
 * @throws ArgumentError naming the part that is wrong, and the names there are.
 */
export function probeNamed(text: string): Probe {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!Object.hasOwn(probes, name)) throw new ArgumentError({ operation: 'probeNamed', required: `the probe must be one of ${Object.keys(probes).join(', ')}`, received: `'${text}'` });
  const { options, make } = probes[name as ProbeName] as ProbeEntry;
  return make(parseOptions(`probe ${name}`, colon < 0 ? '' : text.slice(colon + 1), options, 'every'));
}
