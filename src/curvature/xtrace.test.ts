import { describe, expect, test } from 'vitest';
import { qr } from '../linalg/index.ts';
import { key, normal, rademacher, split } from '../util/random/index.ts';
import { dot } from './basis.ts';
import { diagonalOf, rotated } from './known-spectrum.test-helper.ts';
import { hutchinsonDiagonal } from './diagonal-estimate.ts';
import { linearOperator, matrixOperator } from './operator.ts';
import { hutchinsonTrace } from './trace.ts';
import { xDiag, xTrace } from './xtrace.ts';

const n = 14;
const matrix = normal(key(4), n * n, { dtype: 'float64' });
const times = (a: Float64Array, v: Float64Array): Float64Array => Float64Array.from({ length: n }, (_, i) => dot(a.subarray(i * n, i * n + n), v));

/** The definition: for every i a basis of the images of the other vectors, then trace and diagonal with what w_i says of the rest. */
function byDefinition(a: Float64Array, count: number, leaveOut: readonly number[] = []): { traces: number[]; diagonals: Float64Array[] } {
  const indices = Array.from({ length: count }, (_, i) => i).filter((i) => !leaveOut.includes(i));
  const signs = indices.map((i) => rademacher(split(key(9), 'probe', i), n, { dtype: 'float64' }));
  const estimates = signs.map((w, i) => {
    const others = signs.filter((_, j) => j !== i).map((v) => times(a, v));
    const { q } = qr(Float64Array.from({ length: n * others.length }, (_, at) => others[at % others.length][Math.floor(at / others.length)]), n, others.length);
    const project = (v: Float64Array): Float64Array => {
      const out = new Float64Array(n);
      for (let c = 0; c < others.length; c++) {
        let along = 0;
        for (let r = 0; r < n; r++) along += q[r * others.length + c] * v[r];
        for (let r = 0; r < n; r++) out[r] += along * q[r * others.length + c];
      }
      return out;
    };
    const off = (v: Float64Array): Float64Array => v.map((x, r) => x - project(v)[r]);
    const columns = Array.from({ length: n }, (_, c) => Float64Array.from({ length: n }, (_unused, r) => a[r * n + c]));
    const inRange = columns.map((column, c) => project(column)[c]);
    // tr(Q'AQ) = tr(QQ'A)
    const image = times(a, w);
    return { trace: inRange.reduce((s, x) => s + x, 0) + dot(w, off(times(a, off(w)))), diagonal: Float64Array.from(inRange, (x, r) => x + w[r] * off(image)[r]) };
  });
  return { traces: estimates.map(({ trace }) => trace), diagonals: estimates.map(({ diagonal }) => diagonal) };
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((s, x) => s + x, 0) / values.length;
const spread = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((s, x) => s + (x - mean(values)) ** 2, 0) / (values.length - 1) / values.length);

describe.each([['not symmetric', matrix], ['symmetric', matrix.map((x, at) => x + matrix[(at % n) * n + Math.floor(at / n)])]])('of a matrix that is %s', (_, a) => {
  const operator = matrixOperator(a, n);

  test('XTrace is its definition with the basis of the others, computed anew for each; its error joins spread and jackknife', async () => {
    const { traces } = byDefinition(a, 5);
    const result = await xTrace(operator, { products: 10, key: key(9) });
    expect(result.value).toBeCloseTo(mean(traces), 9);
    expect(result.plainError).toBeCloseTo(spread(traces), 9);
    const jackknife = 4 * spread([0, 1, 2, 3, 4].map((l) => mean(byDefinition(a, 5, [l]).traces)));
    expect(result.error).toBeCloseTo(Math.sqrt(spread(traces) * jackknife), 9);
    expect(result).toMatchObject({ samples: 5, kind: 'standard error', cost: { products: 10 } });
  });

  test('XDiag is its definition, entry by entry', async () => {
    const { diagonals } = byDefinition(a, 5);
    const result = await xDiag(operator, { products: 10, key: key(9) });
    const without = [0, 1, 2, 3, 4].map((l) => byDefinition(a, 5, [l]).diagonals);
    for (let j = 0; j < n; j++) {
      expect(result.values[j]).toBeCloseTo(mean(diagonals.map((d) => d[j])), 9);
      const jackknife = 4 * spread(without.map((ds) => mean(ds.map((d) => d[j]))));
      expect(result.standardErrors[j]).toBeCloseTo(Math.sqrt(spread(diagonals.map((d) => d[j])) * jackknife), 9);
    }
    expect(result.trace.value).toBeCloseTo(result.values.reduce((s, x) => s + x, 0), 9);
    expect(result.cost.products).toBe(10);
  });
});

test('both are exact below the rank that half of the products find', async () => {
  const { operator, matrix: low } = rotated([...new Array<number>(30).fill(0), 5, 3, -2]);
  const trace = await xTrace(operator, { products: 10 });
  expect(trace.value).toBeCloseTo(6, 9);
  expect(trace.error).toBeLessThan(1e-9);
  expect(trace.cost.products).toBe(5 + 3);
  const { values, standardErrors } = await xDiag(operator, { products: 10 });
  diagonalOf(low).forEach((x, j) => expect(values[j]).toBeCloseTo(x, 9));
  expect(Math.max(...standardErrors)).toBeLessThan(1e-9);
  const zero = await xTrace(linearOperator({ name: 'zero', size: 12, apply: (vectors) => vectors.map((v) => v.map(() => 0)) }), { products: 4 });
  expect(zero).toMatchObject({ value: 0, error: 0 });
});

test('where the spectrum falls off they beat random signs at the same products', async () => {
  const spectrum = Array.from({ length: 60 }, (_, i) => 0.7 ** i);
  const { operator, matrix: dense } = rotated(spectrum);
  const [sum, diagonal] = [spectrum.reduce((s, x) => s + x, 0), diagonalOf(dense)];
  const squares = [0, 0, 0, 0];
  for (let seed = 0; seed < 50; seed++) {
    const options = { key: key(seed) };
    squares[0] += ((await xTrace(operator, { ...options, products: 24 })).value - sum) ** 2;
    squares[1] += ((await hutchinsonTrace(operator, { ...options, probes: 24 })).value - sum) ** 2;
    (await xDiag(operator, { ...options, products: 24 })).values.forEach((x, j) => { squares[2] += (x - diagonal[j]) ** 2; });
    (await hutchinsonDiagonal(operator, { ...options, probes: 24 })).values.forEach((x, j) => { squares[3] += (x - diagonal[j]) ** 2; });
  }
  expect(squares[0]).toBeLessThan(0.01 * squares[1]);
  expect(squares[2]).toBeLessThan(0.1 * squares[3]);
});

test('refuse odd numbers of products and those not below the size; heed a signal', async () => {
  const operator = matrixOperator(matrix, n);
  await expect(xTrace(operator, { products: 5 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: xTrace: products / 2 must be an integer of at least 1, got 2.5.]`);
  await expect(xDiag(operator, { products: 14 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: xDiag: products must be an integer from 2 to 12, got 14.]`);
  await expect(xTrace(operator, { products: 4, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});
