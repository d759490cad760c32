/** Block Lanczos with full reorthogonalisation and thick restarts. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { split, type Key } from '../util/random/index.ts';
import { norm } from './basis.ts';
import { RowBasis, type RowType } from './basis-rows.ts';
import { randomUnit } from './estimator.ts';
import type { LinearOperator } from './operator.ts';

/** A Ritz value with the norm of its residual, predicted without a product. */
export interface RitzValue {
  readonly value: number;
  readonly residual: number;
  /** Coordinates of the vector in the basis. */
  readonly weights: Float64Array;
}

// Below this part of the largest Ritz value a new direction is rounding: the Krylov space is invariant.
const BREAKDOWN = 1e-12;

/**
 * The Krylov decomposition A V = V T + F B: V an orthonormal basis, F the next block of vectors, orthogonal to V, T the
 * projection of A on V (symmetric), B the coupling. A Ritz pair (theta, V s) of T has the residual norm |B s|. Restarting
 * replaces V by Ritz vectors, so T becomes diagonal and B full (Wu and Simon 2000; in blocks: Zhou and Saad 2008).
 */
export class KrylovSpace {
  readonly #operator: LinearOperator;
  readonly #key: Key;
  /** V, then F. */
  readonly #rows: RowBasis;
  #dimension = 0;
  readonly #copies: Float64Array[] = [];
  /** Rows of T, each as long as the basis is. */
  #projected: number[][] = [];
  /** One row a vector of F, one entry a vector of V. */
  #coupling: number[][] = [];
  #draws = 0;
  #scale = 0;
  #asymmetry = 0;

  /** Starts from `start`, and random vectors where that is less than a block. `limit`: most vectors of V, at least a block; `type`: how they are kept. */
  constructor(operator: LinearOperator, key: Key, block: number, limit: number, start: readonly Float64Array[] = [], type: RowType = 'float64') {
    this.#operator = operator;
    this.#key = key;
    this.#rows = new RowBasis(operator.size, Math.min(operator.size, limit + block), type);
    for (const vector of start.slice(0, block)) this.#rows.pushRest(1 / this.#rows.orthogonalise(vector).norm);
    while (this.#rows.length < block) this.#pushFresh();
    this.#coupling = Array.from({ length: block }, () => []);
  }

  get dimension(): number { return this.#dimension; }
  /** Frobenius norm of the part of V'AV that T leaves out, its antisymmetric one: what the rounding of products adds to residuals. */
  get asymmetry(): number { return Math.sqrt(this.#asymmetry); }
  /** True when the basis spans everything. */
  get complete(): boolean { return this.#rows.length === this.#dimension; }

  /** Copies of F, valid until the next call: they share their memory. */
  #next(): Float64Array[] {
    return Array.from({ length: this.#rows.length - this.#dimension }, (_, i) => (this.#copies[i] = this.#rows.row(this.#dimension + i, this.#copies[i])));
  }

  /** Appends a random unit vector orthogonal to all rows. */
  #pushFresh(): void {
    const { norm: left } = this.#rows.orthogonalise(randomUnit(split(this.#key, 'start', this.#draws++), this.#operator.size));
    this.#rows.pushRest(1 / left);
  }

  /** Adds the next block to the basis: one product a vector. */
  async extend(): Promise<void> {
    const images = await this.#operator.multiply(this.#next());
    const old = this.#dimension;
    this.#dimension = this.#rows.length;
    this.#projected.forEach((row, i) => row.push(...this.#coupling.map((coupling) => coupling[i])));
    const block: number[][] = [];
    for (const image of images) {
      const { coefficients, norm: left } = this.#rows.orthogonalise(image, images.length + this.#rows.length - old);
      block.push([...coefficients]);
      this.#scale = Math.max(this.#scale, norm(image));
      if (left > BREAKDOWN * this.#scale) {
        this.#rows.pushRest(1 / left);
        block.at(-1)!.push(left);
      } else if (this.#rows.length < this.#operator.size) {
        // An invariant space: go on with a random vector, uncoupled, so that further copies of eigenvalues are found.
        this.#pushFresh();
        block.at(-1)!.push(0);
      }
    }
    this.#appendProjection(old, block);
    this.#coupling = Array.from({ length: this.#rows.length - this.#dimension }, (_, row) => Array.from({ length: this.#dimension }, (__, column) => block[column - old]?.[this.#dimension + row] ?? 0));
  }

  /** The new rows and columns of T; both triangles are the mean of what the two products say. */
  #appendProjection(old: number, block: readonly number[][]): void {
    block.forEach((column, j) => {
      this.#projected.push(Array.from({ length: this.dimension }, (_, i) => (i < old ? column[i] : (column[i] + block[i - old][old + j]) / 2)));
      for (let i = old; i < this.dimension; i++) this.#asymmetry += (column[i] - block[i - old][old + j]) ** 2 / 4;
    });
    for (let i = 0; i < old; i++) {
      for (let j = 0; j < block.length; j++) {
        this.#asymmetry += (this.#projected[i][old + j] - block[j][i]) ** 2 / 2;
        const value = (this.#projected[i][old + j] + block[j][i]) / 2;
        this.#projected[i][old + j] = value;
        this.#projected[old + j][i] = value;
      }
    }
  }

  /** Ritz values, ascending. */
  ritz(): RitzValue[] {
    const n = this.dimension;
    const { values, vectors } = symmetricEigen(Float64Array.from(this.#projected.flat()), n);
    return Array.from(values, (value, k) => {
      const weights = Float64Array.from({ length: n }, (_, i) => vectors[i * n + k]);
      let squares = 0;
      for (const row of this.#coupling) squares += row.reduce((sum, b, i) => sum + b * weights[i], 0) ** 2;
      return { value, residual: Math.sqrt(squares), weights };
    });
  }

  /** The vectors of Ritz pairs. */
  vectors(pairs: readonly RitzValue[]): Float64Array[] {
    return this.#rows.combinations(pairs.map(({ weights }) => weights));
  }

  /** Keeps only these Ritz vectors; the next block stays. */
  restart(kept: readonly RitzValue[]): void {
    const [vectors, next] = [this.vectors(kept), this.#next()];
    this.#rows.truncate(0);
    for (const vector of [...vectors, ...next]) this.#rows.push(vector);
    this.#dimension = kept.length;
    this.#projected = kept.map(({ value }, i) => kept.map((_, j) => (i === j ? value : 0)));
    this.#coupling = this.#coupling.map((row) => kept.map(({ weights }) => row.reduce((sum, b, i) => sum + b * weights[i], 0)));
  }
}
