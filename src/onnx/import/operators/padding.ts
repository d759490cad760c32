/** Padding: by a constant, or by elements of the array itself. @module */
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { constant, narrow, pad, reshape, take } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';
import { positive, requireExtents } from './shaping.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** Where the element at `i`, which may lie outside of 0..n-1, is taken from. */
const SOURCES: Readonly<Record<string, (i: number, n: number) => number>> = {
  edge: (i, n) => Math.min(n - 1, Math.max(0, i)),
  wrap: (i, n) => ((i % n) + n) % n,
  reflect: (i, n) => {
    if (n === 1) return 0;
    const period = 2 * (n - 1);
    const place = ((i % period) + period) % period;
    return place < n ? place : period - place;
  },
};

/** Widths before and after each axis; negative ones remove elements. */
function widthsOf(call: OperatorCall): { low: number[]; high: number[] } {
  const { rank } = call.input(0);
  const pads = call.version < 11 ? call.attributes.integers('pads') : call.integers(1, 'pads');
  const axes = call.has(3) ? positive(call.integers(3, 'axes'), rank) : Array.from({ length: rank }, (_, i) => i);
  if (new Set(axes).size !== axes.length || pads.length !== 2 * axes.length) refuse(`pads must have two entries for each of ${axes.length} distinct axes`, `[${pads.join(',')}] for axes [${axes.join(',')}]`);
  const low = Array.from({ length: rank }, () => 0);
  const high = [...low];
  axes.forEach((axis, i) => { [low[axis], high[axis]] = [pads[i], pads[i + axes.length]]; });
  return { low, high };
}

/** The axis cut where widths are negative, then continued by its own elements. */
function padAxis(x: Tensor, axis: number, low: number, high: number, sourceOf: (i: number, n: number) => number): Tensor {
  const rest = narrow(x, axis, Math.max(0, -low), x.shape[axis] - Math.max(0, -high));
  const [before, after] = [Math.max(0, low), Math.max(0, high)];
  if (before === 0 && after === 0) return rest;
  const extent = rest.shape[axis];
  if (extent === 0) refuse(`axis ${axis} must have elements to be continued by`, `[${x.shape.join(',')}]`);
  requireListable(before + extent + after, `the padded extent of axis ${axis}`);
  const sources = Int32Array.from({ length: before + extent + after }, (_, i) => sourceOf(i - before, extent));
  return take(rest, constant(new NDArray(sources, [sources.length], 'int32')), axis);
}

const padRule: OperatorRule = (call) => {
  const x = call.tensor(0);
  const { low, high } = widthsOf(call);
  const mode = call.attributes.text('mode', 'constant');
  const extents = x.shape.map((n, i) => n + low[i] + high[i]);
  if (x.shape.some((n, i) => Math.max(0, -low[i]) + Math.max(0, -high[i]) > n)) refuse('pads must not remove more elements than there are', `[${low.join(',')}] and [${high.join(',')}] for [${x.shape.join(',')}]`);
  requireExtents(extents);
  if (mode !== 'constant') {
    const sourceOf = Object.hasOwn(SOURCES, mode) ? SOURCES[mode] : refuse("attribute 'mode' must be constant, reflect, edge or wrap", `'${mode}'`);
    return [call.result(low.reduce((y, width, axis) => (width === 0 && high[axis] === 0 ? y : padAxis(y, axis, width, high[axis], sourceOf)), x))];
  }
  const value = call.version < 11 ? call.attributes.float('value', 0) : call.has(2) ? reshape(call.tensor(2), []) : 0;
  return [call.result(pad(x, low, high, { value }))];
};

/** Each axis cut or continued by zeros on both sides to the wanted extent; the odd element is at the end. */
const centreRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axes = call.attributes.has('axes') ? positive(call.attributes.integers('axes'), rank) : shape.map((_, i) => i);
  const wanted = requireExtents(call.integers(1, 'the shape'));
  if (wanted.length !== axes.length || new Set(axes).size !== axes.length) refuse(`the shape must have an extent for each of ${axes.length} distinct axes`, `[${wanted.join(',')}] for axes [${axes.join(',')}]`);
  const change = shape.map((n, axis) => (axes.includes(axis) ? wanted[axes.indexOf(axis)] - n : 0));
  const low = change.map((n) => (n < 0 ? -Math.floor(-n / 2) : Math.floor(n / 2)));
  return [call.result(pad(call.tensor(0), low, change.map((n, i) => n - low[i])))];
};

export const paddingOperators: OperatorTable = {
  CenterCropPad: { rule: centreRule, settings: [1], since: 18 },
  Pad: { rule: padRule, settings: [1, 2, 3] },
};
