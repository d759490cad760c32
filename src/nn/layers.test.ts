import { describe, expect, test } from 'vitest';
import type { Tensor } from '../core/tensor.ts';
import { filled, NDArray } from '../core/ndarray.ts';
import { add, constant, flatten, relu, tanh } from '../ops/index.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { curvedCase, hostInputs, readGolden } from '../../test/golden/golden.ts';
import { leavesWithPaths } from '../tree/tree.ts';
import { ArgumentError, DtypeError, ShapeError } from '../util/errors.ts';
import { key } from '../util/random/index.ts';
import { f64, i32, inDouble, normals, shaken } from './arrays.test-helper.ts';
import { assemble, averagePooling, conv, dense, drawNoise, dropout, embedding, globalAveragePooling, maxPooling, multiHeadAttention, named, residual, sequential, type Layer, type Mode, type ParametersOf } from './index.ts';

/** Outputs and state of a layer on the reference interpreter. */
const run = <P, S>(layer: Layer<P, S>, params: unknown, state: unknown, inputs: NDArray, mode: Mode = 'eval', noise?: NDArray[]) =>
  evaluateReference((p: never, s: never, x: Tensor, n: never) => layer.apply(p, x, { mode, state: s, noise: n }), params as never, state as never, inputs, (noise ?? []) as never) as unknown as { outputs: NDArray; state: unknown };
const fresh = <P, S>(layer: Layer<P, S>, inputs: NDArray): NDArray => {
  const { params, state } = inDouble(layer.init(key(1)));
  return run(layer, params, state, inputs).outputs;
};

describe('dense', () => {
  test('x W + b on the last axis, by hand', () => {
    const { outputs } = run(dense({ inputs: 2, outputs: 3 }), { weight: f64([[1, 2, 3], [4, 5, 6]]), bias: f64([10, 20, 30]) }, {}, f64([[[1, 0], [0, 1], [1, -1]]]));
    requireClose(outputs, f64([[[11, 22, 33], [14, 25, 36], [7, 17, 27]]]));
  });
  test('without bias', () => {
    const layer = dense({ inputs: 2, outputs: 2, bias: false });
    expect(leavesWithPaths(layer.init(key(0)).params).map(([path]) => path)).toEqual(['weight']);
    requireClose(run(layer, { weight: f64([[1, 2], [3, 4]]) }, {}, f64([[1, 1]])).outputs, f64([[4, 6]]));
  });
  test('NTK parametrisation: weightScale / sqrt(inputs) x W + biasScale b', () => {
    const layer = dense({ inputs: 4, outputs: 1, parametrization: 'ntk', weightScale: 3, biasScale: 0.5 });
    requireClose(run(layer, { weight: f64([[1], [2], [3], [4]]), bias: f64([8]) }, {}, f64([[1, 1, 1, -1]])).outputs, f64([[(3 / 2) * 2 + 4]]));
  });
  test('refuses an input of another width', () => {
    expect(() => fresh(dense({ inputs: 3, outputs: 2 }), f64([[1, 2]]))).toThrow(ShapeError);
    expect(() => dense({ inputs: 0, outputs: 2 })).toThrow(ArgumentError);
  });
});

describe('conv', () => {
  test('window of ones with bias, stride and padding, by hand', () => {
    const layer = conv({ inputs: 1, outputs: 2, window: [2, 2], strides: 2, padding: [[1, 0], [0, 1]] });
    const image = f64([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]);
    const weight = f64([1, 1, 1, 1, 0, 0, 0, 1], [2, 1, 2, 2]);
    // Rows are padded on top, columns at the end; windows start at rows -1, 1 and columns 0, 2.
    requireClose(run(layer, { weight, bias: f64([0, 100]) }, {}, image).outputs, f64([[[[3, 3], [24, 15]], [[102, 100], [108, 100]]]]));
    expect(layer.outputShape([1, 1, 3, 3])).toEqual([1, 2, 2, 2]);
  });
  test('one and three dimensions, groups, dilation: shapes and gradients', () => {
    const layer = conv({ inputs: 4, outputs: 6, window: [3], groups: 2, dilation: 2 });
    const params = inDouble(layer.init(key(3)).params);
    expect(params.weight.shape).toEqual([6, 2, 3]);
    checkGrads((p: ParametersOf<typeof layer>, x: Tensor) => layer.apply(p, x, { mode: 'eval', state: {} }).outputs, [params, normals([2, 4, 7], 'x')]);
    expect(conv({ inputs: 1, outputs: 1, window: [2, 2, 2] }).outputShape([5, 1, 4, 4, 4])).toEqual([5, 1, 3, 3, 3]);
    expect(() => conv({ inputs: 3, outputs: 4, window: [3], groups: 2 })).toThrow(ArgumentError);
  });
});

test('pooling, by hand', () => {
  const image = f64([[[[1, 2], [3, 8]], [[0, -1], [-2, -5]]]]);
  const apply = (f: (x: Tensor) => Tensor): NDArray => evaluateReference(f, image);
  requireClose(apply(averagePooling(2)), f64([[[[3.5]], [[-2]]]]));
  requireClose(apply(maxPooling(2)), f64([[[[8]], [[0]]]]));
  requireClose(apply(maxPooling([1, 2], { strides: 1 })), f64([[[[2], [8]], [[0], [-2]]]]));
  requireClose(apply(globalAveragePooling), f64([[3.5, -2]]));
});

describe('embedding', () => {
  test('looks up rows', () => {
    requireClose(run(embedding({ tokens: 3, width: 2 }), { weight: f64([[1, 2], [3, 4], [5, 6]]) }, {}, i32([[2, 0]])).outputs, f64([[[5, 6], [1, 2]]]));
  });
  test('refuses numbers that are no tokens', () => {
    expect(() => fresh(embedding({ tokens: 3, width: 2 }), f64([[1]]))).toThrow(DtypeError);
  });
});

describe('multiHeadAttention', () => {
  test('agrees with the values of JAX, derivatives included', () => {
    const golden = readGolden('attention-causal-multi-head');
    const layer = multiHeadAttention({ width: 6, heads: 2, causal: true });
    const { run: all } = curvedCase((a) => layer.apply({ qkv: { weight: a.wqkv, bias: a.bqkv }, out: { weight: a.wout, bias: a.bout } }, a.x, { mode: 'eval', state: {} }).outputs);
    const results = evaluateReference(all, hostInputs(golden, 'float64') as never) as Record<string, NDArray>;
    for (const [name, { data, shape }] of Object.entries(golden.outputs)) requireClose(results[name], f64(data, shape), { relative: 1e-9, scaled: 1e-10 }, name);
  });
  test('without causality every token sees all: the order of other tokens does not matter', () => {
    const layer = multiHeadAttention({ width: 4, heads: 2 });
    const [a, b, c] = [0, 1, 2].map((i) => [...normals([4], `token ${i}`).data]);
    const first = fresh(layer, f64([[a, b, c]])).data.slice(0, 4);
    requireClose(f64(fresh(layer, f64([[a, c, b]])).data.slice(0, 4)), f64(first));
    const causal = multiHeadAttention({ width: 4, heads: 2, causal: true });
    requireClose(f64(fresh(causal, f64([[a, b, c]])).data.slice(0, 8)), f64(fresh(causal, f64([[a, b]])).data));
    expect(() => multiHeadAttention({ width: 4, heads: 3 })).toThrow(ArgumentError);
  });
});

describe('dropout', () => {
  const layer = dropout(0.25);
  const ones = filled([100, 100], 1, 'float64');
  test('is the identity in eval mode', () => {
    requireClose(run(layer, {}, {}, ones).outputs, ones);
  });
  test('zeroes elements whose number is below the rate and scales the others', () => {
    requireClose(run(layer, {}, {}, f64([[3, 3, 3]]), 'train', [f64([[0.2, 0.25, 0.9]])]).outputs, f64([[0, 4, 4]]));
  });
  test('keeps the mean and drops its share', () => {
    const noise = drawNoise(layer, [100, 100], key(5));
    const { data } = run(layer, {}, {}, ones, 'train', noise).outputs;
    const dropped = data.filter((v) => v === 0).length / 1e4;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 1e4));
    expect(drawNoise(layer, [100, 100], key(5))).toEqual(noise);
  });
  test('refuses train mode without noise', () => {
    expect(() => run(layer, {}, {}, ones, 'train')).toThrow(/context\.noise/);
  });
});

describe('combinators', () => {
  const net = named({
    first: dense({ inputs: 3, outputs: 4 }),
    activation: tanh,
    rest: sequential(dropout(0.5), residual(sequential(dense({ inputs: 4, outputs: 4 }), relu)), relu, dropout(0.2), dense({ inputs: 4, outputs: 2, bias: false })),
  });
  const { params, state } = net.init(key(11));

  test('leaf paths name the layers; functions take no place', () => {
    expect(leavesWithPaths(params).map(([path]) => path)).toEqual(['first.weight', 'first.bias', 'rest.1.0.weight', 'rest.1.0.bias', 'rest.3.weight']);
    expect(state).toEqual({});
  });
  test('noise is asked for with the shapes inside, and reaches the right layer', () => {
    expect(net.noise?.([5, 3])).toEqual([[5, 4], [5, 4]]);
    const noise = drawNoise(net, [5, 3], key(2));
    const x = normals([5, 3], 'x');
    const whole = run(net, inDouble(params), {}, x, 'train', noise).outputs;
    const byHand = evaluateReference((p: ParametersOf<typeof net>, input: Tensor, n: Tensor[]) => {
      const context = { mode: 'train', state: {} } as const;
      const h = tanh(dense({ inputs: 3, outputs: 4 }).apply(p.first, input, context).outputs);
      const d = dropout(0.5).apply({}, h, { ...context, noise: [n[0]] }).outputs;
      const r = relu(add(relu(dense({ inputs: 4, outputs: 4 }).apply(p.rest[1][0], d, context).outputs), d));
      return dense({ inputs: 4, outputs: 2, bias: false }).apply(p.rest[3], dropout(0.2).apply({}, r, { ...context, noise: [n[1]] }).outputs, context).outputs;
    }, inDouble(params), x, inDouble(noise));
    requireClose(whole, byHand, { relative: 1e-12 });
  });
  test('initial parameters depend on the key and the path only', () => {
    expect(net.init(key(11)).params).toEqual(params);
    expect(net.init(key(12)).params.first.weight.data).not.toEqual(params.first.weight.data);
    const renamed = named({ other: tanh, first: dense({ inputs: 3, outputs: 4 }) }).init(key(11));
    expect(renamed.params.first).toEqual(params.first);
  });
  test('output shapes are known without tracing', () => {
    expect(net.outputShape([7, 3])).toEqual([7, 2]);
    expect(sequential(conv({ inputs: 1, outputs: 2, window: [3, 3] }), flatten).outputShape([4, 1, 5, 5])).toEqual([4, 18]);
    expect(() => net.outputShape([7, 4])).toThrow(ShapeError);
  });
  test('assemble: a forward function of one\'s own, a layer used twice', () => {
    const layer = assemble('twice', { map: dense({ inputs: 2, outputs: 2, bias: false }) }, (call, x) => add(call('map', call('map', x)), x));
    requireClose(run(layer, { map: { weight: f64([[0, 2], [1, 0]]) } }, {}, f64([[1, 10]])).outputs, f64([[3, 30]]));
  });
  test('gradients through everything', () => {
    const noise = inDouble(drawNoise(net, [2, 3], key(4)));
    checkGrads((p: ParametersOf<typeof net>, x: Tensor) => net.apply(p, x, { mode: 'train', state: {}, noise: noise.map(constant) }).outputs, [shaken(params), normals([2, 3], 'x')]);
  });
});
