import { expect, test } from 'vitest';
import '../runtime/node.ts';
import type { NDArray } from '../core/ndarray.ts';
import { gaussianClusters } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { batchNorm, dense, dropout, mlp, named, type AnyModel } from '../nn/index.ts';
import { relu } from '../ops/index.ts';
import { leaves } from '../tree/index.ts';
import { key } from '../util/random/index.ts';
import { recalibrate, type Point, type Problem } from './index.ts';

const data = gaussianClusters({ samples: 120, seed: 1 });
const problemOf = (model: AnyModel): Problem<unknown, unknown> => ({ name: 'clusters', model, loss: crossEntropy, train: data.train });
const normalized = problemOf(named({ first: dense({ inputs: 2, outputs: 4 }), norm: batchNorm(4), relu, last: dense({ inputs: 4, outputs: 3 }) }) as AnyModel);

test('recomputed statistics are the mean over batches of mean and variance, whatever was kept before', async () => {
  const start = normalized.model.init(key(0)) as { params: { first: { weight: NDArray; bias: NDArray } }; state: { norm: { mean: NDArray; variance: NDArray } } };
  const { weight, bias } = start.params.first;
  const state = (await recalibrate(normalized, start as Point<unknown, unknown>, { batch: 40 })) as typeof start.state;
  const [x, n] = [data.train.inputs.data, data.train.size];
  expect(n).toBe(120);
  for (let unit = 0; unit < 4; unit++) {
    const z = Array.from({ length: n }, (_, i) => x[2 * i] * weight.data[unit] + x[2 * i + 1] * weight.data[4 + unit] + bias.data[unit]);
    const parts = [0, 40, 80].map((from) => z.slice(from, from + 40)).map((part) => {
      const mean = part.reduce((sum, value) => sum + value, 0) / 40;
      return { mean, variance: part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 39 };
    });
    expect(state.norm.mean.data[unit]).toBeCloseTo(parts.reduce((sum, { mean }) => sum + mean, 0) / 3, 4);
    expect(state.norm.variance.data[unit]).toBeCloseTo(parts.reduce((sum, { variance }) => sum + variance, 0) / 3, 3);
  }
  const again = await recalibrate(normalized, { params: start.params, state } as Point<unknown, unknown>, { batch: 40 });
  leaves<NDArray>(again).forEach(({ data: values }, i) => { values.forEach((value, j) => { expect(value).toBeCloseTo(leaves<NDArray>(state)[i].data[j], 4); }); });
});

test('with dropout the statistics are those of train mode, a function of the seed', async () => {
  const problem = problemOf(named({ drop: dropout(0.5), first: dense({ inputs: 2, outputs: 4 }), norm: batchNorm(4), last: dense({ inputs: 4, outputs: 3 }) }) as AnyModel);
  const start = problem.model.init(key(0));
  const [first, again, other] = [await recalibrate(problem, start, { seed: 1 }), await recalibrate(problem, start, { seed: 1 }), await recalibrate(problem, start, { seed: 2 })];
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('a model without statistics keeps what it has, and options are checked', async () => {
  const problem = problemOf(mlp({ sizes: [2, 3] }) as AnyModel);
  const start = problem.model.init(key(0));
  expect(await recalibrate(problem, start)).toBe(start.state);
  await expect(recalibrate(normalized, normalized.model.init(key(0)), { batch: 121 })).rejects.toThrow('batch must be an integer from 1 to 120');
  await expect(recalibrate(normalized, normalized.model.init(key(0)), { samples: 1000 })).rejects.toThrow('from 0 to 120');
});
