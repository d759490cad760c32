/** The dense matrix behind a product: the oracle of everything matrix-free. @module */
import { NDArray } from '../core/ndarray.ts';

/**
 * The matrix of a linear map given by its products, [rows, size]: column j is the product with the j-th unit vector
 * (float64, shape [size]). Costs `size` products.
 */
export async function denseMatrix(product: (vector: NDArray) => NDArray | Promise<NDArray>, size: number): Promise<NDArray> {
  const columns: NDArray[] = [];
  for (let j = 0; j < size; j++) {
    const unit = new Float64Array(size);
    unit[j] = 1;
    columns.push(await product(new NDArray(unit, [size], 'float64')));
  }
  const rows = columns[0]?.size ?? 0;
  const data = new Float64Array(rows * size);
  columns.forEach((column, j) => { for (let i = 0; i < rows; i++) data[i * size + j] = column.data[i]; });
  return new NDArray(data, [rows, size], 'float64');
}
