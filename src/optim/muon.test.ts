import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, constant, mul, square, sub, sum } from '../ops/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { muon } from './muon.ts';
import { scaleByNadam } from './nadam.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

describe('goldens', () => {
  const matricesOnly = { matrices: (_: string, shape: readonly number[]) => shape.length === 2 };
  testGoldens([
    { row: 'muon', rate: 0.05, make: () => muon({ ...matricesOnly, biasCorrected: true, epsilon: 1e-8, weightDecay: 0.1, others: scaleByNadam({ momentumDecay: Infinity }), othersWeightDecay: 0 }) },
    { row: 'muon plain momentum', rate: 0.05, make: () => muon({ ...matricesOnly, nesterov: false, biasCorrected: true, epsilon: 1e-8 }) },
  ]);
});

describe('by hand', () => {
  // The gradient at w of |w - t|^2 / 2 is w - t.
  const target = [[2, 0], [0, -1], [0, 0]];
  const loss = ({ w }: { w: Tensor }): Tensor => mul(0.5, sum(square(sub(w, constant(array(target, [3, 2], 'float64'))))));
  const start = { w: array([0, 0, 0, 0, 0, 0], [3, 2], 'float64') };
  const quintic = (s: number): number => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
  const times = (count: number, s: number): number => (count === 0 ? s : times(count - 1, quintic(s)));

  test.each([['width', 1], ['rms', 0.2 * Math.sqrt(3)], ['none', 1]] as const)('two steps on a diagonal matrix, scale %s', async (scale, factor) => {
    const { path } = await runOptimizer(muon({ scale, momentum: 0.9, epsilon: 0, weightDecay: 0.5 }), loss, start, { steps: 2, rate: 0.1 });
    let w = [0, 0];
    let m = [0, 0];
    for (const [step, { w: reached }] of path.entries()) {
      const g = [w[0] - 2, w[1] + 1];
      m = m.map((value, i) => 0.9 * value + 0.1 * g[i]);
      const ahead = m.map((value, i) => 0.9 * value + 0.1 * g[i]);
      const length = Math.hypot(...ahead);
      w = w.map((value, i) => value - 0.1 * (factor * times(5, ahead[i] / length) + 0.5 * value));
      expect([...reached.data], `step ${step}`).toEqual([w[0], 0, 0, w[1], 0, 0].map((value) => expect.closeTo(value, 12) as number));
    }
  });

  test('wide matrices and kernels are scaled by outputs over inputs', async () => {
    const wide = ({ w, k }: { w: Tensor; k: Tensor }): Tensor => mul(0.5, add(sum(square(sub(w, 1))), sum(square(sub(k, 1)))));
    const { path } = await runOptimizer(muon({ momentum: 0, epsilon: 0 }), wide, { w: array([0, 0, 0, 0], [1, 4], 'float64'), k: array([0, 0, 0, 0], [4, 1, 1], 'float64') }, { steps: 1, rate: 0.1 });
    // One singular value, one of the norm: both are four outputs of one input, so the factor is two.
    const expected = 0.1 * 2 * times(5, 1) / 2;
    for (const leaf of [path[0].w, path[0].k]) expect([...leaf.data]).toEqual(Array.from({ length: 4 }, () => expect.closeTo(expected, 12) as number));
  });

  test('refuses to orthogonalise vectors', async () => {
    await expect(runOptimizer(muon({ matrices: () => true }), ({ b }: { b: Tensor }) => sum(square(b)), { b: array([1, 2], [2], 'float64') }, { steps: 1, rate: 0.1 })).rejects.toThrow(ArgumentError);
    expect(() => muon({ momentum: 1 })).toThrow('momentum must be below 1');
  });
});
