/** The weight spectra of a whole model, layer by layer. @module */
import type { Executor } from '../../core/backend.ts';
import { isFloat, NDArray, type DType } from '../../core/ndarray.ts';
import { leavesWithPaths } from '../../tree/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { key as makeKey, split, type Key } from '../../util/random/index.ts';
import { requireInteger } from '../../util/require.ts';
import { analyzeSpectrum, type SpectrumAnalysis, type SpectrumOptions } from './layer.ts';
import { weightMatrices, type MatrixOptions, type WeightMatrices } from './matrices.ts';
import { randomisedControl, type RandomisedControl } from './randomised.ts';
import { pooled, spectrumSolver, type SpectrumSolver, type WeightSpectrum } from './spectrum.ts';

/** Tensors by name, read one at a time: an open safetensors file is one, `weightsOf(params)` makes one of a tree. */
export interface WeightSource {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly type?: string }[];
  read(name: string): Promise<NDArray>;
}

/** The arrays of a tree of parameters, under their paths. */
export function weightsOf(parameters: unknown): WeightSource {
  const arrays = new Map(leavesWithPaths(parameters).filter((entry): entry is [string, NDArray] => entry[1] instanceof NDArray));
  return {
    tensors: [...arrays].map(([name, { shape, dtype }]) => ({ name, shape, type: dtype })),
    read(name) {
      const found = arrays.get(name);
      if (found === undefined) return Promise.reject(new ArgumentError({ operation: 'weightsOf', required: 'a parameter of the tree must be asked for', received: `'${name}'` }));
      return Promise.resolve(found);
    },
  };
}

/** Which matrices are analysed, and how. */
export interface WeightAnalysisOptions extends MatrixOptions, SpectrumOptions {
  /** Only tensors for whose names this holds. Default all. */
  readonly layers?: (name: string) => boolean;
  /** Spectra with fewer eigenvalues are skipped. Default 10. */
  readonly minEigenvalues?: number;
  /** Matrices with more eigenvalues are skipped: their spectra take minutes. Default 15,000. */
  readonly maxEigenvalues?: number;
  /** Matrices with a longer side are skipped. Default 50,000. */
  readonly maxRows?: number;
  /** Whether each spectrum is compared with that of shuffled entries, at the price of a second decomposition. Default false. */
  readonly randomize?: boolean;
  /** The seed of shuffles and resamples. Default `key(0)`. */
  readonly key?: Key;
  /** Runs the large products. Default: the one an entry point has set. */
  readonly executor?: Executor;
  /** Ends the work within a second: what has been measured is returned and marked. */
  readonly signal?: AbortSignal;
  /** Several times a second: estimated work done and in total, in multiplications, so that a bar moves evenly. */
  readonly onProgress?: (progress: WeightProgress) => void;
}

/** How far an analysis is. */
export interface WeightProgress {
  /** The layer at hand; empty at the end. */
  readonly name: string;
  readonly layer: number;
  readonly layers: number;
  /** Estimated multiplications. */
  readonly done: number;
  readonly total: number;
}

/** One spectrum of a model with everything said of it. */
export interface WeightLayer extends SpectrumAnalysis {
  readonly name: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly form: WeightMatrices['form'];
  readonly rows: number;
  readonly columns: number;
  readonly spectrum: WeightSpectrum;
  readonly randomised?: RandomisedControl;
  readonly seconds: number;
}

/** A matrix that no spectrum was taken of. */
export interface SkippedLayer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly reason: string;
  /** Whether an element is NaN or infinite. */
  readonly nonFinite?: boolean;
}

/** The spectra of a model. */
export interface WeightAnalysis {
  readonly layers: readonly WeightLayer[];
  readonly skipped: readonly SkippedLayer[];
  /** Tensors without a matrix: biases, norms, scalars. */
  readonly vectors: number;
  /** Whether a signal ended it before the last layer. */
  readonly aborted: boolean;
}

interface Job {
  readonly matrices: WeightMatrices;
  readonly work: number;
}

/**
 * Spectra of every matrix of a model, one tensor in memory at a time. Linear layers may be stored [outputs, inputs] or [inputs, outputs]: the
 * spectrum is the same. Convolutions give the reshaped kernel and the pooled slices unless told otherwise. The same key gives the same bits.
 * @throws ArgumentError on impossible options; whatever the source throws.
 */
export async function analyzeWeights(source: WeightSource, options: WeightAnalysisOptions = {}): Promise<WeightAnalysis> {
  requireInteger('analyzeWeights', 'minEigenvalues', options.minEigenvalues ?? 10, 1);
  requireInteger('analyzeWeights', 'maxEigenvalues', options.maxEigenvalues ?? 15_000, 1);
  requireInteger('analyzeWeights', 'bootstrap', options.bootstrap ?? 0);
  const { jobs, skipped, vectors } = plan(source, options);
  const total = jobs.reduce((sum, { work }) => sum + work, 0);
  const layers: WeightLayer[] = [];
  const { signal } = options;
  let done = 0;
  let at = 0;
  let part = 0;
  const report = (fraction: number): void => options.onProgress?.({
    name: jobs[at]?.matrices.name ?? '', layer: at, layers: jobs.length, done: done + fraction * (jobs[at]?.work ?? 0), total,
  });
  /** Lets Ctrl-C and drawing through: decompositions occupy the thread. `fraction` is that of one of a layer's decompositions. */
  const pause = async (fraction: number): Promise<void> => {
    const { count } = jobs[at].matrices;
    report((part + fraction) / (count * (options.randomize === true ? 2 : 1)));
    await new Promise<void>((resolve) => { setTimeout(resolve, 0); });
    if (signal?.aborted === true) throw new Interrupted();
  };
  const solver = spectrumSolver({ ...(options.executor && { executor: options.executor }), pause });
  const counting: SpectrumSolver = { ...solver, solve: async (matrix) => { const spectrum = await solver.solve(matrix); part++; return spectrum; } };
  try {
    let tensor: { name: string; array: NDArray } | undefined;
    for (const { matrices, work } of jobs) {
      part = 0;
      await pause(0);
      if (tensor?.name !== matrices.tensor) tensor = { name: matrices.tensor, array: await source.read(matrices.tensor) };
      const result = await analyzeLayer(matrices, tensor.array, counting, options);
      if ('reason' in result) skipped.push(result);
      else layers.push(result);
      done += work;
      at++;
    }
    report(0);
  } catch (error) {
    // Resampling throws the signal's own reason.
    if (!(error instanceof Interrupted || signal?.aborted === true)) throw error;
    return { layers, skipped, vectors, aborted: true };
  } finally {
    await solver.dispose();
  }
  return { layers, skipped, vectors, aborted: false };
}

/** Leaves a decomposition when the signal says so; never seen outside. */
class Interrupted extends Error {}

const FLOAT_TYPES: readonly string[] = ['F64', 'F32', 'F16', 'BF16', 'float64', 'float32'] satisfies (DType | 'F64' | 'F32' | 'F16' | 'BF16')[];

/** Multiplications that an analysis will take, decompositions for the most part: what its progress is measured in. */
export const analysisWork = (source: Pick<WeightSource, 'tensors'>, options: WeightAnalysisOptions = {}): number => plan(source, options).jobs.reduce((sum, { work }) => sum + work, 0);

function plan(source: Pick<WeightSource, 'tensors'>, options: WeightAnalysisOptions): { jobs: Job[]; skipped: SkippedLayer[]; vectors: number } {
  const { layers = () => true, randomize = false, minEigenvalues = 10, maxEigenvalues = 15_000, maxRows = 50_000 } = options;
  const jobs: Job[] = [];
  const skipped: SkippedLayer[] = [];
  let vectors = 0;
  for (const { name, shape, type } of source.tensors) {
    if (!layers(name)) continue;
    if (type !== undefined && !FLOAT_TYPES.includes(type)) {
      if (shape.length >= 2) skipped.push({ name, shape, reason: `elements are ${type}, not floating-point numbers` });
      else vectors++;
      continue;
    }
    const found = weightMatrices(name, shape, options);
    if (found.length === 0) vectors++;
    for (const matrices of found) {
      const { rows, columns, count } = matrices;
      const reason = columns * count < minEigenvalues ? `fewer than ${minEigenvalues} eigenvalues: ${columns * count}`
        : columns > maxEigenvalues ? `more than ${maxEigenvalues} eigenvalues: ${columns}`
          : rows > maxRows ? `more than ${maxRows} rows: ${rows}` : undefined;
      if (reason !== undefined) skipped.push({ name: matrices.name, shape, reason });
      // The product runs some ten times faster than the decomposition.
      else jobs.push({ matrices, work: count * (randomize ? 2 : 1) * (0.1 * rows * columns ** 2 + (4 / 3) * columns ** 3) });
    }
  }
  return { jobs, skipped, vectors };
}

async function analyzeLayer(matrices: WeightMatrices, tensor: NDArray, solver: SpectrumSolver, options: WeightAnalysisOptions): Promise<WeightLayer | SkippedLayer> {
  const started = performance.now();
  const { name, shape, form, rows, columns, count } = matrices;
  if (!isFloat(tensor.dtype)) return { name, shape, reason: `elements are ${tensor.dtype}, not floating-point numbers` };
  const bad = tensor.data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) return { name, shape, reason: `an element is ${tensor.data[bad]}`, nonFinite: true };
  const key = split(options.key ?? makeKey(0), name);
  const spectra: WeightSpectrum[] = [];
  for (let i = 0; i < count; i++) spectra.push(await solver.solve(matrices.matrix(i, tensor)));
  const spectrum = pooled(spectra);
  const { eigenvalues } = spectrum;
  if (!(eigenvalues[eigenvalues.length - 1] > 0)) return { name, shape, reason: 'all elements are zero' };
  const randomised = options.randomize === true ? await randomisedControl(matrices, tensor, spectrum, solver, split(key, 'shuffle')) : undefined;
  return {
    name, tensor: matrices.tensor, shape, form, rows, columns, spectrum, ...analyzeSpectrum(spectrum, rows, columns, key, options),
    ...(randomised && { randomised }), seconds: (performance.now() - started) / 1000,
  };
}
