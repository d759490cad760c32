import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { crossEntropy } from '../losses/index.ts';
import { cnn, dense, mlp, resnet, sequential, transformer, type AnyModel, type CnnParameters } from '../nn/index.ts';
import { add, averagePool, conv, flatten, matmul, reshape, sum, tanh } from '../ops/index.ts';
import { examplesOf, type LossFunction, type Problem } from '../problem/index.ts';
import { crossEntropy as tinyCrossEntropy, tinyClassification, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, hessian as denseHessian } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import { activationHessian, activationNames } from './activation-hessian.ts';
import { congruence, difference, largest, rowsOf, singlePrecision } from './dense-oracles.test-helper.ts';
import { hessian } from './hessian.ts';
import { denseMatrix } from './operator.ts';
import { outputHessian } from './output-hessian.ts';

const executor = referenceExecutor;
const problem = tinyClassification(5, [3, 4, 3]);
const point = problem.model.init(key(0));

/** Blocks d^2 l_n / dh_n^2 of a network cut in two by hand: `head` up to the activation, `tail` from there. */
async function blocksByHand<P, State>(
  { train, loss }: Problem<P, State>, params: unknown, head: (params: P, inputs: Tensor) => Tensor, tail: (params: P, activation: Tensor) => Tensor,
): Promise<Float64Array[]> {
  const { inputs, targets } = examplesOf(train, 'float64');
  const upTo = compile((p: P, x: Tensor) => head(p, x), { executor });
  const curvature = compile((p: P, h: Tensor, y: Tensor) => denseHessian((value: Tensor) => sum((loss as LossFunction)(tail(p, value), y)))(h), { executor });
  const blocks: Float64Array[] = [];
  for (let n = 0; n < train.size; n++) {
    const activation = await upTo(params as never, rowsOf(inputs, 1, n)) as unknown as NDArray;
    blocks.push((await curvature(params as never, activation as never, rowsOf(targets, 1, n)) as unknown as NDArray).data as Float64Array);
  }
  return blocks;
}

/** The block-diagonal matrix of blocks times a factor. */
function joined(blocks: readonly Float64Array[], factor: number): Float64Array {
  const width = Math.sqrt(blocks[0].length);
  const size = width * blocks.length;
  const out = new Float64Array(size * size);
  blocks.forEach((block, n) => block.forEach((x, at) => { out[(n * width + Math.floor(at / width)) * size + n * width + (at % width)] = x * factor; }));
  return out;
}

const first = ({ layers: [a] }: Layers, x: Tensor): Tensor => add(matmul(x, a.weight), a.bias);
const second = ({ layers: [, b] }: Layers, h: Tensor): Tensor => add(matmul(h, b.weight), b.bias);

describe('against networks cut in two by hand', () => {
  test.each([
    ['inputs', (_: Layers, x: Tensor) => x, (p: Layers, x: Tensor) => second(p, tanh(first(p, x)))],
    ['after layers.0', first, (p: Layers, z: Tensor) => second(p, tanh(z))],
    ['before layers.1', (p: Layers, x: Tensor) => tanh(first(p, x)), second],
    ['outputs', (p: Layers, x: Tensor) => second(p, tanh(first(p, x))), (_: Layers, outputs: Tensor) => outputs],
  ] as const)('MLP, %s: in unequal chunks and blocks too', async (name, head, tail) => {
    const blocks = await blocksByHand(problem, point.params, head, tail);
    for (const options of [{}, { chunk: 2, block: 3 }, { chunk: 3, block: 1, memoryBudget: 0 }]) {
      const operator = activationHessian(problem, point, name, { executor, ...options });
      expect(operator.size).toBe(5 * Math.sqrt(blocks[0].length));
      const dense = await denseMatrix(operator);
      expect(difference(dense, joined(blocks, 1 / 5))).toBeLessThan(1e-13);
      expect(largest(dense)).toBeGreaterThan(1e-3);
      await operator.dispose();
    }
  });

  test('convolutional network: before and after a convolution, and after a flattening', async () => {
    const train = { inputs: new NDArray(normal(key(1), [3, 1, 12, 12]), [3, 1, 12, 12], 'float32'), targets: new NDArray(Int32Array.of(0, 2, 1), [3], 'int32'), size: 3 };
    const model = cnn({ inputShape: [1, 12, 12], channels: [1, 2], hidden: [3, 3], classes: 3, activation: 'tanh' });
    const images: Problem<CnnParameters> = { name: 'images', model, loss: crossEntropy, train };
    const params = mapTree((leaf: NDArray) => new NDArray(Float64Array.from(leaf.data), leaf.shape, 'float64'), model.init(key(2)).params) as never;
    const pooled = (x: Tensor): Tensor => averagePool(tanh(x), 2);
    const convolved = ({ weight, bias }: CnnParameters['conv1'], x: Tensor, pad: number): Tensor => add(conv(x, weight, { padding: [[pad, pad], [pad, pad]] }), reshape(bias, [bias.shape[0], 1, 1]));
    const affine = ({ weight, bias }: CnnParameters['dense1'], x: Tensor): Tensor => add(matmul(x, weight), bias);
    const rest = (p: CnnParameters, x: Tensor): Tensor => affine(p.dense3, tanh(affine(p.dense2, tanh(affine(p.dense1, x)))));
    for (const [name, head, tail] of [
      ['before conv2', (p, x) => pooled(convolved(p.conv1, x, 2)), (p, h) => rest(p, flatten(pooled(convolved(p.conv2, h, 0))))],
      ['after conv2', (p, x) => convolved(p.conv2, pooled(convolved(p.conv1, x, 2)), 0), (p, h) => rest(p, flatten(pooled(h)))],
      ['before dense1', (p, x) => flatten(pooled(convolved(p.conv2, pooled(convolved(p.conv1, x, 2)), 0))), rest],
    ] as [string, (p: CnnParameters, x: Tensor) => Tensor, (p: CnnParameters, h: Tensor) => Tensor][]) {
      const expected = joined(await blocksByHand(images, params, head, tail), 1 / 3);
      const dense = await denseMatrix(activationHessian(images, { params, state: {} }, name, { executor }));
      expect(difference(dense, expected)).toBeLessThan(1e-13);
      expect(largest(dense)).toBeGreaterThan(1e-6);
    }
  });
});

describe('relations', () => {
  test('of outputs it is the output Hessian; before a linear layer it is W\' (after) W', async () => {
    const after = await denseMatrix(activationHessian(problem, point, 'after layers.1', { executor }));
    expect(difference(after, await denseMatrix(outputHessian(problem, point, { executor })))).toBeLessThan(1e-15);
    const { data: weight } = point.params.layers[1].weight;
    // Rows: outputs of all examples; columns: what the layer reads of all examples.
    const map = new Float64Array(15 * 20);
    for (let n = 0; n < 5; n++) for (let i = 0; i < 4; i++) for (let j = 0; j < 3; j++) map[(n * 3 + j) * 20 + n * 4 + i] = weight[i * 3 + j];
    expect(difference(await denseMatrix(activationHessian(problem, point, 'before layers.1', { executor })), congruence(map, 15, after))).toBeLessThan(1e-14);
  });

  test("J' (this) J is the Hessian's block of a layer's own parameters, in which its output is linear", async () => {
    const { data } = problem.train.inputs;
    // d z_n / d (weight [3, 4], bias [4]): the inputs, and one.
    const slopes = new Float64Array(20 * 16);
    for (let n = 0; n < 5; n++) for (let j = 0; j < 4; j++) for (let i = 0; i < 4; i++) slopes[(n * 4 + j) * 16 + i * 4 + j] = i < 3 ? data[n * 3 + i] : 1;
    const block = hessian(problem, point, { executor, parameters: 'layers.0' });
    expect(block.space!.names).toEqual(['layers.0.weight', 'layers.0.bias']);
    const inner = await denseMatrix(activationHessian(problem, point, 'after layers.0', { executor, chunk: 2 }));
    expect(difference(congruence(slopes, 20, inner), await denseMatrix(block))).toBeLessThan(1e-13);
  });

  test('what goes around the activation is held fixed', async () => {
    // outputs = x + tanh(x) b: `before b` is tanh(x), and x beside it stays.
    const skip: AnyModel = {
      name: 'skip', init: () => ({ params: { b: { weight: new NDArray(Float64Array.of(2), [1, 1], 'float64') } }, state: {} }),
      apply: ({ b }, x: Tensor) => ({ outputs: add(x, matmul(tanh(x), b.weight)), state: {} }),
    };
    const x = 0.5;
    const train = { inputs: new NDArray(Float64Array.of(x), [1, 1], 'float64'), targets: new NDArray(Int32Array.of(0), [1], 'int32'), size: 1 };
    const squares: Problem<unknown> = { name: 'skip', model: skip, loss: (outputs) => sum(matmul(outputs, outputs), 1), train };
    const at = skip.init(key(0)) as never;
    const dense = async (name: string): Promise<number> => (await denseMatrix(activationHessian(squares, at, name, { executor })))[0];
    // l = (x + 2 t)^2 with t = tanh(x): in t 2 * 2^2; in x 2 (1 + 2 t')^2 + 2 (x + 2 t) 2 t''.
    const [t, slope] = [Math.tanh(x), 1 - Math.tanh(x) ** 2];
    expect(await dense('before b')).toBeCloseTo(8, 12);
    expect(await dense('inputs')).toBeCloseTo(2 * (1 + 2 * slope) ** 2 + 4 * (x + 2 * t) * -2 * t * slope, 12);
  });
});

describe('options', () => {
  test('examples by index, each block its own; `sum` leaves out the division', async () => {
    const whole = await denseMatrix(activationHessian(problem, point, 'after layers.0', { executor, reduction: 'sum' }));
    const operator = activationHessian(problem, point, 'after layers.0', { executor, examples: [4, 1], reduction: 'mean' });
    expect([operator.size, operator.examples, operator.shape]).toEqual([8, 2, [4]]);
    const dense = await denseMatrix(operator);
    [4, 1].forEach((example, n) => {
      for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) expect(dense[(n * 4 + i) * 8 + n * 4 + j]).toBeCloseTo(whole[(example * 4 + i) * 20 + example * 4 + j] / 2, 14);
    });
    expect(dense[5]).toBe(0);
  });

  test('in float32 on ONNX Runtime agrees to single precision; memory is predicted', async () => {
    const expected = await denseMatrix(activationHessian(problem, point, 'before layers.1', { executor }));
    const operator = activationHessian(problem, { params: singlePrecision(point.params), state: {} }, 'before layers.1', { chunk: 2 });
    expect(operator.predicted).toMatchObject({ examples: 5, chunk: 2, chunks: 3 });
    expect(operator.predicted.workingBytes).toBeGreaterThan(0);
    expect(difference(await denseMatrix(operator), expected)).toBeLessThan(2e-6 * largest(expected));
    await operator.dispose();
  });

  test('another name is answered with those there are', () => {
    expect(() => activationHessian(problem, point, 'layers.0', { executor }))
      .toThrow(/one of 'inputs', 'before layers\.0', 'after layers\.0', 'before layers\.1', 'after layers\.1', 'outputs'/);
  });
});

describe('names', () => {
  const named = (model: AnyModel, shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): string[] => {
    const size = shape.reduce((a, b) => a * b, 1);
    const inputs = dtype === 'int32' ? new NDArray(randint(key(0), size, { high: 5 }), shape, 'int32') : new NDArray(normal(split(key(0), 'x'), size), shape, 'float32');
    const train = { inputs, targets: new NDArray(new Int32Array(shape[0]), [shape[0]], 'int32'), size: shape[0] };
    return activationNames({ name: 'named', model, loss: tinyCrossEntropy, train }, model.init(key(0)) as never).map(({ name, shape: one }) => `${name} [${one.join(',')}]`);
  };

  test('of the models there are', () => {
    expect(named(mlp({ sizes: [4, 3, 2] }), [2, 2, 2])).toEqual(['inputs [2,2]', 'before layers.0 [4]', 'after layers.0 [3]', 'before layers.1 [3]', 'after layers.1 [2]', 'outputs [2]']);
    const residual = named(resnet({ inputShape: [1, 8, 8], width: 2, depth: 8, classes: 3 }), [2, 1, 8, 8]);
    expect(residual.slice(0, 4)).toMatchInlineSnapshot(`
      [
        "inputs [1,8,8]",
        "before stem.conv [1,8,8]",
        "after stem.conv [2,8,8]",
        "after stem.norm [2,8,8]",
      ]
    `);
    const tokens = named(transformer({ vocabulary: 5, context: 4, width: 4, depth: 1, heads: 2 }), [3, 4], 'int32');
    expect(tokens).toMatchInlineSnapshot(`
      [
        "after embed [4,4]",
        "after blocks.0.norm1 [4,4]",
        "before blocks.0.attention.qkv [4,4]",
        "after blocks.0.attention.qkv [4,12]",
        "before blocks.0.attention.out [4,4]",
        "after blocks.0.attention.out [4,4]",
        "after blocks.0.norm2 [4,4]",
        "before blocks.0.mlp.0 [4,4]",
        "after blocks.0.mlp.0 [4,16]",
        "before blocks.0.mlp.1 [4,16]",
        "after blocks.0.mlp.1 [4,4]",
        "after norm [4,4]",
        "before head [4,4]",
        "after head [4,5]",
        "outputs [4,5]",
      ]
    `);
  });

  test('of a layer applied twice: each application by its number', () => {
    const layer = dense({ inputs: 3, outputs: 3 });
    const twice: AnyModel = { ...sequential(layer), apply: ([p], x: Tensor, context) => ({ outputs: [0, 1].reduce((h) => layer.apply(p, tanh(h), context).outputs, x), state: {} }) };
    expect(named(twice, [2, 3])).toEqual(['inputs [3]', 'before 0 [3]', 'after 0 [3]', 'before 0 #2 [3]', 'after 0 #2 [3]', 'outputs [3]']);
  });
});
