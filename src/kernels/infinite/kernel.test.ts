import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array } from '../../core/ndarray.ts';
import { mlp } from '../../nn/index.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { key, normal } from '../../util/random/index.ts';
import {
  dualErf, dualExponential, dualGelu, dualQuadrature, dualSine, gaussHermite, infiniteAveragePooling, infiniteConv, infiniteDense, infiniteFlatten,
  infiniteGlobalAveragePooling, infiniteKernel, infiniteRelu, infiniteSerial, infiniteSum, ntkEvaluator, piecewiseLinear, type DualActivation,
} from '../index.ts';

const draw = (seed: number, shape: readonly number[]) => array(normal(key(seed), shape.reduce((n, extent) => n * extent, 1), { dtype: 'float64' }), shape, 'float64');
const image = infiniteSerial(infiniteConv({ window: [3, 3], padding: 'same', biasScale: 0.1 }), infiniteRelu(), infiniteGlobalAveragePooling(), infiniteDense());

describe('infiniteKernel', () => {
  test('finite networks approach it as one over the square root of their width', async () => {
    const inputs = draw(1, [3, 4]);
    const dense = () => infiniteDense({ weightScale: Math.SQRT2, biasScale: 0.3 });
    const { ntk } = await infiniteKernel(infiniteSerial(dense(), infiniteRelu(), dense(), infiniteRelu(), dense()), inputs);
    const executor = nodeExecutor({ threads: 1 });
    const seeds = 16;
    const errorAt = async (width: number): Promise<number> => {
      const model = mlp({ sizes: [4, width, width, 1], activation: 'relu', parametrization: 'ntk', weightScale: Math.SQRT2, biasScale: 0.3 });
      const evaluator = ntkEvaluator({ name: 'mlp', model }, model.init(key(0)), inputs, undefined, { executor, implementation: 'structured-derivatives', block: 3 });
      let squares = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const { values } = await evaluator.evaluate(model.init(key(100 + seed)));
        values.forEach((value, i) => { squares += (value / ntk![i] - 1) ** 2 / (9 * seeds); });
      }
      await evaluator.dispose();
      return Math.sqrt(squares);
    };
    const [narrow, wide] = [await errorAt(32), await errorAt(512)];
    // Sixteen seeds leave each error uncertain by about a sixth, the exponent by a twelfth.
    const exponent = Math.log(wide / narrow) / Math.log(512 / 32);
    expect(exponent).toBeGreaterThan(-0.7);
    expect(exponent).toBeLessThan(-0.3);
    expect(wide).toBeLessThan(0.15);
  });

  test('two sets that are one give the same matrix as one set; channels may stand first or last', async () => {
    const inputs = draw(2, [3, 2, 5, 4]);
    const own = await infiniteKernel(image, inputs);
    const twice = await infiniteKernel(image, inputs, inputs);
    own.ntk!.forEach((value, i) => { expect(Math.abs(value - twice.ntk![i])).toBeLessThan(1e-7); });
    const moved = array(Float64Array.from({ length: inputs.size }, (_, at) => {
      const [i, y, x, c] = [Math.floor(at / 40), Math.floor(at / 8) % 5, Math.floor(at / 2) % 4, at % 2];
      return inputs.data[i * 40 + c * 20 + y * 4 + x];
    }), [3, 5, 4, 2], 'float64');
    expect((await infiniteKernel(image, moved, undefined, { channels: 'last' })).ntk).toEqual(own.ntk);
    expect((await infiniteKernel(image, inputs, undefined, { ntk: false })).ntk).toBeNull();
  });

  test('kernels are positive semidefinite and bounded by their diagonal', () => {
    const network = infiniteSerial(infiniteDense({ weightScale: 1.4, biasScale: 0.1 }), infiniteRelu(), infiniteDense({ weightScale: 1.4, biasScale: 0.1 }));
    return fc.assert(fc.asyncProperty(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 6, maxLength: 6 }), async (values) => {
      const { nngp, ntk } = await infiniteKernel(network, array(values, [3, 2], 'float64'));
      for (const matrix of [nngp, ntk!]) for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) expect(matrix[i * 3 + j] ** 2).toBeLessThanOrEqual(matrix[i * 4] * matrix[j * 4] * (1 + 1e-12));
    }), { numRuns: 50 });
  });

  test('pooling over a window as large as the image is global pooling; a convolution of one tap is a dense layer', async () => {
    const inputs = draw(3, [2, 2, 4, 4]);
    const before = [infiniteConv({ window: [3, 3], padding: 'same' }), infiniteRelu()] as const;
    const global = await infiniteKernel(infiniteSerial(...before, infiniteGlobalAveragePooling(), infiniteDense()), inputs);
    const windowed = await infiniteKernel(infiniteSerial(...before, infiniteAveragePooling({ window: [4, 4] }), infiniteFlatten(), infiniteDense()), inputs);
    windowed.ntk!.forEach((value, i) => { expect(value).toBeCloseTo(global.ntk![i], 12); });
    const one = await infiniteKernel(infiniteSerial(infiniteConv({ window: [1, 1], biasScale: 0.2 }), infiniteRelu(), infiniteFlatten(), infiniteDense()), inputs);
    const same = await infiniteKernel(infiniteSerial(infiniteDense({ biasScale: 0.2 }), infiniteRelu(), infiniteFlatten(), infiniteDense()), inputs);
    expect(same.ntk).toEqual(one.ntk);
  });

  test('refuses orders without a closed form, places left over, and windows that do not fit; stops when told to', async () => {
    const vectors = draw(4, [2, 3]);
    const images = draw(5, [2, 1, 3, 3]);
    await expect(infiniteKernel(infiniteSerial(infiniteRelu(), infiniteDense()), vectors)).rejects.toThrow('must follow a layer with weights');
    await expect(infiniteKernel(infiniteDense(), images)).rejects.toThrow('the network must end without places');
    await expect(infiniteKernel(infiniteSerial(infiniteConv({ window: [5, 5] }), infiniteFlatten()), images)).rejects.toThrow('must fit into the input');
    await expect(infiniteKernel(image, vectors)).rejects.toThrow('the input must have 2 spatial axes');
    await expect(infiniteKernel(infiniteDense(), vectors, draw(6, [2, 4]))).rejects.toThrow('examples of second must be like those of first');
    const branches = infiniteSerial(infiniteConv({ window: [3, 3] }), infiniteSum(infiniteConv({ window: [1, 1] }), infiniteFlatten()));
    await expect(infiniteKernel(branches, images)).rejects.toThrow('all branches must have places');
    const controller = new AbortController();
    await expect(infiniteKernel(infiniteDense(), vectors, undefined, { signal: controller.signal, onProgress: () => { controller.abort(new Error('enough')); } })).rejects.toThrow('enough');
  });
});

describe('dual activations', () => {
  const covariance = fc.tuple(fc.double({ min: 0.1, max: 1.5, noNaN: true }), fc.double({ min: 0.1, max: 1.5, noNaN: true }), fc.double({ min: -0.95, max: 0.95, noNaN: true }));
  const smooth: readonly (readonly [DualActivation, (x: number) => number, (x: number) => number])[] = [
    [dualSine({ amplitude: 1.3, frequency: 0.7, phase: 0.4 }), (x) => 1.3 * Math.sin(0.7 * x + 0.4), (x) => 1.3 * 0.7 * Math.cos(0.7 * x + 0.4)],
    [dualExponential({ amplitude: 0.5, rate: 0.6 }), (x) => 0.5 * Math.exp(0.6 * x), (x) => 0.3 * Math.exp(0.6 * x)],
  ];
  test.each(smooth)('$name agrees with quadrature', (dual, f, derivative) => {
    const numeric = dualQuadrature('numeric', f, derivative, 40);
    fc.assert(fc.property(covariance, ([k11, k22, rho]) => {
      const k12 = rho * Math.sqrt(k11 * k22);
      expect(dual.value(k12, k11, k22)).toBeCloseTo(numeric.value(k12, k11, k22), 10);
      expect(dual.slope(k12, k11, k22)).toBeCloseTo(numeric.slope(k12, k11, k22), 10);
    }));
  });

  // Price's theorem: the derivative of E f(u) f(v) by the covariance is E f'(u) f'(v).
  test.each([dualErf, dualGelu, dualSine(), dualExponential({ rate: 0.5 }), piecewiseLinear(0, 1, 'relu'), piecewiseLinear(0.2, 1, 'leaky relu'), piecewiseLinear(-1, 1, 'abs')])('the slope of $name is the derivative of its value', (dual) => {
    fc.assert(fc.property(covariance, ([k11, k22, rho]) => {
      const k12 = rho * Math.sqrt(k11 * k22);
      const h = 1e-5 * Math.sqrt(k11 * k22);
      const difference = (dual.value(k12 + h, k11, k22) - dual.value(k12 - h, k11, k22)) / (2 * h);
      expect(dual.slope(k12, k11, k22)).toBeCloseTo(difference, 6);
    }));
  });

  test('Gauss-Hermite quadrature is exact to degree 2 n - 1', () => {
    const { nodes, weights } = gaussHermite(6);
    const moment = (power: number): number => nodes.reduce((sum, x, i) => sum + weights[i] * x ** power, 0) / Math.sqrt(Math.PI);
    [1, 0, 1 / 2, 0, 3 / 4, 0, 15 / 8, 0, 105 / 16, 0, 945 / 32, 0].forEach((value, power) => { expect(moment(power)).toBeCloseTo(value, 10); });
  });
});
