/** Stochastic estimates of the diagonal. @module */
import { estimated, type Cost, type Measurement } from '../problem/index.ts';
import { requireInteger } from '../util/require.ts';
import { forEachProbe, meter, type EstimatorOptions } from './estimator.ts';
import type { LinearOperator } from './operator.ts';

/** Effort of a diagonal estimate. */
export interface DiagonalOptions extends EstimatorOptions {
  /** Random vectors of signs. Default 32. */
  readonly probes?: number;
}

/** A diagonal with the error of every entry. */
export interface DiagonalEstimate {
  /** [size] */
  readonly values: Float64Array;
  /** Standard error of each entry, [size]; NaN with one sample. */
  readonly standardErrors: Float64Array;
  /** Estimates that the mean is over. */
  readonly samples: number;
  /** Sum of the entries, with the standard error of the sums. */
  readonly trace: Measurement;
  readonly stopped: 'converged' | 'aborted';
  readonly cost: Cost;
}

/**
 * The diagonal by vectors of random signs (Bekas, Kokiopoulou, Saad 2007; Martens, Sutskever, Swersky 2012): the mean of z o A z. The
 * variance of entry i is the sum of the squares of the rest of its row, so large neighbours blur small entries. Mean and
 * spread are updated vector by vector (Welford 1962). Cost: probes products.
 */
export async function hutchinsonDiagonal(operator: LinearOperator, options: DiagonalOptions = {}): Promise<DiagonalEstimate> {
  const probes = requireInteger('hutchinsonDiagonal', 'probes', options.probes ?? 32, 1);
  const measure = meter(operator);
  options.signal?.throwIfAborted();
  const [values, squares] = [new Float64Array(operator.size), new Float64Array(operator.size)];
  const sums: number[] = [];
  const report = (): void => options.onProgress?.({ done: measure().products, total: probes, unit: 'products' });
  await forEachProbe(operator, options, { count: probes, onBlock: report }, (vector, image) => {
    const count = sums.length + 1;
    let sum = 0;
    for (let j = 0; j < vector.length; j++) {
      const sample = vector[j] * image[j];
      const change = sample - values[j];
      values[j] += change / count;
      squares[j] += change * (sample - values[j]);
      sum += sample;
    }
    sums.push(sum);
  });
  const samples = sums.length;
  const standardErrors = squares.map((x) => (samples > 1 ? Math.sqrt(x / (samples - 1) / samples) : NaN));
  return { values, standardErrors, samples, trace: estimated(sums), stopped: samples < probes ? 'aborted' : 'converged', cost: measure() };
}
