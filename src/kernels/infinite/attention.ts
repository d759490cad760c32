/** Infinitely many heads of self-attention. @module */
import { ArgumentError, ShapeError } from '../../util/errors.ts';
import { requireNumber } from '../../util/require.ts';
import { mapKernels, placesOf, type InfiniteLayer, type Kernels } from './layer.ts';

/** What attention scores are passed through; softmax over the keys. */
export type AttentionMechanism = 'softmax' | 'identity' | 'relu' | 'abs';

export interface InfiniteAttentionOptions {
  /** What becomes of scores; softmax is over the keys. Default `softmax`. */
  readonly mechanism?: AttentionMechanism;
  /** W_std of queries times that of keys: only the product matters. Default 1. */
  readonly queryKeyScale?: number;
  /** W_std of values times that of the output weights. Default 1. */
  readonly valueOutputScale?: number;
  /** b_std of the output bias; without it there is none. */
  readonly biasScale?: number;
}

/**
 * Global self-attention over all places in the linear scaling of Hron et al. (2020): scores are Q K' / d (not / sqrt d) with
 * query and key weights tied, so that they converge to the covariances of the input times the scales, and the weights
 * G = mechanism(scores) are constants of each example. Then K' = OV^2 G1 K G2' + b^2 and
 * Theta' = OV^2 G1 Theta G2' + b^2 + 2 OV^2 G1 K G2', in the NTK parametrisation, without positional embedding.
 * @throws ShapeError without places; ArgumentError on an unknown mechanism.
 */
export function infiniteAttention({ mechanism = 'softmax', queryKeyScale = 1, valueOutputScale = 1, biasScale = 0 }: InfiniteAttentionOptions = {}): InfiniteLayer {
  const operation = 'infiniteAttention';
  [queryKeyScale, valueOutputScale, biasScale].forEach((scale) => requireNumber(operation, 'scales', scale));
  if (!['softmax', 'identity', 'relu', 'abs'].includes(mechanism)) throw new ArgumentError({ operation, required: "mechanism must be 'softmax', 'identity', 'relu' or 'abs'", received: `'${String(mechanism)}'` });
  const bias = biasScale ** 2;
  return {
    name: `attention ${mechanism}`, correlates: true,
    apply(kernels, tape) {
      if (kernels.places !== 'full') throw new ShapeError({ operation, required: 'the input must have places (a sequence or an image)', received: 'features only' });
      const places = placesOf(kernels);
      const [first, others] = tape.covariances(kernels);
      const weightsOf = (covariances: Float64Array): Float64Array => attentionWeights(covariances, places, queryKeyScale, mechanism);
      const left = weightsOf(first);
      const right = weightsOf(others);
      const weighed = mapKernels(kernels, (values) => weigh(values, left, right, kernels, valueOutputScale ** 2));
      const nngp = weighed.nngp.map((value) => value + bias);
      const ntk = weighed.ntk?.map((value, i) => value + bias + 2 * weighed.nngp[i]) ?? null;
      return { ...weighed, nngp, ntk, gaussian: true };
    },
  };
}

/** Rows of weights over the keys, [..., places, places]. */
function attentionWeights(covariances: Float64Array, places: number, scale: number, mechanism: AttentionMechanism): Float64Array {
  const scores = covariances.map((value) => scale * value);
  if (mechanism === 'identity') return scores;
  if (mechanism !== 'softmax') return scores.map((score) => (mechanism === 'relu' ? Math.max(0, score) : Math.abs(score)));
  for (let start = 0; start < scores.length; start += places) {
    const row = scores.subarray(start, start + places);
    let largest = -Infinity;
    for (const score of row) largest = Math.max(largest, score);
    let sum = 0;
    for (let i = 0; i < places; i++) sum += row[i] = Math.exp(row[i] - largest);
    for (let i = 0; i < places; i++) row[i] /= sum;
  }
  return scores;
}

/** scale G1 K G2' for each pair. */
function weigh(values: Float64Array, left: Float64Array, right: Float64Array, kernels: Kernels, scale: number): Float64Array {
  const places = placesOf(kernels);
  const out = new Float64Array(values.length);
  for (let pair = 0; pair < kernels.count; pair++) {
    const at = pair * places * places;
    const half = multiply(left, 0, values, at, places, false);
    out.set(multiply(half, 0, right, at, places, true), at);
  }
  return out.map((value) => value * scale);
}

/** A B or A B' of square blocks of two arrays. */
function multiply(a: Float64Array, fromA: number, b: Float64Array, fromB: number, n: number, transposed: boolean): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[fromA + i * n + k];
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[fromB + (transposed ? j * n + k : k * n + j)];
    }
  }
  return out;
}
