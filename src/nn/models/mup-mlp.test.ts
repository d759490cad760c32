import { describe, expect, test } from 'vitest';
import { NDArray } from '../../core/ndarray.ts';
import { mean, relu, matmul, mul, square, sub, sum } from '../../ops/index.ts';
import type { Tensor } from '../../core/tensor.ts';
import { evaluateReference, requireClose } from '../../testing/index.ts';
import { grad } from '../../transforms/index.ts';
import { leaves, mapTree } from '../../tree/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { key } from '../../util/random/index.ts';
import { inDouble, normals } from '../arrays.test-helper.ts';
import { mupMlp, type MlpParameters, type WeightOnly } from '../index.ts';

type Params = MlpParameters<WeightOnly>;

describe('mupMlp', () => {
  const x = normals([5, 3], 'x');
  const outputs = (width: number, parametrization: 'mup' | 'ntk', params: unknown): NDArray =>
    evaluateReference((p: Params, inputs: Tensor) => mupMlp({ inputs: 3, width, outputs: 2, parametrization }).apply(p, inputs, { mode: 'eval', state: {} }).outputs, params as never, x);

  test('is the formula, in both parametrisations', () => {
    const width = 7;
    const params = inDouble(mupMlp({ inputs: 3, width, outputs: 2 }).init(key(1)).params);
    const expected = evaluateReference((p: Params, inputs: Tensor) => {
      const h1 = relu(mul(matmul(inputs, p.layers[0].weight), 1 / Math.sqrt(3)));
      const h2 = relu(mul(matmul(h1, p.layers[1].weight), 1 / Math.sqrt(width)));
      return mul(matmul(h2, p.layers[2].weight), 1 / Math.sqrt(width));
    }, params as never, x) as unknown as NDArray;
    requireClose(outputs(width, 'ntk', params), expected, { relative: 1e-12 });
    requireClose(outputs(width, 'mup', params), new NDArray(Float64Array.from(expected.data, (y) => y / Math.sqrt(width)), expected.shape, 'float64'), { relative: 1e-12 });
  });

  test('one step of eta gamma^2 moves outputs alike at all widths; features only with mup', () => {
    const moved = (width: number, parametrization: 'mup' | 'ntk'): { outputs: number; features: number } => {
      const model = mupMlp({ inputs: 3, width, outputs: 2, parametrization });
      const params = inDouble(model.init(key(3)).params) as unknown as { layers: { weight: NDArray }[] };
      const objective = (p: Params, inputs: Tensor): Tensor => mean(square(sub(model.apply(p, inputs, { mode: 'eval', state: {} }).outputs, 100)));
      const gradients = evaluateReference((p: Params, inputs: Tensor) => grad((at: Params) => objective(at, inputs))(p), params as never, x) as unknown as typeof params;
      // Far targets and a small step: residuals alike at every width, changes to first order, so that what is compared is the scaling alone.
      const next = mapTree((w: NDArray, g: NDArray) => new NDArray(Float64Array.from(w.data, (value, i) => value - 1e-8 * model.rateFactor * g.data[i]), w.shape, 'float64'), params, gradients) as typeof params;
      const features = (at: typeof params): NDArray => evaluateReference((p: Params, inputs: Tensor) =>
        relu(mul(matmul(relu(mul(matmul(inputs, p.layers[0].weight), 1 / Math.sqrt(3))), p.layers[1].weight), 1 / Math.sqrt(width))), at as never, x) as unknown as NDArray;
      const change = (a: NDArray, b: NDArray): number => Math.sqrt(Array.from(a.data).reduce((total, value, i) => total + (value - b.data[i]) ** 2, 0) / a.size);
      return { outputs: change(outputs(width, parametrization, next), outputs(width, parametrization, params)), features: change(features(next), features(params)) };
    };
    const [narrow, wide] = (['mup', 'ntk'] as const).map((kind) => [moved(32, kind), moved(512, kind)]).reduce((a, b) => [[a[0], b[0]], [a[1], b[1]]] as never) as unknown as { outputs: number; features: number }[][];
    // Sixteen times as wide: 1 where nothing depends on the width, 1/4 where it goes with 1 / sqrt(n).
    for (const kind of [0, 1]) expect(Math.abs(Math.log2(wide[kind].outputs / narrow[kind].outputs))).toBeLessThan(0.7);
    expect(Math.abs(Math.log2(wide[0].features / narrow[0].features))).toBeLessThan(0.7);
    expect(Math.log2(wide[1].features / narrow[1].features)).toBeLessThan(-1.3);
  });

  test('all weights are N(0, 1); the rate factor is the width, or one', () => {
    const model = mupMlp({ inputs: 40, width: 60, depth: 3, outputs: 10 });
    const weights = leaves<NDArray>(model.init(key(0)).params);
    expect(weights.map(({ shape }) => shape)).toEqual([[40, 60], [60, 60], [60, 60], [60, 10]]);
    for (const { data, size } of weights) expect(Math.abs(Array.from(data).reduce((total, w) => total + w * w / size, 0) - 1)).toBeLessThan(0.2);
    expect(model.rateFactor).toBeCloseTo(60, 12);
    expect(mupMlp({ inputs: 4, width: 60, outputs: 1, parametrization: 'ntk' }).rateFactor).toBe(1);
  });

  test('refuses what is not a parametrisation or a width', () => {
    expect(() => mupMlp({ inputs: 3, width: 0, outputs: 2 })).toThrow(ArgumentError);
    expect(() => mupMlp({ inputs: 3, width: 2, outputs: 2, parametrization: 'standard' as never })).toThrow(/'standard'/);
    expect(() => evaluateReference((p: Params, inputs: Tensor) => sum(mupMlp({ inputs: 4, width: 2, outputs: 2 }).apply(p, inputs, { mode: 'eval', state: {} }).outputs), inDouble(mupMlp({ inputs: 4, width: 2, outputs: 2 }).init(key(0)).params) as never, x)).toThrow();
  });
});
