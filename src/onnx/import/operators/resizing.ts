/** Resize, and Upsample before it. Interpolation is linear in the input: each axis is multiplied by a matrix of weights. @module */
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { broadcastTo, constant, convert, matmul, moveAxis, reshape, take, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { interpolationWeights, nearestElements, sourceCoordinates, type Interpolation, type ResizedAxis } from './resampling.ts';
import { positive, requireExtents } from './shaping.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** Elements of an optional input; undefined where it is absent or empty. */
function given(call: OperatorCall, at: number, what: string): number[] | undefined {
  if (!call.has(at)) return undefined;
  const elements = call.integers(at, what);
  return elements.length === 0 ? undefined : elements;
}

/** The axes of a Resize from operator set 11 on. */
function resizedAxes(call: OperatorCall): ResizedAxis[] {
  const { shape, rank } = call.input(0);
  const axes = call.attributes.has('axes') ? positive(call.attributes.integers('axes'), rank) : shape.map((_, i) => i);
  const scales = given(call, 2, 'scales');
  const sizes = given(call, 3, 'sizes');
  if ((scales === undefined) === (sizes === undefined)) refuse('one of scales and sizes must be given', scales === undefined ? 'neither' : 'both');
  const limits = sizes ?? scales!;
  if (limits.length !== axes.length || new Set(axes).size !== axes.length || limits.some((n) => !(n > 0))) refuse(`${sizes === undefined ? 'scales' : 'sizes'} must hold a positive number for each of the axes [${axes.join(',')}]`, `[${limits.join(',')}]`);
  const regions = given(call, 1, 'the region of interest');
  const region = (i: number): [number, number] => (regions === undefined ? [0, 1] : [regions[i], regions[i + axes.length]]);
  const policy = call.attributes.text('keep_aspect_ratio_policy', 'stretch');
  const common = sizes === undefined || policy === 'stretch' ? undefined : commonScale(policy, sizes.map((n, i) => n / shape[axes[i]]));
  return shape.map((from, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { from, to: from, scale: 1, region: [0, 1] };
    if (sizes === undefined) return { from, to: Math.floor(Math.fround(limits[i] * from)), scale: limits[i], region: region(i) };
    const to = common === undefined ? sizes[i] : Math.floor(common * from + 0.5);
    return { from, to, scale: Math.fround(common ?? to / from), region: region(i) };
  });
}

function commonScale(policy: string, ratios: readonly number[]): number {
  if (policy === 'not_larger') return Math.min(...ratios);
  if (policy === 'not_smaller') return Math.max(...ratios);
  return refuse("attribute 'keep_aspect_ratio_policy' must be stretch, not_larger or not_smaller", `'${policy}'`);
}

/** The axes of Upsample, and of Resize in operator set 10: scales are an attribute before operator set 9. */
function scaledAxes(call: OperatorCall): ResizedAxis[] {
  const { shape } = call.input(0);
  const scales = call.version < 9 ? call.attributes.floats('scales') : call.integers(1, 'scales');
  if (scales.length !== shape.length || scales.some((n) => !(n > 0))) refuse(`scales must hold a positive number for each axis of [${shape.join(',')}]`, `[${scales.join(',')}]`);
  return shape.map((from, axis) => ({ from, to: Math.floor(Math.fround(scales[axis] * from)), scale: scales[axis], region: [0, 1] }));
}

/** Elements of an axis by known positions; a plain repetition needs no indices, and its derivative is a sum. */
function takeNearest(x: Tensor, axis: number, sources: readonly number[]): Tensor {
  const extent = x.shape[axis];
  const times = sources.length / extent;
  if (sources.every((source, i) => source === Math.floor(i / times)) && Number.isInteger(times)) {
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const repeated = broadcastTo(reshape(x, [...before, extent, 1, ...after]), [...before, extent, times, ...after]);
    return reshape(repeated, [...before, sources.length, ...after]);
  }
  return take(x, constant(new NDArray(Int32Array.from(sources), [sources.length], 'int32')), axis);
}

/** The axis multiplied by weights [to, from]. */
function interpolateAxis(x: Tensor, axis: number, weights: Float64Array, to: number): Tensor {
  const matrix = convert(constant(new NDArray(weights, [to, x.shape[axis]], 'float64')), x.dtype);
  return moveAxis(matmul(moveAxis(x, axis, -1), moveAxis(matrix, 0, 1)), -1, axis);
}

const isUnchanged = ({ from, to, scale }: ResizedAxis): boolean => from === to && scale === 1;

/** Places outside of the region hold `value`, whatever is interpolated there. */
function maskOutside(y: Tensor, axes: readonly ResizedAxis[], interpolation: Interpolation, value: number): Tensor {
  return axes.reduce((result, axis, at) => {
    const outside = sourceCoordinates(axis, interpolation).map((place) => Number(place < 0 || place > axis.from - 1));
    if (!outside.includes(1)) return result;
    const mask = constant(new NDArray(Uint8Array.from(outside), axes.map((_, i) => (i === at ? axis.to : 1)), 'bool'));
    return where(mask, value, result);
  }, y);
}

function resize(call: OperatorCall, axes: readonly ResizedAxis[], interpolation: Interpolation): Tensor {
  const x = call.tensor(0);
  requireExtents(axes.map(({ to }) => to));
  const crops = interpolation.coordinates === 'tf_crop_and_resize';
  if (axes.some(({ from, to }) => from === 0 && to > 0)) refuse('axes that are resized must have elements', call.input(0).toString());
  const y = axes.reduce((result, axis, at) => {
    if (isUnchanged(axis) && (!crops || (axis.region[0] === 0 && axis.region[1] === 1))) return result;
    if (interpolation.mode === 'nearest') return takeNearest(result, at, nearestElements(axis, interpolation));
    return interpolateAxis(result, at, interpolationWeights(axis, interpolation), axis.to);
  }, x);
  return crops ? maskOutside(y, axes, interpolation, call.attributes.float('extrapolation_value', 0)) : y;
}

const modeOf = (call: OperatorCall): Interpolation['mode'] => {
  const mode = call.attributes.text('mode', 'nearest');
  // Before operator set 9 the linear mode was called bilinear by some exporters.
  if (mode === 'bilinear') return 'linear';
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'cubic') return refuse("attribute 'mode' must be nearest, linear or cubic", `'${mode}'`);
  if (mode !== 'nearest' && !call.input(0).isFloat) refuse(`mode '${mode}' needs floating-point numbers`, call.input(0).toString());
  return mode;
};

const resizeRule: OperatorRule = (call) => {
  const { attributes } = call;
  const mode = modeOf(call);
  if (call.version < 11) return [call.result(resize(call, scaledAxes(call), { mode, coordinates: 'asymmetric', nearest: 'simple', cubicCoefficient: -0.75, excludesOutside: false, antialias: false }))];
  const axes = resizedAxes(call);
  return [call.result(resize(call, axes, {
    mode,
    coordinates: attributes.text('coordinate_transformation_mode', 'half_pixel'),
    nearest: attributes.text('nearest_mode', 'round_prefer_floor'),
    cubicCoefficient: attributes.float('cubic_coeff_a', -0.75),
    excludesOutside: attributes.flag('exclude_outside', false),
    antialias: attributes.flag('antialias', false),
  }))];
};

const upsampleRule: OperatorRule = (call) =>
  [call.result(resize(call, scaledAxes(call), { mode: modeOf(call), coordinates: 'asymmetric', nearest: 'simple', cubicCoefficient: -0.75, excludesOutside: false, antialias: false }))];

export const resizingOperators: OperatorTable = {
  Resize: { rule: resizeRule, settings: [1, 2, 3], since: 10 },
  Upsample: { rule: upsampleRule, settings: [1] },
};
