import { expect, test } from 'vitest';
import { key, normal } from '../util/random/index.ts';
import { covarianceAlignments } from './similarity-covariance.ts';
import { biasedHsic, gramMatrix, linearAlignment, type FeatureMatrix } from './similarity.ts';

const draw = (seed: number, examples: number, features: number): FeatureMatrix => ({ examples, features, values: normal(key(seed), [examples, features], { dtype: 'float64' }).map((value) => value + 5) });

test('is the ratio of biased HSIC of Gram matrices, over all examples and without each block', () => {
  const [n, blocks] = [23, 4];
  const [x, y] = [draw(1, n, 3), draw(2, n, 6)];
  const [k, l] = [gramMatrix(x), gramMatrix(y)];
  const over = (used: Int32Array): number => biasedHsic(k, l, n, used) / Math.sqrt(biasedHsic(k, k, n, used) * biasedHsic(l, l, n, used));
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const found = covarianceAlignments(x, y, blocks);
  expect(found.all).toBeCloseTo(over(all), 12);
  found.left.forEach((value, b) => { expect(value).toBeCloseTo(over(all.filter((i) => i < Math.floor((b * n) / blocks) || i >= Math.floor(((b + 1) * n) / blocks))), 12); });
});

test('linearAlignment gives the same by either way', () => {
  const n = 14;
  const x = draw(3, n, 5);
  // Columns of zeros change nothing but the way that is taken.
  const wide: FeatureMatrix = { examples: n, features: n, values: Float64Array.from({ length: n * n }, (_, at) => (at % n < 5 ? x.values[Math.floor(at / n) * 5 + (at % n)] : 0)) };
  const y = draw(4, n, 4);
  const [narrow, broad] = [linearAlignment(x, y, { estimator: 'biased', blocks: 7 }), linearAlignment(wide, y, { estimator: 'biased', blocks: 7 })];
  expect(narrow.value).toBeCloseTo(broad.value, 12);
  expect(narrow.error).toBeCloseTo(broad.error, 12);
});
