import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { cnn, dense, mlp, named, resnet, transformer, type AnyModel } from '../nn/index.ts';
import { ModelProtoSchema } from '../onnx/proto/onnx_pb.ts';
import { add, arange, broadcastTo, concat, convert, expandDims, matmul, mean, sub, sum, tanh, mul, transpose, zeros } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile, grad, scan } from '../transforms/index.ts';
import { leavesWithPaths, mapTree } from '../tree/index.ts';
import { key, uniform } from '../util/random/index.ts';
import { exportOnnx, importOnnx, type ExampleType, type ModelPoint, type OnnxExport } from './index.ts';

const executor = nodeExecutor({ threads: 1 });
const numbers = (shape: Shape, seed: number, low = -1): NDArray => new NDArray(uniform(key(seed), sizeOf(shape), { low, high: 1 }) as Float32Array, shape, 'float32');
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => (a.length === b.length ? Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]))) : Infinity);

/** A recurrent layer: h = tanh(x W + h U), from zeros, read after the last step. */
const recurrent: AnyModel = named({
  cell: {
    name: 'cell',
    init: () => ({ params: { input: numbers([3, 4], 1), hidden: numbers([4, 4], 2) }, state: {} }),
    apply({ input, hidden }: { input: Tensor; hidden: Tensor }, x: Tensor, { state }: { readonly state: Record<string, never> }) {
      const step = (h: Tensor, slice: Tensor): [Tensor, Tensor] => { const next = tanh(add(matmul(slice, input), matmul(h, hidden))); return [next, next]; };
      const [last] = scan(step as never, zeros([x.shape[0], 4]) as never, transpose(x, [1, 0, 2]) as never) as unknown as [Tensor, Tensor];
      return { outputs: last, state };
    },
    outputShape: ([batch]: readonly number[]) => [batch, 4],
  },
  head: dense({ inputs: 4, outputs: 2 }),
} as never) as AnyModel;

/** A vector of its own before those of each example, as the class token of a vision transformer. */
const withToken: AnyModel = {
  name: 'token', init: () => ({ params: { token: numbers([1, 1, 3], 3), weight: numbers([3, 2], 4) }, state: {} }),
  apply: ({ token, weight }: { token: Tensor; weight: Tensor }, x: Tensor, { state }) => ({ outputs: mean(matmul(concat([broadcastTo(token, [x.shape[0], 1, 3]), x], 1), weight), 1), state }),
};

const models: readonly (readonly [string, AnyModel, ExampleType])[] = [
  ['MLP in the NTK parametrisation', mlp({ sizes: [4, 8, 3], parametrization: 'ntk' }), { shape: [4] }],
  ['convolutional network', cnn({ inputShape: [1, 12, 12], channels: [2, 3], hidden: [8, 6], classes: 3 }), { shape: [1, 12, 12] }],
  ['residual network with batch norm', resnet({ depth: 8, width: 2, inputShape: [1, 8, 8], classes: 3 }), { shape: [1, 8, 8] }],
  ['transformer', transformer({ vocabulary: 5, context: 4, width: 8, heads: 2, depth: 1, outputs: 3 }), { shape: [4], dtype: 'int32' }],
  ['recurrent network', recurrent, { shape: [5, 3] }],
  ['class token', withToken, { shape: [2, 3] }],
];

/** A point away from the symmetric start, statistics included. */
function pointOf(model: AnyModel): ModelPoint {
  const { params, state } = model.init(key(3)) as ModelPoint;
  let seed = 10;
  const moved = (low: number) => (leaf: NDArray): NDArray => {
    const change = numbers(leaf.shape, seed++, low).data;
    return new NDArray(Float32Array.from(leaf.data, (x, i) => x + 0.3 * change[i]), leaf.shape, 'float32');
  };
  return { params: mapTree(moved(-1) as never, params), state: mapTree(moved(0) as never, state) };
}

const dataOf = ({ shape, dtype }: ExampleType, batch: number): NDArray => {
  const all = [batch, ...shape];
  return dtype === 'int32' ? new NDArray(Int32Array.from({ length: sizeOf(all) }, (_, i) => (3 * i + (i >> 2)) % 5), all, 'int32') : numbers(all, 5);
};

async function runFile({ bytes, input, output }: OnnxExport, x: NDArray): Promise<{ data: ArrayLike<number>; shape: readonly number[] }> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const fed = input.dtype === 'int64' ? new ort.Tensor('int64', BigInt64Array.from(x.data, BigInt), x.shape) : new ort.Tensor(x.dtype as 'float32', x.data as Float32Array, x.shape);
  const { [output.name]: result } = await session.run({ [input.name]: fed });
  await session.release();
  return { data: result.data as Float32Array, shape: result.dims };
}

const outputsOf = (model: AnyModel, { params, state }: ModelPoint, x: NDArray): Promise<NDArray> =>
  compile((p: never, s: never, data: Tensor) => model.apply(p, data, { mode: 'eval', state: s }).outputs, { executor })(params as never, state as never, x) as Promise<NDArray>;

/** Gradient of half the sum of squared outputs, by path. */
async function gradientOf(model: AnyModel, { params, state }: ModelPoint, x: NDArray): Promise<Record<string, NDArray>> {
  const loss = (p: never, s: never, data: Tensor): Tensor => { const y = model.apply(p, data, { mode: 'eval', state: s }).outputs; return mul(sum(mul(y, y)), 0.5); };
  const result = await compile(grad(loss), { executor })(params as never, state as never, x);
  return Object.fromEntries(leavesWithPaths(result) as [string, NDArray][]);
}

test.each(models)('%s: ONNX Runtime gives our outputs at every batch size, and an import our gradient', async (_, model, example) => {
  const point = pointOf(model);
  const made = exportOnnx(model, point, example);
  expect([made.unused, made.domains]).toEqual([[], []]);
  for (const batch of [1, 7]) {
    const x = dataOf(example, batch);
    const [theirs, ours] = [await runFile(made, x), await outputsOf(model, point, x)];
    expect(theirs.shape).toEqual(ours.shape);
    expect(worst(theirs.data, ours.data)).toBeLessThan(2e-6);
  }
  const again = importOnnx(made.bytes);
  const expected = await gradientOf(model, point, dataOf(example, 3));
  const found = await gradientOf(again.model, again.model.init(key(0)) as ModelPoint, dataOf(example, 3));
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [path, { data }] of Object.entries(expected)) expect(worst(found[path].data, data), path).toBeLessThan(2e-5 * (1 + Math.max(...data.map(Math.abs))));
});

test('names are those of paths or of PyTorch, nodes are called after their modules, and the version is told', () => {
  const model = resnet({ depth: 8, width: 2, inputShape: [1, 8, 8], classes: 3 });
  const point = pointOf(model as AnyModel);
  expect(exportOnnx(model as AnyModel, point, { shape: [1, 8, 8] }).arrays).toContain('stem.norm.scale');
  const made = exportOnnx(model as AnyModel, point, { shape: [1, 8, 8] }, { names: 'torch', input: 'images', output: 'logits', batch: 4 });
  expect([made.input, made.output, made.opset]).toEqual([{ name: 'images', dtype: 'float32', shape: [4, 1, 8, 8] }, { name: 'logits', dtype: 'float32', shape: [4, 3] }, 21]);
  const { graph, producerName, producerVersion } = fromBinary(ModelProtoSchema, made.bytes);
  expect(`${producerName} ${producerVersion}`).toMatch(/^thalweg \d/);
  const head = graph!.node.find(({ input }) => input.includes('head.weight'))!;
  expect([head.name, head.opType]).toEqual(['/head/Gemm', 'Gemm']);
  expect(graph!.initializer.find(({ name }) => name === 'head.weight')!.dims).toEqual([3n, 8n]);
  const { parameters, frozen } = importOnnx(made.bytes);
  expect(parameters.map(({ name }) => name)).toContain('stem.norm.weight');
  expect(frozen.map(({ name }) => name)).toEqual(expect.arrayContaining(['stem.norm.running_mean', 'stem.norm.running_var']));
});

describe('models from files', () => {
  test.each(['cnn-tracer', 'gpt-tracer', 'lstm-dynamo'])('%s goes out again with other weights under its names', async (name) => {
    const imported = importOnnx(readFileSync(new URL(`../../test/golden/onnx/${name}.onnx`, import.meta.url)));
    const point = pointOf(imported.model);
    const isTokens = imported.input.type === 'int64';
    const example: ExampleType = { shape: imported.input.shape!.slice(1) as number[], ...(isTokens && { dtype: 'int32' }) };
    const made = exportOnnx(imported.model, point, example, { input: imported.input.name, output: imported.output, wide: isTokens });
    expect([made.input.dtype, made.input.name]).toEqual([isTokens ? 'int64' : 'float32', imported.input.name]);
    const x = dataOf(example, 7);
    const [theirs, ours] = [await runFile(made, x), await outputsOf(imported.model, point, x)];
    expect(worst(theirs.data, ours.data)).toBeLessThan(5e-6);
    expect(importOnnx(made.bytes).parameters.map((row) => row.name).sort()).toEqual(imported.parameters.map((row) => row.name).sort());
  });
});

describe('a model that depends on the batch size', () => {
  const depending = (apply: (x: Tensor) => Tensor): AnyModel => ({ name: 'depending', init: () => ({ params: { weight: numbers([3, 2], 1) }, state: {} }), apply: ({ weight }: { weight: Tensor }, x, { state }) => ({ outputs: matmul(apply(x), weight), state }) });
  const cases: [string, AnyModel][] = [
    ['the mean of a batch', depending((x) => sub(x, mean(x, 0)))],
    ['the place in a batch', depending((x) => add(x, expandDims(convert(arange(x.shape[0]), 'float32'), 1)))],
  ];
  test.each(cases)('%s: is refused for all sizes, and exported for one', async (_, model) => {
    const point = model.init(key(0)) as ModelPoint;
    expect(() => exportOnnx(model, point, { shape: [3] })).toThrow(/must do the same whatever the size.*--batch/s);
    const x = numbers([4, 3], 5);
    expect(worst((await runFile(exportOnnx(model, point, { shape: [3] }, { batch: 4 }), x)).data, (await outputsOf(model, point, x)).data)).toBeLessThan(1e-6);
  });
});
