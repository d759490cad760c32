/** Kernels compared: with each other, with targets, and along training. @module */
import type { NDArray } from '../core/ndarray.ts';
import { rounded, type Measurement, type Point } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { ntkEvaluator, type EmpiricalKernel, type EmpiricalNtkOptions } from './empirical-ntk.ts';
import type { Network } from './network.ts';

/** Options of comparisons. */
export interface ComparisonOptions {
  /** Subtract row and column means first, as centred alignment (CKA; Cortes et al. 2012) does. Default false. */
  readonly centred?: boolean;
  /** Relative rounding of the entries (`EmpiricalKernel.rounding`); default that of float64. */
  readonly rounding?: number;
}

const inner = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** H K H with H = I - 1 1' / n, of a square matrix. */
export function centredKernel(kernel: Float64Array): Float64Array {
  const n = sideOf('centredKernel', kernel);
  const rows = new Float64Array(n);
  const columns = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
    rows[i] += kernel[i * n + j] / n;
    columns[j] += kernel[i * n + j] / n;
  }
  const mean = rows.reduce((sum, value) => sum + value / n, 0);
  return kernel.map((value, at) => value - rows[Math.floor(at / n)] - columns[at % n] + mean);
}

function sideOf(operation: string, kernel: Float64Array): number {
  const n = Math.sqrt(kernel.length);
  if (!Number.isInteger(n) || n === 0) throw new ShapeError({ operation, required: 'kernel must be square', received: `${kernel.length} entries` });
  return n;
}

/**
 * Cosine of two kernels as vectors, <A, B> / (|A| |B|): 1 when one is a multiple of the other. With `centred` it is CKA.
 * @throws ShapeError when they differ in size; ArgumentError when one vanishes.
 */
export function kernelAlignment(first: Float64Array, second: Float64Array, { centred = false, rounding = 0 }: ComparisonOptions = {}): Measurement {
  if (first.length !== second.length) throw new ShapeError({ operation: 'kernelAlignment', required: `both kernels must have ${first.length} entries`, received: String(second.length) });
  const [a, b] = centred ? [centredKernel(first), centredKernel(second)] : [first, second];
  const norms = Math.sqrt(inner(a, a)) * Math.sqrt(inner(b, b));
  if (!(norms > 0)) throw new ArgumentError({ operation: 'kernelAlignment', required: 'neither kernel may vanish', received: `norms with the product ${norms}` });
  // A relative change r of entries moves the cosine by at most 2 r in all, times how much centring removed.
  const magnified = centred ? Math.sqrt(inner(first, first) * inner(second, second)) / norms : 1;
  return rounded(inner(a, b) / norms, (2 * rounding + 4 * Math.sqrt(a.length) * Number.EPSILON) * magnified);
}

/** 1 - cosine of two kernels (Fort et al. 2020): 0 when one is a multiple of the other. */
export function kernelDistance(first: Float64Array, second: Float64Array, options: ComparisonOptions = {}): Measurement {
  const alignment = kernelAlignment(first, second, options);
  return { ...alignment, value: 1 - alignment.value };
}

/**
 * Alignment of a kernel with the kernel Y Y' of targets [n, outputs] (Cristianini et al. 2001): how far it knows the task. With
 * labels, give one-hot rows.
 */
export function targetAlignment(kernel: Float64Array, targets: ArrayLike<number>, options: ComparisonOptions = {}): Measurement {
  const n = sideOf('targetAlignment', kernel);
  const outputs = targets.length / n;
  if (!Number.isInteger(outputs)) throw new ShapeError({ operation: 'targetAlignment', required: `targets must be [${n}, outputs]`, received: `${targets.length} entries` });
  const products = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let o = 0; o < outputs; o++) products[i * n + j] += targets[i * outputs + o] * targets[j * outputs + o];
  return kernelAlignment(kernel, products, options);
}

/** How far the tangent kernel has moved between two points. */
export interface KernelDrift {
  /** 1 - cosine of the two kernels. */
  readonly distance: Measurement;
  /** |K1 - K0| / |K0|, Frobenius norms. */
  readonly relativeChange: Measurement;
  readonly first: EmpiricalKernel;
  readonly second: EmpiricalKernel;
}

/** Tangent kernels of one network at two points, on the same inputs, compared: small where training is lazy. */
export async function kernelDrift<P, State>(network: Network<P, State>, from: Point<P, State>, to: Point<P, State>, inputs: NDArray, options: EmpiricalNtkOptions = {}): Promise<KernelDrift> {
  const evaluator = ntkEvaluator(network, from, inputs, undefined, options);
  const [first, second] = [await evaluator.evaluate(from), await evaluator.evaluate(to)];
  await evaluator.dispose();
  const difference = first.values.map((value, i) => second.values[i] - value);
  const norm = Math.sqrt(inner(first.values, first.values));
  const ratio = Math.sqrt(inner(difference, difference)) / norm;
  return { distance: kernelDistance(first.values, second.values, { rounding: first.rounding }), relativeChange: rounded(ratio, first.rounding * (1 + Math.sqrt(inner(second.values, second.values)) / norm)), first, second };
}

/**
 * Kernel velocity along training (Fort et al. 2020): the kernel distance of neighbours in time over the time between them, one
 * number for each gap.
 * @throws ArgumentError unless times increase and there is one for each of at least two kernels.
 */
export function kernelVelocity(kernels: readonly Float64Array[], times: readonly number[], options: ComparisonOptions = {}): Measurement[] {
  if (kernels.length < 2 || kernels.length !== times.length || times.some((time, i) => i > 0 && !(time > times[i - 1]))) {
    throw new ArgumentError({ operation: 'kernelVelocity', required: 'times must increase, one for each of at least two kernels', received: `${kernels.length} kernels at [${times.join(',')}]` });
  }
  return kernels.slice(1).map((kernel, i) => {
    const gap = times[i + 1] - times[i];
    const distance = kernelDistance(kernels[i], kernel, options);
    return { ...distance, value: distance.value / gap, error: distance.error / gap };
  });
}
