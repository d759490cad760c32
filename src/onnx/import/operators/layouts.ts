/** Elements of blocks and sequences in another order, and arrays made from labels and shapes. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, arange, at, broadcastTo, convert, equal, expandDims, gather, less, moveAxis, normalizeAxis, reshape, sub, transpose, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { hostType, toStorage } from '../element-types.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';
import { Value } from '../value.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

function blocks(call: OperatorCall, isWhole: (block: number) => boolean, what: string): { x: Tensor; block: number } {
  const x = call.tensor(0);
  const block = call.attributes.integer('blocksize');
  if (x.rank !== 4 || block < 1 || !isWhole(block)) refuse(`the input must be [batch, channels, height, width] with ${what}`, `${call.input(0).toString()} and blocks of ${block}`);
  return { x, block };
}

function modeOf(call: OperatorCall): string {
  const mode = call.attributes.text('mode', 'DCR');
  return mode === 'DCR' || mode === 'CRD' ? mode : refuse("attribute 'mode' must be DCR or CRD", `'${mode}'`);
}

/** Channels as blocks of pixels: depth first (DCR) or column and row first (CRD, PyTorch's pixel shuffle). */
const depthToSpace: OperatorRule = (call) => {
  const { x, block } = blocks(call, (n) => call.input(0).shape[1] % n ** 2 === 0, 'channels that the square of the block divides');
  const [batch, channels, height, width] = x.shape;
  const depth = channels / block ** 2;
  const apart = modeOf(call) === 'DCR'
    ? transpose(reshape(x, [batch, block, block, depth, height, width]), [0, 3, 4, 1, 5, 2])
    : transpose(reshape(x, [batch, depth, block, block, height, width]), [0, 1, 4, 2, 5, 3]);
  return [call.result(reshape(apart, [batch, depth, height * block, width * block]))];
};

const spaceToDepth: OperatorRule = (call) => {
  const { x, block } = blocks(call, (n) => call.input(0).shape.slice(2).every((extent) => extent % n === 0), 'height and width that the block divides');
  const [batch, channels, height, width] = x.shape;
  const apart = reshape(x, [batch, channels, height / block, block, width / block, block]);
  return [call.result(reshape(transpose(apart, modeOf(call) === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]), [batch, channels * block ** 2, height / block, width / block]))];
};

/** The first elements of each sequence backward, as many as its length; the rest stays. */
const reverseSequence: OperatorRule = (call) => {
  const x = call.tensor(0);
  const [batchAxis, timeAxis] = [call.attributes.integer('batch_axis', 1), call.attributes.integer('time_axis', 0)];
  if (x.rank < 2 || new Set([batchAxis, timeAxis]).size !== 2 || Math.min(batchAxis, timeAxis) < 0 || Math.max(batchAxis, timeAxis) > 1) refuse('time and batch must be the first two axes', `axes ${timeAxis} and ${batchAxis} of ${call.input(0).toString()}`);
  const rows = batchAxis === 0 ? x : moveAxis(x, 1, 0);
  const [batch, steps] = rows.shape;
  const lengths = call.indices(1);
  if (lengths.rank !== 1 || lengths.shape[0] !== batch) refuse(`there must be ${batch} lengths`, call.input(1).toString());
  const known = call.input(1).known;
  const outside = known?.find((n) => n < 0 || n > steps);
  if (outside !== undefined) refuse(`lengths must lie in 0..${steps}`, String(outside));
  const time = broadcastTo(arange(steps), [batch, steps]);
  const ends = expandDims(lengths, 1);
  const sources = where(less(time, ends), sub(sub(ends, 1), time), time);
  const y = gather(rows, expandDims(sources, 2), 1);
  return [call.result(batchAxis === 0 ? y : moveAxis(y, 0, 1))];
};

/** [off, on] by whether the new axis is at the index; indices out of range are off everywhere. */
const oneHotRule: OperatorRule = (call) => {
  const depth = call.input(1).number('the depth');
  if (depth < 1) refuse('the depth must be at least 1', String(depth));
  const labels = convert(call.input(0).isFloat ? call.tensor(0) : call.indices(0), 'int32');
  const axis = normalizeAxis('import', labels.rank + 1, call.attributes.integer('axis', -1));
  const values = call.tensor(2);
  if (values.rank !== 1 || values.shape[0] !== 2) refuse('values must hold [off, on]', call.input(2).toString());
  const positive = expandDims(where(less(labels, 0), add(labels, depth), labels), axis);
  const places = reshape(arange(depth), positive.shape.map((_, i) => (i === axis ? depth : 1)));
  return [call.result(where(equal(positive, places), at(values, 1), at(values, 0)), call.input(2).type)];
};

const eyeLike: OperatorRule = (call) => {
  const { shape, type: own } = call.input(0);
  if (shape.length !== 2) refuse('the input must be a matrix', call.input(0).toString());
  const type = call.attributes.elementType('dtype', own);
  const offset = call.attributes.integer('k', 0);
  requireListable(sizeOf(shape), 'the number of elements of EyeLike');
  const elements = Float64Array.from({ length: sizeOf(shape) }, (_, i) => Number((i % shape[1]) - Math.floor(i / shape[1]) === offset));
  return [Value.ofKnown(type, shape, toStorage(elements, hostType(type, type === 'double' ? 'float64' : 'float32')))];
};

export const layoutOperators: OperatorTable = {
  DepthToSpace: { rule: depthToSpace },
  SpaceToDepth: { rule: spaceToDepth },
  ReverseSequence: { rule: reverseSequence, settings: [1], since: 10 },
  OneHot: { rule: oneHotRule, settings: [1], since: 9 },
  EyeLike: { rule: eyeLike, gradient: 'zero', since: 9 },
};
