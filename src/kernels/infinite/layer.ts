/** What an infinitely wide layer is: a map of covariances. Kernels of one example with several others pass through it. @module */
import { sizeOf } from '../../core/ndarray.ts';

/** Which covariances between places of two images are carried: none (no places), of a place with itself, or of all pairs. */
export type Places = 'none' | 'diagonal' | 'full';

/**
 * Kernels of one example with `count` others, layer by layer. Each carries `entries` numbers a pair: 1 without places, p for
 * p places of which only equal pairs matter, p x p otherwise (place of the first example, place of the other).
 */
export interface Kernels {
  readonly count: number;
  /** Extents of the image or sequence; empty without places. */
  readonly space: readonly number[];
  readonly places: Places;
  /** Features (channels), which scale weights of the standard parametrisation. */
  readonly width: number;
  /** Covariance of the network's random outputs, [count, entries]. */
  readonly nngp: Float64Array;
  /** Tangent kernel, [count, entries]; null when it is not asked for. */
  readonly ntk: Float64Array | null;
  /** Whether values are Gaussian, which dual activations suppose: they are after a layer with weights. */
  readonly gaussian: boolean;
}

/** Kernels of examples with themselves, as layers met them, remembered for the pairs. */
export interface Tape {
  /** Whether the pair is an example with itself, whose own values are being remembered. */
  readonly self: boolean;
  /** Variances of the first example, [places], and of the others, [count, places]. */
  variances(kernels: Kernels): readonly [Float64Array, Float64Array];
  /** Covariances among all places: of the first example, [places, places], and of the others. */
  covariances(kernels: Kernels): readonly [Float64Array, Float64Array];
}

/** A layer, or a network of them, in the limit of infinite width. */
export interface InfiniteLayer {
  readonly name: string;
  /** Whether covariances between different places are needed by it; then they are carried from the input on. */
  readonly correlates: boolean;
  apply(kernels: Kernels, tape: Tape): Kernels;
}

/** Number of places. */
export const placesOf = ({ space }: Pick<Kernels, 'space'>): number => sizeOf(space);
/** Numbers a pair. */
export const entriesOf = (kernels: Pick<Kernels, 'space' | 'places'>): number => (kernels.places === 'full' ? placesOf(kernels) ** 2 : placesOf(kernels));

/** The covariance of each place with itself, [count, places]. */
export function diagonalOf(kernels: Kernels): Float64Array {
  if (kernels.places !== 'full') return kernels.nngp;
  const places = placesOf(kernels);
  return Float64Array.from({ length: kernels.count * places }, (_, i) => kernels.nngp[Math.floor(i / places) * places * places + (i % places) * (places + 1)]);
}

/** Applies a map to both kernels. */
export const mapKernels = (kernels: Kernels, map: (values: Float64Array) => Float64Array, changes: Partial<Kernels> = {}): Kernels =>
  ({ ...kernels, nngp: map(kernels.nngp), ntk: kernels.ntk && map(kernels.ntk), ...changes });

/** Remembers an example's own values. */
export class SelfTape implements Tape {
  readonly self = true;
  readonly entries: Float64Array[] = [];

  variances(kernels: Kernels): readonly [Float64Array, Float64Array] { return this.#remember(diagonalOf(kernels)); }
  covariances(kernels: Kernels): readonly [Float64Array, Float64Array] { return this.#remember(kernels.nngp); }

  #remember(values: Float64Array): readonly [Float64Array, Float64Array] {
    this.entries.push(values);
    return [values, values];
  }
}

/** Replays the values of one example and of several others, in the order they were remembered. */
export class PairTape implements Tape {
  readonly self = false;
  readonly #first: readonly Float64Array[];
  readonly #others: readonly (readonly Float64Array[])[];
  #at = 0;

  constructor(first: readonly Float64Array[], others: readonly (readonly Float64Array[])[]) {
    this.#first = first;
    this.#others = others;
  }

  variances(): readonly [Float64Array, Float64Array] { return this.#next(); }
  covariances(): readonly [Float64Array, Float64Array] { return this.#next(); }

  #next(): readonly [Float64Array, Float64Array] {
    const at = this.#at++;
    const width = this.#first[at].length;
    const joined = new Float64Array(this.#others.length * width);
    this.#others.forEach((entries, i) => joined.set(entries[at], i * width));
    return [this.#first[at], joined];
  }
}
