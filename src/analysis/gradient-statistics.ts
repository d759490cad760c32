/** What the gradients of single examples say: noise tests, signal to noise, batch size and stopping rules. @module */
import { bytesPerElement, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { noiseStatistics, type GradientNoise } from '../curvature/index.ts';
import { addScaled, dot } from '../curvature/basis.ts';
import { subset, type Split } from '../data/index.ts';
import { reshape, sum } from '../ops/index.ts';
import {
  chunkedSum, examplesOf, gradientSum, losses, ParameterSpace, pointOf, type ChunkOptions, type Cost, type Examples, type Measurement, type ParameterFilter, type Point, type PointTensors, type Problem,
} from '../problem/index.ts';
import { grad, vmap } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** Settings of the statistics. */
export interface StatisticsSettings {
  /** Learning rate in CABS. Default 1. */
  readonly learningRate?: number;
  /** Added to variances in the signal-to-noise ratio and the stopping rule. Default 1e-5, as in Cockpit. */
  readonly epsilon?: number;
  /** Trace and diagonal of a curvature matrix of the mean loss: without them there is no TIC. */
  readonly curvature?: { readonly trace?: number; readonly diagonal?: ArrayLike<number> };
}

/**
 * Statistics of the gradients g_i of B examples, g their mean; formulas as in Cockpit (Schneider, Dangel, Hennig 2021). Each value is
 * that of this batch; its standard error says how far another batch of the size would differ: the jackknife's over groups.
 */
export interface GradientStatistics {
  /** Norm test (Byrd et al. 2012): sqrt(var / (B |g|^2)), the least theta with which the test passes. */
  readonly normTest: Measurement;
  /** Inner product test (Bollapragada, Byrd, Nocedal 2017): sqrt(var(g_i' g) / (B |g|^4)). */
  readonly innerProductTest: Measurement;
  /** Orthogonality test (the same): sqrt(var of the parts orthogonal to g / (B |g|^2)). */
  readonly orthogonalityTest: Measurement;
  /** Mean over coordinates of g^2 / (mean g_i^2 - g^2 + epsilon) (Liu et al. 2020). */
  readonly signalToNoise: Measurement;
  /** 1 - B mean(g^2 / (var + epsilon)) (Mahsereci, Balles, Lassner, Hennig 2017): above 0, the gradient is indistinguishable from noise: stop. */
  readonly earlyStopping: Measurement;
  /** CABS (Balles, Romero, Hennig 2017): learning rate * sum(sum g_i^2 - B g^2) / (B loss): the batch size to take. */
  readonly batchSize: Measurement;
  /** Takeuchi information criterion by traces (Thomas et al. 2019): mean |g_i|^2 / (tr C + 1e-7); absent without curvature. */
  readonly informationTrace?: Measurement;
  /** The same by coordinates: sum of mean g_i^2 / (C_jj + 1e-7). */
  readonly informationDiagonal?: Measurement;
  /** The simple noise scale of `gradientNoise`, from the same groups. */
  readonly noise: Pick<GradientNoise, 'squaredNorm' | 'covarianceTrace' | 'noiseScale'>;
  readonly loss: number;
  /** Mean gradient, [parameters]. */
  readonly gradient: Float64Array;
  readonly examples: number;
  readonly groups: number;
}

const CURVATURE_EPSILON = 1e-7;
const BUDGET = 512 * 2 ** 20;
/** The part of the budget that the gradients of a chunk may take, and how many examples are few. */
const WORKING_SHARE = 1 / 16;
const FEW = 64;

/** Sums over the examples of a group: all that the statistics need. */
interface GroupSums {
  count: number;
  loss: number;
  /** Sum of g_i, known before the single gradients come. */
  readonly gradient: Float64Array;
  /** Sum of g_i^2 by coordinate. */
  readonly squares: Float64Array;
  /** Sum over the group's examples of (g_i' s_k) (g_i' s_l) for the gradient sums s of all groups, [groups, groups]. */
  readonly products: Float64Array;
}

/** Collects single gradients group by group. */
class Collector {
  readonly groups: readonly GroupSums[];
  constructor(sums: readonly Float64Array[]) {
    this.groups = sums.map((gradient) => ({ count: 0, loss: 0, gradient, squares: new Float64Array(gradient.length), products: new Float64Array(sums.length ** 2) }));
  }

  add(group: number, example: Float64Array): void {
    const { squares, products } = this.groups[group];
    for (let j = 0; j < example.length; j++) squares[j] += example[j] * example[j];
    const along = this.groups.map(({ gradient }) => dot(example, gradient));
    along.forEach((x, k) => along.forEach((y, l) => { products[k * along.length + l] += x * y; }));
    this.groups[group].count++;
  }
}

type Values = Record<'normTest' | 'innerProductTest' | 'orthogonalityTest' | 'signalToNoise' | 'earlyStopping' | 'batchSize' | 'informationTrace' | 'informationDiagonal', number>;

/** All statistics of the examples outside of one group (-1: of all), as of a batch of `batch` examples. */
function valuesOf(groups: readonly GroupSums[], left: number, batch: number, settings: StatisticsSettings): Values {
  const { learningRate = 1, epsilon = 1e-5, curvature = {} } = settings;
  const used = groups.filter((_, k) => k !== left);
  const n = used.reduce((total, { count }) => total + count, 0);
  const loss = used.reduce((total, group) => total + group.loss, 0) / n;
  const mean = new Float64Array(groups[0].gradient.length);
  const second = new Float64Array(mean.length);
  for (const { gradient, squares } of used) { addScaled(mean, 1 / n, gradient); addScaled(second, 1 / n, squares); }
  const size = dot(mean, mean);
  const secondMoment = second.reduce((total, x) => total + x, 0);
  // Sum of (g_i' g)^2: g is the sum of the used groups' sums, divided by n.
  let projected = 0;
  for (const { products } of used) groups.forEach((_, k) => groups.forEach((__, l) => { if (k !== left && l !== left) projected += products[k * groups.length + l] / n ** 2; }));
  const variance = (n * (secondMoment - size)) / (n - 1);
  const along = (projected - n * size ** 2) / (n - 1);
  const across = (n * secondMoment - projected / size) / (n - 1);
  const root = (x: number): number => Math.sqrt(Math.max(0, x));
  const average = (of: (j: number) => number): number => { let total = 0; for (let j = 0; j < mean.length; j++) total += of(j); return total / mean.length; };
  return {
    normTest: root(variance / (batch * size)), innerProductTest: root(along / (batch * size ** 2)), orthogonalityTest: root(across / (batch * size)),
    signalToNoise: average((j) => mean[j] ** 2 / (second[j] - mean[j] ** 2 + epsilon)),
    earlyStopping: 1 - batch * average((j) => mean[j] ** 2 / ((n * (second[j] - mean[j] ** 2)) / (n - 1) + epsilon)),
    // The factor (n - 1) / n of the definition's variance is that of the whole batch.
    batchSize: (learningRate * variance * (batch - 1)) / (batch * loss),
    informationTrace: curvature.trace === undefined ? NaN : secondMoment / (curvature.trace + CURVATURE_EPSILON),
    informationDiagonal: curvature.diagonal === undefined ? NaN : mean.length * average((j) => second[j] / (curvature.diagonal![j] + CURVATURE_EPSILON)),
  };
}

function statisticsOf(groups: readonly GroupSums[], settings: StatisticsSettings): GradientStatistics {
  const examples = groups.reduce((total, { count }) => total + count, 0);
  const { diagonal } = settings.curvature ?? {};
  const [{ gradient: first }] = groups;
  if (diagonal !== undefined && diagonal.length !== first.length) throw new ShapeError({ operation: 'gradientStatistics', required: `curvature.diagonal must have ${first.length} entries`, received: String(diagonal.length) });
  const whole = valuesOf(groups, -1, examples, settings);
  const without = groups.length > 2 ? groups.map((_, k) => valuesOf(groups, k, examples, settings)) : [];
  const measured = (name: keyof Values): Measurement => {
    const centre = without.reduce((total, values) => total + values[name] / without.length, 0);
    const squares = without.reduce((total, values) => total + (values[name] - centre) ** 2, 0);
    return { value: whole[name], error: without.length === 0 ? NaN : Math.sqrt(((without.length - 1) / without.length) * squares), kind: 'standard error', samples: groups.length };
  };
  const gradient = new Float64Array(first.length);
  for (const group of groups) addScaled(gradient, 1 / examples, group.gradient);
  return {
    normTest: measured('normTest'), innerProductTest: measured('innerProductTest'), orthogonalityTest: measured('orthogonalityTest'),
    signalToNoise: measured('signalToNoise'), earlyStopping: measured('earlyStopping'), batchSize: measured('batchSize'),
    ...(settings.curvature?.trace !== undefined && { informationTrace: measured('informationTrace') }),
    ...(diagonal !== undefined && { informationDiagonal: measured('informationDiagonal') }),
    noise: noiseStatistics(groups.map((group) => group.gradient.map((x) => x / group.count)), groups[0].count),
    loss: groups.reduce((total, group) => total + group.loss, 0) / examples, gradient, examples, groups: groups.length,
  };
}

/**
 * The statistics of given gradients of single examples [examples][parameters], unscaled (not divided by the batch size), and of
 * their losses (or the mean loss: then taken as known in the error of `batchSize`). `groups` (default: at most 10) are runs of
 * examples for the jackknife.
 * @throws ArgumentError for fewer than two examples or groups; ShapeError when gradients differ in length.
 */
export function gradientStatistics(examples: readonly Float64Array[], loss: number | ArrayLike<number>, settings: StatisticsSettings & { readonly groups?: number } = {}): GradientStatistics {
  const lossOf = (i: number): number => requireNumber('gradientStatistics', 'loss', typeof loss === 'number' ? loss : loss[i]);
  if (examples.length < 2) throw new ArgumentError({ operation: 'gradientStatistics', required: 'at least two examples', received: String(examples.length) });
  const odd = examples.find((example) => example.length !== examples[0].length);
  if (odd !== undefined) throw new ShapeError({ operation: 'gradientStatistics', required: `all gradients must have ${examples[0].length} entries`, received: String(odd.length) });
  const groupOf = cutInto(examples.length, requireInteger('gradientStatistics', 'groups', settings.groups ?? Math.min(10, examples.length), 2, examples.length));
  const sums: Float64Array[] = [];
  examples.forEach((example, i) => addScaled(sums[groupOf(i)] ??= new Float64Array(example.length), 1, example));
  const collector = new Collector(sums);
  examples.forEach((example, i) => {
    collector.add(groupOf(i), example);
    collector.groups[groupOf(i)].loss += lossOf(i);
  });
  return statisticsOf(collector.groups, settings);
}

/** Groups of equal size in the order of the examples; what is left over belongs to the last. */
function cutInto(examples: number, groups: number): (example: number) => number {
  const size = Math.floor(examples / groups);
  return (example) => Math.min(groups - 1, Math.floor(example / size));
}

/** Which examples and parameters, in what memory. */
export interface ExampleGradientOptions extends ChunkOptions {
  /** Gradients with respect to these parameters only. Default: all. */
  readonly parameters?: ParameterFilter;
  /** The examples; default: the problem's training split. */
  readonly data?: Split;
  /** The first so many examples of the split; default all. */
  readonly samples?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Calls `visit` with the gradient of each example's loss, [parameters], in order. Examples are differentiated side by side, so many
 * at a time as `chunk` says or the memory budget holds (the chunk's gradients are part of its working set); the vector is
 * overwritten after each visit. Model in eval mode. Cost: one gradient over the data.
 */
export async function eachExampleGradient<P, State>(problem: Problem<P, State>, point: Point<P, State>, visit: (gradient: Float64Array, example: number) => void, options: ExampleGradientOptions = {}): Promise<void> {
  const { parameters, data = problem.train, samples = data.size, signal, onProgress, executor, chunk, memoryBudget = BUDGET } = options;
  const space = new ParameterSpace(point.params, parameters);
  const split = subset(data, samples);
  const alone = (x: Tensor): Tensor => reshape(x, [1, ...x.shape]);
  const each = ({ params, state }: PointTensors<P, State>, { inputs, targets }: Examples): Tensor[] => vmap(
    (input: Tensor, target: Tensor) => grad((chosen: Tensor[]) => sum(losses(problem, space.replace(params, chosen) as P, state, { inputs: alone(input), targets: alone(target) })))(space.pick<Tensor>(params)),
  )(inputs, targets);
  // Where a chunk's gradients are what fills the memory, they set its size.
  const affordable = Math.floor((memoryBudget * WORKING_SHARE) / (bytesPerElement(space.dtype) * space.size));
  const total = chunkedSum<PointTensors<P, State>, Examples, [], Tensor[]>(each, pointOf(point), examplesOf(split, space.dtype), { executor, chunk: chunk ?? (affordable < FEW ? Math.max(1, affordable) : undefined), memoryBudget, bind: false, name: `gradients of the examples of ${problem.name}` });
  const gradient = new Float64Array(space.size);
  try {
    await total.each([], (leaves, { start, count }) => {
      signal?.throwIfAborted();
      for (let row = 0; row < count; row++) {
        space.ranges.forEach(({ offset, size }, i) => gradient.set((leaves as NDArray[])[i].data.subarray(row * size, (row + 1) * size), offset));
        visit(gradient, start + row);
      }
      onProgress?.(start + count, split.size);
    });
  } finally {
    await total.dispose();
  }
}

/** Options of `measureGradientStatistics`. */
export interface GradientStatisticsOptions extends ExampleGradientOptions, StatisticsSettings {
  /** Groups for the standard errors; default 10, fewer where their sums (16 bytes a parameter each) would fill the memory budget. */
  readonly groups?: number;
}

/** Gradient statistics of a problem with what they cost. */
export interface ProblemGradientStatistics extends GradientStatistics {
  readonly space: ParameterSpace;
  readonly cost: Cost;
}

/**
 * The gradient statistics of a problem's examples at a point: two passes, one for the groups' gradients, one for the single
 * ones, of which only a chunk is held at a time. Cost: two gradients over the data, and groups * parameters additions an example.
 * @throws ArgumentError for fewer than two examples or groups.
 */
export async function measureGradientStatistics<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: GradientStatisticsOptions = {}): Promise<ProblemGradientStatistics> {
  const start = performance.now();
  const { data = problem.train, samples = data.size, executor, memoryBudget = BUDGET, signal } = options;
  const split = subset(data, samples);
  const space = new ParameterSpace(point.params, options.parameters);
  const affordable = Math.max(3, Math.floor(memoryBudget / (16 * space.size)));
  const groups = requireInteger('measureGradientStatistics', 'groups', options.groups ?? Math.min(10, affordable, split.size), 2, split.size);
  const groupOf = cutInto(split.size, groups);
  const sums = Array.from({ length: groups }, () => new Float64Array(space.size));
  const groupLoss = new Float64Array(groups);
  // The last chunk, of what is left over, joins the last group.
  const totals = chunkedSum<PointTensors<P, State>, Examples, [Tensor[]], [Tensor, Tensor[]]>(
    gradientSum(problem, space), pointOf(point), examplesOf(split, space.dtype), { executor, chunk: Math.floor(split.size / groups), bind: false, name: `gradients of groups of ${problem.name}` });
  try {
    await totals.each([space.pick<NDArray>(point.params)] as never, ([loss, part], { start: first }) => {
      signal?.throwIfAborted();
      addScaled(sums[groupOf(first)], 1, space.join(part));
      groupLoss[groupOf(first)] += loss.item();
    });
  } finally {
    await totals.dispose();
  }
  const collector = new Collector(sums);
  await eachExampleGradient(problem, point, (gradient, example) => collector.add(groupOf(example), gradient), options);
  collector.groups.forEach((group, k) => { group.loss = groupLoss[k]; });
  return { ...statisticsOf(collector.groups, options), space, cost: { products: 0, seconds: (performance.now() - start) / 1000 } };
}
