/** Arrays that repeat a slice along some axes. @module */
import { create } from '@bufbuild/protobuf';
import { sizeOf } from '../core/ndarray.ts';
import { stridesOf } from '../core/strides.ts';
import { TensorProtoSchema, type TensorProto } from '../onnx/proto/onnx_pb.ts';

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The slice that two arrays repeat along the axes in which their extents differ; undefined where they are no such repetitions. */
export function equalSlices(a: TensorProto, b: TensorProto): TensorProto | undefined {
  if (a.dataType !== b.dataType || a.dims.length !== b.dims.length) return undefined;
  const kept = a.dims.map((extent, axis) => (extent === b.dims[axis] ? Number(extent) : 1));
  const slice = sliceOf(a, kept);
  const other = sliceOf(b, kept);
  if (slice === undefined || other === undefined || !sameBytes(slice, other)) return undefined;
  return create(TensorProtoSchema, { dataType: a.dataType, dims: kept.map(BigInt), rawData: slice });
}

/** The elements at the beginning of the axes along which an array is to repeat them; undefined where it does not. */
function sliceOf({ dims, rawData }: TensorProto, kept: readonly number[]): Uint8Array | undefined {
  const extents = dims.map(Number);
  const width = rawData.length / sizeOf(extents);
  const [from, to] = [stridesOf(extents), stridesOf(kept)];
  const slice = new Uint8Array(sizeOf(kept) * width);
  for (let element = 0; element < sizeOf(extents); element++) {
    let at = 0;
    let isFirst = true;
    extents.forEach((extent, axis) => {
      const index = Math.floor(element / from[axis]) % extent;
      if (kept[axis] === extent) at += index * to[axis];
      else if (index > 0) isFirst = false;
    });
    for (let byte = 0; byte < width; byte++) {
      if (isFirst) slice[at * width + byte] = rawData[element * width + byte];
      else if (slice[at * width + byte] !== rawData[element * width + byte]) return undefined;
    }
  }
  return slice;
}
