import { mkdtemp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { array, filled, type NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { ModelBuilder } from '../onnx/model.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation as DataLocation } from '../onnx/proto/onnx_pb.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile } from '../transforms/index.ts';
import { DataError } from '../util/errors.ts';
import { key } from '../util/random/index.ts';
import { importOnnx, type ImportedModel } from './index.ts';
import { loadOnnx } from './node.ts';

const executor = nodeExecutor({ threads: 1 });
const ramp = (shape: number[], factor = 0.1): NDArray => array(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => factor * Math.sin(i + 1)), shape);

interface Run { readonly mode?: 'train' | 'eval'; readonly noise?: readonly NDArray[] }
async function apply({ model }: ImportedModel, inputs: NDArray, { mode = 'eval', noise = [] }: Run = {}): Promise<{ outputs: NDArray; state: Record<string, NDArray> }> {
  const { params, state } = model.init(key(0)) as { params: never; state: never };
  const run = compile((p: never, s: never, x: Tensor, n: Tensor[]) => model.apply(p, x, { mode, state: s, noise: n }) as { outputs: Tensor; state: Record<string, Tensor> }, { executor });
  return run(params, state, inputs, noise as never) as never;
}

/** x [batch, 4] -> y [batch, 3]. */
function linear(batch: number | string = 'batch', finish: (b: ModelBuilder, logits: string) => string = (_, logits) => logits): Uint8Array {
  const b = new ModelBuilder();
  b.input('x', 'float32', [batch, 4]);
  b.output(finish(b, b.value('Gemm', ['x', b.initializer('w', ramp([4, 3])), b.initializer('b', ramp([3]))])), 'float32', undefined, 'y');
  return b.finish();
}

describe('outputs', () => {
  test('a final softmax is left off, unless its value is asked for by name', async () => {
    const bytes = linear('batch', (b, logits) => b.value('Softmax', [logits]));
    const imported = importOnnx(bytes);
    expect(imported.loss).toBe('cross-entropy');
    expect(imported.notices.join()).toMatch(/before the final Softmax/);
    const x = ramp([2, 4], 1);
    const plain = await apply(importOnnx(linear()), x);
    expect((await apply(imported, x)).outputs.data).toEqual(plain.outputs.data);
    const probabilities = (await apply(importOnnx(bytes, { output: 'y' }), x)).outputs.data;
    expect(probabilities[0] + probabilities[1] + probabilities[2]).toBeCloseTo(1, 6);
  });

  test('a value inside can be looked at; a name that nothing has is refused', async () => {
    const b = new ModelBuilder();
    b.input('x', 'float32', ['n', 4]);
    const [hidden] = b.node('Tanh', ['x'], {}, ['hidden']);
    b.output(b.value('MatMul', [hidden, b.initializer('w', ramp([4, 2]))]), 'float32', undefined, 'y');
    const bytes = b.finish();
    expect((await apply(importOnnx(bytes, { output: 'hidden' }), ramp([2, 4]))).outputs.shape).toEqual([2, 4]);
    expect(importOnnx(bytes, { output: 'hidden' }).parameters).toEqual([]);
    expect(() => importOnnx(bytes, { output: 'nowhere' })).toThrow(/option output .*got 'nowhere'; its outputs are 'y' float/);
  });
});

describe('inputs', () => {
  const two = (): Uint8Array => {
    const b = new ModelBuilder();
    b.input('tokens', 'int32', ['batch', 'sequence']);
    b.input('mask', 'float32', ['batch', 'sequence']);
    b.input('bias', 'float32', ['width']);
    const embedded = b.value('Gather', [b.initializer('table', ramp([5, 3], 1)), 'tokens']);
    const masked = b.value('Mul', [embedded, b.value('Unsqueeze', ['mask', b.int64([-1])])]);
    b.output(b.value('Add', [b.value('ReduceSum', [masked, b.int64([1])], { keepdims: 0 }), 'bias']), 'float32', undefined, 'y');
    return b.finish();
  };
  const tokens = array([0, 1, 2, 3, 4, 0], [2, 3], 'int32');

  test('of a model with several, one is the data and the others need values', async () => {
    expect(() => importOnnx(two())).toThrow(/one input must be the data, got 'tokens' int32\[batch,sequence\], 'mask' float\[batch,sequence\], 'bias' float\[width\]/);
    expect(() => importOnnx(two(), { input: 'tokens' })).toThrow(/every input but the data needs a value, got none for 'mask'/);
    expect(() => importOnnx(two(), { input: 'tokens', values: { mask: 1, bias: 0, other: 1 } })).toThrow(/option values .*got 'other'/);
    const imported = importOnnx(two(), { values: { mask: 1, bias: array([1, 2, 3]) } });
    expect(imported.input.name).toBe('tokens');
    expect((await apply(imported, tokens)).outputs.shape).toEqual([2, 3]);
    const open = importOnnx(two(), { input: 'tokens', values: { mask: 1, bias: 0 } });
    await expect(apply(open, tokens)).rejects.toThrow(/axis 0 of input 'bias' must be known, got the name 'width'/);
    expect((await apply(importOnnx(two(), { input: 'tokens', values: { mask: 1, bias: 0 }, dimensions: { width: 3 } }), tokens)).outputs.shape).toEqual([2, 3]);
  });

  test('data that do not fit are refused with the declaration', async () => {
    await expect(apply(importOnnx(linear()), ramp([2, 5]))).rejects.toThrow(/the data must fit input 'x' float\[batch,4\], got an array \[2,5\]/);
    await expect(apply(importOnnx(two(), { values: { mask: 1, bias: 0 }, dimensions: { width: 3 } }), ramp([2, 3]))).rejects.toThrow(/the data must fit input 'tokens' int32/);
  });

  test('operators that are not read are listed together, those that are not needed left alone', () => {
    const b = new ModelBuilder();
    b.input('x', 'float32', ['n', 2]);
    const [y] = b.node('GridSomething', ['x'], {}, ['y']);
    b.output(b.value('Other', [b.value('Other', [y], {}, 'vendor')], {}, 'vendor'), 'float32', undefined, 'z');
    expect(() => importOnnx(b.finish())).toThrow(/got GridSomething \(1 node\), vendor:Other \(2 nodes\)/);
  });
});

describe('a model exported for a fixed batch', () => {
  test('is applied to one batch of that size after another', async () => {
    // A shape with the batch written into it, as exporters do.
    const bytes = linear(1, (b, logits) => b.value('Reshape', [b.value('Reshape', [logits, b.int64([1, 3, 1])]), b.int64([1, -1])]));
    const x = ramp([5, 4], 1);
    expect((await apply(importOnnx(bytes), x)).outputs).toEqual((await apply(importOnnx(linear()), x)).outputs);
    await expect(apply(importOnnx(linear(2)), x)).rejects.toThrow(/must have the batch of 5.*data of 5 examples.*dynamic/s);
  });
  test('whose output loses the batch is refused', async () => {
    const bytes = linear('batch', (b, logits) => b.value('ReduceSum', [logits, b.int64([0])]));
    await expect(apply(importOnnx(bytes), ramp([5, 4]))).rejects.toThrow(/must have the batch of 5 along its batch axis/);
  });
});

describe('state and train mode', () => {
  const normalised = (): Uint8Array => {
    const b = new ModelBuilder();
    b.input('x', 'float32', ['n', 2, 3]);
    const y = b.value('BatchNormalization', ['x', b.initializer('scale', array([1, 2])), b.initializer('bias', array([0, 1])), b.initializer('mean', array([0.5, 0])), b.initializer('variance', array([4, 1]))], { epsilon: { float: 1e-5 }, momentum: { float: 0.9 } });
    b.output(b.value('Dropout', [y, b.constant(array([0.5], [])), b.constant(array([1], [], 'bool'))]), 'float32', undefined, 'y');
    return b.finish();
  };
  const x = ramp([4, 2, 3], 1);

  test('batch normalisation by kept statistics, by those of the batch, and renewed ones', async () => {
    const imported = importOnnx(normalised());
    expect(imported.statistics).toEqual(['mean', 'variance']);
    const kept = (await apply(imported, x)).outputs;
    expect(kept.data[0]).toBeCloseTo((x.data[0] - 0.5) / 2, 5);
    const batch = (await apply(importOnnx(normalised(), { batchNormalisation: 'batch' }), x)).outputs;
    const channel = Array.from({ length: 12 }, (_, i) => batch.data[Math.floor(i / 3) * 6 + (i % 3)]);
    expect(channel.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4);
    const { state } = await apply(imported, x, { mode: 'train', noise: [filled([4, 2, 3], 0.9)] });
    const own = Array.from({ length: 12 }, (_, i) => x.data[Math.floor(i / 3) * 6 + (i % 3)]);
    const average = own.reduce((a, b) => a + b, 0) / 12;
    expect(state['mean'].data[0]).toBeCloseTo(0.9 * 0.5 + 0.1 * average, 5);
    expect(state['variance'].data[0]).toBeCloseTo(0.9 * 4 + 0.1 * own.reduce((sum, v) => sum + (v - average) ** 2, 0) / 11, 5);
  });

  test('dropout takes noise where the model says so, and is off with a notice without', async () => {
    const imported = importOnnx(normalised());
    expect(imported.model.noise!([4, 2, 3])).toEqual([[4, 2, 3]]);
    const dropped = (await apply(imported, x, { mode: 'train', noise: [filled([4, 2, 3], 0.1)] })).outputs;
    expect(Array.from(dropped.data).every((value) => value === 0)).toBe(true);
    await apply(imported, x, { mode: 'train' });
    expect(imported.notices.join()).toMatch(/dropout is off/);
  });
});

describe('what is said about a model', () => {
  test('the table of parameters has the order of their coordinates, also for names that look like integers', () => {
    const b = new ModelBuilder();
    b.input('x', 'float32', ['n', 2]);
    b.output(b.value('MatMul', [b.value('MatMul', ['x', b.initializer('12', ramp([2, 2]))]), b.initializer('3', ramp([2, 2], 1))]), 'float32', undefined, 'y');
    const { parameters, model } = importOnnx(b.finish());
    expect(parameters.map(({ name }) => name)).toEqual(Object.keys(model.init(key(0)).params as object));
  });
  test('layers, and nodes that derivatives do not pass', () => {
    const imported = importOnnx(linear('batch', (b, logits) => b.value('Mul', [logits, b.value('Floor', [logits])])));
    expect(imported.layers.map(({ parameters }) => parameters)).toEqual([['w', 'b']]);
    expect(imported.notDifferentiable).toEqual([{ node: expect.stringMatching(/^Floor/) as string, operator: 'Floor', gradient: 'zero' }]);
  });
  test('a double model computes in float64', async () => {
    const b = new ModelBuilder();
    b.input('x', 'float64', ['n', 2]);
    b.output(b.value('MatMul', ['x', b.initializer('w', array([0.1, 0.2], [2, 1], 'float64'))]), 'float64', undefined, 'y');
    const { outputs } = await apply(importOnnx(b.finish()), array([1, 1], [1, 2], 'float64'));
    expect(outputs.dtype).toBe('float64');
    expect(outputs.data[0]).toBe(0.1 + 0.2);
  });
});

describe('files on disk', () => {
  let folder = '';
  beforeAll(async () => { folder = await mkdtemp(path.join(tmpdir(), 'thalweg-onnx-')); });
  afterAll(() => rm(folder, { recursive: true }));
  const at = (...names: string[]): string => path.join(folder, ...names);

  /** The model with its weights in another file. */
  const external = (location: string, length: number, shape: Shape = [4, 3]): Uint8Array => {
    const model = fromBinary(ModelProtoSchema, linear());
    const tensors = model.graph!.initializer.map((tensor) => (tensor.name !== 'w' ? tensor : {
      ...tensor, rawData: new Uint8Array(0), dims: shape.map(BigInt), dataLocation: DataLocation.EXTERNAL,
      externalData: Object.entries({ location, offset: '16', length: String(length) }).map(([name, value]) => create(StringStringEntryProtoSchema, { key: name, value })),
    }));
    return toBinary(ModelProtoSchema, { ...model, graph: { ...model.graph!, initializer: tensors } });
  };

  test('weights are read from the folder of the model', async () => {
    await writeFile(at('m.onnx'), external('m.data', 48));
    await writeFile(at('m.data'), Buffer.concat([Buffer.alloc(16), Buffer.from(ramp([4, 3]).data.buffer)]));
    const imported = await loadOnnx(at('m.onnx'));
    expect((imported.model.init(key(0)).params as Record<string, NDArray>)['w'].data).toEqual(ramp([4, 3]).data);
  });

  test('weights that are missing, cut short, or outside of the folder by a link', async () => {
    const attempt = async (location: string): Promise<unknown> => {
      await writeFile(at('bad.onnx'), external(location, 48));
      return loadOnnx(at('bad.onnx'));
    };
    await expect(attempt('none.data')).rejects.toThrow(/none\.data beside .*bad\.onnx: .*got ENOENT/);
    await writeFile(at('short.data'), Buffer.alloc(40));
    await expect(attempt('short.data')).rejects.toThrow(/at least 64 bytes, got 40/);
    await writeFile(at('short.data'), 'version https://git-lfs.github.com/spec/v1\n');
    await expect(attempt('short.data')).rejects.toThrow(/at least 64 bytes, got a pointer of Git LFS/);
    await expect(attempt('.')).rejects.toThrow(/must lie in the folder of the model/);
    await mkdir(at('folder.data'));
    await expect(attempt('folder.data')).rejects.toThrow(/must be a file, got a folder/);
    await mkdir(at('inner'));
    await writeFile(at('secret'), Buffer.alloc(100));
    await symlink(at('secret'), at('inner', 'link.data'));
    await writeFile(at('inner', 'm.onnx'), external('link.data', 48));
    await expect(loadOnnx(at('inner', 'm.onnx'))).rejects.toThrow(/must lie in the folder of the model, got .*secret/);
  });

  test('a model that is a link may have its weights beside the file that it links to, as in a cache of downloads', async () => {
    await mkdir(at('blobs'));
    await mkdir(at('snapshot'));
    await writeFile(at('blobs', 'one'), external('m.data', 48));
    await writeFile(at('blobs', 'two'), Buffer.alloc(64));
    await symlink(at('blobs', 'one'), at('snapshot', 'm.onnx'));
    await symlink(at('blobs', 'two'), at('snapshot', 'm.data'));
    expect((await loadOnnx(at('snapshot', 'm.onnx'))).parameters).toHaveLength(2);
  });

  test('that are missing, empty, folders, zeros without end, or a protobuf file too large', async () => {
    await expect(loadOnnx(at('none.onnx'))).rejects.toThrow(/must be readable, got ENOENT/);
    await writeFile(at('empty.onnx'), '');
    await expect(loadOnnx(at('empty.onnx'))).rejects.toThrow(/got 0 bytes/);
    await expect(loadOnnx(folder)).rejects.toThrow(/must be a file, got a folder/);
    await writeFile(at('page.onnx'), '<!doctype html><title>404</title>');
    await expect(loadOnnx(at('page.onnx'))).rejects.toThrow(/got a page of HTML/);
    await writeFile(at('zeros.onnx'), '');
    await truncate(at('zeros.onnx'), 1e9);
    await expect(loadOnnx(at('zeros.onnx'))).rejects.toThrow(/zeros at its beginning/);
    await truncate(at('zeros.onnx'), 1e10);
    await expect(loadOnnx(at('zeros.onnx'))).rejects.toThrow(DataError);
    await expect(loadOnnx(at('zeros.onnx'))).rejects.toThrow(/smaller than 2 GiB, got 10000000000 bytes/);
  });
});
