/** Locally optimal block preconditioned conjugate gradients for eigenpairs at one end of the spectrum. @module */
import { symmetricEigen } from '../linalg/index.ts';
import { split, type Key } from '../util/random/index.ts';
import { addScaled, combinations, norm, orthogonalise, projections, scaleBy } from './basis.ts';
import { randomUnit } from './estimator.ts';
import type { LinearOperator } from './operator.ts';
import type { Preconditioner } from './preconditioned.ts';

/** A Ritz value, the norm of its residual and the unit vector. */
export interface RitzPair {
  readonly value: number;
  readonly residual: number;
  readonly vector: Float64Array;
}

/** What to search, and how far. */
export interface LobpcgOptions {
  readonly end: 'largest' | 'smallest';
  /** Vectors iterated: the pairs wanted and a few that help the last of them. */
  readonly block: number;
  readonly key: Key;
  readonly preconditioner?: Preconditioner | undefined;
  /** Whether a pair needs no more work. */
  readonly settled: (pair: Pick<RitzPair, 'value' | 'residual'>, scale: number) => boolean;
  /** Looks at the pairs, best first, after each step; true ends the search. */
  readonly done: (pairs: readonly RitzPair[], scale: number) => boolean;
}

// Below this part of its length a direction is rounding: it lies in the span of the others.
const DEPENDENT = 1e-10;

/**
 * Knyazev (2001), on an orthonormal basis of [X P W]: X the Ritz vectors, P what the last step added to them, W the preconditioned
 * residuals of the unsettled. The basis of X and P is chosen in coordinates (Hetmaniuk and Lehoucq 2006), so that
 * images follow by orthogonal combinations and only W is multiplied: at most `block` products a step.
 */
export async function lobpcg(operator: LinearOperator, { end, block, key, preconditioner, settled, done }: LobpcgOptions): Promise<readonly RitzPair[]> {
  let basis = startBasis(operator, key, block);
  let images = await copies(operator, basis);
  let gramMatrix = images.map((image) => projections(basis, image));
  // The Ritz vectors X are the first vectors of the basis.
  let count = 0;
  for (;;) {
    const { values, weights } = ritz(gramMatrix, end);
    const scale = Math.max(Math.abs(values[0]), Math.abs(values.at(-1)!));
    const kept = weights.slice(0, block);
    const vectors = combinations(basis, kept);
    const imagesX = combinations(images, kept);
    const residuals = vectors.map((vector, i) => {
      const residual = imagesX[i].slice();
      addScaled(residual, -values[i], vector);
      return residual;
    });
    const pairs = vectors.map((vector, i): RitzPair => ({ value: values[i], residual: norm(residuals[i]), vector }));
    if (done(pairs, scale) || basis.length >= operator.size) return pairs;
    const active = pairs.flatMap((pair, i) => (settled(pair, scale) ? [] : [i]));
    const directions = count === 0 ? [] : conjugateDirections(kept, active, count);
    basis = [...vectors, ...combinations(basis, directions)];
    images = [...imagesX, ...combinations(images, directions)];
    gramMatrix = transformed(gramMatrix, [...kept, ...directions]);
    const added = await searchDirections(residuals, active, basis, preconditioner);
    if (added.length === 0) return pairs;
    const addedImages = await copies(operator, added);
    extend(gramMatrix, [...basis, ...added], addedImages);
    basis.push(...added);
    images.push(...addedImages);
    count = vectors.length;
  }
}

const copies = async (operator: LinearOperator, vectors: readonly Float64Array[]): Promise<Float64Array[]> => (await operator.multiply(vectors)).map((image) => image.slice());

function startBasis(operator: LinearOperator, key: Key, block: number): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let i = 0; i < block; i++) {
    const vector = randomUnit(split(key, 'start', i), operator.size);
    scaleBy(vector, 1 / orthogonalise(basis, vector).norm);
    basis.push(vector);
  }
  return basis;
}

/** Eigenvalues of the projection, the wanted end first, with their vectors as coordinates in the basis. */
function ritz(gramMatrix: readonly Float64Array[], end: 'largest' | 'smallest'): { values: number[]; weights: Float64Array[] } {
  const n = gramMatrix.length;
  const mean = Float64Array.from({ length: n * n }, (_, at) => (gramMatrix[Math.floor(at / n)][at % n] + gramMatrix[at % n][Math.floor(at / n)]) / 2);
  const { values, vectors } = symmetricEigen(mean, n);
  const order = Array.from({ length: n }, (_, k) => (end === 'largest' ? n - 1 - k : k));
  return { values: order.map((k) => values[k]), weights: order.map((k) => Float64Array.from({ length: n }, (_, i) => vectors[i * n + k])) };
}

/** P in coordinates: the unsettled Ritz vectors without their share of the old ones, orthonormal and orthogonal to all new ones. */
function conjugateDirections(kept: readonly Float64Array[], active: readonly number[], old: number): Float64Array[] {
  const found: Float64Array[] = [];
  for (const i of active) {
    const direction = kept[i].slice();
    direction.fill(0, 0, old);
    const before = norm(direction);
    const { norm: left } = orthogonalise([...kept, ...found], direction);
    if (!(left > DEPENDENT * before)) continue;
    scaleBy(direction, 1 / left);
    found.push(direction);
  }
  return found;
}

/** The projection in a new basis given by coordinates in the old one. */
function transformed(gramMatrix: readonly Float64Array[], weights: readonly Float64Array[]): Float64Array[] {
  const half = weights.map((w) => projections(gramMatrix, w));
  return weights.map((w) => projections(half, w));
}

/** W: preconditioned residuals, orthonormal and orthogonal to the basis. */
async function searchDirections(residuals: readonly Float64Array[], active: readonly number[], basis: readonly Float64Array[], preconditioner: Preconditioner | undefined): Promise<Float64Array[]> {
  const raw = active.map((i) => residuals[i]);
  const through = preconditioner ? (await preconditioner.inverse.multiply(raw)).map((w) => w.slice()) : raw;
  const found: Float64Array[] = [];
  for (const direction of through) {
    const before = norm(direction);
    const { norm: left } = orthogonalise([...basis, ...found], direction);
    if (!(left > DEPENDENT * before)) continue;
    scaleBy(direction, 1 / left);
    found.push(direction);
  }
  return found;
}

/** Adds rows and columns of the projection for new vectors at the end of the basis. */
function extend(gramMatrix: Float64Array[], basis: readonly Float64Array[], images: readonly Float64Array[]): void {
  const columns = images.map((image) => projections(basis, image));
  gramMatrix.forEach((row, i) => { gramMatrix[i] = Float64Array.from([...row, ...columns.map((column) => column[i])]); });
  gramMatrix.push(...columns);
}
