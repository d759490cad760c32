/** Order along an axis: the largest elements, running sums and products, elements chosen by what they are. @module */
import { NDArray, sizeOf } from '../../../core/ndarray.ts';
import { stridesOf } from '../../../core/strides.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { constant, cumprod, cumsum, flatten, full, normalizeAxis, pad, take, topK } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { hostType, toStorage } from '../element-types.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';
import { integers, Value } from '../value.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

const topKRule: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', -1));
  const count = call.version < 10 ? call.attributes.integer('k') : call.input(1).number('k');
  if (count < 0 || count > x.shape[axis]) refuse(`k must lie in 0..${x.shape[axis]}, the extent of axis ${axis}`, String(count));
  if (count === 0 || sizeOf(x.shape) === 0) {
    const shape = x.shape.map((n, i) => (i === axis ? count : n));
    return [call.result(full(shape, 0, x.dtype)), call.result(full(shape, 0, 'int32'), 'int64')];
  }
  // Unsorted results may come in any order: the sorted one is right too.
  const [values, positions] = topK(x, count, { axis, largest: call.attributes.flag('largest', true) });
  return [call.result(values), call.result(positions, 'int64')];
};

/** Running sums or products; exclusive ones begin with the neutral element and leave out the last. */
const running = (accumulate: (x: Tensor, axis: number, options: { reverse: boolean }) => Tensor, neutral: number): OperatorRule => (call) => {
  const x = call.tensor(0);
  const axis = normalizeAxis('import', x.rank, call.input(1).number('the axis'));
  const reverse = call.attributes.flag('reverse', false);
  if (!call.attributes.flag('exclusive', false)) return [call.result(accumulate(x, axis, { reverse }))];
  if (x.shape[axis] === 0) return [call.input(0)];
  const shift = (sign: number): number[] => x.shape.map((_, i) => (i === axis ? sign : 0));
  const sign = reverse ? -1 : 1;
  return [call.result(accumulate(pad(x, shift(sign), shift(-sign), { value: neutral }), axis, { reverse }))];
};

/** Coordinates of all elements that are not zero, as [rank, count]. */
const nonZeroRule: OperatorRule = (call) => {
  const x = call.input(0);
  const found = x.elements('the input of NonZero, whose values decide the shape of its output,').flatMap((value, at) => (value === 0 ? [] : [at]));
  const strides = stridesOf(x.shape);
  const coordinates = x.shape.flatMap((n, axis) => found.map((at) => Math.floor(at / strides[axis]) % n));
  return [integers(coordinates, [x.rank, found.length])];
};

const compressRule: OperatorRule = (call) => {
  const kept = call.integers(1, 'the condition of Compress, whose values decide the shape of its output,').flatMap((flag, at) => (flag === 0 ? [] : [at]));
  const x = call.tensor(0);
  const isFlat = !call.attributes.has('axis');
  const axis = isFlat ? 0 : normalizeAxis('import', x.rank, call.attributes.integer('axis'));
  const from = isFlat ? flatten(x, 0) : x;
  if (kept.some((at) => at >= from.shape[axis])) refuse(`the condition must have at most ${from.shape[axis]} entries`, call.input(1).toString());
  return [call.result(take(from, constant(new NDArray(Int32Array.from(kept), [kept.length], 'int32')), axis))];
};

/** Distinct slices of a known input with their first positions, the place of each slice among them, and how often each occurs. */
const uniqueRule: OperatorRule = (call) => {
  const x = call.input(0);
  const elements = x.elements('the input of Unique, whose values decide the shape of its outputs,');
  const isFlat = !call.attributes.has('axis');
  const axis = isFlat ? 0 : normalizeAxis('import', x.rank, call.attributes.integer('axis'));
  const shape = isFlat ? [x.size] : [...x.shape];
  const after = sizeOf(shape.slice(axis + 1));
  const before = sizeOf(shape.slice(0, axis));
  const sliceAt = (i: number): number[] => Array.from({ length: before * after }, (_, j) => elements[(Math.floor(j / after) * shape[axis] + i) * after + (j % after)]);
  const slices = Array.from({ length: shape[axis] }, (_, i) => sliceAt(i));
  const groups = new Map<string, { first: number; members: number[] }>();
  slices.forEach((slice, i) => {
    const key = slice.join();
    const group = groups.get(key) ?? { first: i, members: [] };
    group.members.push(i);
    groups.set(key, group);
  });
  const order = [...groups.values()];
  if (call.attributes.flag('sorted', true)) order.sort((a, b) => compare(slices[a.first], slices[b.first]));
  const inverse = Array.from({ length: shape[axis] }, () => 0);
  order.forEach(({ members }, place) => members.forEach((i) => { inverse[i] = place; }));
  const distinct = Float64Array.from({ length: before * order.length * after }, (_, j) => {
    const place = Math.floor(j / after) % order.length;
    return slices[order[place].first][Math.floor(j / (after * order.length)) * after + (j % after)];
  });
  const values = Value.ofKnown(x.type, shape.map((n, i) => (i === axis ? order.length : n)), toStorage(distinct, hostType(x.type, x.type === 'double' ? 'float64' : 'float32')));
  return [values, integers(order.map(({ first }) => first)), integers(inverse), integers(order.map(({ members }) => members.length))];
};

/** Which of two lists comes first: by the first element in which they differ. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}

export const orderingOperators: OperatorTable = {
  TopK: { rule: topKRule, settings: [1] },
  CumSum: { rule: running(cumsum, 0), settings: [1], since: 11 },
  CumProd: { rule: running(cumprod, 1), settings: [1], since: 26 },
  NonZero: { rule: nonZeroRule, gradient: 'zero', since: 9 },
  Compress: { rule: compressRule, settings: [1], since: 9 },
  Unique: { rule: uniqueRule, since: 11 },
};
