/** Strided slices and padding: each the other's transpose. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, filled, NDArray, sizeOf } from '../core/ndarray.ts';
import { forEachIndex, stridesOf } from '../core/strides.ts';
import { bind1, type Primitive, type Tensor } from '../core/tensor.ts';
import { broadcast } from './broadcast.ts';
import { constantLike } from './constant.ts';
import { batchWith, linear } from './rules.ts';
import { reduceSum } from './reduce.ts';
import { mul } from './binary.ts';
import { spreadAxis } from './spread.ts';
import { select } from './select.ts';

export interface SliceParams {
  readonly start: readonly number[];
  readonly limit: readonly number[];
  /** Positive steps. */
  readonly step: readonly number[];
}

export const slicePrimitive: Primitive<SliceParams> = {
  name: 'slice',
  shape({ start, limit, step }, [{ shape, dtype }]) {
    const fits = shape.every((n, i) => start[i] >= 0 && start[i] <= limit[i] && limit[i] <= n && step[i] >= 1);
    if (start.length !== shape.length || limit.length !== shape.length || step.length !== shape.length || !fits) {
      throw new ShapeError({ operation: 'slice', required: `0 <= start <= limit <= extent and step >= 1 on every axis of [${shape.join(',')}]`, received: `start [${start.join(',')}], limit [${limit.join(',')}], step [${step.join(',')}]` });
    }
    return [{ shape: shape.map((_, i) => Math.ceil((limit[i] - start[i]) / step[i])), dtype }];
  },
  jvp: linear(() => slicePrimitive),
  transpose({ params: { start, step }, inputs: [x], cotangents: [ct] }) {
    if (ct === null) return [null];
    const high = ct.shape.map((n, i) => x.shape[i] - start[i] - (n === 0 ? 0 : (n - 1) * step[i] + 1));
    return [pad(ct, start, high, step.map((s) => s - 1))];
  },
  batch: batchWith(() => slicePrimitive, ({ start, limit, step }, size) => ({ start: [0, ...start], limit: [size, ...limit], step: [1, ...step] })),
  simplify: ({ start, limit, step }, [x]) => (x.shape.every((n, i) => start[i] === 0 && limit[i] === n && step[i] === 1) ? [x] : null),
  onnx(lowering, node) {
    const { start, limit, step } = node.params;
    const { shape } = node.inputs[0];
    const axes = shape.map((_, i) => i).filter((i) => start[i] !== 0 || limit[i] !== shape[i] || step[i] !== 1);
    if (axes.length === 0) return [lowering.loose(node.inputs[0])];
    const pick = (values: readonly number[]): string => lowering.int64(axes.map((axis) => values[axis]));
    const [name] = lowering.node('Slice', [lowering.name(node.inputs[0]), pick(start), pick(limit), lowering.int64(axes), pick(step)]);
    return [{ name, shape: node.outputs[0].shape }];
  },
  reference({ params: { start, step }, inputs: [x], types: [{ shape, dtype }] }) {
    const data = allocate(dtype, sizeOf(shape));
    const strides = stridesOf(x.shape);
    forEachIndex(shape, (index, position) => {
      let at = 0;
      for (let axis = 0; axis < strides.length; axis++) at += (start[axis] + index[axis] * step[axis]) * strides[axis];
      data[position] = x.data[at];
    });
    return [new NDArray(data, shape, dtype)];
  },
  samples: () => [
    { params: { start: [1, 0], limit: [3, 4], step: [1, 1] }, inputs: [{ shape: [3, 4], dtype: 'float64' }] },
    { params: { start: [0, 1], limit: [5, 6], step: [2, 3] }, inputs: [{ shape: [5, 7], dtype: 'float64' }] },
    { params: { start: [2], limit: [2], step: [1] }, inputs: [{ shape: [4], dtype: 'float64' }] },
  ],
};

export interface PadParams {
  /** Elements added before each axis; negative removes. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Elements added between neighbours. */
  readonly interior: readonly number[];
}

/** Pads with a scalar: `pad(x, value)`. Linear in both arguments. */
export const padPrimitive: Primitive<PadParams> = {
  name: 'pad',
  shape({ low, high, interior }, [{ shape, dtype }, value]) {
    if (low.length !== shape.length || high.length !== shape.length || interior.length !== shape.length || interior.some((n) => n < 0)) {
      throw new ShapeError({ operation: 'pad', required: `low, high and interior (>= 0) must have one entry for each of the ${shape.length} axes`, received: `low [${low.join(',')}], high [${high.join(',')}], interior [${interior.join(',')}]` });
    }
    if (value.dtype !== dtype || value.shape.length !== 0) throw new DtypeError({ operation: 'pad', required: `the padding value must be a ${dtype} scalar`, received: `${value.dtype} of shape [${value.shape.join(',')}]` });
    const out = shape.map((n, i) => low[i] + high[i] + n + Math.max(0, n - 1) * interior[i]);
    if (out.some((n) => n < 0)) throw new ShapeError({ operation: 'pad', required: 'the padded extents must not be negative', received: `[${out.join(',')}]` });
    return [{ shape: out, dtype }];
  },
  jvp({ params, inputs: [x, value], tangents: [tx, tv] }) {
    if (tx === null && tv === null) return { tangents: [null] };
    return { tangents: [bind1(padPrimitive, params, tx ?? constantLike(0, x), tv ?? constantLike(0, value))] };
  },
  transpose({ params: { low, high, interior }, inputs: [x], linear: isLinear, cotangents: [ct] }) {
    if (ct === null) return [null, null];
    // Undo negative padding first, then take every (interior + 1)-th element.
    const grown = pad(ct, low.map((n) => Math.max(0, -n)), high.map((n) => Math.max(0, -n)), low.map(() => 0));
    const start = low.map((n) => Math.max(0, n));
    const limit = grown.shape.map((n, i) => Math.max(start[i], n - Math.max(0, high[i])));
    const inner = slice(grown, start, limit, interior.map((n) => n + 1));
    const all = (t: Tensor): Tensor => reduceSum(t, t.shape.map((_, i) => i));
    // The padding value receives what the input does not.
    const outside = (): Tensor => {
      const mask = bind1(padPrimitive, { low, high, interior }, constantLike(0, x), constantLike(1, { shape: [], dtype: x.dtype }));
      return all(mul(ct, mask));
    };
    return [isLinear[0] ? inner : null, isLinear[1] ? outside() : null];
  },
  batch({ params: { low, high, interior }, inputs: [x, value], batched, size }) {
    const params = { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] };
    if (!batched[1]) return { outputs: [bind1(padPrimitive, params, x, value)], batched: [true] };
    return { outputs: [padWithEach({ low, high, interior }, x, value, batched[0], size)], batched: [true] };
  },
  simplify: ({ low, high, interior }, [x]) => ([...low, ...high].every((n) => n === 0) && x.shape.every((n, i) => interior[i] === 0 || n <= 1) ? [x] : null),
  onnx(lowering, node) {
    const { low, high, interior } = node.params;
    const [x, value] = node.inputs;
    lowering.require('Pad', x.dtype, 'pad');
    const fill = lowering.name(value);
    let name = lowering.name(x);
    let shape: readonly number[] = x.shape;
    interior.forEach((gap, axis) => {
      if (gap === 0 || shape[axis] <= 1) return;
      // The tail is cut off with the outer padding.
      ({ name, shape } = spreadAxis(lowering, { name, shape }, axis, gap, fill));
    });
    const tail = shape.map((n, i) => high[i] - (n - (node.outputs[0].shape[i] - low[i] - high[i])));
    if (low.every((n) => n === 0) && tail.every((n) => n === 0)) return [{ name, shape }];
    return [{ name: lowering.node('Pad', [name, lowering.int64([...low, ...tail]), fill])[0], shape: node.outputs[0].shape }];
  },
  reference({ params: { low, interior }, inputs: [x, value], types: [{ shape, dtype }] }) {
    const data = filled(shape, value.data[0], dtype).data;
    const strides = stridesOf(shape);
    forEachIndex(x.shape, (index, position) => {
      let at = 0;
      for (let axis = 0; axis < strides.length; axis++) {
        const coordinate = low[axis] + index[axis] * (interior[axis] + 1);
        if (coordinate < 0 || coordinate >= shape[axis]) return;
        at += coordinate * strides[axis];
      }
      data[at] = x.data[position];
    });
    return [new NDArray(data, shape, dtype)];
  },
  samples: () => [
    { params: { low: [1, 0], high: [2, 1], interior: [0, 0] }, inputs: [{ shape: [2, 3], dtype: 'float64' }, { shape: [], dtype: 'float64' }] },
    { params: { low: [-1, 2], high: [1, -1], interior: [0, 0] }, inputs: [{ shape: [3, 3], dtype: 'float64' }, { shape: [], dtype: 'float64' }] },
    { params: { low: [1, -1], high: [0, 2], interior: [1, 2] }, inputs: [{ shape: [3, 3], dtype: 'float64' }, { shape: [], dtype: 'float64' }] },
    { params: { low: [-2], high: [-2], interior: [2] }, inputs: [{ shape: [4], dtype: 'float64' }, { shape: [], dtype: 'float64' }] },
  ],
};

/** A padding value for each batch element: pad with zero, then choose the values outside, which may be infinite. */
function padWithEach(params: PadParams, x: Tensor, values: Tensor, xBatched: boolean, size: number): Tensor {
  const one = { low: [0, ...params.low], high: [0, ...params.high], interior: [0, ...params.interior] };
  const type = { shape: xBatched ? x.shape : [size, ...x.shape], dtype: x.dtype };
  const inside = bind1(padPrimitive, one, constantLike(1, { ...type, dtype: 'bool' }), constantLike(0, { shape: [], dtype: 'bool' }));
  const full = xBatched ? x : broadcast(x, type.shape, x.shape.map((_, axis) => axis + 1));
  const padded = bind1(padPrimitive, one, full, constantLike(0, { shape: [], dtype: x.dtype }));
  return select(inside, padded, broadcast(values, padded.shape, [0]));
}

/** `x[start:limit:step]` on every axis; step defaults to one. */
export const slice = (x: Tensor, start: readonly number[], limit: readonly number[], step: readonly number[] = start.map(() => 1)): Tensor =>
  bind1(slicePrimitive, { start: [...start], limit: [...limit], step: [...step] }, x);

/** `x` with zeros (or `value`) before, after and between its elements. */
export const pad = (x: Tensor, low: readonly number[], high: readonly number[], interior: readonly number[] = low.map(() => 0), value?: Tensor): Tensor =>
  bind1(padPrimitive, { low: [...low], high: [...high], interior: [...interior] }, x, value ?? constantLike(0, { shape: [], dtype: x.dtype }));
