/** Gather and scatter by integer indices: each the other's transpose. @module */
import { DtypeError, ShapeError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import type { Lowering } from '../core/lowering.ts';
import { stridesOf } from '../core/strides.ts';
import { bind1, type BatchArguments, type Node, type Primitive, type Tensor, type Type } from '../core/tensor.ts';
import { zerosLike } from './constant.ts';
import { alignBatch, none } from './rules.ts';

interface GatherParams {
  /** Leading axes that operand and indices share. */
  readonly batchAxes: number;
}

/** Checks `operand [b..., d1..dn, rest...]` against `indices [b..., i..., n]`; returns the parts of the shapes. */
function parts(operation: string, { batchAxes }: GatherParams, operand: Type, indices: Type): { batch: Shape; indexed: Shape; rest: Shape; points: Shape } {
  if (indices.dtype !== 'int32') throw new DtypeError({ operation, required: 'indices must be int32', received: indices.dtype, remedy: "convert(indices, 'int32')" });
  const depth = indices.shape[indices.shape.length - 1];
  const batch = operand.shape.slice(0, batchAxes);
  if (indices.shape.length < batchAxes + 1 || depth === undefined || depth < 1 || batchAxes + depth > operand.shape.length || batch.some((n, i) => n !== indices.shape[i])) {
    throw new ShapeError({ operation, required: `operand [batch..., indexed..., rest...] and indices [batch..., points..., number of indexed axes] with ${batchAxes} common batch axes`, received: `[${operand.shape.join(',')}] and [${indices.shape.join(',')}]` });
  }
  return { batch, indexed: operand.shape.slice(batchAxes, batchAxes + depth), rest: operand.shape.slice(batchAxes + depth), points: indices.shape.slice(batchAxes, -1) };
}

/** Calls `visit(operand offset, result offset)` for each run of `rest` elements. */
function forEachPoint(operation: string, params: GatherParams, operand: NDArray, indices: NDArray, visit: (from: number, to: number) => void): void {
  const { batch, indexed, rest, points } = parts(operation, params, operand, indices);
  const run = sizeOf(rest);
  const plane = sizeOf(indexed) * run;
  const count = sizeOf(points);
  const depth = indexed.length;
  for (let b = 0; b < sizeOf(batch); b++) {
    for (let p = 0; p < count; p++) {
      let at = 0;
      for (let d = 0; d < depth; d++) {
        const index = indices.data[(b * count + p) * depth + d];
        if (index < 0 || index >= indexed[d]) throw new ShapeError({ operation, required: `indices must lie in 0..${indexed[d] - 1}`, received: String(index) });
        at = at * indexed[d] + index;
      }
      visit(b * plane + at * run, (b * count + p) * run);
    }
  }
}

const flat = (lowering: Lowering, tensor: Tensor, shape: Shape): string => lowering.reshape(lowering.name(tensor), shape);

/** One indexed axis with nothing after it: the case ONNX has element-wise operations for. */
function elementwiseCase(batchAxes: number, operand: Tensor, indices: Tensor): { rows: number; width: number; taken: number } | null {
  if (batchAxes === 0 || operand.rank !== batchAxes + 1) return null;
  const rows = sizeOf(operand.shape.slice(0, batchAxes));
  return { rows, width: operand.shape[batchAxes], taken: sizeOf(indices.shape) / rows };
}

export const gatherPrimitive: Primitive<GatherParams> = {
  name: 'gather',
  shape(params, [operand, indices]) {
    const { batch, points, rest } = parts('gather', params, operand, indices);
    return [{ shape: [...batch, ...points, ...rest], dtype: operand.dtype }];
  },
  jvp: ({ params, inputs: [, indices], tangents: [t] }) => ({ tangents: [t && gather(t, indices, params.batchAxes)] }),
  transpose({ params, inputs: [operand, indices], cotangents: [ct] }) {
    return [ct && scatter(zerosLike(operand), indices, ct, { ...params, mode: 'add' }), null];
  },
  batch(args) {
    // More points of one operand, where nothing else keeps points apart: no copy of it for each.
    if (!args.batched[0] && args.params.batchAxes === 0) return { outputs: [gather(args.inputs[0], args.inputs[1], 0)], batched: [true] };
    const [operand, indices] = alignBatch(args);
    return { outputs: [gather(operand, indices, args.params.batchAxes + 1)], batched: [true] };
  },
  simplify: none,
  onnx(lowering, node) {
    const { batchAxes } = node.params;
    const [operand, indices] = node.inputs;
    const { shape } = node.outputs[0];
    const elements = elementwiseCase(batchAxes, operand, indices);
    if (elements !== null) {
      const { rows, width, taken } = elements;
      const [name] = lowering.node('GatherElements', [flat(lowering, operand, [rows, width]), flat(lowering, indices, [rows, taken])], { axis: 1 });
      return [{ name: lowering.reshape(name, shape), shape }];
    }
    if (batchAxes === 0 && indices.shape[indices.rank - 1] === 1) {
      const [name] = lowering.node('Gather', [lowering.name(operand), flat(lowering, indices, indices.shape.slice(0, -1))], { axis: 0 });
      return [{ name, shape }];
    }
    const [name] = lowering.node('GatherND', [lowering.name(operand), lowering.cast(lowering.name(indices), 'int64')], { batch_dims: batchAxes });
    return [{ name, shape }];
  },
  reference({ params, inputs: [operand, indices], types: [type] }) {
    const data = allocate(operand.dtype, sizeOf(type.shape));
    const run = sizeOf(parts('gather', params, operand, indices).rest);
    forEachPoint('gather', params, operand, indices, (from, to) => data.set(operand.data.subarray(from, from + run), to));
    return [new NDArray(data, type.shape, operand.dtype)];
  },
  samples: () => [
    { params: { batchAxes: 0 }, inputs: [{ shape: [5, 3], dtype: 'float64' }, { shape: [2, 2, 1], dtype: 'int32', values: [4, 0, 2, 2] }] },
    { params: { batchAxes: 0 }, inputs: [{ shape: [3, 4, 2], dtype: 'float64' }, { shape: [3, 2], dtype: 'int32', values: [0, 3, 2, 1, 2, 1] }] },
    { params: { batchAxes: 1 }, inputs: [{ shape: [2, 4], dtype: 'float64' }, { shape: [2, 3, 1], dtype: 'int32', values: [3, 0, 0, 1, 2, 2] }] },
    { params: { batchAxes: 1 }, inputs: [{ shape: [2, 4, 3], dtype: 'float64' }, { shape: [2, 2, 1], dtype: 'int32', values: [3, 0, 1, 1] }] },
    { params: { batchAxes: 0 }, inputs: [{ shape: [5], dtype: 'int32' }, { shape: [3, 1], dtype: 'int32', values: [4, 0, 2] }] },
  ],
};

export interface ScatterParams extends GatherParams {
  /** `add` sums into the operand; `set` replaces, and then the points must be distinct. */
  readonly mode: 'add' | 'set';
}

function batchScatter(args: BatchArguments<ScatterParams>): Tensor {
  const [operand, indices, updates] = alignBatch(args);
  return scatter(operand, indices, updates, { ...args.params, batchAxes: args.params.batchAxes + 1 });
}

export const scatterPrimitive: Primitive<ScatterParams> = {
  name: 'scatter',
  shape(params, [operand, indices, updates]) {
    const { batch, points, rest } = parts('scatter', params, operand, indices);
    const expected = [...batch, ...points, ...rest];
    if (updates.dtype !== operand.dtype) throw new DtypeError({ operation: 'scatter', required: `updates must be ${operand.dtype} as the operand`, received: updates.dtype });
    if (updates.shape.length !== expected.length || updates.shape.some((n, i) => n !== expected[i])) {
      throw new ShapeError({ operation: 'scatter', required: `updates must be [${expected.join(',')}]`, received: `[${updates.shape.join(',')}]` });
    }
    return [{ shape: operand.shape, dtype: operand.dtype }];
  },
  jvp({ params, inputs: [operand, indices, updates], tangents: [to, , tu] }) {
    if (to === null && tu === null) return { tangents: [null] };
    return { tangents: [scatter(to ?? zerosLike(operand), indices, tu ?? zerosLike(updates), params)] };
  },
  transpose({ params, inputs: [, indices, updates], linear, cotangents: [ct] }) {
    if (ct === null) return [null, null, null];
    const kept = params.mode === 'add' ? ct : scatter(ct, indices, zerosLike(updates), params);
    return [linear[0] ? kept : null, null, linear[2] ? gather(ct, indices, params.batchAxes) : null];
  },
  batch: (args) => ({ outputs: [batchScatter(args)], batched: [true] }),
  simplify: none,
  onnx(lowering, node) {
    const { batchAxes, mode } = node.params;
    const [operand, indices, updates] = node.inputs;
    const { shape } = node.outputs[0];
    if (mode === 'add') return [{ name: lowerScatterAdd(lowering, node), shape }];
    const elements = elementwiseCase(batchAxes, operand, indices);
    if (elements !== null) {
      const { rows, width, taken } = elements;
      const inputs = [flat(lowering, operand, [rows, width]), flat(lowering, indices, [rows, taken]), flat(lowering, updates, [rows, taken])];
      const [name] = lowering.node('ScatterElements', inputs, { axis: 1, reduction: 'none' });
      return [{ name: lowering.reshape(name, shape), shape }];
    }
    const full = withBatchCoordinates(lowering, indices, batchAxes);
    const [name] = lowering.node('ScatterND', [lowering.name(operand), full, lowering.name(updates)], { reduction: 'none' });
    return [{ name, shape }];
  },
  reference({ params, inputs: [operand, indices, updates] }) {
    const data = operand.data.slice();
    const run = sizeOf(parts('scatter', params, operand, indices).rest);
    forEachPoint('scatter', params, operand, indices, (at, from) => {
      for (let i = 0; i < run; i++) data[at + i] = (params.mode === 'add' ? data[at + i] : 0) + updates.data[from + i];
    });
    return [new NDArray(data, operand.shape, operand.dtype)];
  },
  samples: () => [
    { params: { batchAxes: 0, mode: 'add' }, inputs: [{ shape: [5, 3], dtype: 'float64' }, { shape: [4, 1], dtype: 'int32', values: [4, 0, 2, 2] }, { shape: [4, 3], dtype: 'float64' }] },
    { params: { batchAxes: 0, mode: 'set' }, inputs: [{ shape: [5, 3], dtype: 'float64' }, { shape: [3, 1], dtype: 'int32', values: [4, 0, 2] }, { shape: [3, 3], dtype: 'float64' }] },
    { params: { batchAxes: 1, mode: 'add' }, inputs: [{ shape: [2, 4], dtype: 'float64' }, { shape: [2, 3, 1], dtype: 'int32', values: [3, 0, 0, 1, 2, 2] }, { shape: [2, 3], dtype: 'float64' }] },
    { params: { batchAxes: 1, mode: 'set' }, inputs: [{ shape: [2, 4, 2], dtype: 'float64' }, { shape: [2, 2, 1], dtype: 'int32', values: [3, 0, 1, 2] }, { shape: [2, 2, 2], dtype: 'float64' }] },
    { params: { batchAxes: 0, mode: 'add' }, inputs: [{ shape: [3, 4], dtype: 'float64' }, { shape: [3, 2], dtype: 'int32', values: [0, 3, 2, 1, 2, 1] }, { shape: [3], dtype: 'float64' }] },
  ],
};

/**
 * Sums by `ScatterElements`, which goes through the updates one by one. Not by `ScatterND`: ONNX Runtime spreads its updates
 * over threads, and two that meet at one place lose a sum (onnxruntime issues 18048 and 23396; seen here as well).
 */
function lowerScatterAdd(lowering: Lowering, { params, inputs: [operand, indices, updates], outputs: [output] }: Node<ScatterParams>): string {
  const { batch, indexed, rest, points } = parts('scatter', params, operand, indices);
  const [rows, run, taken] = [sizeOf(batch), sizeOf(rest), sizeOf(points)];
  let at = lowering.name(indices);
  if (indexed.length > 1) {
    const strides = lowering.constant(new NDArray(Int32Array.from(stridesOf(indexed)), [indexed.length], 'int32'));
    at = lowering.node('ReduceSum', [lowering.node('Mul', [at, strides])[0], lowering.int64([-1])], { keepdims: 0 })[0];
  }
  const places = lowering.node('Expand', [lowering.reshape(at, [rows, taken, 1]), lowering.int64([rows, taken, run])])[0];
  const inputs = [flat(lowering, operand, [rows, sizeOf(indexed), run]), places, flat(lowering, updates, [rows, taken, run])];
  return lowering.reshape(lowering.node('ScatterElements', inputs, { axis: 1, reduction: 'add' })[0], output.shape);
}

/** ScatterND knows no batch axes: their coordinates are put before the indices. */
function withBatchCoordinates(lowering: Lowering, indices: Tensor, batchAxes: number): string {
  const name = lowering.cast(lowering.name(indices), 'int64');
  if (batchAxes === 0) return name;
  const shape = indices.shape.slice(0, -1);
  const count = sizeOf(shape);
  const coordinates: number[] = [];
  for (let i = 0; i < count; i++) {
    let rest = i;
    const at: number[] = [];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    coordinates.push(...at.slice(0, batchAxes));
  }
  return lowering.node('Concat', [lowering.int64(coordinates, [...shape, batchAxes]), name], { axis: -1 })[0];
}

/** Elements (or runs) of `operand` [batch..., indexed..., rest...] at `indices` [batch..., points..., depth]. Indices must be in range. */
export const gather = (operand: Tensor, indices: Tensor, batchAxes: number): Tensor => bind1(gatherPrimitive, { batchAxes }, operand, indices);
/** `operand` with `updates` added or put at `indices`. */
export const scatter = (operand: Tensor, indices: Tensor, updates: Tensor, params: ScatterParams): Tensor => bind1(scatterPrimitive, params, operand, indices, updates);
