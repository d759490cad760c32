import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { gaussianClusters, type Split } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { batchNorm, dropout, mlp, type BatchStatistics, type MlpParameters, type Model } from '../nn/index.ts';
import { matmul } from '../ops/index.ts';
import { evaluate, type Point, type Problem } from '../problem/index.ts';
import { mapTree } from '../tree/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { makeAxis } from './axes.ts';
import { axisBetween } from './axes-points.ts';
import { randomAxes } from './axes-random.ts';
import type { BatchNormSettings } from './batch-norm.ts';
import { sampleBox, type BoxOptions } from './box.ts';
import { measurementAt } from './record.ts';

interface Parameters { readonly first: Tensor; readonly norm: { scale: Tensor; bias: Tensor }; readonly last: Tensor }
const draw = (name: string, shape: number[]): NDArray => new NDArray(normal(split(key(5), name), shape, { dtype: 'float64' }), shape, 'float64');
const float64 = <T>(tree: T): T => mapTree((a: NDArray) => new NDArray(Float64Array.from(a.data), a.shape, 'float64'), tree) as T;

/** A linear map, batch norm, a linear map, in float64; `momentum` is the layer's own business. */
function normalized(momentum: number): Model<Parameters, { norm: BatchStatistics }> {
  const norm = batchNorm(4, { momentum });
  return {
    name: 'normalised',
    init: (from) => { const { params, state } = norm.init(from); return { params: { first: draw('first', [3, 4]), norm: float64(params), last: draw('last', [4, 3]) }, state: { norm: float64(state) } }; },
    apply(params, inputs, { mode, state }) {
      const { outputs, state: after } = norm.apply(params.norm, matmul(inputs, params.first), { mode, state: state.norm });
      return { outputs: matmul(outputs, params.last), state: { norm: after } };
    },
  };
}

const { train } = gaussianClusters({ samples: 60, classes: 3, dimension: 3 });
const problem: Problem<Parameters, { norm: BatchStatistics }> = { name: 'normalised', model: normalized(0.1), loss: crossEntropy, train };
const point = problem.model.init(key(0));
const options: BoxOptions = { executor: referenceExecutor };
type Here = typeof point;

/** Mean and variance of the first map's outputs over a split: batches weighted by their size, variances with n - 1. */
function statistics({ first }: Here['params'], { inputs, size }: Split, batch: number): Here['state'] {
  const mean = new Float64Array(4);
  const variance = new Float64Array(4);
  for (let start = 0; start < size; start += batch) {
    const rows = Array.from({ length: Math.min(batch, size - start) }, (_, i) => Array.from({ length: 4 }, (__, j) => [0, 1, 2].reduce((sum, k) => sum + inputs.data[(start + i) * 3 + k] * first.data[k * 4 + j], 0)));
    for (let j = 0; j < 4; j++) {
      const own = rows.reduce((sum, row) => sum + row[j] / rows.length, 0);
      mean[j] += (own * rows.length) / size;
      variance[j] += (rows.reduce((sum, row) => sum + (row[j] - own) ** 2 / (rows.length - 1), 0) * rows.length) / size;
    }
  }
  return { norm: { mean: new NDArray(mean, [4], 'float64'), variance: new NDArray(variance, [4], 'float64') } };
}

const axis = makeAxis<Parameters, { norm: BatchStatistics }>({ first: draw('along', [3, 4]), norm: point.params.norm, last: draw('along last', [4, 3]) });
const movedBy = (t: number): Here['params'] => mapTree((p: NDArray, d: NDArray) => new NDArray(p.data.map((x, i) => x + t * d.data[i]), p.shape, p.dtype), point.params, axis.direction) as Here['params'];
const lossOf = async (at: Point<Parameters, { norm: BatchStatistics }>): Promise<number> => (await evaluate(problem, at, train, options)).loss.value;
const scan = (settings: BoxOptions['batchNorm'], more: BoxOptions = {}) => sampleBox(problem, point, [axis], train, { ...options, ranges: [[0, 0.7]], ...(settings !== undefined && { batchNorm: settings }), ...more });

describe('batch normalisation while parameters move', () => {
  test('eval: the statistics of the centre everywhere, and the record says so', async () => {
    const record = await scan(undefined);
    expect(record.batchNorm).toEqual({ mode: 'eval' });
    expect(measurementAt(record, 'loss', [0])!.value).toBe(await lossOf(point));
    expect(measurementAt(record, 'loss', [1])!.value).toBeCloseTo(await lossOf({ params: movedBy(0.7), state: point.state }), 12);
  });

  test.each([60, 25])('recalibrated: the statistics of a pass over the data in batches of %i, whatever the momentum', async (batch) => {
    for (const momentum of [0.1, 0.37, 1]) {
      const settings: BatchNormSettings = { mode: 'recalibrated', batch };
      const record = await sampleBox({ ...problem, model: normalized(momentum) }, point, [axis], train, { ...options, ranges: [[0, 0.7]], batchNorm: settings });
      expect(record.batchNorm).toEqual({ mode: 'recalibrated', batch, examples: 60 });
      for (const [i, t] of [0, 0.7].entries()) {
        const params = movedBy(t);
        expect(measurementAt(record, 'loss', [i])!.value).toBeCloseTo(await lossOf({ params, state: statistics(params, train, batch) }), 11);
      }
    }
    expect(await lossOf({ params: movedBy(0.7), state: point.state })).not.toBeCloseTo(await lossOf({ params: movedBy(0.7), state: statistics(movedBy(0.7), train, 60) }), 2);
  });

  test('batch: the statistics of each batch, with the variance that training uses', async () => {
    const record = await scan({ mode: 'batch', batch: 30 });
    expect(record.batchNorm).toEqual({ mode: 'batch', batch: 30 });
    expect(record.chunk).toBe(30);
    const halves = await Promise.all([0, 30].map(async (start) => {
      const half: Split = { inputs: new NDArray(train.inputs.data.slice(start * 3, (start + 30) * 3), [30, 3], train.inputs.dtype), targets: new NDArray(train.targets.data.slice(start, start + 30), [30], 'int32'), size: 30 };
      const own = statistics(movedBy(0.7), half, 30);
      const biased = new NDArray(own.norm.variance.data.map((x) => (x * 29) / 30), [4], 'float64');
      return (await evaluate(problem, { params: movedBy(0.7), state: { norm: { mean: own.norm.mean, variance: biased } } }, half, options)).loss.value;
    }));
    expect(measurementAt(record, 'loss', [1])!.value).toBeCloseTo((halves[0] + halves[1]) / 2, 11);
    await expect(scan({ mode: 'batch', batch: 30 }, { chunk: 20 })).rejects.toThrow(/a chunk is a batch, got chunks of 20 and batches of 30/);
  });

  test('moved: between two points both ends have their own statistics', async () => {
    const other = { params: movedBy(1.5), state: statistics(movedBy(1.5), train, 60) };
    const { axes } = axisBetween<Parameters, { norm: BatchStatistics }>(point, other);
    const record = await sampleBox(problem, point, axes, train, { ...options, ranges: [[0, 1]], batchNorm: 'moved' });
    expect(record.batchNorm).toEqual({ mode: 'moved' });
    expect(measurementAt(record, 'loss', [0])!.value).toBe(await lossOf(point));
    expect(measurementAt(record, 'loss', [1])!.value).toBeCloseTo(await lossOf(other), 12);
    const still = await sampleBox(problem, point, axes, train, { ...options, ranges: [[0, 1]] });
    expect(Math.abs(measurementAt(still, 'loss', [1])!.value - await lossOf(other))).toBeGreaterThan(1e-3);
    await expect(scan('moved')).rejects.toThrow(/needs an axis that moves the batch statistics/);
  });

  test('absent: models without statistics have one mode only', async () => {
    const plain = { name: 'plain', model: mlp({ sizes: [3, 4, 3] }), loss: crossEntropy, train };
    const start = plain.model.init(key(0));
    const record = await sampleBox(plain, start, randomAxes<MlpParameters>(start.params, { count: 1 }), train, { ...options, ranges: [[0]], batchNorm: 'recalibrated' });
    expect(record.batchNorm).toEqual({ mode: 'absent' });
  });

  test('dropout and unknown modes are refused', async () => {
    const shaken = { ...problem, model: { ...problem.model, noise: (shape: readonly number[]) => dropout(0.5).noise!(shape) } };
    await expect(sampleBox(shaken, point, [axis], train, { ...options, batchNorm: 'batch' })).rejects.toThrow(/must draw no random numbers, got a model with dropout/);
    await expect(scan('train' as never)).rejects.toThrow(/mode must be eval, batch, recalibrated or moved, got 'train'/);
  });
});
