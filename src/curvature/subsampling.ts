/** What it does to curvature that only some of the samples were used. @module */
import type { Tensor } from '../core/tensor.ts';
import { add, mul, sum } from '../ops/index.ts';
import { estimated, lossSum, ParameterSpace, predict, type Cost, type Measurement, type Point, type Problem } from '../problem/index.ts';
import { ggnvp, hvp, vmap } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { probeVector, type EstimatorOptions } from './estimator.ts';
import { BLOCK, problemSum, type CurvatureOptions, type ProductContext } from './problem-operator.ts';

/** Which samples, in how many groups, of how many. */
export interface SubsamplingOptions extends Omit<CurvatureOptions, 'block' | 'check' | 'chunk'>, Pick<EstimatorOptions, 'signal' | 'onProgress'> {
  /** Default `hessian`. */
  readonly matrix?: 'hessian' | 'ggn';
  /** Groups of samples, each with a quadratic form of its own. Default 20, fewer for fewer samples. */
  readonly groups?: number;
  /**
   * Samples that the ones used were drawn from, without replacement: the truth is the value over all of them. Default: the size of the
   * split, so that nothing is left to err when all of it is used. `Infinity`: the truth is that of the distribution.
   */
  readonly population?: number;
}

/** Quadratic forms over samples, with what other samples would have made of them. */
export interface SubsamplingErrors {
  /** v'Av of each vector, the mean over the samples used; the error is the standard error over samples. */
  readonly forms: readonly Measurement[];
  /** Their mean over the vectors, whose error knows that all were taken over the same samples. */
  readonly mean: Measurement;
  readonly groups: number;
  readonly groupSize: number;
  /** Samples used, and those they stand for. */
  readonly samples: number;
  readonly population: number;
  /** sqrt(1 - samples / population), by which the errors have been multiplied. */
  readonly populationFactor: number;
  readonly cost: Cost;
}

/** The sum over a batch of v'Av. */
type FormSum = <P, State>(context: ProductContext<P, State>, chosen: Tensor[], vector: Tensor[]) => Tensor;

const inner = (a: readonly Tensor[], b: readonly Tensor[]): Tensor => a.map((x, i) => sum(mul(x, b[i]))).reduce((total, x) => add(total, x));
const formSums: Readonly<Record<'hessian' | 'ggn', FormSum>> = {
  hessian: ({ problem, state, batch, paramsAt }, chosen, vector) => inner(vector, hvp((leaves: Tensor[]) => lossSum(problem, paramsAt(leaves), state, batch))(chosen, vector)),
  ggn: ({ problem, state, batch, paramsAt }, chosen, vector) =>
    inner(vector, ggnvp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, batch.inputs), (outputs: Tensor) => sum(problem.loss(outputs, batch.targets)))(chosen, vector)),
};

/**
 * The error by sub-sampling of quadratic forms v'Av of a problem's Hessian or GGN: the samples are cut into groups, each has its own
 * v'A_c v, and the delete-a-group jackknife, which for a mean over samples is their standard error, says how much other
 * samples would change it. For a unit eigenvector of the sub-sampled matrix this is the error of its eigenvalue to first order
 * (d lambda = v' dA v); it stands beside the residual bound and does not contain it. What it does not see: that v was fitted to
 * these samples, which lifts a largest eigenvalue on average. Samples must be in random order. Cost: one product a vector.
 *
 * @param vectors [k][size], in the order of the parameter space
 * @throws ArgumentError for fewer than two groups, no vectors, or a population smaller than the samples; the signal's reason when it
 * comes before the end.
 */
export async function subsamplingErrors<P, State>(problem: Problem<P, State>, point: Point<P, State>, vectors: readonly Float64Array[], options: SubsamplingOptions = {}): Promise<SubsamplingErrors> {
  const start = performance.now();
  const { matrix = 'hessian', groups: _groups, population: _population, signal, onProgress, ...curvature } = options;
  const split = options.data ?? problem.train;
  const samples = requireInteger('subsamplingErrors', 'samples', options.samples ?? split.size, 2, split.size);
  const groups = requireInteger('subsamplingErrors', 'groups', options.groups ?? Math.min(20, samples), 2, samples);
  const population = options.population === Infinity ? Infinity : requireNumber('subsamplingErrors', 'population', options.population ?? split.size, samples);
  if (vectors.length === 0) throw new ArgumentError({ operation: 'subsamplingErrors', required: 'at least one vector must be given', received: 'none' });
  signal?.throwIfAborted();
  const sumOver = (chunk?: number) => problemSum<P, State, [Tensor[]], Tensor>(`${matrix} form`, problem, point,
    (context, chosen, stack) => vmap((vector: Tensor[]) => formSums[matrix](context, chosen, vector))(stack), { ...curvature, ...(chunk !== undefined && { chunk }), bind: false });
  const { space, predict: memoryOf, total: unsized } = sumOver();
  // Groups are made of equal chunks, no larger than the memory budget lets them be.
  const most = memoryOf(space.split(vectors.slice(0, BLOCK)) as never).chunk;
  await unsized.dispose();
  const pieces = Math.ceil(Math.floor(samples / groups) / most);
  const groupSize = Math.floor(samples / groups / pieces) * pieces;
  const { total } = sumOver(groupSize / pieces);
  const forms: number[][] = vectors.map(() => new Array<number>(groups).fill(0));
  const rest = vectors.map(() => 0);
  try {
    for (let at = 0; at < vectors.length; at += BLOCK) {
      await total.each([space.split(vectors.slice(at, at + BLOCK))] as never, ({ data }, { start: from }) => {
        signal?.throwIfAborted();
        const group = Math.floor(from / groupSize);
        for (let i = 0; i < data.length; i++) {
          if (group < groups) forms[at + i][group] += data[i] / groupSize;
          else rest[at + i] += data[i];
        }
        onProgress?.({ done: Math.min(group + 1, groups) + Math.floor(at / BLOCK) * groups, total: groups * Math.ceil(vectors.length / BLOCK), unit: 'groups' });
      });
    }
  } finally {
    await total.dispose();
  }
  const cost = { products: vectors.length, seconds: (performance.now() - start) / 1000 };
  return { ...groupedErrors(forms, { groupSize, samples, population, rest }), cost };
}

/** What the groups are. */
export interface GroupedSamples {
  readonly groupSize: number;
  readonly samples: number;
  readonly population: number;
  /** Of each form, the sum over the samples that no group holds. Default 0: there are none. */
  readonly rest?: readonly number[];
}

/** The errors of forms [vector][group], each the mean over its group's samples: the arithmetic of `subsamplingErrors`. */
export function groupedErrors(forms: readonly (readonly number[])[], { groupSize, samples, population, rest }: GroupedSamples): Omit<SubsamplingErrors, 'cost'> {
  const groups = forms[0].length;
  const populationFactor = Math.sqrt(1 - samples / population);
  const measured = (values: readonly number[], beyond: number): Measurement => {
    const { error } = estimated(values);
    const value = (values.reduce((total, x) => total + x * groupSize, 0) + beyond) / samples;
    // The standard error is that of the samples in groups; the others shrink it in proportion.
    return { value, error: error * Math.sqrt((groups * groupSize) / samples) * populationFactor, kind: 'standard error', samples: groups };
  };
  const means = Array.from({ length: groups }, (_, g) => forms.reduce((total, values) => total + values[g] / forms.length, 0));
  const beyond = rest ?? forms.map(() => 0);
  return {
    forms: forms.map((values, i) => measured(values, beyond[i])), mean: measured(means, beyond.reduce((total, x) => total + x, 0) / forms.length),
    groups, groupSize, samples, population, populationFactor,
  };
}

/** Random vectors of a trace's error. */
export interface TraceSubsamplingOptions extends SubsamplingOptions, Pick<EstimatorOptions, 'key'> {
  /** Random vectors of signs, the same for all groups. Default 8: they only need to know how much groups differ. */
  readonly probes?: number;
}

/**
 * The error by sub-sampling of the trace: per-group traces by the same random signs, so that the probes' own noise, which all
 * groups share, hardly counts. The value is Hutchinson's from these few probes: take the value from a trace estimate and this
 * error beside its own. Cost: one product a probe.
 */
export async function traceSubsamplingError<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: TraceSubsamplingOptions = {}): Promise<Measurement & Omit<SubsamplingErrors, 'forms' | 'mean'>> {
  const { probes: count, key, ...rest } = options;
  const probes = requireInteger('traceSubsamplingError', 'probes', count ?? 8, 1);
  const { size } = new ParameterSpace(point.params, options.parameters);
  const vectors = Array.from({ length: probes }, (_, i) => probeVector(key ? { key } : {}, i, size));
  const { forms: _forms, mean, ...outcome } = await subsamplingErrors(problem, point, vectors, rest);
  return { ...mean, ...outcome, samples: mean.samples! };
}
