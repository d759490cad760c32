/** The parts of a survey that measure derivatives: gradient, eigenvalues, trace, density, layers. @module */
import { gradientNoise, hessian, hutchinsonTrace, spectralDensity, subsamplingErrors, topEigenpairs, traceSubsamplingError, type EstimatorOptions, type LinearOperator, type SubsamplingOptions } from '../curvature/index.ts';
import { takeRows } from '../data/index.ts';
import { bounded, interval, layerOf, ParameterSpace, type Measurement } from '../problem/index.ts';
import { key, permutation, split } from '../util/random/index.ts';
import type { LayerRecord } from './record.ts';
import type { Stage, StageContext } from './stage.ts';

type Report = (done: number, total: number, note?: string) => void;

const plain = ({ value, error, kind, samples }: Measurement): Measurement => ({ value, error, kind, ...(samples !== undefined && { samples }) });

const estimatorOptions = ({ seed, signal }: StageContext, name: string, report: Report, note: string): EstimatorOptions =>
  ({ key: split(key(seed), 'survey', name), signal, onProgress: ({ done, total }) => report(done, total, note) });

/** Runs `measure` on the Hessian of the sampled loss, or of a block of it, and releases it. */
async function withHessian<T>({ problem, point, sample, executor }: StageContext, parameters: readonly string[] | undefined, measure: (operator: LinearOperator) => Promise<T>, check = false): Promise<T> {
  const operator = hessian(problem, point, { data: sample, executor, parameters, check });
  try { return await measure(operator); } finally { await operator.dispose(); }
}

/** Where the sample is a part of the training split: how to ask what the rest might have changed. A fixed shuffle, since the sample keeps the split's order. */
function beyondSample({ problem, sample, executor, seed }: StageContext): SubsamplingOptions | undefined {
  if (sample.size >= problem.train.size) return undefined;
  const shuffled = takeRows(sample, permutation(split(key(seed), 'survey', 'groups'), sample.size));
  return { data: shuffled, population: problem.train.size, ...(executor && { executor }) };
}
/** Random vectors behind the trace's error by sub-sampling. */
const SAMPLING_PROBES = 8;

/** Eigenvectors that the landscape's parts look along: no more are kept. */
const DIRECTIONS = 3;
/** Bytes of a probe's Lanczos vectors: of larger models the density takes fewer steps. */
const DENSITY_BYTES = 2 ** 30;
const densityStepsOf = (wanted: number, size: number, precision: 'float32' | 'float64'): number =>
  Math.max(2, Math.min(wanted, size, Math.floor(DENSITY_BYTES / ((precision === 'float32' ? 4 : 8) * size))));

/** Products that an extreme eigenvalue takes when several are searched: 108 for eleven, in trained networks on MNIST. */
const PRODUCTS_PER_EIGENVALUE = 10;

/** Norm of the full gradient and the gradient noise scale. */
export const gradientStage: Stage = {
  name: 'gradient',
  title: 'gradient norm and noise scale',
  work: () => ({ products: 0.5, programs: 1 }),
  async run({ problem, point, sample, executor }, report) {
    const noise = await gradientNoise(problem, point, { data: sample, executor, onProgress: ({ done, total }) => report(done, total, 'groups') });
    // Near a minimum the noise can hide the mean gradient altogether; then the data only bound the scale from below.
    const least = interval(noise.covarianceTrace)[0] / Math.max(Number.MIN_VALUE, interval(noise.squaredNorm)[1]);
    return { gradientNorm: plain(noise.norm), gradientNoiseScale: { ...plain(noise.noiseScale), atLeast: Math.max(0, least) } };
  },
};

/** Largest eigenvalues and the smallest, each with its residual bound. */
export const eigenvaluesStage: Stage = {
  name: 'eigenvalues',
  title: 'extreme eigenvalues by Lanczos',
  work: ({ settings: { eigenvalues, maxProducts } }) => ({ products: Math.min(maxProducts, PRODUCTS_PER_EIGENVALUE * (eigenvalues + 1)) + eigenvalues, programs: 3 }),
  run: (context, report) => withHessian(context, undefined, async (operator) => {
    const { eigenvalues, tolerance, maxProducts } = context.settings;
    const pairs = await topEigenpairs(operator, { ...estimatorOptions(context, 'eigenvalues', report, 'products'), largest: Math.min(eigenvalues, operator.size), smallest: 1, tolerance, maxProducts });
    context.topDirections = pairs.largest.slice(0, DIRECTIONS).map(({ value, vector }) => ({ value, vector }));
    const beyond = context.signal?.aborted === true ? undefined : beyondSample(context);
    const sampling = beyond && await subsamplingErrors(context.problem, context.point, pairs.largest.map(({ vector }) => vector), beyond);
    return {
      eigenvalues: {
        largest: pairs.largest.map(plain), smallest: pairs.smallest.map(plain), ratio: ratioOf(pairs.largest[0], pairs.smallest[0]), stopped: pairs.stopped,
        ...(sampling && { sampling: sampling.forms.map(plain) }),
      },
      products: pairs.cost.products + (sampling?.cost.products ?? 0),
    };
  }, true),
};

/** Quotient of two bounded numbers with the bound that follows; infinite where the divisor may be zero. */
function ratioOf(a: Measurement, b: Measurement): Measurement {
  const least = Math.abs(b.value) - b.error;
  return bounded(a.value / b.value, least > 0 ? (a.error + Math.abs(a.value / b.value) * b.error) / least : Infinity);
}

/** Hutchinson's estimate of the trace, whose probes also give every layer's share. */
export const traceStage: Stage = {
  name: 'trace',
  title: 'trace, whole and by layer',
  work: ({ settings: { traceProbes } }) => ({ products: traceProbes + SAMPLING_PROBES, programs: 2 }),
  run: (context, report) => withHessian(context, undefined, async (operator) => {
    const groups = operator.space!.groups('layer');
    const trace = await hutchinsonTrace(operator, { ...estimatorOptions(context, 'trace', report, 'probes'), probes: context.settings.traceProbes, groups });
    context.layerTraces = new Map(groups.map(({ name }) => [name, plain(trace.groups[name])]));
    const beyond = context.signal?.aborted === true ? undefined : beyondSample(context);
    const sampling = beyond && await traceSubsamplingError(context.problem, context.point, { ...beyond, probes: SAMPLING_PROBES, key: split(key(context.seed), 'survey', 'trace', 'sampling') });
    return { trace: plain(trace), ...(sampling && { traceSampling: plain(sampling) }), products: trace.cost.products + (sampling?.cost.products ?? 0), layers: layersOf(context) };
  }),
};

/** What is known of each layer so far. */
function layersOf({ point, layerTraces, layerTops }: StageContext): LayerRecord[] {
  return new ParameterSpace(point.params).groups('layer').map(({ name, start, end }) => {
    const trace = layerTraces.get(name);
    const topEigenvalue = layerTops.get(name);
    return { name, parameters: end - start, ...(trace && { trace }), ...(topEigenvalue && { topEigenvalue }) };
  });
}

/** Spectral density by stochastic Lanczos quadrature. */
export const densityStage: Stage = {
  name: 'density',
  title: 'spectral density by Lanczos quadrature',
  work({ point, settings: { densityProbes, densitySteps } }) {
    const { size, dtype } = new ParameterSpace(point.params);
    return { products: densityProbes * densityStepsOf(densitySteps, size, dtype), programs: 2 };
  },
  run: (context, report) => withHessian(context, undefined, async (operator) => {
    const probes = context.settings.densityProbes;
    const steps = densityStepsOf(context.settings.densitySteps, operator.size, operator.precision);
    const density = await spectralDensity(operator, { ...estimatorOptions(context, 'density', report, 'products'), probes, steps });
    return {
      density: {
        grid: [...density.grid], density: [...density.density], standardError: [...density.standardError], probes: density.probes.length,
        steps, width: density.width,
      },
      products: density.cost.products,
    };
  }),
};

/** Relative residual asked for of a layer's top eigenvalue. */
const LAYER_TOLERANCE = 0.01;

/** Top eigenvalue of every layer's block; joins the traces measured before. */
export const layersStage: Stage = {
  name: 'layers',
  title: 'top eigenvalue of each layer',
  work({ point }) {
    const layers = new ParameterSpace(point.params).groups('layer').length;
    return { products: PRODUCTS_PER_EIGENVALUE * layers, programs: layers };
  },
  async run(context, report) {
    const space = new ParameterSpace(context.point.params);
    const groups = space.groups('layer');
    let products = 0;
    for (const [i, { name }] of groups.entries()) {
      if (context.signal?.aborted === true) break;
      report(i, groups.length, name);
      await withHessian(context, space.names.filter((parameter) => layerOf(parameter) === name), async (operator) => {
        const options = { key: split(key(context.seed), 'survey', 'layers', name), signal: context.signal };
        const pairs = await topEigenpairs(operator, { ...options, largest: 1, tolerance: LAYER_TOLERANCE, maxProducts: context.settings.maxProducts });
        context.layerTops.set(name, plain(pairs.largest[0]));
        products += pairs.cost.products;
      });
      report(i + 1, groups.length, name);
    }
    return { layers: layersOf(context), products };
  },
};
