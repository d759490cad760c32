/** What training by gradient flow on a squared error does, in closed form, given kernels: means and covariances at any time. @module */
import { symmetricEigen, type SymmetricEigen } from '../linalg/index.ts';
import { rounded, type Measurement } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { KernelMatrix } from './empirical-ntk.ts';

/**
 * A kernel among training examples, with targets. A kernel traced over outputs, [n, n], acts on each output alike; one with all
 * pairs of outputs comes as a matrix over (example, output), by `outputsAsRows`, with `outputs` 1.
 */
export interface TrainingKernel {
  /** [n, n], symmetric, row-major. */
  readonly kernel: Float64Array;
  /** [n, outputs], row-major. */
  readonly targets: ArrayLike<number>;
  /** Default 1. */
  readonly outputs?: number;
}

/** How the kernel's diagonal is raised before it is inverted. */
export interface Regularisation {
  /** Added to the diagonal, relative to its mean unless `absolute`. Default 0. */
  readonly regularisation?: number;
  /** Default false. */
  readonly absolute?: boolean;
}

/**
 * The loss is |f - y|^2 / (2 n outputs). Without momentum time counts steps of size `learningRate`, and the two only matter
 * through their product. With momentum (heavy ball) time counts steps in the continuous limit, in units of sqrt(learningRate).
 */
export interface GradientFlowOptions extends Regularisation {
  /** Default 1. */
  readonly learningRate?: number;
  /** Of the velocity, in [0, 1); absent: none. 0 is heavy-ball dynamics with full friction, not gradient flow. */
  readonly momentum?: number;
}

/** Predictions at a time (Infinity for the limit). Functions at time 0 default to zero. */
export interface GradientFlow {
  /** Outputs on the training examples, [n, outputs]. */
  train(time: number, initial?: ArrayLike<number>): Float64Array;
  /** Outputs on other examples, [m, outputs]: `kernel` is [m, n], between them and the training examples. */
  test(time: number, kernel: Float64Array, initialTrain?: ArrayLike<number>, initialTest?: ArrayLike<number>): Float64Array;
  /** [m, n]: what `test` applies to targets minus initial training outputs. */
  propagator(time: number, kernel: Float64Array): Float64Array;
  /** Of the regularised kernel. */
  readonly eigenvalues: Float64Array;
}

/**
 * Training by gradient flow on the squared error with a constant tangent kernel (Jacot et al. 2018; Lee et al. 2019), by one
 * eigendecomposition: f_t = y + exp(-learningRate t K / (n outputs)) (f_0 - y). Conventions of neural-tangents'
 * `gradient_descent_mse`, and of its `gradient_descent` with momentum. Directions in which the kernel vanishes do not move.
 * @throws ShapeError when sizes do not fit; ArgumentError when the kernel is not symmetric, or has a negative eigenvalue beyond rounding.
 */
export function gradientFlow(training: TrainingKernel, options: GradientFlowOptions = {}): GradientFlow {
  const { learningRate = 1, momentum } = options;
  requireNumber('gradientFlow', 'learningRate', learningRate, Number.MIN_VALUE);
  if (momentum !== undefined) requireNumber('gradientFlow', 'momentum', momentum, 0, 1 - Number.EPSILON);
  const { n, outputs } = sizesOf('gradientFlow', training);
  const eigen = symmetricEigen(regularised(training.kernel, n, options), n);
  requirePositive('gradientFlow', eigen.values);
  const response = responseOf(learningRate, momentum, n * outputs, n * Number.EPSILON * Math.max(...eigen.values));
  const targets = Float64Array.from(training.targets);
  const residual = (initial?: ArrayLike<number>): Float64Array => targets.map((y, i) => (initial?.[i] ?? 0) - y);
  const propagator = (time: number, kernel: Float64Array): Float64Array => {
    if (kernel.length % n !== 0) throw new ShapeError({ operation: 'gradientFlow', required: `kernel must be [m, ${n}]`, received: `${kernel.length} entries` });
    return applySpectral(eigen, n, eigen.values.map((value) => -response(value, time).overValue), kernel);
  };
  return {
    eigenvalues: eigen.values, propagator,
    train(time, initial) {
      requireNumber('gradientFlow', 'time', time === Infinity ? 0 : time, 0);
      const change = transposedProduct(eigen, n, eigen.values.map((value) => response(value, time).change), residual(initial), outputs);
      return change.map((delta, i) => (initial?.[i] ?? 0) + delta);
    },
    test(time, kernel, initialTrain, initialTest) {
      requireNumber('gradientFlow', 'time', time === Infinity ? 0 : time, 0);
      const moved = multiply(propagator(time, kernel), residual(initialTrain), n, outputs);
      return moved.map((delta, i) => (initialTest?.[i] ?? 0) - delta);
    },
  };
}

/** The change of a residual along an eigenvector, and that over the eigenvalue (its limit, where that vanishes). */
type Response = (value: number, time: number) => { readonly change: number; readonly overValue: number };

function responseOf(learningRate: number, momentum: number | undefined, count: number, negligible: number): Response {
  if (momentum === undefined) {
    return (value, time) => {
      if (value <= negligible) return { change: 0, overValue: time === Infinity ? 0 : -learningRate * time / count };
      const change = time === Infinity ? -1 : Math.expm1(-learningRate * time * value / count);
      return { change, overValue: change / value };
    };
  }
  // g'' + friction g' + (value / count) g = 0 from g = 1 at rest.
  const friction = (1 - momentum) / Math.sqrt(learningRate);
  return (value, time) => {
    const t = Math.sqrt(learningRate) * time;
    const stiffness = value / count;
    if (value <= negligible || stiffness < 1e-9 * friction ** 2) {
      if (time === Infinity) return value <= negligible ? { change: 0, overValue: 0 } : { change: -1, overValue: -1 / value };
      const slow = -(t + Math.expm1(-friction * t) / friction) / (friction * count);
      return { change: slow * Math.max(0, value), overValue: slow };
    }
    const change = time === Infinity ? -1 : oscillator(friction, stiffness, t) - 1;
    return { change, overValue: change / value };
  };
}

/** g(t) of a damped oscillator released at rest from 1. */
function oscillator(friction: number, stiffness: number, t: number): number {
  const square = stiffness - friction ** 2 / 4;
  const half = friction / 2;
  if (square > 0) {
    const frequency = Math.sqrt(square);
    return Math.exp(-half * t) * (Math.cos(frequency * t) + (half / frequency) * Math.sin(frequency * t));
  }
  const rate = Math.sqrt(-square);
  if (rate * t < 1e-6) return Math.exp(-half * t) * (1 + half * t);
  const share = half / rate;
  return (Math.exp((rate - half) * t) * (1 + share) + Math.exp(-(rate + half) * t) * (1 - share)) / 2;
}

/** Kernels that a posterior needs: among training examples [n, n], from test to training examples [m, n], among test examples [m, m]. */
export interface KernelSet {
  readonly train: Float64Array;
  readonly testTrain: Float64Array;
  readonly testTest: Float64Array;
}

/** Outputs on test examples over the randomness of the initial weights. */
export interface Posterior {
  /** [m, outputs] */
  readonly mean: Float64Array;
  /** [m, m], of every output alike. */
  readonly covariance: Float64Array;
  /** Diagonal of the covariance, [m]: negative only by rounding, and then set to zero. */
  readonly variance: Float64Array;
}

export interface PosteriorOptions extends GradientFlowOptions {
  /** Default Infinity. */
  readonly time?: number;
  /**
   * Whether the regularisation is noise of the targets, as in Gaussian process regression: then it also counts in the covariance
   * of the initial outputs on training examples. Default false: it only damps the training.
   */
  readonly noise?: boolean;
}

/**
 * Mean and covariance of an ensemble of infinitely wide networks trained for a time by gradient flow on the squared error
 * (Lee et al. 2019, section 2.4). `tangent` drives the training, `covariance` (NNGP) is that of the outputs at time 0. With
 * the covariance in both places, `noise` and infinite time this is Gaussian process regression. neural-tangents' `gradient_descent_mse_ensemble`
 * sets `noise` for 'nngp' and not for 'ntk'.
 */
export function ensemblePosterior(tangent: Pick<KernelSet, 'train' | 'testTrain'>, covariance: KernelSet, targets: ArrayLike<number>, { time = Infinity, noise = false, ...options }: PosteriorOptions & { readonly outputs?: number } = {}): Posterior {
  const outputs = options.outputs ?? 1;
  const { n } = sizesOf('ensemblePosterior', { kernel: tangent.train, targets, outputs });
  const m = tangent.testTrain.length / n;
  if (covariance.train.length !== n * n || covariance.testTrain.length !== m * n || covariance.testTest.length !== m * m) {
    throw new ShapeError({ operation: 'ensemblePosterior', required: `covariance must hold kernels of ${n} training and ${m} test examples`, received: `${covariance.train.length}, ${covariance.testTrain.length} and ${covariance.testTest.length} entries` });
  }
  const flow = gradientFlow({ kernel: tangent.train, targets, outputs }, options);
  const propagator = flow.propagator(time, tangent.testTrain);
  const crossed = multiply(propagator, transpose(covariance.testTrain, m, n), n, m);
  const initial = noise ? regularised(covariance.train, n, options) : covariance.train;
  const spread = multiply(multiply(propagator, initial, n, n), transpose(propagator, m, n), n, m);
  const matrix = covariance.testTest.map((value, at) => value - crossed[at] - crossed[(at % m) * m + Math.floor(at / m)] + spread[at]);
  return { mean: multiply(propagator, Float64Array.from(targets), n, outputs), covariance: matrix, variance: Float64Array.from({ length: m }, (_, i) => Math.max(0, matrix[i * m + i])) };
}

/**
 * The largest learning rate at which gradient descent on |f - y|^2 / (2 n outputs) with a constant kernel does not diverge:
 * 2 (1 + momentum) count / largest eigenvalue, where `count` is n x outputs. (neural-tangents' docstring multiplies by the
 * eigenvalue; its code divides, as here.)
 */
export function maximalLearningRate(kernel: Float64Array, count: number, momentum = 0): Measurement {
  const n = Math.sqrt(kernel.length);
  requireInteger('maximalLearningRate', 'the square root of the number of entries of kernel', n, 1);
  requireInteger('maximalLearningRate', 'count', count, 1);
  requireNumber('maximalLearningRate', 'momentum', momentum, 0, 1);
  const values = symmetricEigen(kernel, n).values;
  const largest = values[n - 1];
  if (!(largest > 0)) throw new ArgumentError({ operation: 'maximalLearningRate', required: 'kernel must have a positive eigenvalue', received: String(largest) });
  const value = (2 * (1 + momentum) * count) / largest;
  return rounded(value, value * n * Number.EPSILON);
}

/** A kernel [n, m, outputs, outputs] as a matrix over pairs (example, output), [n outputs, m outputs]. */
export function outputsAsRows({ values, shape }: KernelMatrix): Float64Array {
  if (shape.length !== 4) throw new ShapeError({ operation: 'outputsAsRows', required: "kernel must be [n, m, outputs, outputs] (outputs: 'full')", received: `[${shape.join(',')}]` });
  const [n, m, k] = shape;
  const out = new Float64Array(values.length);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) out[(i * k + a) * m * k + j * k + b] = values[((i * m + j) * k + a) * k + b];
  return out;
}

function sizesOf(operation: string, { kernel, targets, outputs = 1 }: TrainingKernel): { readonly n: number; readonly outputs: number } {
  requireInteger(operation, 'outputs', outputs, 1);
  const n = targets.length / outputs;
  if (!Number.isInteger(n) || kernel.length !== n * n) throw new ShapeError({ operation, required: `targets must be [n, ${outputs}] and kernel [n, n]`, received: `${targets.length} targets, ${kernel.length} entries` });
  return { n, outputs };
}

/** The kernel with its diagonal raised. */
export function regularised(kernel: Float64Array, n: number, { regularisation = 0, absolute = false }: Regularisation): Float64Array {
  requireNumber('regularisation', 'regularisation', regularisation, 0);
  const out = kernel.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += kernel[i * n + i];
  for (let i = 0; i < n; i++) out[i * n + i] += absolute ? regularisation : (regularisation * trace) / n;
  return out;
}

// A kernel from float32 derivatives has negative eigenvalues of this relative size; more means that it is none.
const NEGATIVE = 1e-4;

function requirePositive(operation: string, values: Float64Array): void {
  if (values[0] >= -NEGATIVE * Math.max(0, values[values.length - 1])) return;
  throw new ArgumentError({ operation, required: 'kernel must be positive semidefinite', received: `an eigenvalue of ${values[0]} beside ${values[values.length - 1]}`, remedy: 'check that rows and columns are the same examples' });
}

/** rows V diag(factors) V', [m, n]. */
function applySpectral({ vectors }: SymmetricEigen, n: number, factors: Float64Array, rows: Float64Array): Float64Array {
  const inBasis = multiply(rows, vectors, n, n).map((value, at) => value * factors[at % n]);
  return multiply(inBasis, transpose(vectors, n, n), n, n);
}

/** V diag(factors) V' right, [n, columns]. */
function transposedProduct({ vectors }: SymmetricEigen, n: number, factors: Float64Array, right: Float64Array, columns: number): Float64Array {
  const inBasis = multiply(transpose(vectors, n, n), right, n, columns).map((value, at) => value * factors[Math.floor(at / columns)]);
  return multiply(vectors, inBasis, n, columns);
}

/** [m, inner] x [inner, columns]. */
function multiply(left: Float64Array, right: Float64Array, inner: number, columns: number): Float64Array {
  const rows = left.length / inner;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = left[i * inner + k];
      for (let j = 0; j < columns; j++) out[i * columns + j] += factor * right[k * columns + j];
    }
  }
  return out;
}

function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}
