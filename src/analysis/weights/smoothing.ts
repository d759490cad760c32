/** Weights with only their leading singular directions, and weights without the outliers of theirs. @module */
import { isFloat, NDArray } from '../../core/ndarray.ts';
import { svd, type ThinSvd } from '../../linalg/index.ts';
import { leavesWithPaths, unflatten } from '../../tree/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { key as makeKey, permutation, split, type Key } from '../../util/random/index.ts';
import { requireNumber } from '../../util/require.ts';
import { fitMarchenkoPastur } from './marchenko-pastur.ts';
import { weightMatrices, type Matrix } from './matrices.ts';
import { fitPowerLaw } from './power-law.ts';
import { traceLog } from './trace-log.ts';

/** Which matrices of a model are changed. */
export interface WeightEditOptions {
  /** Only tensors for whose names this holds. Default: every float tensor of rank two or more. */
  readonly layers?: (name: string) => boolean;
  /** A convolution as one matrix [outputs, inputs x window], or each of its slices by itself, as WeightWatcher does. Default `reshaped`. */
  readonly convolutions?: 'reshaped' | 'each slice';
}

/** How much of each matrix is kept. */
export interface SmoothingOptions extends WeightEditOptions {
  /**
   * A fraction in (0, 1] of the singular values, rounded down, at least one; `detX`: as many as the trace-log condition counts;
   * `lambda_min`: those of the power-law tail, lambda >= xmin. Default 0.2, which is WeightWatcher's `percent`.
   */
  readonly keep?: number | 'detX' | 'lambda_min';
}

/** Which singular values count as outliers, and what becomes of them. */
export interface SharpeningOptions extends WeightEditOptions {
  /**
   * `shuffled`: outliers of the matrix with its entries in random order, which are due to a few huge entries ("correlation traps"); they are
   * taken out there and the order is restored, as WeightWatcher does. `weights`: outliers of the matrix itself, which training made. Default `shuffled`.
   */
  readonly of?: 'shuffled' | 'weights';
  /** What an outlier becomes: zero, as in WeightWatcher, or the edge of the Marchenko-Pastur bulk. Default `remove`. */
  readonly outliers?: 'remove' | 'clip';
  /** Fraction of that change that is made, in [0, 1]. Default 1. */
  readonly sharpness?: number;
  /** Seed of the random order. Default `key(0)`. */
  readonly key?: Key;
}

/** What was done to one matrix. */
export interface EditedMatrix {
  /** The tensor's name; of slices with which in brackets. */
  readonly name: string;
  readonly tensor: string;
  /** Singular values before, descending; of the shuffled matrix where that was decomposed. */
  readonly singularValues: Float64Array;
  /** Singular values that were left as they are. */
  readonly kept: number;
  /** Frobenius norm of the change over that of the matrix, before rounding to the tensor's type; 0 for a matrix of zeros. */
  readonly relativeChange: number;
  /** False where no power law or no bulk could be fitted: the matrix is as it was. */
  readonly fitted: boolean;
}

/** New parameters, and what is new in them. */
export interface EditedWeights<P> {
  readonly parameters: P;
  readonly matrices: readonly EditedMatrix[];
}

/** New singular values of a matrix, or undefined where nothing can be said of its spectrum. */
type Rule = (values: Float64Array, matrix: Matrix) => Float64Array | undefined;

/**
 * Keeps the largest singular values of every weight matrix and drops the others (WeightWatcher's SVDSmoothing): by Eckart and Young the
 * nearest matrices of their rank. Returns a new tree; the given one is not changed, and tensors left alone are shared with it. A full decomposition a
 * matrix on one core. Weights stored in float32 have the stated rank up to rounding.
 * @throws ArgumentError when `keep` or `convolutions` is none of those; NonFiniteError when a weight is NaN or infinite.
 */
export function smoothWeights<P>(parameters: P, options: SmoothingOptions = {}): EditedWeights<P> {
  const { keep = 0.2 } = options;
  if (typeof keep === 'number' ? !(keep > 0 && keep <= 1) : keep !== 'detX' && keep !== 'lambda_min') {
    throw new ArgumentError({ operation: 'smoothWeights', required: "keep must be a fraction in (0, 1], 'detX' or 'lambda_min'", received: String(keep) });
  }
  return editWeights('smoothWeights', parameters, options, (values) => {
    const count = keptCount(values, keep);
    return count === undefined ? undefined : values.map((x, i) => (i < count ? x : 0));
  });
}

function keptCount(values: Float64Array, keep: number | 'detX' | 'lambda_min'): number | undefined {
  // 0.29 * 100 is a rounding error below 29.
  if (typeof keep === 'number') return Math.max(1, Math.floor(keep * values.length + 1e-9));
  const eigenvalues = ascendingSquares(values);
  if (keep === 'lambda_min') return fitPowerLaw(eigenvalues)?.spikes;
  return values[0] > 0 ? traceLog(eigenvalues).count : undefined;
}

/**
 * Takes the outliers out of every weight matrix (WeightWatcher's SVDSharpness): singular values whose squares lie above the
 * Marchenko-Pastur bulk and its margin (`fitMarchenkoPastur`). Returns a new tree; the given one is not changed. The same key gives the same bits.
 * @throws ArgumentError when an option is none of those named; NonFiniteError when a weight is NaN or infinite.
 */
export function sharpenWeights<P>(parameters: P, options: SharpeningOptions = {}): EditedWeights<P> {
  const { of = 'shuffled', outliers = 'remove', sharpness = 1, key = makeKey(0) } = options;
  requireNumber('sharpenWeights', 'sharpness', sharpness, 0, 1);
  if (of !== 'shuffled' && of !== 'weights') throw new ArgumentError({ operation: 'sharpenWeights', required: "of must be 'shuffled' or 'weights'", received: `'${String(of)}'` });
  if (outliers !== 'remove' && outliers !== 'clip') throw new ArgumentError({ operation: 'sharpenWeights', required: "outliers must be 'remove' or 'clip'", received: `'${String(outliers)}'` });
  const rule: Rule = (values, { rows, columns }) => {
    const bulk = fitMarchenkoPastur(ascendingSquares(values), Math.max(rows, columns), Math.min(rows, columns));
    if (bulk === undefined) return undefined;
    const target = outliers === 'clip' ? Math.sqrt(bulk.upper) : 0;
    return values.map((x, i) => (i < bulk.spikes ? x + sharpness * (target - x) : x));
  };
  return editWeights('sharpenWeights', parameters, options, rule, of === 'shuffled' ? (name, length) => permutation(split(key, name), length) : undefined);
}

const ascendingSquares = (values: Float64Array): Float64Array => values.map((x) => x * x).sort();

function editWeights<P>(operation: string, parameters: P, { layers = () => true, convolutions = 'reshaped' }: WeightEditOptions, rule: Rule, orderOf?: (name: string, length: number) => ArrayLike<number>): EditedWeights<P> {
  if (convolutions !== 'reshaped' && convolutions !== 'each slice') throw new ArgumentError({ operation, required: "convolutions must be 'reshaped' or 'each slice'", received: `'${String(convolutions)}'` });
  const edited: EditedMatrix[] = [];
  const edit = ([name, leaf]: [string, unknown]): unknown => {
    if (!(leaf instanceof NDArray) || !isFloat(leaf.dtype) || leaf.size === 0 || !layers(name)) return leaf;
    const plans = weightMatrices(name, leaf.shape, { convolutions: [convolutions] });
    const out = leaf.data.slice();
    let changed = false;
    plans.forEach((plan, i) => {
      const matrix = plan.matrix(0, leaf);
      const { data, ...record } = editMatrix(matrix, rule, orderOf?.(plan.name, matrix.data.length));
      edited.push({ name: plan.name, tensor: name, ...record });
      if (data === undefined) return;
      changed = true;
      // Slice i holds every element i of a window.
      const stride = plan.form === 'each slice' ? plans.length : 1;
      data.forEach((x, at) => { out[at * stride + i] = x; });
    });
    return changed ? new NDArray(out, leaf.shape, leaf.dtype) : leaf;
  };
  return { parameters: unflatten(parameters, leavesWithPaths(parameters).map(edit)) as P, matrices: edited };
}

function editMatrix(matrix: Matrix, rule: Rule, order?: ArrayLike<number>): Omit<EditedMatrix, 'name' | 'tensor'> & { readonly data?: Float64Array } {
  const { rows, columns, data } = matrix;
  const values = order === undefined ? data : Float64Array.from(order, (at) => data[at]);
  const decomposition = svd(values, rows, columns);
  const before = decomposition.values;
  const after = rule(before, matrix);
  const differences = after?.map((x, i) => x - before[i]);
  const kept = differences?.filter((x) => x === 0).length ?? before.length;
  const record = { singularValues: before, kept, fitted: after !== undefined };
  if (after === undefined || differences === undefined || kept === before.length) return { ...record, relativeChange: 0 };
  const changed = changedMatrix(values, rows, columns, decomposition, after, differences);
  const restored = order === undefined ? changed : new Float64Array(changed.length);
  if (order !== undefined) changed.forEach((x, i) => { restored[order[i]] = x; });
  return { ...record, relativeChange: Math.hypot(...differences) / Math.hypot(...before), data: restored };
}

/** The matrix with other singular values: summed anew, or corrected, whichever takes fewer terms. */
function changedMatrix(matrix: Float64Array, rows: number, columns: number, { u, v, values }: ThinSvd, after: Float64Array, differences: Float64Array): Float64Array {
  const nonZero = (factors: Float64Array): number => factors.filter((x) => x !== 0).length;
  const anew = nonZero(after) <= nonZero(differences);
  const factors = anew ? after : differences;
  const out = anew ? new Float64Array(rows * columns) : Float64Array.from(matrix);
  const k = values.length;
  for (let c = 0; c < k; c++) {
    if (factors[c] === 0) continue;
    for (let i = 0; i < rows; i++) {
      const scale = u[i * k + c] * factors[c];
      for (let j = 0; j < columns; j++) out[i * columns + j] += scale * v[j * k + c];
    }
  }
  return out;
}
