/** The tangent kernel at the trained parameters, and how far training has moved it. @module */
import { empiricalNtk, kernelDistance, maximalLearningRate, targetAlignment, type EmpiricalKernel } from '../kernels/index.ts';
import { subset } from '../data/index.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { rounded } from '../problem/index.ts';
import { key, split as splitKey } from '../util/random/index.ts';
import type { KernelRecord } from './record.ts';
import type { Stage, StageContext } from './stage.ts';

/** Largest eigenvalues that are written down. */
const LISTED = 20;

/** Empirical neural tangent kernel, its spectrum and what follows from it. */
export const kernelStage: Stage = {
  name: 'kernel',
  title: 'empirical neural tangent kernel',
  // Two kernels; one costs about as much as a gradient of every output of every example.
  work: ({ settings: { kernelExamples }, sample, dataset }) => ({ products: (2 * kernelExamples * (dataset.classes?.length ?? 1)) / sample.size, programs: 2 }),
  async run(context, report) {
    const { problem, point, sample, settings, executor, signal, seed } = context;
    const examples = subset(sample, Math.min(settings.kernelExamples, sample.size), seed);
    const kernelAt = (at: typeof point, part: number): Promise<EmpiricalKernel> =>
      empiricalNtk(problem, at, examples.inputs, undefined, { executor, signal, onProgress: ({ done, total }) => report(part * total + done, 2 * total, 'blocks') });
    const kernel = await kernelAt(point, 0);
    const initial = problem.model.init(splitKey(key(seed), 'init'));
    const before = context.isTrained ? await kernelAt({ params: initial.params, state: initial.state }, 1) : undefined;
    return { kernel: recordOf(context, kernel, examples.targets.data, before) };
  },
};

function recordOf({ dataset }: StageContext, kernel: EmpiricalKernel, targets: ArrayLike<number>, before: EmpiricalKernel | undefined): KernelRecord {
  const [examples] = kernel.shape;
  const eigenvalues = Array.from(symmetricEigen(kernel.values, examples).values).reverse();
  const largest = eigenvalues[0];
  // Rounding of the entries moves an eigenvalue by at most the norm of the change.
  const error = kernel.rounding * trace(kernel);
  const classes = dataset.classes?.length;
  const oneHot = classes !== undefined && targets.length === examples ? Float64Array.from({ length: examples * classes }, (_, i) => (targets[Math.floor(i / classes)] === i % classes ? 1 : 0)) : Float64Array.from(targets);
  const total = eigenvalues.reduce((sum, value) => sum + Math.max(0, value), 0);
  const entropy = eigenvalues.reduce((sum, value) => (value > 0 ? sum - (value / total) * Math.log(value / total) : sum), 0);
  return {
    examples, implementation: kernel.implementation, largest: rounded(largest, error), trace: rounded(trace(kernel), examples * error), effectiveRank: rounded(Math.exp(entropy), Math.exp(entropy) * kernel.rounding * examples),
    eigenvalues: eigenvalues.slice(0, LISTED), ...(isVaried(targets) && { targetAlignment: targetAlignment(kernel.values, oneHot, { centred: true, rounding: kernel.rounding }) }),
    maximalLearningRate: maximalLearningRate(kernel.values, examples), ...(before && { distanceFromStart: kernelDistance(before.values, kernel.values, { rounding: kernel.rounding }) }),
  };
}

/** Centring leaves nothing of targets that are all the same. */
const isVaried = (targets: ArrayLike<number>): boolean => Array.from(targets).some((target) => target !== targets[0]);

const trace = ({ values, shape: [n] }: EmpiricalKernel): number => Array.from({ length: n }, (_, i) => values[i * n + i]).reduce((sum, value) => sum + value, 0);
