/** Elements by index, and updates put or combined at indices. @module */
import { NDArray, sizeOf, type Shape } from '../../../core/ndarray.ts';
import { stridesOf } from '../../../core/strides.ts';
import type { Tensor } from '../../../core/tensor.ts';
import {
  add, broadcastTo, concat, constant, gather, less, maximum, minimum, mul, normalizeAxis, reshape, scatterAdd, scatterSet, take, takeAlongAxis, where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { positiveIndices } from './indexing.ts';

const refuse = (required: string, received: string, remedy?: string): never => { throw new ArgumentError({ operation: 'import', required, received, ...(remedy === undefined ? {} : { remedy }) }); };
const int32 = (values: ArrayLike<number>, shape: Shape): Tensor => constant(new NDArray(Int32Array.from(values), [...shape], 'int32'));

/** Points [..., rank] of all places of `indices`, with the coordinate along `axis` replaced by the index there. */
function pointsAlong(indices: Tensor, axis: number): Tensor {
  const { shape } = indices;
  const one = [...shape, 1];
  return concat(shape.map((n, i) => {
    const along = shape.map((_, j) => (j === i ? n : 1));
    return reshape(i === axis ? indices : broadcastTo(int32(Array.from({ length: n }, (_, at) => at), along), shape), one);
  }), shape.length);
}

/** Requires indices [..] of the rank of the data, not longer than it on the other axes. */
function requireIndices(x: Tensor, indices: Tensor, axis: number): void {
  if (indices.rank !== x.rank || indices.shape.some((n, i) => i !== axis && n > x.shape[i])) {
    refuse(`indices must have ${x.rank} axes, none but axis ${axis} longer than those of [${x.shape.join(',')}]`, `[${indices.shape.join(',')}]`);
  }
}

const gatherElements: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', 0));
  const indices = positiveIndices(call, 1, x.shape[axis]);
  requireIndices(x, indices, axis);
  const isWhole = indices.shape.every((n, i) => i === axis || n === x.shape[i]);
  return [call.result(isWhole ? takeAlongAxis(x, indices, axis) : gather(x, pointsAlong(indices, axis)))];
};

/** Points with coordinates that may count from the end, made positive; known ones are checked. `extents`: of the indexed axes. */
function positivePoints(call: OperatorCall, at: number, extents: Shape): Tensor {
  const known = call.input(at).known;
  const outside = known?.find((index, i) => index < -extents[i % extents.length] || index >= extents[i % extents.length]);
  if (outside !== undefined) refuse(`indices must lie in the extents [${extents.join(',')}]`, String(outside));
  const indices = call.indices(at);
  if (known !== undefined && known.every((index) => index >= 0)) return indices;
  return where(less(indices, 0), add(indices, int32(extents, [extents.length])), indices);
}

const depthOf = (call: OperatorCall, at: number, most: number): number => {
  const { shape } = call.input(at);
  const depth = shape.at(-1);
  if (depth === undefined || depth < 1 || depth > most) return refuse(`the last axis of the indices must hold 1..${most} coordinates`, `[${shape.join(',')}]`);
  return depth;
};

const gatherPoints: OperatorRule = (call) => {
  const x = call.tensor(0);
  const batch = call.attributes.integer('batch_dims', 0);
  const { shape } = call.input(1);
  if (batch < 0 || batch >= Math.min(x.rank, shape.length) || shape.slice(0, batch).some((n, i) => n !== x.shape[i])) refuse('batch_dims must count leading axes that data and indices share', `${batch} for [${x.shape.join(',')}] and [${shape.join(',')}]`);
  const depth = depthOf(call, 1, x.rank - batch);
  return [call.result(gather(x, positivePoints(call, 1, x.shape.slice(batch, batch + depth)), batch))];
};

const COMBINATIONS: Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>> = { add, mul, max: maximum, min: minimum };

/**
 * Updates [n, ...rest] put at points [n, depth], one after another. Sums need no order. Otherwise points that repeat are taken in rounds of
 * distinct ones, which asks for known indices; computed indices must be distinct, as ONNX demands without reduction.
 */
function combineAt(x: Tensor, points: Tensor, updates: Tensor, reduction: string, knownPlaces: readonly number[] | undefined): Tensor {
  if (sizeOf(updates.shape) === 0) return x;
  if (reduction === 'add' && x.dtype !== 'bool') return scatterAdd(x, points, updates);
  const isSet = reduction === 'none';
  const combine = COMBINATIONS[reduction];
  if (!isSet && combine === undefined) refuse("attribute 'reduction' must be none, add, mul, max or min", `'${reduction}'`);
  if (!isSet && x.dtype === 'bool') refuse('updates of bool must be put without reduction', `'${reduction}'`);
  if (knownPlaces === undefined) return isSet ? scatterSet(x, points, updates) : refuse(`indices must be known for reduction '${reduction}', because the engine puts only distinct ones`, 'computed indices', "reduction 'add' takes computed indices");
  let y = x;
  for (const round of roundsOf(knownPlaces, isSet)) {
    const isAll = round.length === knownPlaces.length;
    const chosen = isAll ? undefined : int32(round, [round.length]);
    const at = chosen === undefined ? points : take(points, chosen);
    const values = chosen === undefined ? updates : take(updates, chosen);
    y = scatterSet(y, at, isSet ? values : combine(gather(y, at), values));
  }
  return y;
}

/** Positions in rounds within which no place repeats; when later updates replace earlier ones, the last of each place alone. */
function roundsOf(places: readonly number[], replaces: boolean): number[][] {
  if (replaces) return [[...new Map(places.map((place, i) => [place, i])).values()].sort((a, b) => a - b)];
  const counts = new Map<number, number>();
  const rounds: number[][] = [];
  places.forEach((place, i) => {
    const count = counts.get(place) ?? 0;
    counts.set(place, count + 1);
    (rounds[count] ??= []).push(i);
  });
  if (rounds.length > 64) refuse('a place must be updated at most 64 times under this reduction', String(rounds.length));
  return rounds;
}

/** The place of every point in row-major order, where the indices are known. */
function knownPlacesOf(call: OperatorCall, at: number, extents: Shape): number[] | undefined {
  const known = call.input(at).known;
  if (known === undefined) return undefined;
  const depth = extents.length;
  const strides = stridesOf(extents);
  return Array.from({ length: known.length / depth }, (_, point) => strides.reduce((total, stride, i) => {
    const index = known[point * depth + i];
    return total + stride * (index < 0 ? index + extents[i] : index);
  }, 0));
}

const scatterPoints: OperatorRule = (call) => {
  const x = call.tensor(0);
  const depth = depthOf(call, 1, x.rank);
  const extents = x.shape.slice(0, depth);
  const points = positivePoints(call, 1, extents);
  const updates = call.tensor(2);
  const expected = [...points.shape.slice(0, -1), ...x.shape.slice(depth)];
  if (updates.shape.join() !== expected.join()) refuse(`updates must be [${expected.join(',')}]`, `[${updates.shape.join(',')}]`);
  const count = sizeOf(points.shape.slice(0, -1));
  const rows = reshape(updates, [count, ...x.shape.slice(depth)]);
  return [call.result(combineAt(x, reshape(points, [count, depth]), rows, call.attributes.text('reduction', 'none'), knownPlacesOf(call, 1, extents)))];
};

const scatterElements: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', 0));
  const indices = positiveIndices(call, 1, x.shape[axis]);
  requireIndices(x, indices, axis);
  const updates = call.tensor(2);
  if (updates.shape.join() !== indices.shape.join()) refuse(`updates must be [${indices.shape.join(',')}], as the indices`, `[${updates.shape.join(',')}]`);
  const count = sizeOf(indices.shape);
  const points = reshape(pointsAlong(indices, axis), [count, x.rank]);
  return [call.result(combineAt(x, points, reshape(updates, [count]), call.attributes.text('reduction', 'none'), elementPlaces(call, x.shape, indices.shape, axis)))];
};

/** As `knownPlacesOf` for indices along one axis. */
function elementPlaces(call: OperatorCall, shape: Shape, points: Shape, axis: number): number[] | undefined {
  const known = call.input(1).known;
  if (known === undefined) return undefined;
  const own = stridesOf(points);
  const strides = stridesOf(shape);
  return Array.from(known, (index, at) => points.reduce((total, n, i) => {
    const coordinate = i === axis ? (index < 0 ? index + shape[axis] : index) : Math.floor(at / own[i]) % n;
    return total + strides[i] * coordinate;
  }, 0));
}

export const scatteringOperators: OperatorTable = {
  GatherElements: { rule: gatherElements, settings: [1], since: 11 },
  GatherND: { rule: gatherPoints, settings: [1], since: 11 },
  Scatter: { rule: scatterElements, settings: [1] },
  ScatterElements: { rule: scatterElements, settings: [1], since: 11 },
  ScatterND: { rule: scatterPoints, settings: [1], since: 11 },
};
