import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { array, NDArray } from '../../core/ndarray.ts';
import { svd } from '../../linalg/index.ts';
import { cnn, mlp, type Model } from '../../nn/index.ts';
import { crossEntropy } from '../../losses/index.ts';
import { add, matmul, transpose, type Operand } from '../../ops/index.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Problem } from '../../problem/index.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import { key, normal, randint, split } from '../../util/random/index.ts';
import { collectFeatures, type FeatureSet } from './collect.ts';
import { linearProbe } from './linear-probe.ts';
import { neuralCollapse } from './neural-collapse.ts';
import { featureRank } from './rank.ts';

const draw = (name: string, size: number): Float64Array => normal(split(key(1), name), size, { dtype: 'float64' });
const set = (features: Float64Array, size: number, rest: Partial<FeatureSet> = {}): FeatureSet => ({ features, size, examples: features.length / size, ...rest });

function problemOf<P, S>(model: Model<P, S>, inputShape: readonly number[], examples = 30): Problem<P, S> {
  const inputs = array(draw('inputs', examples * inputShape.reduce((a, b) => a * b, 1)), [examples, ...inputShape]);
  const targets = new NDArray(randint(split(key(1), 'targets'), examples, { high: 3 }), [examples], 'int32');
  return { name: 'drawn', model, loss: crossEntropy, train: { inputs, targets, size: examples } };
}

describe('collectFeatures', () => {
  test('finds what the last dense layer reads, its weights, and the predictions', async () => {
    const model = mlp({ sizes: [4, 7, 5, 3], activation: 'tanh' });
    const problem = problemOf(model, [4]);
    const point = model.init(key(2));
    const { features, size, classifier, predicted, labels } = await collectFeatures(problem, point, { chunk: 8 });
    expect(size).toBe(5);
    // By hand, in float64.
    const [first, second, last] = point.params.layers;
    const layer = (x: Float64Array, { weight, bias }: { weight: NDArray; bias: NDArray }): Float64Array =>
      Float64Array.from({ length: weight.shape[1] }, (_, j) => Array.from(x).reduce((sum, value, i) => sum + value * weight.data[i * weight.shape[1] + j], bias.data[j]));
    for (let example = 0; example < 30; example++) {
      const hidden = layer(layer(Float64Array.from(problem.train.inputs.data.subarray(4 * example, 4 * example + 4)), first).map(Math.tanh), second).map(Math.tanh);
      hidden.forEach((value, i) => expect(features[5 * example + i]).toBeCloseTo(value, 5));
      const outputs = layer(hidden, last);
      expect(predicted![example]).toBe(outputs.indexOf(Math.max(...outputs)));
    }
    expect(classifier!.length).toBe(15);
    for (let c = 0; c < 3; c++) for (let i = 0; i < 5; i++) expect(classifier![c * 5 + i]).toBe(last.weight.data[i * 3 + c]);
    expect(labels).toEqual(problem.train.targets.data);
  });

  test('of a convolutional network: its last dense layer', async () => {
    const model = cnn({ inputShape: [1, 28, 28], classes: 3, channels: [2, 3], hidden: [9, 6] });
    const { size } = await collectFeatures(problemOf(model, [1, 28, 28], 4), model.init(key(0)));
    expect(size).toBe(6);
  });

  test('weights may pass through operations of their own; the user may choose another layer', async () => {
    const stored: Model<{ out: Tensor }> = { name: 'stored [outputs, inputs]', init: () => ({ params: { out: array(draw('w', 12), [3, 4]) }, state: {} }), apply: ({ out }, x, { state }) => ({ outputs: matmul(x, transpose(out)), state }) };
    const problem = problemOf(stored, [4]);
    const point = stored.init(key(0));
    const { features, classifier } = await collectFeatures(problem, point);
    expect([...features]).toEqual([...problem.train.inputs.data]);
    expect([...classifier!]).toEqual([...point.params.out.data]);
    const chosen = await collectFeatures(problem, point, { features: ({ out }, x) => matmul(x, transpose(out)), executor: referenceExecutor });
    expect([chosen.size, chosen.classifier]).toEqual([3, undefined]);
  });

  test('a model without a product with a parameter says so', async () => {
    const none: Model<{ shift: Tensor }> = { name: 'none', init: () => ({ params: { shift: array([0, 0, 0]) }, state: {} }), apply: ({ shift }, x, { state }) => ({ outputs: addTo(x, shift), state }) };
    await expect(collectFeatures(problemOf(none, [3]), none.init(key(0)))).rejects.toThrow(ArgumentError);
  });
});
const addTo = (x: Tensor, shift: Operand): Tensor => add(x, shift);

describe('featureRank', () => {
  test('against the singular values of the whole matrix', () => {
    const features = draw('x', 60 * 7).map((x, at) => x * 2 ** -(at % 7) + 0.3);
    const { rankMe, participationRatio, eigenvalues } = featureRank(set(features, 7));
    const singular = svd(features, 60, 7).values;
    const total = singular.reduce((a, b) => a + b, 0);
    expect(rankMe.value).toBeCloseTo(Math.exp(-singular.reduce((sum, x) => sum + (x / total + 1e-7) * Math.log(x / total + 1e-7), 0)), 9);
    const centred = features.map((x, at) => x - features.filter((_, i) => i % 7 === at % 7).reduce((a, b) => a + b / 60, 0));
    const variances = svd(centred, 60, 7).values.map((x) => (x * x) / 60);
    variances.forEach((x, i) => expect(eigenvalues[i]).toBeCloseTo(x, 12));
    expect(participationRatio.value).toBeCloseTo(variances.reduce((a, b) => a + b, 0) ** 2 / variances.reduce((sum, x) => sum + x * x, 0), 9);
    expect(rankMe.error).toBeGreaterThan(0);
  });

  test('a decay of j^-1.5 is found, and equal directions count in full', () => {
    const size = 60;
    const n = 3000;
    const decaying = draw('decay', n * size).map((x, at) => x * ((at % size) + 1) ** -0.75);
    const { decay } = featureRank(set(decaying, size), { range: [3, 40] });
    expect(Math.abs(decay.value - 1.5)).toBeLessThan(0.1);
    const flat = featureRank(set(draw('flat', n * 12), 12));
    expect(flat.rankMe.value).toBeGreaterThan(11.9);
    expect(flat.participationRatio.value).toBeGreaterThan(11.9);
    expect(featureRank(set(draw('few', 40), 4)).decay.value).toBeNaN();
  });

  test('the jackknife error is the spread over data sets', () => {
    const values = Array.from({ length: 30 }, (_, seed) => featureRank(set(draw(`set ${seed}`, 200 * 5).map((x, at) => x / ((at % 5) + 1)), 5)).participationRatio);
    const mean = values.reduce((sum, { value }) => sum + value / 30, 0);
    const spread = Math.sqrt(values.reduce((sum, { value }) => sum + (value - mean) ** 2 / 29, 0));
    const stated = values.reduce((sum, { error }) => sum + error / 30, 0);
    expect(stated / spread).toBeGreaterThan(0.6);
    expect(stated / spread).toBeLessThan(1.7);
  });

  test('refuses what is not finite', () => expect(() => featureRank(set(Float64Array.of(1, NaN, 2, 3), 2))).toThrow(NonFiniteError));
});

describe('neuralCollapse', () => {
  const classes = 4;
  const size = 6;
  /** Vertices of a simplex: unit vectors minus their mean. */
  const simplex = Float64Array.from({ length: classes * size }, (_, at) => ((at % size) < classes ? Number(at % size === Math.floor(at / size)) - 1 / classes : 0));
  const labels = Int32Array.from({ length: 80 }, (_, i) => Math.floor(i / 20));

  test('is complete where every feature is its class\'s vertex', () => {
    const features = Float64Array.from({ length: 80 * size }, (_, at) => 3 * simplex[labels[Math.floor(at / size)] * size + (at % size)] + 5);
    const collapsed = neuralCollapse(set(features, size, { labels, predicted: labels, classifier: simplex }));
    for (const { value } of Object.values(collapsed)) expect(Math.abs(value)).toBeLessThan(1e-12);
    expect(Object.keys(collapsed)).toHaveLength(6);
  });

  test('is the definition, by dense matrices', () => {
    const features = Float64Array.from({ length: 80 * size }, (_, at) => 2 * simplex[labels[Math.floor(at / size)] * size + (at % size)] * (1 + 0.2 * labels[Math.floor(at / size)])).map((x, at) => x + 0.3 * draw('noise', 80 * size)[at]);
    const mean = (rows: readonly number[]): Float64Array => Float64Array.from({ length: size }, (_, i) => rows.reduce((sum, row) => sum + features[row * size + i] / rows.length, 0));
    const all = Array.from(labels.keys());
    const means = Array.from({ length: classes }, (_, c) => mean(all.filter((row) => labels[row] === c)));
    const center = mean(all);
    const outer = (vectors: readonly Float64Array[]): Float64Array => Float64Array.from({ length: size * size }, (_, at) => vectors.reduce((sum, v) => sum + (v[Math.floor(at / size)] * v[at % size]) / vectors.length, 0));
    const within = outer(all.map((row) => features.slice(row * size, (row + 1) * size).map((x, i) => x - means[labels[row]][i])));
    const between = outer(means.map((m) => m.map((x, i) => x - center[i])));
    const { u, values, v } = svd(between, size, size);
    const inverse = Float64Array.from({ length: size * size }, (_, at) => Array.from(values).reduce((sum, s, k) => sum + (s > 1e-10 * values[0] ? (v[Math.floor(at / size) * size + k] * u[(at % size) * size + k]) / s : 0), 0));
    const nc1 = Array.from({ length: size * size }, (_, at) => within[at] * inverse[(at % size) * size + Math.floor(at / size)]).reduce((a, b) => a + b, 0) / classes;
    const result = neuralCollapse(set(features, size, { labels }));
    expect(result.variability.value).toBeCloseTo(nc1, 9);
    const lengths = means.map((m) => Math.sqrt(m.reduce((sum, x, i) => sum + (x - center[i]) ** 2, 0)));
    const average = lengths.reduce((a, b) => a + b / classes, 0);
    expect(result.equinorm.value).toBeCloseTo(Math.sqrt(lengths.reduce((sum, x) => sum + (x - average) ** 2 / classes, 0)) / average, 10);
    expect(result.maximalAngle.value).toBeGreaterThan(0.001);
    expect([result.selfDuality, result.nearestMeanDisagreement]).toEqual([undefined, undefined]);
  });

  test('disagreement counts examples, with the binomial error', () => {
    const features = Float64Array.from({ length: 80 * size }, (_, at) => simplex[labels[Math.floor(at / size)] * size + (at % size)]);
    const predicted = labels.map((label, i) => (i % 20 < 5 ? (label + 1) % classes : label));
    expect(neuralCollapse(set(features, size, { labels, predicted })).nearestMeanDisagreement).toEqual({ value: 0.25, error: Math.sqrt((0.25 * 0.75) / 79), kind: 'standard error', samples: 80 });
  });

  test('refuses what has no classes', () => {
    expect(() => neuralCollapse(set(new Float64Array(12), 3))).toThrow(/must have labels/);
    expect(() => neuralCollapse(set(draw('a', 12), 3, { labels: Int32Array.of(0, 0, 0, 0) }))).toThrow(/at least two classes/);
    expect(() => neuralCollapse(set(draw('a', 60), 3, { labels: Int32Array.from({ length: 20 }, (_, i) => (i === 0 ? 1 : 0)) }))).toThrow(/too few of class 1/);
  });
});

describe('linearProbe', () => {
  test('standardize is the probe of standardised features, whatever their units', () => {
    const [size, examples] = [4, 60];
    const plain = normal(split(key(12), 'standardize'), [examples, size], { dtype: 'float64' });
    const labels = Int32Array.from({ length: examples }, (_, i) => (plain[i * size] + 0.3 * plain[i * size + 1] > 0 ? 1 : 0));
    const units = [1e-3, 1, 50, 0];
    const scaled = plain.map((x, at) => 7 + units[at % size] * x);
    const moments = Array.from({ length: size }, (_, j) => {
      const column = Array.from({ length: examples }, (__, i) => scaled[i * size + j]);
      const mean = column.reduce((a, b) => a + b, 0) / examples;
      return { mean, deviation: Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / examples) };
    });
    const standardised = scaled.map((x, at) => (units[at % size] === 0 ? 0 : (x - moments[at % size].mean) / moments[at % size].deviation));
    const direct = linearProbe(set(scaled, size, { labels }), { ridge: 0.1, standardize: true });
    const byHand = linearProbe(set(standardised, size, { labels }), { ridge: 0.1 });
    direct.weights.forEach((w, at) => { expect(w * (units[at % size] === 0 ? 1 : moments[at % size].deviation)).toBeCloseTo(byHand.weights[at], 8); });
    expect(direct.trainAccuracy.value).toBe(byHand.trainAccuracy.value);
    expect(direct.degreesOfFreedom).toBeCloseTo(byHand.degreesOfFreedom, 8);
    expect(linearProbe(set(scaled, size, { labels }), { ridge: 0.1 }).weights[0]).not.toBeCloseTo(direct.weights[0], 3);
  });

  const labelsOf = (features: Float64Array, size: number): Int32Array => Int32Array.from({ length: features.length / size }, (_, i) => (features[i * size] + 0.5 * features[i * size + 1] > 0.2 ? 1 : 0));

  test('solves the ridge equations', () => {
    const size = 5;
    const features = draw('probe', 40 * size).map((x, at) => x * ((at % size) + 1) + (at % size));
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 3);
    const probe = linearProbe(set(features, size, { labels }), { ridge: 0.1 });
    // The gradient of |X w + b - y|^2 / n + penalty |w|^2 vanishes.
    const mean = Float64Array.from({ length: size }, (_, j) => Array.from({ length: 40 }, (_row, i) => features[i * size + j]).reduce((a, b) => a + b / 40, 0));
    const variance = features.reduce((sum, x, at) => sum + (x - mean[at % size]) ** 2 / 40 / size, 0);
    for (let c = 0; c < 3; c++) {
      const residual = Float64Array.from({ length: 40 }, (_, i) => probe.intercepts[c] - Number(labels[i] === c) + Array.from({ length: size }, (_x, j) => probe.weights[c * size + j] * features[i * size + j]).reduce((a, b) => a + b, 0));
      expect(residual.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 10);
      for (let j = 0; j < size; j++) expect(residual.reduce((sum, r, i) => sum + (r * features[i * size + j]) / 40, 0.1 * variance * probe.weights[c * size + j])).toBeCloseTo(0, 10);
    }
  });

  test('separable classes are learned, and unseen examples told apart, with Wilson intervals', () => {
    const size = 6;
    const [train, test_] = [draw('train', 500 * size), draw('test', 200 * size)];
    const probe = linearProbe(set(train, size, { labels: labelsOf(train, size) }), { test: set(test_, size, { labels: labelsOf(test_, size) }) });
    expect(probe.trainAccuracy.value).toBeGreaterThan(0.93);
    expect(probe.testAccuracy!.value).toBeGreaterThan(0.9);
    const [low, high] = probe.testAccuracy!.interval;
    expect(low).toBeLessThan(probe.testAccuracy!.value);
    expect(high).toBeGreaterThanOrEqual(probe.testAccuracy!.value);
    expect(high).toBeLessThanOrEqual(1);
  });

  test('labels of chance are not predicted: cross-validation chooses a strong penalty', () => {
    const size = 40;
    const features = draw('chance', 120 * size);
    const probe = linearProbe(set(features, size, { labels: Int32Array.from(randint(split(key(9), 'l'), 120, { high: 2 })) }));
    expect(probe.ridge).toBeGreaterThanOrEqual(1);
    expect(probe.degreesOfFreedom).toBeLessThan(size);
  });

  test('constant features get no weight', () => {
    const features = Float64Array.from({ length: 60 }, (_, at) => (at % 3 === 0 ? Math.floor(at / 3) % 2 : 7));
    const probe = linearProbe(set(features, 3, { labels: Int32Array.from({ length: 20 }, (_, i) => i % 2) }), { ridge: 0 });
    expect(probe.trainAccuracy.value).toBe(1);
    expect([...probe.weights].every(Number.isFinite)).toBe(true);
  });

  test('refuses features that do not fit', () => {
    expect(() => linearProbe(set(draw('a', 12), 3))).toThrow(/must have labels/);
    expect(() => linearProbe(set(draw('a', 12), 3, { labels: Int32Array.of(0, 1, 0, 1) }), { test: set(draw('b', 8), 2) })).toThrow(/size 3/);
  });
});
