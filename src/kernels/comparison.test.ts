import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import { mapTree } from '../tree/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { inputsFor, samples } from './models.test-helper.ts';
import { centredKernel, kernelAlignment, kernelDistance, kernelDrift, kernelVelocity, targetAlignment } from './index.ts';

const gram = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 }).map((x) => Float64Array.from({ length: 16 }, (_, at) => {
  const [i, j] = [Math.floor(at / 4), at % 4];
  return [0, 1, 2].reduce((sum, k) => sum + x[i * 3 + k] * x[j * 3 + k], i === j ? 0.1 : 0);
}));

describe('comparisons', () => {
  test('alignment is a cosine: scale-free, symmetric, 1 with itself, in [0, 1] for kernels', () => {
    fc.assert(fc.property(gram, gram, fc.double({ min: 0.01, max: 100, noNaN: true }), (a, b, scale) => {
      const { value, error } = kernelAlignment(a, b);
      expect(value).toBeGreaterThanOrEqual(-error);
      expect(value).toBeLessThanOrEqual(1 + error);
      expect(kernelAlignment(b, a).value).toBeCloseTo(value, 12);
      expect(kernelAlignment(a.map((x) => scale * x), b).value).toBeCloseTo(value, 12);
      expect(Math.abs(kernelDistance(a, a).value)).toBeLessThanOrEqual(error);
    }));
  });

  test('centring removes what all examples share', () => {
    fc.assert(fc.property(gram, fc.double({ min: 0, max: 5, noNaN: true }), (a, shared) => {
      const shifted = a.map((x) => x + shared);
      centredKernel(shifted).forEach((value, i) => { expect(value).toBeCloseTo(centredKernel(a)[i], 10); });
      const sums = [0, 1, 2, 3].map((i) => centredKernel(a).slice(4 * i, 4 * i + 4).reduce((s, x) => s + x, 0));
      sums.forEach((sum) => { expect(sum).toBeCloseTo(0, 10); });
    }));
  });

  test('a kernel of the targets is aligned with them; values of a case by hand', () => {
    const targets = [1, 0, 0, 1, 1, 0];
    const kernel = Float64Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1);
    expect(targetAlignment(kernel, targets).value).toBeCloseTo(1, 14);
    // <I, YY'> = 3, |I| = sqrt 3, |YY'| = sqrt 5.
    expect(targetAlignment(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), targets).value).toBeCloseTo(3 / Math.sqrt(15), 14);
  });

  test('velocity is distance over time', () => {
    const [a, b] = [Float64Array.of(1, 0, 0, 1), Float64Array.of(1, 1, 1, 1)];
    const [first, second] = kernelVelocity([a, b, a], [0, 2, 2.5]);
    expect(first.value).toBeCloseTo((1 - Math.SQRT1_2) / 2, 14);
    expect(second.value).toBeCloseTo((1 - Math.SQRT1_2) / 0.5, 14);
    expect(() => kernelVelocity([a, b], [1, 1])).toThrow('times must increase');
  });

  test('drift is zero at one point, and grows with the distance', async () => {
    const sample = samples[0];
    const away = (scale: number) => ({ params: mapTree((leaf: NDArray) => array(leaf.data.map((value, i) => value + scale * Math.sin(i)) as never, leaf.shape, 'float64'), sample.point.params), state: {} });
    const drift = (scale: number) => kernelDrift(sample.network, sample.point, away(scale) as never, inputsFor(sample, 4), { executor: referenceExecutor });
    const [none, small, large] = [await drift(0), await drift(0.1), await drift(0.2)];
    expect(none.relativeChange.value).toBe(0);
    expect(Math.abs(none.distance.value)).toBeLessThanOrEqual(none.distance.error);
    expect(large.relativeChange.value / small.relativeChange.value).toBeGreaterThan(1.5);
    expect(large.distance.value).toBeGreaterThan(small.distance.value);
  });
});
