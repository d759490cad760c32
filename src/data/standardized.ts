/** Standardisation of inputs by the statistics of the train split. @module */
import { NDArray } from '../core/ndarray.ts';
import { DtypeError } from '../util/errors.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset, Split } from './dataset.ts';

/**
 * The dataset with each feature shifted and scaled to mean 0 and standard deviation 1 over the train split; the test split
 * gets the same map, and a constant feature only the shift. @throws DtypeError when inputs are tokens.
 */
export function standardized(dataset: Dataset): Dataset {
  const { inputs, size } = dataset.train;
  if (inputs.dtype !== 'float32') {
    throw new DtypeError({ operation: 'standardized', required: 'inputs must be float32', received: inputs.toString() });
  }
  const width = inputs.size / Math.max(size, 1);
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  for (let i = 0; i < inputs.size; i++) mean[i % width] += inputs.data[i] / size;
  for (let i = 0; i < inputs.size; i++) variance[i % width] += (inputs.data[i] - mean[i % width]) ** 2 / size;
  // Rounding of the mean leaves a constant feature a variance of its square times the rounding unit squared.
  const deviation = variance.map((x, j) => (x > (1e-12 * mean[j]) ** 2 ? Math.sqrt(x) : 1));
  const apply = (split: Split): Split => {
    const data = Float32Array.from(split.inputs.data, (x, i) => (x - mean[i % width]) / deviation[i % width]);
    return makeSplit(new NDArray(data, split.inputs.shape, 'float32'), split.targets);
  };
  return { ...dataset, train: apply(dataset.train), test: apply(dataset.test) };
}
