/** A basis of long vectors as rows of one block of memory: what a Krylov space is kept in. @module */
import { norm, orthogonalPart, type OrthogonalPart } from './basis.ts';
import { COLUMNS, GROUP, rowLoops, type RowLoops } from './basis-wasm.ts';

/** How rows are stored. Everything is computed in float64; rows are rounded when they are stored. */
export type RowType = 'float32' | 'float64';
type Row = Float32Array | Float64Array;

// Columns whose part of the vector stays in the first levels of the cache while all rows pass.
const TILE = 8192;

/**
 * Rows of `size` entries, orthonormal when the caller makes them so, in float32 or float64, at most `capacity` of them. Memory is
 * taken when a row is first written, and kept by `truncate`. The loops run in WebAssembly where there is one, with the same bits as
 * those in JavaScript: each sum is over the entries i mod 4, tile by tile.
 */
export class RowBasis {
  readonly size: number;
  readonly capacity: number;
  readonly type: RowType;
  readonly #loops: RowLoops | undefined;
  readonly #rows: Row[] = [];
  /** Entries from row to row. */
  readonly #stride: number;
  /** Where the vector and one number a row lie in the memory, in bytes. */
  readonly #workAt: number;
  readonly #valuesAt: number;
  /** What is projected and combined, padded. */
  readonly #work: Float64Array;
  readonly #values: Float64Array;
  #length = 0;

  /** `loops`: tests give undefined for JavaScript's. */
  constructor(size: number, capacity: number, type: RowType, loops: typeof rowLoops | undefined = rowLoops) {
    this.size = size;
    this.capacity = capacity;
    this.type = type;
    const width = type === 'float32' ? 4 : 8;
    this.#stride = Math.ceil(size / COLUMNS) * COLUMNS;
    this.#workAt = this.#stride * capacity * width;
    this.#valuesAt = this.#workAt + 8 * this.#stride;
    this.#loops = loops?.(width, this.#valuesAt + 8 * capacity);
    const [buffer, workAt, valuesAt] = this.#loops ? [this.#loops.buffer, this.#workAt, this.#valuesAt] : [new ArrayBuffer(8 * (this.#stride + capacity)), 0, 8 * this.#stride];
    this.#work = new Float64Array(buffer, workAt, this.#stride);
    this.#values = new Float64Array(buffer, valuesAt, capacity);
  }

  get length(): number { return this.#length; }

  /** Entries of a row: a view. */
  #row(index: number): Row {
    return (this.#rows[index] ??= this.#makeRow(index));
  }

  #makeRow(index: number): Row {
    const make = this.type === 'float32' ? Float32Array : Float64Array;
    return this.#loops ? new make(this.#loops.buffer, index * this.#stride * make.BYTES_PER_ELEMENT, this.#stride) : new make(this.#stride);
  }

  /** Row `index` in float64, written into `out`. */
  row(index: number, out: Float64Array = new Float64Array(this.size)): Float64Array {
    out.set(this.#row(index).subarray(0, this.size));
    return out;
  }

  /** Appends factor times the vector. */
  push(vector: Float64Array, factor = 1): void {
    const row = this.#row(this.#length++);
    for (let i = 0; i < this.size; i++) row[i] = factor * vector[i];
  }

  /** Forgets all rows but the first ones. */
  truncate(length: number): void {
    this.#length = length;
  }

  /**
   * Takes away from a vector, which is left as it is, what lies in the span of the rows: see `orthogonalPart`. The rest is what
   * `pushRest` appends.
   */
  orthogonalise(vector: Float64Array, recent = 0): OrthogonalPart {
    this.#work.set(vector);
    return orthogonalPart(this.#length, recent, { takeAway: (from, coefficients) => this.#takeAway(from, coefficients), norm: () => norm(this.#work) });
  }

  /** Appends factor times what the latest call of `orthogonalise` has left. */
  pushRest(factor: number): void {
    this.push(this.#work, factor);
  }

  /** Inner products of the rows with a vector. */
  projections(vector: Float64Array): Float64Array {
    this.#work.set(vector);
    this.#project(0, this.#length);
    return this.#values.slice(0, this.#length);
  }

  /** Linear combinations of the first rows: `weights[k][j]` is the factor of row j in the result k. */
  combinations(weights: readonly Float64Array[]): Float64Array[] {
    return weights.map((factors) => {
      this.#work.fill(0);
      this.#values.set(factors);
      this.#combine(0, factors.length);
      return this.#work.slice(0, this.size);
    });
  }

  /** One pass of classical Gram-Schmidt with the rows from `from` on; adds to the coefficients. */
  #takeAway(from: number, coefficients: Float64Array): void {
    this.#project(from, this.#length);
    for (let j = from; j < this.#length; j++) {
      coefficients[j] += this.#values[j];
      this.#values[j] = -this.#values[j];
    }
    this.#combine(from, this.#length);
  }

  /** values[j] <- rows[j] . work */
  #project(from: number, to: number): void {
    this.#values.fill(0, from, to);
    const loops = this.#loops;
    if (loops) this.#inWasm(loops.dotGroup, loops.dotOne, from, to);
    else this.#inTiles((start, end) => { for (let j = from; j < to; j++) this.#values[j] += dotOf(this.#row(j), this.#work, start, end); });
  }

  /** work <- work + sum_j values[j] rows[j] */
  #combine(from: number, to: number): void {
    const loops = this.#loops;
    if (loops) this.#inWasm(loops.addGroup, loops.addOne, from, to);
    else this.#inTiles((start, end) => { for (let j = from; j < to; j++) addTo(this.#work, this.#values[j], this.#row(j), start, end); });
  }

  #inTiles(work: (start: number, end: number) => void): void {
    for (let start = 0; start < this.#stride; start += TILE) work(start, Math.min(this.#stride, start + TILE));
  }

  #inWasm(group: RowLoops['dotGroup'], one: RowLoops['dotOne'], from: number, to: number): void {
    const width = this.type === 'float32' ? 4 : 8;
    const stride = this.#stride * width;
    this.#inTiles((start, end) => {
      for (let j = from; j < to;) {
        const [loop, count] = j + GROUP <= to ? [group, GROUP] : [one, 1];
        loop(j * stride + start * width, stride, this.#workAt + 8 * start, this.#workAt + 8 * end, this.#valuesAt + 8 * j);
        j += count;
      }
    });
  }
}

/** Entries `start` to `end`, a multiple of four, of a row with those of a vector, in the order of the loops in WebAssembly. */
function dotOf(row: Row, vector: Float64Array, start: number, end: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = start; i < end; i += 4) {
    s0 += row[i] * vector[i];
    s1 += row[i + 1] * vector[i + 1];
    s2 += row[i + 2] * vector[i + 2];
    s3 += row[i + 3] * vector[i + 3];
  }
  return s0 + s2 + (s1 + s3);
}

function addTo(vector: Float64Array, factor: number, row: Row, start: number, end: number): void {
  for (let i = start; i < end; i++) vector[i] += factor * row[i];
}
