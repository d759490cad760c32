/** Row-major index arithmetic for the reference rules. @module */
import type { Shape } from './ndarray.ts';

/** Elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Calls `visit(index, position)` for every element in row-major order; `index` is reused between calls. */
export function forEachIndex(shape: Shape, visit: (index: Int32Array, position: number) => void): void {
  const index = new Int32Array(shape.length);
  let size = 1;
  for (const n of shape) size *= n;
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}
