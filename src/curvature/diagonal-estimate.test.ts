import { expect, test } from 'vitest';
import { key, normal, rademacher, split } from '../util/random/index.ts';
import { hutchinsonDiagonal } from './diagonal-estimate.ts';
import { rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, linearOperator, matrixOperator } from './operator.ts';
import { hutchinsonTrace } from './trace.ts';

const n = 12;
const matrix = normal(key(2), n * n, { dtype: 'float64' });

test('is the mean of z o A z with its standard error, entry by entry, also of a matrix that is not symmetric', async () => {
  const result = await hutchinsonDiagonal(matrixOperator(matrix, n), { probes: 9, key: key(3) });
  const samples = Array.from({ length: 9 }, (_, i) => {
    const z = rademacher(split(key(3), 'probe', i), n, { dtype: 'float64' });
    return z.map((x, r) => x * z.reduce((sum, y, c) => sum + matrix[r * n + c] * y, 0));
  });
  for (let j = 0; j < n; j++) {
    const column = samples.map((sample) => sample[j]);
    const mean = column.reduce((sum, x) => sum + x, 0) / 9;
    expect(result.values[j]).toBeCloseTo(mean, 12);
    expect(result.standardErrors[j]).toBeCloseTo(Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 8 / 9), 12);
  }
  expect(result).toMatchObject({ samples: 9, stopped: 'converged', cost: { products: 9 } });
});

test('of a diagonal matrix has no error; its trace is Hutchinson\'s', async () => {
  const { values, standardErrors } = await hutchinsonDiagonal(diagonalOperator(Float64Array.of(1, -2, 3)), { probes: 4 });
  expect([...values, ...standardErrors]).toEqual([1, -2, 3, 0, 0, 0]);
  const { operator } = rotated([1, 2, 3, 4, 5, 6]);
  const [diagonal, trace] = [await hutchinsonDiagonal(operator, { probes: 10 }), await hutchinsonTrace(operator, { probes: 10 })];
  expect(diagonal.trace.value).toBeCloseTo(trace.value, 12);
  expect(diagonal.trace.error).toBeCloseTo(trace.error, 12);
});

test('keeps what was done when stopped', async () => {
  const controller = new AbortController();
  const { operator } = rotated([1, 2, 3, 4, 5, 6]);
  const single = linearOperator({ name: 'single', size: 6, apply: (v) => operator.multiply(v) });
  const result = await hutchinsonDiagonal(single, { probes: 50, signal: controller.signal, onProgress: ({ done }) => { if (done === 7) controller.abort(); } });
  expect(result).toMatchObject({ samples: 7, stopped: 'aborted' });
});
