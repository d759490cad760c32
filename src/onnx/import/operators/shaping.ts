/** Shapes and pieces: what moves elements and computes none. @module */
import { sizeOf, type Shape } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { broadcastShapes, broadcastTo, concat, full, narrow, normalizeAxis, reshape, reverse, slice, transpose, tril, triu } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';
import { LARGEST_TENSOR } from '../stored-tensor.ts';
import { integers, Value } from '../value.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** Extents made by the model itself. @throws ArgumentError unless they are non-negative integers whose product is below 2^31. */
export function requireExtents(shape: readonly number[]): Shape {
  if (shape.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(shape) > LARGEST_TENSOR) refuse('a shape must have non-negative extents and fewer than 2^31 elements', `[${shape.join(',')}]`);
  return shape;
}

/** Axes from an input at `at` from operator set `since` on, from the attribute before; undefined when there are none. */
export function axesOf(call: OperatorCall, since: number, at = 1, attribute = 'axes'): number[] | undefined {
  if (call.version >= since) return call.has(at) ? call.integers(at, attribute) : undefined;
  return call.attributes.has(attribute) ? call.attributes.integers(attribute) : undefined;
}

/** Axes counted from the end made positive. */
export const positive = (axes: readonly number[], rank: number): number[] => axes.map((axis) => normalizeAxis('import', rank, axis));

/** A view of the same elements; a known value stays known. */
const reshaped = (call: OperatorCall, shape: Shape): Value[] => [call.result(reshape(call.tensor(0), requireExtents(shape)))];

const reshapeRule: OperatorRule = (call) => {
  const { shape, size } = call.input(0);
  const wanted = call.integers(1, 'the shape');
  const keepsZero = call.attributes.flag('allowzero', false);
  const target = wanted.map((n, i) => (n === 0 && !keepsZero ? shape[i] ?? refuse(`a 0 in the shape copies an extent of [${shape.join(',')}]`, `[${wanted.join(',')}]`) : n));
  const open = target.indexOf(-1);
  if (open >= 0) {
    const rest = sizeOf(target.filter((_, i) => i !== open));
    if (target.lastIndexOf(-1) !== open || rest === 0 || size % rest !== 0) refuse(`the shape must hold the ${size} elements of [${shape.join(',')}]`, `[${wanted.join(',')}]`);
    target[open] = size / rest;
  }
  if (sizeOf(target) !== size) refuse(`the shape must hold the ${size} elements of [${shape.join(',')}]`, `[${wanted.join(',')}]`);
  return reshaped(call, target);
};

const squeezeRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axes = axesOf(call, 13);
  const gone = axes === undefined ? shape.flatMap((n, i) => (n === 1 ? [i] : [])) : positive(axes, rank);
  if (gone.some((axis) => shape[axis] !== 1)) refuse(`axes [${gone.join(',')}] must have extent 1`, `[${shape.join(',')}]`);
  return reshaped(call, shape.filter((_, i) => !gone.includes(i)));
};

const unsqueezeRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axes = axesOf(call, 13) ?? refuse('axes are needed', 'none');
  const added = positive(axes, rank + axes.length);
  if (new Set(added).size !== added.length) refuse('axes must be distinct', `[${axes.join(',')}]`);
  const rest = [...shape];
  return reshaped(call, Array.from({ length: rank + axes.length }, (_, i) => (added.includes(i) ? 1 : rest.shift()!)));
};

const flattenRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axis = call.attributes.integer('axis', 1);
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at > rank) refuse(`axis must lie in ${-rank}..${rank}`, String(axis));
  return reshaped(call, [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))]);
};

const transposeRule: OperatorRule = (call) => {
  const { rank } = call.input(0);
  return [call.result(transpose(call.tensor(0), call.attributes.integers('perm', Array.from({ length: rank }, (_, i) => rank - 1 - i))))];
};

const concatRule: OperatorRule = (call) => [call.result(concat(call.inputs.map((_, at) => call.tensor(at)), call.attributes.integer('axis')))];

const splitRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axis = normalizeAxis('import', rank, call.attributes.integer('axis', 0));
  const given = axesOf(call, 13, 1, 'split');
  const parts = call.attributes.integer('num_outputs', call.outputs);
  requireListable(parts, 'the number of parts', Math.max(call.outputs, shape[axis]));
  const step = Math.ceil(shape[axis] / parts);
  const lengths = given ?? Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(step, shape[axis] - i * step)));
  if (lengths.reduce((a, b) => a + b, 0) !== shape[axis] || lengths.some((n) => n < 0)) refuse(`parts along axis ${axis} of [${shape.join(',')}] must add up to its extent`, `[${lengths.join(',')}]`);
  let start = 0;
  return lengths.map((n) => {
    start += n;
    return call.result(narrow(call.tensor(0), axis, start - n, start));
  });
};

/** Where a slice along an axis begins, how many elements it takes and by which step: NumPy's rule, limits clamped to the axis. */
function sliceOf(extent: number, start: number, end: number, step: number): { from: number; count: number } {
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const clamp = (x: number): number => Math.min(high, Math.max(low, x < 0 ? Math.max(x + extent, low) : x));
  const from = clamp(start);
  return { from, count: Math.max(0, Math.ceil((clamp(end) - from) / step)) };
}

const sliceRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const isOld = call.version < 10;
  const starts = isOld ? call.attributes.integers('starts') : call.integers(1, 'starts');
  const ends = isOld ? call.attributes.integers('ends') : call.integers(2, 'ends');
  const axes = positive((isOld ? axesOf(call, 99) : axesOf(call, 10, 3)) ?? starts.map((_, i) => i), rank);
  const steps = (isOld ? undefined : axesOf(call, 10, 4, 'steps')) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || new Set(axes).size !== axes.length || steps.includes(0)) refuse('starts, ends, axes and steps must have one entry for each of some distinct axes, steps not 0', JSON.stringify({ starts, ends, axes, steps }));
  const from = shape.map(() => 0);
  const limit = [...shape];
  const step = shape.map(() => 1);
  const backward: number[] = [];
  axes.forEach((axis, i) => {
    const piece = sliceOf(shape[axis], starts[i], ends[i], steps[i]);
    const size = Math.abs(steps[i]);
    step[axis] = Math.min(size, Math.max(1, shape[axis]));
    const last = (piece.count - 1) * step[axis];
    // A step backward takes the same elements forward, in reverse order.
    from[axis] = piece.count === 0 ? 0 : steps[i] > 0 ? piece.from : piece.from - last;
    limit[axis] = piece.count === 0 ? 0 : from[axis] + last + 1;
    if (steps[i] < 0) backward.push(axis);
  });
  const taken = slice(call.tensor(0), from, limit, step);
  return [call.result(backward.length === 0 ? taken : reverse(taken, backward))];
};

const expandRule: OperatorRule = (call) => {
  const wanted = requireExtents(call.integers(1, 'the shape'));
  return [call.result(broadcastTo(call.tensor(0), requireExtents(broadcastShapes('import', call.input(0).shape, wanted))))];
};

const tileRule: OperatorRule = (call) => {
  const { shape } = call.input(0);
  const repeats = call.integers(1, 'repeats');
  if (repeats.length !== shape.length) refuse(`repeats must have ${shape.length} entries`, `[${repeats.join(',')}]`);
  const result = requireExtents(shape.map((n, i) => n * repeats[i]));
  const apart = reshape(call.tensor(0), shape.flatMap((n) => [1, n]));
  return [call.result(reshape(broadcastTo(apart, shape.flatMap((n, i) => [repeats[i], n])), result))];
};

const shapeRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const limit = (name: string, otherwise: number): number => {
    const at = call.attributes.integer(name, otherwise);
    return Math.min(rank, Math.max(0, at < 0 ? at + rank : at));
  };
  return [integers(shape.slice(limit('start', 0), limit('end', rank)))];
};

const constantRule: OperatorRule = ({ attributes }) => {
  if (attributes.has('value')) return [attributes.tensor('value')];
  const list = (type: 'float' | 'int64', values: readonly number[], shape: Shape): Value[] => [Value.ofKnown(type, shape, type === 'float' ? Float32Array.from(values) : Float64Array.from(values))];
  if (attributes.has('value_float')) return list('float', [attributes.float('value_float')], []);
  if (attributes.has('value_floats')) { const values = attributes.floats('value_floats'); return list('float', values, [values.length]); }
  if (attributes.has('value_int')) return list('int64', [attributes.integer('value_int')], []);
  if (attributes.has('value_ints')) { const values = attributes.integers('value_ints'); return list('int64', values, [values.length]); }
  return refuse('a constant must be a dense tensor, a number or a list of numbers', attributes.names.join(', '));
};

const filledRule: OperatorRule = (call) => {
  const shape = requireExtents(call.integers(0, 'the shape'));
  const value = call.attributes.has('value') ? call.attributes.tensor('value') : Value.ofKnown('float', [1], Float32Array.of(0));
  return [call.result(full(shape, value.number('attribute value'), call.dtypeOf(value.type)), value.type)];
};

const rangeRule: OperatorRule = (call) => {
  const [start, limit, step] = ['start', 'limit', 'step'].map((what, at) => call.input(at).number(what));
  if (step === 0) refuse('the step of Range must not be 0', '0');
  const count = Math.max(0, Math.ceil((limit - start) / step));
  requireListable(count, 'the number of elements of Range');
  const { type } = call.input(0);
  const values = Float64Array.from({ length: count }, (_, i) => start + i * step);
  return [Value.ofKnown(type, [count], call.input(0).isFloat ? (type === 'double' ? values : Float32Array.from(values)) : type === 'int64' ? values : Int32Array.from(values))];
};

/** One triangle of the last two axes, zero elsewhere. */
const triangleRule: OperatorRule = (call) => {
  const offset = call.has(1) ? call.input(1).number('the diagonal') : 0;
  const x = call.tensor(0);
  // The engine's triangles compare in 32 bits, and offsets beyond the matrix change nothing.
  const inside = Math.max(-(x.shape.at(-2) ?? 0) - 1, Math.min((x.shape.at(-1) ?? 0) + 1, offset));
  return [call.result(call.attributes.flag('upper', true) ? triu(x, inside) : tril(x, inside))];
};

/** A list of pieces joined along a new axis, or one repeated; used by loops. */
export const stacked = (pieces: readonly Tensor[], axis: number): Tensor => concat(pieces.map((piece) => reshape(piece, [...piece.shape.slice(0, axis), 1, ...piece.shape.slice(axis)])), axis);

export const shapingOperators: OperatorTable = {
  Reshape: { rule: reshapeRule, settings: [1] },
  Squeeze: { rule: squeezeRule, settings: [1] },
  Unsqueeze: { rule: unsqueezeRule, settings: [1] },
  Flatten: { rule: flattenRule },
  Transpose: { rule: transposeRule },
  Concat: { rule: concatRule },
  Split: { rule: splitRule, settings: [1] },
  Slice: { rule: sliceRule, settings: [1, 2, 3, 4] },
  Expand: { rule: expandRule, settings: [1] },
  Tile: { rule: tileRule, settings: [1] },
  Shape: { rule: shapeRule, gradient: 'zero' },
  Size: { rule: (call) => [integers([call.input(0).size], [])], gradient: 'zero' },
  Constant: { rule: constantRule },
  Trilu: { rule: triangleRule, settings: [1], since: 14 },
  ConstantOfShape: { rule: filledRule, settings: [0], gradient: 'zero' },
  Range: { rule: rangeRule, settings: [0, 1, 2], gradient: 'zero' },
};
