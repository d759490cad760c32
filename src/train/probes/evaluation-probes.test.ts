import { describe, expect, test } from 'vitest';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { subset } from '../../data/index.ts';
import { noiseStatistics } from '../../curvature/index.ts';
import { exampleGradients } from '../../curvature/dense-oracles.test-helper.ts';
import { evaluate, type Problem } from '../../problem/index.ts';
import { crossEntropy, tinyClassification, tinyRegression, type Layers } from '../../problem/tiny-problems.test-helper.ts';
import { referenceExecutor as executor } from '../../runtime/reference.ts';
import type { BesideProbe } from '../probe.ts';
import { binned, calibration } from './calibration.ts';
import { accuracy, loss, predictionEntropy } from './evaluation.ts';
import { gradientNoise } from './gradient-noise.ts';
import { countingExecutor, momentAt, settingOf } from './probes.test-helper.ts';

const problem: Problem<Layers> = { ...tinyClassification(30), test: tinyClassification(50).train };
const moments = Array.from({ length: 3 }, (_, number) => momentAt(problem, number));

async function measured(probe: BesideProbe, of: Problem<Layers> = problem) {
  const prepared = await probe.prepare(settingOf(of));
  const out = await prepared.measure(momentAt(of, 1));
  await prepared.dispose();
  return out;
}

describe('loss and accuracy', () => {
  test('are those of `evaluate`, on both splits, with its standard errors', async () => {
    for (const moment of moments) {
      const [losses, accuracies] = await Promise.all([loss(), accuracy()].map(async (probe) => (await probe.prepare(settingOf(problem))).measure(moment)));
      for (const [name, split] of [['train', problem.train], ['test', problem.test!]] as const) {
        const wanted = await evaluate(problem, moment as never, split, { executor });
        expect(losses[name]).toMatchObject({ kind: 'standard error', samples: split.size });
        for (const key of ['value', 'error'] as const) {
          expect(losses[name][key]).toBeCloseTo(wanted.loss[key], 12);
          expect(accuracies[name][key]).toBeCloseTo(wanted.accuracy![key], 12);
        }
      }
    }
  });

  test('of a part of the examples, of one split, and at the answer where there is one', async () => {
    const part = await measured(loss({ samples: 7, split: 'train' }));
    expect(Object.keys(part)).toEqual(['train']);
    expect(part.train.value).toBeCloseTo((await evaluate(problem, moments[1] as never, subset(problem.train, 7), { executor })).loss.value, 12);
    const values = await Promise.all((['answer', 'params'] as const).map(async (at) => (await (await loss({ at, split: 'train' }).prepare(settingOf(problem))).measure({ ...moments[1], answer: moments[2].params })).train.value));
    const wanted = await Promise.all([moments[2], moments[1]].map(async (moment) => (await evaluate(problem, moment as never, problem.train, { executor })).loss.value));
    values.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 12));
  });

  test.each([loss(), accuracy(), predictionEntropy()])('replicas at once measure what they do one by one: $name', async (probe) => {
    const count = countingExecutor();
    const prepared = await probe.prepare(settingOf(problem, { executor: count }));
    const all = await prepared.measureAll!(moments);
    for (const [i, moment] of moments.entries()) {
      const one = await prepared.measure(moment);
      for (const part of ['train', 'test']) for (const key of ['value', 'error'] as const) expect(all[i][part][key]).toBeCloseTo(one[part][key], 12);
    }
    const { prepared: programs } = count;
    await prepared.measureAll!([...moments].reverse());
    expect(count.prepared).toBe(programs);
    await prepared.dispose();
  });

  test('a test split that is not there is refused when asked for, and left out when not', async () => {
    const without = tinyRegression(9);
    expect(() => loss({ split: 'test' }).prepare(settingOf(without))).toThrow(/needs a problem with a test split/);
    expect(Object.keys(await measured(loss(), without))).toEqual(['train']);
  });
});

describe('what predictions say of themselves', () => {
  /** A model whose outputs are the logarithms of given probabilities. */
  const fixed = (probabilities: readonly (readonly number[])[], labels: readonly number[]): Problem<Layers> => {
    const size = labels.length;
    const inputs = new NDArray(Float64Array.from(probabilities.flat(), Math.log), [size, probabilities[0].length], 'float64');
    const train = { inputs, targets: new NDArray(Int32Array.from(labels), [size], 'int32'), size };
    return { ...tinyClassification(2), loss: crossEntropy, train, model: { ...tinyClassification(2).model, apply: (_, x: Tensor) => ({ outputs: x, state: {} }) } };
  };

  test('entropy of known distributions; of one output, that of the logistic function', async () => {
    const distributions = [[0.25, 0.25, 0.25, 0.25], [1 - 3e-9, 1e-9, 1e-9, 1e-9], [0.5, 0.5 - 2e-9, 1e-9, 1e-9]];
    const { train } = await measured(predictionEntropy(), fixed(distributions, [0, 0, 0]));
    expect(train.value).toBeCloseTo((Math.log(4) + Math.log(2)) / 3, 6);
    const single = await measured(predictionEntropy(), fixed([[9], [1]], [0, 1]));
    const entropy = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    expect(single.train.value).toBeCloseTo((entropy(0.9) + entropy(0.5)) / 2, 12);
  });

  test('calibration error by hand: one bin right, one overconfident', async () => {
    // 8 of confidence 0.75, 6 right: no gap. 4 of confidence 0.9, 1 right: a gap of 0.65.
    const rows = [...Array.from({ length: 8 }, () => [0.75, 0.25]), ...Array.from({ length: 4 }, () => [0.1, 0.9])];
    const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0];
    const { '': ece, overconfidence } = await measured(calibration({ split: 'train' }), fixed(rows, labels));
    expect(ece.value).toBeCloseTo((4 * 0.65) / 12, 12);
    expect(overconfidence.value).toBeCloseTo((8 * 0.75 + 4 * 0.9) / 12 - 7 / 12, 12);
    expect(ece).toMatchObject({ kind: 'standard error', samples: 10 });
    // In one bin the gaps of the two kinds may cancel: only the mean counts.
    const coarse = await measured(calibration({ split: 'train', bins: 1 }), fixed(rows, labels));
    expect(coarse[''].value).toBeCloseTo(Math.abs(coarse.overconfidence.value), 12);
  });

  test('bins are open below and closed above', () => {
    const [{ count }] = binned([0.2], [1], 5);
    expect([...count]).toEqual([1, 0, 0, 0, 0]);
    expect([...binned([1], [1], 5)[0].count]).toEqual([0, 0, 0, 0, 1]);
    expect([...binned([0.2000001], [1], 5)[0].count]).toEqual([0, 1, 0, 0, 0]);
  });

  test('calibration needs one label an example', () => {
    expect(() => calibration().prepare(settingOf(tinyRegression(9)))).toThrow(/one label an example/);
  });
});

test('gradient-noise is that of the groups\' gradients, with the same programs every time', async () => {
  const count = countingExecutor();
  const prepared = await gradientNoise({ groups: 10 }).prepare(settingOf(problem, { executor: count }));
  const { '': scale, 'covariance-trace': trace, 'squared-norm': square } = await prepared.measure(momentAt(problem, 0));
  const { prepared: programs } = count;
  const gradients = await exampleGradients(problem);
  const groups = Array.from({ length: 10 }, (_, g) => gradients[0].map((_x, i) => (gradients[3 * g][i] + gradients[3 * g + 1][i] + gradients[3 * g + 2][i]) / 3));
  const wanted = noiseStatistics(groups, 3);
  for (const key of ['value', 'error'] as const) {
    expect(scale[key]).toBeCloseTo(wanted.noiseScale[key], 8);
    expect(trace[key]).toBeCloseTo(wanted.covarianceTrace[key], 10);
    expect(square[key]).toBeCloseTo(wanted.squaredNorm[key], 10);
  }
  await prepared.measure(moments[1]);
  expect(count.prepared).toBe(programs);
  await prepared.dispose();
});
