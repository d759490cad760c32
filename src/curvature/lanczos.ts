/** Block Lanczos with full reorthogonalisation and thick restarts. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { split, type Key } from '../util/random/index.ts';
import { combinations, norm, orthogonalise, scaleBy } from './basis.ts';
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
  #basis: Float64Array[] = [];
  /** Rows of T, each as long as the basis is. */
  #projected: number[][] = [];
  #next: Float64Array[] = [];
  /** One row a vector of F, one entry a vector of V. */
  #coupling: number[][] = [];
  #draws = 0;
  #scale = 0;
  #asymmetry = 0;

  /** Starts from a random orthonormal block. */
  constructor(operator: LinearOperator, key: Key, block: number) {
    this.#operator = operator;
    this.#key = key;
    while (this.#next.length < block) this.#next.push(this.#fresh(this.#next));
    this.#coupling = this.#next.map(() => []);
  }

  get dimension(): number { return this.#basis.length; }
  /** Frobenius norm of the part of V'AV that T leaves out, its antisymmetric one: what the rounding of products adds to residuals. */
  get asymmetry(): number { return Math.sqrt(this.#asymmetry); }
  /** True when the basis spans everything. */
  get complete(): boolean { return this.#next.length === 0; }

  /** A random unit vector orthogonal to the basis and to `others`. */
  #fresh(others: readonly Float64Array[]): Float64Array {
    const vector = randomUnit(split(this.#key, 'start', this.#draws++), this.#operator.size);
    scaleBy(vector, 1 / orthogonalise([...this.#basis, ...others], vector).norm);
    return vector;
  }

  /** Adds the next block to the basis: one product a vector. */
  async extend(): Promise<void> {
    const images = await this.#operator.multiply(this.#next);
    const old = this.dimension;
    this.#basis.push(...this.#next);
    this.#projected.forEach((row, i) => row.push(...this.#coupling.map((coupling) => coupling[i])));
    const added: Float64Array[] = [];
    const block: number[][] = [];
    for (const image of images) {
      const size = norm(image);
      const { coefficients, norm: left } = orthogonalise([...this.#basis, ...added], image, 2 * images.length + added.length);
      block.push([...coefficients]);
      this.#scale = Math.max(this.#scale, size);
      const room = this.#operator.size - this.dimension - added.length;
      if (left > BREAKDOWN * this.#scale) {
        scaleBy(image, 1 / left);
        added.push(image);
        block.at(-1)!.push(left);
      } else if (room > 0) {
        // An invariant space: go on with a random vector, uncoupled, so that further copies of eigenvalues are found.
        added.push(this.#fresh(added));
        block.at(-1)!.push(0);
      }
    }
    this.#appendProjection(old, block);
    this.#next = added;
    this.#coupling = added.map((_, row) => Array.from({ length: this.dimension }, (_, column) => block[column - old]?.[this.dimension + row] ?? 0));
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
    return combinations(this.#basis, pairs.map(({ weights }) => weights));
  }

  /** Keeps only these Ritz vectors; the next block stays. */
  restart(kept: readonly RitzValue[]): void {
    this.#basis = this.vectors(kept);
    this.#projected = kept.map(({ value }, i) => kept.map((_, j) => (i === j ? value : 0)));
    this.#coupling = this.#coupling.map((row) => kept.map(({ weights }) => row.reduce((sum, b, i) => sum + b * weights[i], 0)));
  }
}
