import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { constant, eye, mul, square, sum } from '../ops/index.ts';
import { vmap } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { flatSpace } from './flat.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import type { UpdateContext } from './optimizer.ts';
import { sophia, type DiagonalEstimator } from './sophia.ts';

/** The diagonal itself, by products with unit vectors. */
const exactDiagonal: DiagonalEstimator = <P>(context: UpdateContext<P>): P => {
  const space = flatSpace(context.params);
  const unit = eye(space.size, leaves<Tensor>(context.params)[0].dtype);
  return space.tree(vmap((e: Tensor) => sum(mul(e, space.vector(context.hvp(space.tree(e))))))(unit));
};

describe('goldens', () => {
  testGoldens([{ row: 'sophia exact diagonal', rate: 0.05, make: () => sophia({ estimator: exactDiagonal, every: 3, beta1: 0.965, gamma: 0.5, epsilon: 1e-8, weightDecay: 0.1, style: 'optax' }) }]);
});

describe('by hand', () => {
  // A quadratic with diagonal Hessian (1, 4): u (H u) = (u1^2, 4 u2^2).
  const start = { w: array([3, 0.5], [2], 'float64') };
  const diagonal = [1, 4];
  const loss = ({ w }: { w: Tensor }): Tensor => mul(0.5, sum(mul(constant(array(diagonal, [2], 'float64')), square(w))));
  const drawnAt = (step: number): Float64Array => normal(split(key(11), step), [2], { dtype: 'float64' });

  test('two steps of Hutchinson, an estimate at the first', async () => {
    const { path, state } = await runOptimizer(sophia({ every: 2, beta1: 0.5, beta2: 0.8, gamma: 0.4, clipping: 2, weightDecay: 0.1 }), loss, start, { steps: 2, rate: 0.1 });
    const u = drawnAt(0);
    let w = [3, 0.5];
    let m = [0, 0];
    const h = diagonal.map((c, i) => 0.2 * c * u[i] ** 2);
    for (let step = 0; step < 2; step++) {
      m = m.map((value, i) => 0.5 * value + 0.5 * diagonal[i] * w[i]);
      w = w.map((value, i) => value - 0.1 * (Math.max(-2, Math.min(2, m[i] / Math.max(0.4 * h[i], 1e-12))) + 0.1 * value));
      path[step].w.data.forEach((value, i) => { expect(value).toBeCloseTo(w[i], 12); });
    }
    expect([...(state as { diagonal: { w: NDArray } }[])[0].diagonal.w.data]).toEqual(h.map((x) => expect.closeTo(x, 12) as number));
  });

  test('along negative curvature a step is as long as clipping allows', async () => {
    const saddle = ({ w }: { w: Tensor }): Tensor => mul(0.5, sum(mul(constant(array([1, -4], [2], 'float64')), square(w))));
    const { path } = await runOptimizer(sophia({ beta1: 0, beta2: 0, gamma: 1, estimator: exactDiagonal, clipping: 5 }), saddle, start, { steps: 1, rate: 0.1 });
    expect([...path[0].w.data]).toEqual([expect.closeTo(3 - 0.1 * 3, 12), expect.closeTo(0.5 + 0.1 * 5, 12)]);
  });

  test('an estimate is made every k steps only: draws in between do not matter', async () => {
    const states = await Promise.all([2, 5].map(async (steps) => (await runOptimizer(sophia({ every: 5 }), loss, start, { steps, rate: 1e-3 })).state as { diagonal: { w: NDArray } }[]));
    expect([...states[0][0].diagonal.w.data]).toEqual([...states[1][0].diagonal.w.data]);
  });
});
