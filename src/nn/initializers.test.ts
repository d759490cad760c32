import { describe, expect, test } from 'vitest';
import type { Tensor } from '../core/tensor.ts';
import { sum } from '../ops/index.ts';
import { compile, grad } from '../transforms/index.ts';
import { checkGrads } from '../testing/index.ts';
import { leaves } from '../tree/tree.ts';
import type { NDArray } from '../core/ndarray.ts';
import { array } from '../core/ndarray.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, normal, split } from '../util/random/index.ts';
import '../runtime/node.ts';
import { f64 } from './arrays.test-helper.ts';
import { activations, conv, dense, initializers, mlp, type ActivationName, type InitializerName, type MlpParameters } from './index.ts';

const moments = (data: ArrayLike<number>): { mean: number; variance: number; largest: number } => {
  const values = Array.from(data);
  const mean = values.reduce((total, v) => total + v, 0) / values.length;
  return { mean, variance: values.reduce((total, v) => total + (v - mean) ** 2, 0) / values.length, largest: values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0) };
};

describe('initialisers', () => {
  const [fanIn, fanOut] = [300, 100];
  const variances: Partial<Record<InitializerName, number>> = {
    'lecun-normal': 1 / fanIn, 'lecun-uniform': 1 / fanIn, 'glorot-normal': 2 / (fanIn + fanOut), 'glorot-uniform': 2 / (fanIn + fanOut),
    'he-normal': 2 / fanIn, 'he-uniform': 2 / fanIn, pytorch: 1 / (3 * fanIn), 'standard-normal': 1,
  };
  for (const [name, variance] of Object.entries(variances) as [InitializerName, number][]) {
    test(`${name}: mean zero, variance ${variance.toPrecision(3)}`, () => {
      const n = fanIn * fanOut;
      const found = moments(initializers[name](key(1), { shape: [fanIn, fanOut], fanIn, fanOut }));
      // Five standard errors: of the mean, and of the variance (kurtosis 3 for normal, 1.8 for uniform draws).
      expect(Math.abs(found.mean)).toBeLessThan(5 * Math.sqrt(variance / n));
      const isNormal = name.endsWith('normal');
      expect(Math.abs(found.variance - variance)).toBeLessThan(5 * variance * Math.sqrt((isNormal ? 2 : 0.8) / n));
      const limit = Math.sqrt(3 * variance);
      if (isNormal) expect(found.largest).toBeGreaterThan(3 * Math.sqrt(variance));
      else expect([found.largest <= limit * (1 + 1e-6), found.largest > 0.999 * limit]).toEqual([true, true]);
    });
  }
  test('fans of convolutions: channels of a group times the window in, outputs times the window out', () => {
    const seen: object[] = [];
    conv({ inputs: 6, outputs: 4, window: [3, 5], groups: 2, initializer: (_, shape) => { seen.push(shape); return new Float32Array(4 * 3 * 15); } }).init(key(0));
    expect(seen).toEqual([{ shape: [4, 3, 3, 5], fanIn: 45, fanOut: 60 }]);
  });
  test("pytorch: biases too are uniform on +-1/sqrt(inputs); other initialisers start them at zero", () => {
    const { bias } = dense({ inputs: 25, outputs: 4000, initializer: 'pytorch' }).init(key(3)).params;
    expect(moments(bias.data).variance).toBeCloseTo(1 / 75, 3);
    expect(moments(bias.data).largest).toBeLessThanOrEqual(0.2 + 1e-7);
    expect(moments(dense({ inputs: 25, outputs: 40 }).init(key(3)).params.bias.data).largest).toBe(0);
  });
  test('the default suits the activation that follows', () => {
    for (const name of Object.keys(activations) as ActivationName[]) {
      const layer = dense({ inputs: 20, outputs: 30, activation: name }).init(key(4)).params.weight;
      expect(layer.data).toEqual(initializers[activations[name].initializer](split(key(4), 'weight'), { shape: [20, 30], fanIn: 20, fanOut: 30 }));
    }
    // A hidden layer of an mlp takes its activation's, the last layer that of the identity.
    const { layers } = mlp({ sizes: [400, 400, 400], activation: 'relu' }).init(key(5)).params;
    expect(layers.map(({ weight }) => Math.round(400 * moments(weight.data).variance * 10) / 10)).toEqual([2, 1]);
  });
  test('refuses contradictions', () => {
    expect(() => dense({ inputs: 1, outputs: 1, initializer: 'xavier' as never })).toThrow(/lecun-normal/);
    expect(() => dense({ inputs: 1, outputs: 1, parametrization: 'ntk', initializer: 'he-normal' })).toThrow(ArgumentError);
    expect(() => dense({ inputs: 1, outputs: 1, weightScale: 2 })).toThrow(ArgumentError);
    expect(() => dense({ inputs: 1, outputs: 1, parametrization: 'mup' as never })).toThrow(ArgumentError);
    expect(() => dense({ inputs: 1, outputs: 1, activation: 'swoosh' as never })).toThrow(ArgumentError);
  });
});

describe('activations', () => {
  const values: Partial<Record<ActivationName, [at: number, value: number][]>> = {
    identity: [[-3, -3]], relu: [[-1, 0], [2, 2]], 'leaky-relu': [[-1, -0.01], [2, 2]], elu: [[-1, Math.exp(-1) - 1], [2, 2]], softplus: [[0, Math.LN2], [1, Math.log(1 + Math.E)]],
    gelu: [[0, 0], [1, 0.8413447460685429]], 'gelu-tanh': [[1, 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715))]], silu: [[1, 1 / (1 + Math.exp(-1))]],
    tanh: [[0.5, Math.tanh(0.5)]], sigmoid: [[0, 0.5]], erf: [[1, 0.8427007929497149]], sin: [[1, Math.sin(1)]], square: [[-3, 9]],
  };
  test('each has a closed form that it follows, and derivatives', async () => {
    expect(Object.keys(values).sort()).toEqual(Object.keys(activations).sort());
    for (const [name, points] of Object.entries(values) as [ActivationName, [number, number][]][]) {
      const f = activations[name].apply;
      const { data } = await compile(f)(array(points.map(([at]) => at)));
      points.forEach(([, value], i) => expect(data[i], name).toBeCloseTo(value, 6));
      checkGrads(f, [f64([-1.3, -0.4, 0.6, 1.7])]);
    }
  });
  test('gains keep the mean square of a wide layer where they are closed forms', () => {
    const inputs = Array.from(normal(key(6), 200000));
    const square = (f: (x: number) => number): number => inputs.reduce((total, x) => total + f(x) ** 2, 0) / inputs.length;
    expect(activations.relu.gain ** 2 * square((x) => Math.max(x, 0))).toBeCloseTo(1, 1);
    expect(activations['leaky-relu'].gain ** 2 * square((x) => (x > 0 ? x : 0.01 * x))).toBeCloseTo(1, 1);
  });
});

describe('NTK parametrisation', () => {
  const gradients = (model: ReturnType<typeof mlp>): ((params: never, x: NDArray) => Promise<number[]>) => {
    const f = compile(grad((p: MlpParameters, x: Tensor) => sum(model.apply(p, x, { mode: 'eval', state: {} }).outputs)));
    return async (params, x) => leaves<NDArray>(await f(params, x)).flatMap((leaf) => Array.from(leaf.data));
  };
  const [x, y] = [array([[1, 2, 3]]), array([[-1, 0.5, 2]])];
  const inner = (a: number[], b: number[]): number => a.reduce((total, v, i) => total + v * b[i], 0);

  test('one layer: the tangent kernel is weightScale^2 x.y / inputs + biasScale^2, whatever the weights', async () => {
    const model = mlp({ sizes: [3, 1], parametrization: 'ntk', weightScale: 1.5, biasScale: 0.4 });
    const of = gradients(model);
    const { params } = model.init(key(1));
    expect(inner(await of(params as never, x), await of(params as never, y))).toBeCloseTo((1.5 ** 2 * 6) / 3 + 0.16, 5);
  });
  test('two wide hidden relu layers approach the kernel of infinite width', async () => {
    // Values of Neural Tangents: W_std^2 = 2, b_std = 0.05. The mean over seeds differs from them by its standard error and a term in 1 / width.
    const expected = [28.015, 10.1173163, 10.515];
    const model = mlp({ sizes: [3, 256, 256, 1], activation: 'relu', parametrization: 'ntk', weightScale: Math.SQRT2, biasScale: 0.05 });
    const of = gradients(model);
    const kernels: number[][] = [];
    for (let seed = 0; seed < 24; seed++) {
      const params = model.init(key(seed)).params as never;
      const [gx, gy] = [await of(params, x), await of(params, y)];
      kernels.push([inner(gx, gx), inner(gx, gy), inner(gy, gy)]);
    }
    expected.forEach((value, i) => {
      const { mean, variance } = moments(kernels.map((kernel) => kernel[i] / value));
      const standardError = Math.sqrt(variance / (kernels.length - 1));
      expect(standardError).toBeLessThan(0.04);
      expect(Math.abs(mean - 1)).toBeLessThan(4 * standardError + 0.01);
    });
  });
  test('parameters are standard normal, biases too', () => {
    const { layers } = mlp({ sizes: [100, 200, 300], parametrization: 'ntk' }).init(key(2)).params;
    for (const leaf of leaves<NDArray>(layers)) expect(Math.abs(moments(leaf.data).variance - 1)).toBeLessThan(5 * Math.sqrt(2 / leaf.size));
  });
});
