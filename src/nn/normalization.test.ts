import { describe, expect, test } from 'vitest';
import { filled, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { grad } from '../transforms/index.ts';
import { sin, sum } from '../ops/index.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { curvedCase, hostInputs, readGolden, type Tensors } from '../../test/golden/golden.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { f64, normals } from './arrays.test-helper.ts';
import { batchNorm, groupNorm, layerNorm, rootMeanSquareNorm, type BatchStatistics, type ScaleAndBias } from './index.ts';

const unit = (width: number): { mean: NDArray; variance: NDArray } => ({ mean: filled([width], 0, 'float64'), variance: filled([width], 1, 'float64') });
const scaleAndBias = (width: number): { scale: NDArray; bias: NDArray } => ({ scale: normals([width], 'scale'), bias: normals([width], 'bias') });
const stateless = { mode: 'train', state: {} } as const;

/** Compares value, gradients and Hessian-vector products with the stored values of JAX. */
function agreesWithJax(name: string, y: (inputs: Tensors) => Tensor, more?: (inputs: Tensors) => Tensors): void {
  const golden = readGolden(name);
  const { run } = curvedCase(y, more);
  const results = evaluateReference(run, hostInputs(golden, 'float64') as never) as Record<string, NDArray>;
  for (const [key, { data, shape }] of Object.entries(golden.outputs)) requireClose(results[key], f64(data, shape), { relative: 1e-9, scaled: 1e-10 }, `${name} ${key}`);
}

describe('agreement with JAX, derivatives included', () => {
  test('layer norm', () => agreesWithJax('layer-norm', ({ x, scale, bias }) => layerNorm(6).apply({ scale, bias }, x, stateless).outputs));
  test('group norm', () => agreesWithJax('group-norm', ({ x, scale, bias }) => groupNorm(4, 2).apply({ scale, bias }, x, stateless).outputs));
  test('rms norm', () => agreesWithJax('rms-norm', ({ x, scale }) => rootMeanSquareNorm(6, { epsilon: 1e-6 }).apply({ scale }, x, stateless).outputs));
  test('batch norm in train mode, with the statistics of the batch', () => {
    // With momentum one the state is that of the batch.
    const layer = batchNorm(3, { momentum: 1, runningVariance: 'biased' });
    const apply = ({ x, scale, bias }: Tensors): ReturnType<typeof layer.apply> => layer.apply({ scale, bias }, x, { mode: 'train', state: { mean: scale, variance: scale } });
    agreesWithJax('batch-norm-train', (inputs) => apply(inputs).outputs, (inputs) => ({ ...apply(inputs).state }));
  });
});

describe('batch norm', () => {
  const run = (layer: ReturnType<typeof batchNorm>, mode: 'train' | 'eval', params: { scale: NDArray; bias: NDArray }, state: { mean: NDArray; variance: NDArray }, x: NDArray) =>
    evaluateReference((p: ScaleAndBias, s: BatchStatistics, inputs: Tensor) => layer.apply(p, inputs, { mode, state: s }), params, state, x);

  test('initially: scale 1, bias 0, mean 0, variance 1', () => {
    expect(JSON.stringify(batchNorm(2).init(undefined as never), (_, v: unknown) => (ArrayBuffer.isView(v) ? [...(v as Float32Array)] : v)))
      .toBe('{"params":{"scale":{"data":[1,1],"shape":[2],"dtype":"float32"},"bias":{"data":[0,0],"shape":[2],"dtype":"float32"}},"state":{"mean":{"data":[0,0],"shape":[2],"dtype":"float32"},"variance":{"data":[1,1],"shape":[2],"dtype":"float32"}}}');
  });
  test('eval mode: (x - mean) / sqrt(variance + epsilon) scale + bias by the kept statistics, which stay', () => {
    const state = { mean: f64([1, -2]), variance: f64([4, 0.25]) };
    const { outputs, state: after } = run(batchNorm(2, { epsilon: 0 }), 'eval', { scale: f64([3, 1]), bias: f64([0, 10]) }, state, f64([[5, -1], [1, -2]]));
    requireClose(outputs, f64([[6, 12], [0, 10]]));
    requireClose(after, state);
  });
  test('train mode: normalises the batch, moves the kept statistics by the momentum; variance unbiased or biased', () => {
    const x = f64([[1], [2], [3], [6]]); // mean 3, biased variance 3.5, unbiased 14/3
    const params = { scale: f64([1]), bias: f64([0]) };
    const state = { mean: f64([10]), variance: f64([20]) };
    const { outputs, state: after } = run(batchNorm(1, { epsilon: 0 }), 'train', params, state, x);
    requireClose(outputs, f64([[-2], [-1], [0], [3]].map(([v]) => [v / Math.sqrt(3.5)])));
    requireClose(after, { mean: f64([9.3]), variance: f64([18 + 0.1 * (14 / 3)]) });
    const biased = run(batchNorm(1, { momentum: 0.25, runningVariance: 'biased' }), 'train', params, state, x);
    requireClose(biased.state, { mean: f64([0.75 * 10 + 0.25 * 3]), variance: f64([15 + 0.25 * 3.5]) });
  });
  test('train mode ignores the state; repeated batches bring eval mode to it', () => {
    const layer = batchNorm(3, { runningVariance: 'biased' });
    const params = scaleAndBias(3);
    const x = normals([4, 3, 2, 2], 'x');
    let state = unit(3);
    const first = run(layer, 'train', params, state, x);
    for (let i = 0; i < 200; i++) state = run(layer, 'train', params, state, x).state;
    requireClose(run(layer, 'train', params, state, x).outputs, first.outputs, { relative: 1e-12 });
    requireClose(run(layer, 'eval', params, state, x).outputs, first.outputs, { relative: 1e-7, absolute: 1e-7 });
  });
  test('derivatives flow through the statistics of the batch, not into the state', () => {
    const layer = batchNorm(2);
    const x = normals([3, 2, 2], 'x');
    for (const mode of ['train', 'eval'] as const) {
      checkGrads((p: ScaleAndBias, s: BatchStatistics, inputs: Tensor) => layer.apply(p, inputs, { mode, state: s }).outputs, [scaleAndBias(2), { mean: f64([0.1, 0.2]), variance: f64([1.5, 0.7]) }, x]);
    }
    const intoState = evaluateReference((inputs: Tensor, s: BatchStatistics, p: ScaleAndBias) => grad((y: Tensor) => sum(layer.apply(p, y, { mode: 'train', state: s }).state.variance))(inputs), x, unit(2), scaleAndBias(2));
    requireClose(intoState, filled([3, 2, 2], 0, 'float64'));
    // Shifting or scaling a channel of the batch changes nothing, so the gradient is orthogonal to both.
    const gradient = evaluateReference((inputs: Tensor, s: BatchStatistics, p: ScaleAndBias) =>
      grad((y: Tensor) => sum(sin(batchNorm(2, { epsilon: 0 }).apply(p, y, { mode: 'train', state: s }).outputs)))(inputs), x, unit(2), scaleAndBias(2));
    for (const channel of [0, 1]) {
      const at = [0, 1, 2].flatMap((n) => [0, 1].map((i) => n * 4 + channel * 2 + i));
      expect(at.reduce((total, i) => total + gradient.data[i], 0)).toBeCloseTo(0, 12);
      expect(at.reduce((total, i) => total + gradient.data[i] * x.data[i], 0)).toBeCloseTo(0, 12);
    }
  });
  test('refuses one value a channel in train mode, and other channels', () => {
    expect(() => run(batchNorm(2), 'train', scaleAndBias(2), unit(2), f64([[1, 2]]))).toThrow(/more than one value/);
    expect(() => run(batchNorm(2), 'eval', scaleAndBias(2), unit(2), f64([[1, 2, 3]]))).toThrow(ShapeError);
    expect(() => batchNorm(2, { momentum: 2 })).toThrow(ArgumentError);
    expect(() => groupNorm(4, 3)).toThrow(ArgumentError);
  });
});

test('normalised features have mean zero and mean square one', () => {
  const x = normals([3, 6, 4], 'x', 5);
  const apply = (layer: ReturnType<typeof layerNorm>, width: number): NDArray =>
    evaluateReference((p: ScaleAndBias, inputs: Tensor) => layer.apply(p, inputs, stateless).outputs, { scale: filled([width], 1, 'float64'), bias: filled([width], 0, 'float64') }, x);
  const rows = { layer: [apply(layerNorm(4, { epsilon: 0 }), 4), 4], group: [apply(groupNorm(6, 2, { epsilon: 0 }), 6), 12] } as const;
  for (const [{ data }, size] of Object.values(rows)) {
    for (let start = 0; start < data.length; start += size) {
      const row = Array.from(data).slice(start, start + size);
      expect(row.reduce((total, v) => total + v, 0)).toBeCloseTo(0, 10);
      expect(row.reduce((total, v) => total + v * v, 0) / size).toBeCloseTo(1, 10);
    }
  }
});
