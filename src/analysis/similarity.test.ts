import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import { qr } from '../linalg/index.ts';
import { tinyClassification } from '../problem/tiny-problems.test-helper.ts';
import { key, normal, split } from '../util/random/index.ts';
import { biasedHsic, gramMatrix, linearAlignment, minibatchAlignment, unbiasedHsic, type FeatureMatrix } from './similarity.ts';
import { weightAlignment, weightSimilarity } from './similarity-weights.ts';

const draw = (seed: number, examples: number, features: number): FeatureMatrix => ({ examples, features, values: normal(key(seed), [examples, features], { dtype: 'float64' }) });
const product = (x: FeatureMatrix, matrix: Float64Array, columns: number, shift = 0): FeatureMatrix => ({
  examples: x.examples, features: columns,
  values: Float64Array.from({ length: x.examples * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = shift;
    for (let f = 0; f < x.features; f++) sum += x.values[i * x.features + f] * matrix[f * columns + j];
    return sum;
  }),
});
const everything = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
/** x + noise * y of equal shapes. */
const mixed = (x: FeatureMatrix, y: FeatureMatrix, noise: number): FeatureMatrix => ({ ...x, values: x.values.map((value, i) => value + noise * y.values[i]) });

describe('linear CKA', () => {
  test('biased: |Y\' X|^2 / (|X\' X| |Y\' Y|) of centred features (Kornblith et al. 2019, equation 7)', () => {
    const [x, y] = [draw(1, 12, 3), draw(2, 12, 5)];
    const centre = ({ examples, features, values }: FeatureMatrix): number[][] => {
      const columns = Array.from({ length: features }, (_, f) => Array.from({ length: examples }, (__, i) => values[i * features + f]));
      return columns.map((column) => column.map((value) => value - column.reduce((a, b) => a + b) / examples));
    };
    const square = (a: number[][], b: number[][]): number => a.reduce((sum, p) => sum + b.reduce((inner, q) => inner + p.reduce((s, value, i) => s + value * q[i], 0) ** 2, 0), 0);
    const [p, q] = [centre(x), centre(y)];
    expect(linearAlignment(x, y, { estimator: 'biased' }).value).toBeCloseTo(square(p, q) / Math.sqrt(square(p, p) * square(q, q)), 12);
  });

  test.each(['biased', 'unbiased'] as const)('%s: one after rotation, scale and shift, also for features with a large mean', (estimator) => {
    const x = draw(3, 30, 4);
    const { q } = qr(normal(key(4), [4, 4], { dtype: 'float64' }), 4, 4);
    expect(linearAlignment(x, product(x, q.map((value) => 3 * value), 4, 1000), { estimator }).value).toBeCloseTo(1, 10);
    expect(linearAlignment(x, product(x, normal(key(5), [4, 4], { dtype: 'float64' }), 4), { estimator }).value).toBeLessThan(0.99);
  });

  test('unbiased HSIC is zero on average for independent features, where the biased one is not', () => {
    const [n, runs] = [12, 400];
    const values = Array.from({ length: runs }, (_, r) => {
      const [k, l] = [gramMatrix(draw(100 + r, n, 20)), gramMatrix(draw(9000 + r, n, 20))];
      return [unbiasedHsic(k, l, n, everything(n)), biasedHsic(k, l, n, everything(n))];
    });
    const [mean, biased] = [0, 1].map((i) => values.reduce((sum, v) => sum + v[i], 0) / runs);
    const error = Math.sqrt(values.reduce((sum, [v]) => sum + (v - mean) ** 2, 0) / (runs - 1) / runs);
    expect(Math.abs(mean)).toBeLessThan(4 * error);
    expect(biased).toBeGreaterThan(20 * error);
  });

  test('unbiased HSIC does not change with the order of examples, nor by centring', () => {
    const n = 10;
    const k = normal(key(6), [n, 3], { dtype: 'float64' });
    const gram = (rows: Float64Array): Float64Array => Float64Array.from({ length: n * n }, (_, at) => [0, 1, 2].reduce((sum, f) => sum + rows[Math.floor(at / n) * 3 + f] * rows[(at % n) * 3 + f], 0));
    const l = draw(7, n, 2);
    const raw = unbiasedHsic(gram(k.map((v) => v + 2)), gramMatrix(l), n, everything(n));
    expect(unbiasedHsic(gramMatrix({ examples: n, features: 3, values: k }), gramMatrix(l), n, everything(n))).toBeCloseTo(raw, 10);
    fc.assert(fc.property(fc.shuffledSubarray([...everything(n)], { minLength: n }), (order) => {
      expect(unbiasedHsic(gram(k), gramMatrix(l), n, Int32Array.from(order))).toBeCloseTo(unbiasedHsic(gram(k), gramMatrix(l), n, everything(n)), 10);
    }), { numRuns: 20, seed: 1 });
  });

  test('the jackknife error is the spread over samples of examples', () => {
    const runs = 60;
    const found = Array.from({ length: runs }, (_, r) => {
      const x = draw(400 + r, 80, 3);
      return linearAlignment(x, mixed(x, draw(4000 + r, 80, 3), 1));
    });
    const mean = found.reduce((sum, { value }) => sum + value, 0) / runs;
    const spread = Math.sqrt(found.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (runs - 1));
    const typical = found.reduce((sum, { error }) => sum + error, 0) / runs;
    // x + noise of equal variance: HSIC(x, y)^2 / (HSIC(x, x) HSIC(y, y)) -> 1 / 2.
    expect(mean).toBeCloseTo(0.5, 1);
    expect(typical / spread).toBeGreaterThan(0.75);
    expect(typical / spread).toBeLessThan(1.33);
  });

  test('from minibatches: agrees with that over all examples within their errors', () => {
    const x = draw(8, 300, 6);
    const y = mixed(x, draw(9, 300, 6), 0.7);
    const [whole, parts] = [linearAlignment(x, y), minibatchAlignment(x, y, 30)];
    expect(parts).toMatchObject({ kind: 'standard error', samples: 10 });
    expect(Math.abs(whole.value - parts.value)).toBeLessThan(4 * Math.hypot(whole.error, parts.error));
    expect(minibatchAlignment(x, y, 300).value).toBeCloseTo(whole.value, 12);
    expect(minibatchAlignment(x, y, 300).error).toBeNaN();
  });

  test('refuses what does not fit', () => {
    expect(() => linearAlignment(draw(1, 10, 2), draw(1, 9, 2))).toThrow(/both representations must be of the same examples, got 10 and 9/);
    expect(() => linearAlignment(draw(1, 5, 2), draw(1, 5, 2))).toThrow(/at least 6 examples/);
    expect(() => linearAlignment({ ...draw(1, 10, 2), features: 3 }, draw(1, 10, 2))).toThrow(/values must hold/);
  });
});

describe('weights', () => {
  const problem = tinyClassification(4);
  const first = problem.model.init(key(0));
  const shifted = { params: { layers: first.params.layers.map(({ weight, bias }, i) => ({ weight: array(weight.data.map((w) => (i === 0 ? -2 * w : w)), weight.shape, 'float64'), bias })) }, state: {} };

  test('distance, relative distance and cosine, whole and by layer', () => {
    const { all, layers } = weightSimilarity(first, shifted);
    const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));
    const weight = first.params.layers[0].weight.data;
    expect(all.distance.value).toBeCloseTo(3 * norm(weight), 12);
    expect(layers.map(({ name }) => name)).toEqual(['layers.0', 'layers.1']);
    expect(layers[1].distance.value).toBe(0);
    expect(layers[1].cosine.value).toBeCloseTo(1, 14);
    const bias = first.params.layers[0].bias.data;
    expect(layers[0].cosine.value).toBeCloseTo((-2 * norm(weight) ** 2 + norm(bias) ** 2) / Math.sqrt((norm(weight) ** 2 + norm(bias) ** 2) * (4 * norm(weight) ** 2 + norm(bias) ** 2)), 12);
  });

  test('alignment of weights: one for equal and for rotated columns, below one otherwise; scale does not count', () => {
    const a = array(normal(split(key(1), 'a'), [6, 3], { dtype: 'float64' }), [6, 3], 'float64');
    const { q } = qr(normal(key(2), [3, 3], { dtype: 'float64' }), 3, 3);
    const rotated = array(product({ examples: 6, features: 3, values: a.data as Float64Array }, q, 3).values, [6, 3], 'float64');
    expect(weightAlignment(a, a).value).toBeCloseTo(1, 14);
    expect(weightAlignment(a, rotated).value).toBeCloseTo(1, 12);
    expect(weightAlignment(a, array(a.data.map((w) => 5 * w), [6, 3], 'float64')).value).toBeCloseTo(1, 14);
    const other = weightAlignment(a, array(normal(key(3), [6, 3], { dtype: 'float64' }), [6, 3], 'float64')).value;
    expect(other).toBeGreaterThan(0);
    expect(other).toBeLessThan(0.99);
    // By hand: |A' B| / sqrt(|A' A| |B' B|) with A = e1, B = e1 + e2 as columns: 1 / sqrt(1 * 2).
    expect(weightAlignment(array([[1], [0]], [2, 1], 'float64'), array([[1], [1]], [2, 1], 'float64')).value).toBeCloseTo(Math.SQRT1_2, 14);
    // The longer axis is summed over, whichever it is.
    expect(weightAlignment(array([[1, 0]], [1, 2], 'float64'), array([[1, 1]], [1, 2], 'float64')).value).toBeCloseTo(Math.SQRT1_2, 14);
  });

  test('refuses points of other shapes', () => {
    expect(() => weightSimilarity(first, tinyClassification(4, [3, 5, 3]).model.init(key(0)))).toThrow(/both points must hold f64\[3,4\]/);
    expect(() => weightAlignment(array([1, 2]), array([1, 2]))).toThrow(/two arrays of one shape with at least two axes/);
  });
});
