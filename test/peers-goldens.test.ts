/** Definitions of other tools that no test beside the source holds already; docs/features.md lists all of them. */
import { expect, test } from 'vitest';
import { spectralNorms } from '../src/analysis/index.ts';
import { hutchPlusPlus, powerIteration, topEigenpairs } from '../src/curvature/index.ts';
import { probeVector } from '../src/curvature/estimator.ts';
import { bulkAndOutliers, rotated } from '../src/curvature/known-spectrum.test-helper.ts';
import { qr } from '../src/linalg/index.ts';
import { key } from '../src/util/random/index.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);

test('Hutch++ takes 3 N products and is its formula', async () => {
  const [n, probes] = [24, 4];
  const { matrix, operator } = rotated(Array.from({ length: n }, (_, i) => 3 / (i + 1)));
  const times = (x: ArrayLike<number>): number[] => Array.from({ length: n }, (_, row) => dot(matrix.subarray(row * n, row * n + n), x));
  const options = { key: key(5), probes };
  const sketch = Array.from({ length: probes }, (_, i) => times(probeVector(options, i, n, 'rademacher', 'sketch')));
  const { q } = qr(Float64Array.from({ length: n * probes }, (_, at) => sketch[at % probes][Math.floor(at / probes)]), n, probes);
  const basis = Array.from({ length: probes }, (_, column) => Array.from({ length: n }, (__, row) => q[row * probes + column]));
  const low = basis.reduce((sum, vector) => sum + dot(vector, times(vector)), 0);
  const rest = Array.from({ length: probes }, (_, i) => {
    let g = [...probeVector(options, i, n)];
    for (const vector of basis) { const c = dot(vector, g); g = g.map((x, j) => x - c * vector[j]); }
    return dot(g, times(g));
  });
  const mean = rest.reduce((a, b) => a + b, 0) / probes;
  const trace = await hutchPlusPlus(operator, options);
  expect(trace.value).toBeCloseTo(low + mean, 10);
  expect(trace.error).toBeCloseTo(Math.sqrt(rest.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (probes - 1) / probes), 10);
  expect(trace.cost.products).toBe(3 * probes);
});

test('largest algebraic and largest in magnitude differ where the spectrum leans to the left', async () => {
  const { operator } = rotated(bulkAndOutliers(60, [2, -5]));
  const pairs = await topEigenpairs(operator, { largest: 1, magnitude: 1, tolerance: 1e-8 });
  expect(pairs.largest[0].value).toBeCloseTo(2, 6);
  expect(pairs.magnitude[0].value).toBeCloseTo(-5, 6);
  expect((await powerIteration(operator, { tolerance: 1e-9 })).pairs[0].value).toBeCloseTo(-5, 4);
});

test('WeightWatcher: entropy over the logarithm of the rank, logarithms of norms', () => {
  // -sum p ln p / ln 4 with p = lambda / 30 + 1e-10 over 0, 1, 4, 9, 16; of a matrix with 20 rows the rank is 4.
  const norms = spectralNorms([0, 1, 4, 9, 16], 20);
  expect(norms.entropy).toBeCloseTo(0.7779565, 7);
  expect(norms).toMatchObject({ rank: 4, stableRank: 30 / 16, conditionNumber: 4 });
  expect(norms.logNorm).toBeCloseTo(1.4771213, 7);
  expect(norms.logSpectralNorm).toBeCloseTo(1.2041200, 7);
});
