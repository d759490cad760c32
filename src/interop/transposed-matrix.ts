/** Transposing matrices on the host. @module */
import { NDArray } from '../core/ndarray.ts';

/** A matrix transposed, its elements moved. */
export function transposedMatrix({ data, shape: [rows, columns], dtype }: NDArray): NDArray {
  const out = data.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return new NDArray(out, [columns, rows], dtype);
}
