/** Operators cut and put together: submatrices, block diagonals, low rank, projections off known vectors. @module */
import { ParameterSpace, type ParameterFilter } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { commonBlock, commonPrecision, isOperator } from './algebra.ts';
import { addCombination, norm, orthogonalise, projections, scaleBy } from './basis.ts';
import { linearMap, linearOperator, type BlockProduct, type LinearMap, type LinearOperator } from './operator.ts';

/** Coordinates [start, end) of a flat vector; a `Group` is one. */
export interface CoordinateRange {
  readonly start: number;
  readonly end: number;
}

/** A choice of coordinates: parameters by name (of a map with a space), or ranges, laid end to end in the order given. */
export type CoordinateChoice = ParameterFilter | CoordinateRange | readonly CoordinateRange[];

const isRange = (choice: unknown): choice is CoordinateRange => typeof choice === 'object' && choice !== null && 'start' in choice;

interface Chosen {
  readonly ranges: readonly CoordinateRange[];
  readonly space?: ParameterSpace;
}

function chosen(operation: string, map: LinearMap, length: number, choice: CoordinateChoice): Chosen {
  if (isRange(choice) || (Array.isArray(choice) && choice.every(isRange))) {
    const ranges = isRange(choice) ? [choice] : choice as readonly CoordinateRange[];
    if (ranges.length === 0) throw new ArgumentError({ operation, required: 'at least one range must be chosen', received: 'none' });
    for (const { start, end } of ranges) {
      requireInteger(operation, 'start', start, 0, length - 1);
      requireInteger(operation, 'end', end, start + 1, length);
    }
    return { ranges };
  }
  const { space } = map;
  if (space === undefined || length !== space.size) throw new ArgumentError({ operation, required: 'choosing by name needs an operator over named parameters', received: `'${map.name}' without names`, remedy: 'choose ranges { start, end }' });
  const part = subspace(operation, space, choice as ParameterFilter);
  const at = new Map(space.ranges.map((range) => [range.name, range]));
  return { ranges: part.names.map((name) => ({ start: at.get(name)!.offset, end: at.get(name)!.offset + at.get(name)!.size })), space: part };
}

/** The parameters of a space that a filter chooses. */
function subspace(operation: string, space: ParameterSpace, filter: ParameterFilter): ParameterSpace {
  const tree = space.unflatten(space.flatten());
  const own = new Set(space.names);
  const names = new ParameterSpace(tree, filter).names.filter((name) => own.has(name));
  if (names.length === 0) throw new ArgumentError({ operation, required: 'the filter must choose parameters of the operator', received: JSON.stringify(filter), remedy: `one of ${space.names.join(', ')}` });
  return new ParameterSpace(tree, (name) => names.includes(name));
}

const lengthOf = (ranges: readonly CoordinateRange[]): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0);

/** The chosen coordinates of each vector. */
const gather = (vectors: readonly Float64Array[], ranges: readonly CoordinateRange[]): Float64Array[] => vectors.map((vector) => {
  const out = new Float64Array(lengthOf(ranges));
  let at = 0;
  for (const { start, end } of ranges) {
    out.set(vector.subarray(start, end), at);
    at += end - start;
  }
  return out;
});

/** Vectors of full length with these at the chosen coordinates and zeros elsewhere. */
const scatter = (vectors: readonly Float64Array[], ranges: readonly CoordinateRange[], length: number): Float64Array[] => vectors.map((vector) => {
  const out = new Float64Array(length);
  let at = 0;
  for (const { start, end } of ranges) {
    for (let i = start; i < end; i++) out[i] += vector[at + i - start];
    at += end - start;
  }
  return out;
});

/**
 * The block of an operator at chosen rows and the same columns, or at different ones with `{ rows, columns }`: products of the
 * whole with zeros elsewhere. (A Hessian of some parameters only is cheaper by the option `parameters` of `hessian`.)
 * @throws ArgumentError when the choice is empty or by name on an operator without names.
 */
export function submatrix(operator: LinearOperator, choice: CoordinateChoice): LinearOperator;
export function submatrix(map: LinearMap, choice: { readonly rows?: CoordinateChoice; readonly columns?: CoordinateChoice }): LinearMap;
export function submatrix(map: LinearMap, choice: CoordinateChoice | { readonly rows?: CoordinateChoice; readonly columns?: CoordinateChoice }): LinearMap {
  const name = `part of ${map.name}`;
  const { precision, block } = map;
  const cut = (product: BlockProduct, input: Chosen, length: number, output: Chosen): BlockProduct => async (vectors) =>
    gather(await product(scatter(vectors, input.ranges, length)), output.ranges);
  if (typeof choice === 'object' && ('rows' in choice || 'columns' in choice)) {
    const rows = choice.rows === undefined ? { ranges: [{ start: 0, end: map.rows }] } : chosen('submatrix', map, map.rows, choice.rows);
    const columns = choice.columns === undefined ? { ranges: [{ start: 0, end: map.columns }] } : chosen('submatrix', map, map.columns, choice.columns);
    return linearMap({
      name, precision, block, rows: lengthOf(rows.ranges), columns: lengthOf(columns.ranges), ...(columns.space && { space: columns.space }),
      apply: cut(map.multiply, columns, map.columns, rows), applyTransposed: cut(map.multiplyTransposed, rows, map.rows, columns),
    });
  }
  if (!isOperator(map)) throw new ArgumentError({ operation: 'submatrix', required: 'one choice for rows and columns needs a square operator', received: `'${map.name}' of ${map.rows} x ${map.columns}`, remedy: 'give { rows, columns }' });
  const part = chosen('submatrix', map, map.size, choice as CoordinateChoice);
  return linearOperator({
    name, precision, block, size: lengthOf(part.ranges), symmetric: map.symmetric, ...(part.space && { space: part.space }),
    apply: cut(map.multiply, part, map.size, part), applyTransposed: cut(map.multiplyTransposed, part, map.size, part),
  });
}

/** The operators along the diagonal, coordinates end to end; `space` names the whole. Symmetric when all are. */
export function blockDiagonal(operators: readonly LinearOperator[], { name = 'block diagonal', space }: { readonly name?: string; readonly space?: ParameterSpace } = {}): LinearOperator {
  if (operators.length === 0) throw new ArgumentError({ operation: 'blockDiagonal', required: 'at least one operator must be given', received: 'none' });
  let size = 0;
  const ranges = operators.map((operator) => ({ start: size, end: (size += operator.size) }));
  if (space !== undefined && space.size !== size) throw new ShapeError({ operation: 'blockDiagonal', required: `space must have the operators' ${size} coordinates`, received: String(space.size) });
  const along = (of: (operator: LinearOperator) => BlockProduct): BlockProduct => async (vectors) => {
    const out = vectors.map(() => new Float64Array(size));
    for (const [k, operator] of operators.entries()) {
      const { start, end } = ranges[k];
      (await of(operator)(vectors.map((vector) => vector.subarray(start, end)))).forEach((image, i) => out[i].set(image, start));
    }
    return out;
  };
  return linearOperator({
    name, size, symmetric: operators.every(({ symmetric }) => symmetric), precision: commonPrecision(operators), block: commonBlock(operators), ...(space && { space }),
    apply: along((operator) => operator.multiply), applyTransposed: along((operator) => operator.multiplyTransposed),
  });
}

const LOW_RANK_BLOCK = 8;

function requireLengths(operation: string, argument: string, vectors: readonly Float64Array[]): number {
  if (vectors.length === 0) throw new ArgumentError({ operation, required: `${argument} must hold at least one vector`, received: 'none' });
  const odd = vectors.find(({ length }) => length !== vectors[0].length);
  if (odd) throw new ShapeError({ operation, required: `${argument} must have vectors of one length, ${vectors[0].length}`, received: String(odd.length) });
  return vectors[0].length;
}

const ones = (count: number): Float64Array => new Float64Array(count).fill(1);

/** sum_k weights[k] u_k u_k' of vectors [rank][size]; they need not be orthogonal. Default weights: 1. */
export function lowRankOperator(vectors: readonly Float64Array[], weights: Float64Array = ones(vectors.length), name = 'low rank'): LinearOperator {
  const size = requireLengths('lowRankOperator', 'vectors', vectors);
  if (weights.length !== vectors.length) throw new ShapeError({ operation: 'lowRankOperator', required: `weights must have ${vectors.length} entries`, received: String(weights.length) });
  return linearOperator({ name, size, block: LOW_RANK_BLOCK, apply: (block) => block.map((vector) => weighted(vectors, weights, vectors, vector)) });
}

/** sum_k weights[k] left_k right_k' of vectors [rank][rows] and [rank][columns]. Default weights: 1. */
export function outerProduct(left: readonly Float64Array[], right: readonly Float64Array[], weights: Float64Array = ones(left.length), name = 'outer product'): LinearMap {
  const rows = requireLengths('outerProduct', 'left', left);
  const columns = requireLengths('outerProduct', 'right', right);
  if (left.length !== right.length || weights.length !== left.length) throw new ShapeError({ operation: 'outerProduct', required: `right and weights must have as many entries as left, ${left.length}`, received: `${right.length} and ${weights.length}` });
  return linearMap({
    name, rows, columns, block: LOW_RANK_BLOCK,
    apply: (block) => block.map((vector) => weighted(left, weights, right, vector)),
    applyTransposed: (block) => block.map((vector) => weighted(right, weights, left, vector)),
  });
}

function weighted(left: readonly Float64Array[], weights: Float64Array, right: readonly Float64Array[], vector: Float64Array): Float64Array {
  const out = new Float64Array(left[0].length);
  addCombination(out, projections(right, vector).map((x, k) => x * weights[k]), left);
  return out;
}

/**
 * P A P with P = I - QQ', Q an orthonormal basis of the vectors given (dependent ones are dropped): the operator off directions
 * already known. Their eigenvalue becomes zero; where the vectors are eigenvectors, the others stay as they were.
 */
export function projectedOff(operator: LinearOperator, vectors: readonly Float64Array[]): LinearOperator {
  const odd = vectors.find(({ length }) => length !== operator.size);
  if (odd) throw new ShapeError({ operation: 'projectedOff', required: `vectors must have ${operator.size} entries`, received: String(odd.length) });
  const basis = orthonormal(vectors);
  const { precision, block, symmetric, size, space } = operator;
  const project = (images: readonly Float64Array[]): Float64Array[] => images.map((image) => {
    const out = image.slice();
    orthogonalise(basis, out);
    return out;
  });
  const inside = (product: BlockProduct): BlockProduct => async (block_) => project(await product(project(block_)));
  return linearOperator({
    name: `${operator.name} off ${basis.length} vectors`, size, symmetric, precision, block, ...(space && { space }),
    apply: inside(operator.multiply), applyTransposed: inside(operator.multiplyTransposed),
  });
}

// Below this part of its length a vector is a combination of those before it, up to rounding.
const DEPENDENT = 1e-10;

/** An orthonormal basis of the span of vectors, which are only read: Gram-Schmidt, dependent ones dropped. */
export function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const copy = vector.slice();
    const before = norm(copy);
    const { norm: left } = orthogonalise(basis, copy);
    if (!(left > DEPENDENT * before)) continue;
    scaleBy(copy, 1 / left);
    basis.push(copy);
  }
  return basis;
}
