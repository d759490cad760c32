/** Kernels of infinitely wide networks for sets of examples. @module */
import { NDArray, sizeOf } from '../../core/ndarray.ts';
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import type { KernelProgress } from '../empirical-ntk.ts';
import { entriesOf, PairTape, placesOf, SelfTape, type InfiniteLayer, type Kernels } from './layer.ts';

/** Options of `infiniteKernel`. */
export interface InfiniteKernelOptions {
  /** Whether the tangent kernel is computed beside the covariance. Default true. */
  readonly ntk?: boolean;
  /** Where inputs [examples, ...] of three and more axes have their channels: after the examples (`first`, the default) or at the end. */
  readonly channels?: 'first' | 'last';
  /** Stops between rows; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Counts rows of the matrix. */
  readonly onProgress?: (progress: KernelProgress) => void;
}

/** Kernels of an infinitely wide network, row-major [rows, columns]. */
export interface InfiniteKernel {
  readonly shape: readonly [number, number];
  /** Covariance of the outputs over random weights: the kernel of the Gaussian process (NNGP). */
  readonly nngp: Float64Array;
  /** The neural tangent kernel; null when it was not asked for. */
  readonly ntk: Float64Array | null;
  readonly seconds: number;
}

interface Input {
  /** [places, channels] of each example. */
  readonly examples: readonly Float64Array[];
  readonly space: readonly number[];
  readonly channels: number;
}

/**
 * NNGP and NTK of an infinitely wide network between two sets of examples, or of one set with itself (half is computed).
 * Exact up to rounding in float64 (and quadrature, where a layer uses it). Examples' own kernels are computed first and
 * remembered; then one row of pairs after another. The input kernel is x . x' / channels.
 *
 * @throws ShapeError when inputs do not fit each other or the network, or places are left at its end; ArgumentError where layers stand
 * in an order that has no closed form.
 */
export async function infiniteKernel(network: InfiniteLayer, first: NDArray, second?: NDArray, options: InfiniteKernelOptions = {}): Promise<InfiniteKernel> {
  const start = performance.now();
  const { signal, onProgress, ntk: wanted = true } = options;
  const rows = readInput('first', first, options);
  const columns = second === undefined ? rows : readInput('second', second, options);
  if (columns.channels !== rows.channels || columns.space.join(',') !== rows.space.join(',')) throw new ShapeError({ operation: 'infiniteKernel', required: `examples of second must be like those of first, ${first}`, received: String(second) });
  const own = (input: Input): Own[] => input.examples.map((example) => ownKernels(network, input, example, wanted));
  const rowOwn = own(rows);
  const columnOwn = second === undefined ? rowOwn : own(columns);
  const [n, m] = [rows.examples.length, columns.examples.length];
  const nngp = new Float64Array(n * m);
  const ntk = wanted ? new Float64Array(n * m) : null;
  const places = sizeOf(rows.space);
  // Several columns at once where kernels are numbers; one by one where they are matrices over places.
  const width = network.correlates ? Math.max(1, Math.floor(65536 / (places * places))) : Math.max(1, Math.floor(65536 / places));
  for (let i = 0; i < n; i++) {
    signal?.throwIfAborted();
    const end = second === undefined ? i : m;
    for (let from = 0; from < end; from += width) {
      const to = Math.min(end, from + width);
      const kernels = inputKernels(rows, rows.examples[i], columns.examples.slice(from, to), network.correlates, wanted);
      const out = requireNumbers(network.apply(kernels, new PairTape(rowOwn[i].tape.entries, columnOwn.slice(from, to).map(({ tape }) => tape.entries))));
      nngp.set(out.nngp, i * m + from);
      if (ntk !== null) ntk.set(out.ntk!, i * m + from);
    }
    if (second === undefined) {
      nngp[i * m + i] = rowOwn[i].nngp;
      if (ntk !== null) ntk[i * m + i] = rowOwn[i].ntk;
      for (const matrix of [nngp, ...(ntk === null ? [] : [ntk])]) for (let j = 0; j < i; j++) matrix[j * m + i] = matrix[i * m + j];
    }
    onProgress?.({ done: i + 1, total: n, unit: 'blocks' });
    await new Promise<void>((resolve) => { setTimeout(resolve, 0); });
  }
  return { shape: [n, m], nngp, ntk, seconds: (performance.now() - start) / 1000 };
}

interface Own {
  readonly tape: SelfTape;
  readonly nngp: number;
  readonly ntk: number;
}

function ownKernels(network: InfiniteLayer, input: Input, example: Float64Array, wanted: boolean): Own {
  const tape = new SelfTape();
  const out = requireNumbers(network.apply(inputKernels(input, example, [example], network.correlates, wanted), tape));
  return { tape, nngp: out.nngp[0], ntk: out.ntk?.[0] ?? NaN };
}

function requireNumbers(kernels: Kernels): Kernels {
  if (kernels.space.length === 0) return kernels;
  throw new ShapeError({ operation: 'infiniteKernel', required: 'the network must end without places', received: `places [${kernels.space.join(',')}]`, remedy: 'add infiniteFlatten or infiniteGlobalAveragePooling' });
}

/** [examples, features], or images and sequences as [places, channels]. */
function readInput(name: string, { data, shape }: NDArray, { channels = 'first' }: InfiniteKernelOptions): Input {
  if (shape.length < 2 || shape[0] === 0) throw new ArgumentError({ operation: 'infiniteKernel', required: `${name} must be [examples, features] or images with at least one example`, received: `[${shape.join(',')}]` });
  const isFirst = channels === 'first';
  const features = isFirst ? shape[1] : shape[shape.length - 1];
  const space = isFirst ? shape.slice(2) : shape.slice(1, -1);
  const places = sizeOf(space);
  const size = places * features;
  const examples = Array.from({ length: shape[0] }, (_, i) => Float64Array.from({ length: size }, (_unused, at) => {
    const [place, channel] = [Math.floor(at / features), at % features];
    return data[i * size + (isFirst ? channel * places + place : at)];
  }));
  return { examples, space, channels: features };
}

/** Inner products of channels, divided by their number. */
function inputKernels({ space, channels }: Input, example: Float64Array, others: readonly Float64Array[], correlates: boolean, wanted: boolean): Kernels {
  const places = space.length === 0 ? 'none' as const : correlates ? 'full' as const : 'diagonal' as const;
  const count = others.length;
  const total = placesOf({ space });
  const entries = entriesOf({ space, places });
  const nngp = new Float64Array(count * entries);
  others.forEach((other, pair) => {
    for (let entry = 0; entry < entries; entry++) {
      const p = (places === 'full' ? Math.floor(entry / total) : entry) * channels;
      const q = (places === 'full' ? entry % total : entry) * channels;
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += example[p + c] * other[q + c];
      nngp[pair * entries + entry] = sum / channels;
    }
  });
  return { count, space, places, width: channels, nngp, ntk: wanted ? new Float64Array(nngp.length) : null, gaussian: false };
}
