import { expect, test } from 'vitest';
import { bounded } from '../problem/index.ts';
import { key } from '../util/random/index.ts';
import { effectiveDimension, effectiveRank, stableRank } from './effective-rank.ts';
import { bulkAndOutliers, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator } from './operator.ts';

const values = [4, 2, 1, 1, 0, 0];
const diagonal = diagonalOperator(Float64Array.from(values));

test('of a diagonal matrix, where signs leave no variance, all are their closed forms', async () => {
  const { entropy, participation } = await effectiveRank(diagonal, { probes: 3 });
  // p = 1/2, 1/4, 1/8, 1/8: entropy 1.75 bits; 8^2 / (16 + 4 + 1 + 1)
  expect(entropy.value).toBeCloseTo(2 ** 1.75, 9);
  expect(entropy.error).toBeLessThan(1e-9);
  expect(entropy.quadrature.method).toBe('exact');
  expect(participation.value).toBeCloseTo(64 / 22, 10);
  const { stableRank: stable, intrinsicDimension, spectralNorm } = await stableRank(diagonal, { probes: 3 });
  expect(spectralNorm.value).toBeCloseTo(4, 12);
  expect(stable.value).toBeCloseTo(22 / 16, 12);
  expect(intrinsicDimension.value).toBeCloseTo(2, 12);
  const dimension = await effectiveDimension(diagonal, { damping: 1, probes: 3 });
  expect(dimension.value).toBeCloseTo(4 / 5 + 2 / 3 + 1, 10);
});

test('all eigenvalues equal: all ranks are the size; one eigenvalue: one', async () => {
  const flat = diagonalOperator(new Float64Array(25).fill(-3));
  const one = diagonalOperator(Float64Array.of(0, 0, 7, 0));
  for (const [operator, rank] of [[flat, 25], [one, 1]] as const) {
    const { entropy, participation } = await effectiveRank(operator, { probes: 3 });
    expect(entropy.value).toBeCloseTo(rank, 9);
    expect(participation.value).toBeCloseTo(rank, 9);
    expect((await stableRank(operator)).stableRank.value).toBeCloseTo(rank, 9);
  }
});

test('negative eigenvalues: magnitudes in the entropy, zero in the dimension, signs in the participation ratio', async () => {
  const operator = diagonalOperator(Float64Array.of(-1, 1, 2));
  const { entropy, participation } = await effectiveRank(operator, { probes: 3 });
  expect(entropy.value).toBeCloseTo(2 ** 1.5, 9);
  expect(participation.value).toBeCloseTo(4 / 6, 10);
  expect((await effectiveDimension(operator, { damping: 2, probes: 2 })).value).toBeCloseTo(1 / 3 + 1 / 2, 10);
});

test('the participation ratio needs two steps only; the entropy says how far its steps are', async () => {
  const { operator } = rotated(bulkAndOutliers(60, [3, 2, 1]));
  const [short, long] = [await effectiveRank(operator, { steps: 2, probes: 5 }), await effectiveRank(operator, { steps: 60, probes: 5 })];
  expect(short.participation.value).toBeCloseTo(long.participation.value, 8);
  expect(short.participation.error).toBeCloseTo(long.participation.error, 8);
  let safe = 0;
  for (let seed = 0; seed < 20; seed++) {
    const middle = await effectiveRank(operator, { steps: 12, probes: 5, key: key(seed) });
    const exact = await effectiveRank(operator, { steps: 60, probes: 5, key: key(seed) });
    expect(middle.entropy.quadrature).toMatchObject({ kind: 'estimate', method: 'fewer steps' });
    if (Math.abs(middle.entropy.value - exact.entropy.value) <= middle.entropy.quadrature.error) safe++;
  }
  expect(safe).toBeGreaterThanOrEqual(18);
});

test('the effective dimension with a known lower end has a bound that holds', async () => {
  const spectrum = Array.from({ length: 50 }, (_, i) => 0.8 ** i);
  const { operator } = rotated(spectrum);
  const options = { damping: 0.01, probes: 4, spectrum: [0, Infinity] as const };
  const exact = await effectiveDimension(operator, { ...options, steps: 50 });
  for (const steps of [3, 6, 12]) {
    const { value, quadrature } = await effectiveDimension(operator, { ...options, steps });
    expect(quadrature).toMatchObject({ kind: 'bound', method: 'gauss-radau' });
    expect(Math.abs(value - exact.value)).toBeLessThanOrEqual(quadrature.error + 1e-9);
  }
});

test('a bound of the spectral norm widens the error of the stable rank', async () => {
  const known = await stableRank(diagonal, { probes: 3, spectralNorm: bounded(-4, 0.4) });
  expect(known.spectralNorm.value).toBe(4);
  expect(known.stableRank.error).toBeCloseTo((2 * 22 / 16) * 0.1, 10);
  expect(known.intrinsicDimension.error).toBeCloseTo(2 * 0.1, 10);
});
