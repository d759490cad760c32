import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { array, NDArray } from '../../core/ndarray.ts';
import { qr, svd } from '../../linalg/index.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import { key, normal, split } from '../../util/random/index.ts';
import { fitMarchenkoPastur } from './marchenko-pastur.ts';
import { fitPowerLaw } from './power-law.ts';
import { sharpenWeights, smoothWeights } from './smoothing.ts';
import { traceLog } from './trace-log.ts';

const gaussian = (seed: number, shape: number[], dtype: 'float64' | 'float32' = 'float64'): NDArray => array(normal(key(seed), shape.reduce((a, b) => a * b), { dtype: 'float64' }), shape, dtype);
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.hypot(...Array.from(a, (x, i) => x - b[i]));
const valuesOf = ({ data, shape: [rows, columns] }: NDArray): Float64Array => svd(Float64Array.from(data), rows, columns).values;

/** A matrix with these singular values. */
function withSingularValues(values: readonly number[], rows: number, columns: number, seed = 1): NDArray {
  const k = values.length;
  const basis = (name: string, n: number): Float64Array => qr(normal(split(key(seed), name), n * k, { dtype: 'float64' }), n, k).q;
  const [u, v] = [basis('u', rows), basis('v', columns)];
  return array(Float64Array.from({ length: rows * columns }, (_, at) => values.reduce((sum, s, c) => sum + u[Math.floor(at / columns) * k + c] * s * v[(at % columns) * k + c], 0)), [rows, columns], 'float64');
}

const squares = (values: ArrayLike<number>): Float64Array => Float64Array.from(values, (x) => x * x).sort();

describe('smoothWeights', () => {
  test('keeps rank and leading singular values; the error is the norm of those dropped (Eckart, Young)', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.nat(1000), (rows, columns, keep, seed) => {
      const weight = gaussian(seed, [rows, columns]);
      const before = valuesOf(weight);
      const { parameters, matrices: [record] } = smoothWeights({ weight }, { keep });
      const count = Math.max(1, Math.floor(keep * before.length + 1e-9));
      const after = valuesOf(parameters.weight);
      expect(record.kept).toBe(count);
      expect(difference(after.subarray(0, count), before.subarray(0, count))).toBeLessThan(1e-12 * before[0]);
      expect(Math.max(0, ...after.subarray(count))).toBeLessThan(1e-12 * before[0]);
      const error = Math.hypot(...before.subarray(count));
      expect(Math.abs(distance(parameters.weight.data, weight.data) - error)).toBeLessThan(1e-12 * before[0]);
      expect(Math.abs(record.relativeChange - error / Math.hypot(...before))).toBeLessThan(1e-12);
    }), { numRuns: 40 });
  });

  test('with everything kept is the same bits; input, biases and filtered layers are left alone', () => {
    const tree = { a: { weight: gaussian(1, [6, 4], 'float32'), bias: gaussian(2, [4]) }, list: [gaussian(3, [3, 3])], count: new NDArray(Int32Array.of(1, 2, 3, 4), [2, 2], 'int32') };
    const bytes = JSON.stringify(tree);
    expect(smoothWeights(tree, { keep: 1 }).parameters).toEqual(tree);
    const { parameters, matrices } = smoothWeights(tree, { keep: 0.5, layers: (name) => name.startsWith('a') });
    expect(JSON.stringify(tree)).toBe(bytes);
    expect(matrices.map(({ name, kept }) => [name, kept])).toEqual([['a.weight', 2]]);
    expect([parameters.a.bias, parameters.list[0], parameters.count]).toEqual([tree.a.bias, tree.list[0], tree.count]);
    expect(parameters.a.weight.dtype).toBe('float32');
    expect(difference(parameters.a.weight.data, tree.a.weight.data)).toBeGreaterThan(0.01);
    expect(Math.max(...valuesOf(parameters.a.weight).subarray(2))).toBeLessThan(1e-6 * valuesOf(parameters.a.weight)[0]);
  });

  test('detX and lambda_min keep what the trace-log condition and the power law count', () => {
    const values = Array.from({ length: 30 }, (_, i) => (i < 12 ? (60 / (i + 1)) ** 0.8 : 1 + 0.01 * (30 - i)));
    const weight = withSingularValues(values, 40, 30);
    const eigenvalues = squares(valuesOf(weight));
    for (const [keep, count] of [['detX', traceLog(eigenvalues).count], ['lambda_min', fitPowerLaw(eigenvalues)!.spikes]] as const) {
      const { parameters, matrices: [record] } = smoothWeights([weight], { keep });
      expect(record).toMatchObject({ kept: count, fitted: true });
      expect(count).toBeLessThan(30);
      expect(distance(parameters[0].data, weight.data)).toBeCloseTo(Math.hypot(...values.slice(count)), 10);
    }
    // Nothing can be fitted to zeros or to a single eigenvalue.
    const zeros = array(new Float64Array(6), [2, 3], 'float64');
    expect(smoothWeights({ zeros }, { keep: 'detX' })).toMatchObject({ parameters: { zeros }, matrices: [{ fitted: false, kept: 2, relativeChange: 0 }] });
    expect(smoothWeights([gaussian(1, [1, 5])], { keep: 'lambda_min' }).matrices[0].fitted).toBe(false);
  });

  test('convolutions: the reshaped kernel, or each slice by itself', () => {
    const kernel = gaussian(4, [4, 3, 2, 2]);
    const whole = smoothWeights({ kernel }, { keep: 0.5 });
    expect(valuesOf(array(whole.parameters.kernel.data, [4, 12], 'float64'))[2]).toBeLessThan(1e-12);
    const slices = smoothWeights({ kernel }, { keep: 0.34, convolutions: 'each slice' });
    expect(slices.matrices.map(({ name, kept }) => [name, kept])).toEqual([0, 1, 2, 3].map((i) => [`kernel [slice ${i}]`, 1]));
    for (let i = 0; i < 4; i++) {
      const sliceOf = ({ data }: NDArray): NDArray => array(Float64Array.from({ length: 12 }, (_, at) => data[at * 4 + i]), [4, 3], 'float64');
      const [before, after] = [sliceOf(kernel), sliceOf(slices.parameters.kernel)];
      expect(valuesOf(after)[0]).toBeCloseTo(valuesOf(before)[0], 12);
      expect(distance(before.data, after.data)).toBeCloseTo(Math.hypot(...valuesOf(before).subarray(1)), 12);
    }
  });

  test('refuses what it cannot do', () => {
    for (const keep of [0, 1.1, NaN, 'half' as never]) expect(() => smoothWeights([gaussian(1, [2, 2])], { keep })).toThrow(ArgumentError);
    expect(() => smoothWeights([gaussian(1, [2, 2])], { convolutions: 'slices' as never })).toThrow(ArgumentError);
    expect(() => smoothWeights([array([1, NaN, 0, 1], [2, 2])])).toThrow(NonFiniteError);
  });
});

describe('sharpenWeights', () => {
  /** Noise with two planted directions. */
  const planted = ((): NDArray => {
    const [noise, spikes] = [gaussian(5, [120, 60]), withSingularValues([60, 40], 120, 60, 6)];
    return array(noise.data.map((x, i) => x + spikes.data[i]), [120, 60], 'float64');
  })();
  const before = valuesOf(planted);
  const bulk = fitMarchenkoPastur(squares(before), 120, 60)!;

  test.each([['clip', 1], ['clip', 0.25], ['remove', 1], ['remove', 0.5]] as const)('%s by %f: planted directions go, the others stay as they are', (outliers, sharpness) => {
    expect(bulk.spikes).toBe(2);
    const bytes = Array.from(planted.data);
    const { parameters: [after], matrices: [record] } = sharpenWeights([planted], { of: 'weights', outliers, sharpness });
    expect(Array.from(planted.data)).toEqual(bytes);
    expect(record).toMatchObject({ kept: 58, fitted: true });
    const target = outliers === 'clip' ? Math.sqrt(bulk.upper) : 0;
    const expected = before.map((x, i) => (i < 2 ? x + sharpness * (target - x) : x)).sort().reverse();
    expect(difference(valuesOf(after), expected)).toBeLessThan(1e-11);
    // Eigenvectors stay: the change is the planted part alone.
    expect(distance(after.data, planted.data)).toBeCloseTo(Math.hypot(...[0, 1].map((i) => sharpness * (target - before[i]))), 9);
  });

  test('of the shuffled matrix: a huge entry goes, what training made stays', () => {
    const trapped = array(planted.data.map((x, i) => (i === 1234 ? 200 : x)), [120, 60], 'float64');
    const { parameters: [after], matrices: [record] } = sharpenWeights([trapped], { key: key(3) });
    expect(record.kept).toBe(59);
    expect(Math.abs(after.data[1234])).toBeLessThan(20);
    const others = (values: ArrayLike<number>): number[] => Array.from(values).filter((_, i) => i !== 1234);
    expect(distance(others(after.data), others(trapped.data))).toBeLessThan(0.2 * distance(others(trapped.data), others(new Float64Array(7200))));
    const spectrum = valuesOf(after);
    expect(spectrum[0]).toBeGreaterThan(0.9 * before[0]);
    expect(sharpenWeights([trapped], { key: key(3) }).parameters[0].data).toEqual(after.data);
  });

  test('leaves noise as it is, and a matrix without a bulk', () => {
    const noise = gaussian(7, [120, 60]);
    for (const of of ['weights', 'shuffled'] as const) expect(sharpenWeights([noise], { of }).parameters[0]).toBe(noise);
    const zeros = array(new Float64Array(6), [2, 3], 'float64');
    expect(sharpenWeights([zeros])).toMatchObject({ parameters: [zeros], matrices: [{ fitted: false, kept: 2 }] });
    expect(sharpenWeights([planted], { of: 'weights', sharpness: 0 }).parameters[0]).toBe(planted);
  });

  test('refuses what it cannot do', () => {
    for (const options of [{ sharpness: 2 }, { of: 'rows' as never }, { outliers: 'keep' as never }]) expect(() => sharpenWeights([planted], options)).toThrow(ArgumentError);
  });
});
