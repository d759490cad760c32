import { expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, sum } from '../ops/index.ts';
import { compile, grad } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { lazyExecutor } from './executor.ts';
import { loadNodeRuntime, type Builds } from './ort-node.ts';
import { webRuntime } from './ort-web.ts';

const notFound = (name: string): Promise<never> =>
  Promise.reject(Object.assign(new Error(`Cannot find package '${name}' imported from ort-node.js`), { code: 'ERR_MODULE_NOT_FOUND' }));
const withoutNative: Builds = { native: () => notFound('onnxruntime-node'), webAssembly: webRuntime };
const cube = (x: Tensor): Tensor => sum(mul(x, mul(x, x)));

test('without the native build the WebAssembly build computes, and the name says why', async () => {
  const executor = lazyExecutor('onnxruntime-node', () => loadNodeRuntime({ threads: 2 }, withoutNative));
  expect(executor.name).toBe('onnxruntime-node');
  const slope = await compile(grad(cube), { executor })(array([1, 2, -3]));
  expect(slope).toEqual(array([3, 12, 27]));
  expect(executor.name).toBe('onnxruntime-web (wasm), because onnxruntime-node is not installed');
  expect((await loadNodeRuntime({ threads: 2 }, withoutNative)).threads).toBe(1);
});

test('a native build that is there and does not load is named with its reason', async () => {
  const builds: Builds = { ...withoutNative, native: () => Promise.reject(new Error('libstdc++.so.6: cannot open shared object file\nRequire stack:')) };
  expect((await loadNodeRuntime({}, builds)).name).toBe(
    'onnxruntime-web (wasm), because onnxruntime-node cannot be loaded (libstdc++.so.6: cannot open shared object file)');
});

test('without any build the error names both and the remedy', async () => {
  const none: Builds = { native: () => notFound('onnxruntime-node'), webAssembly: () => notFound('onnxruntime-web') };
  const error = await loadNodeRuntime({}, none).catch((cause: unknown) => cause as ArgumentError);
  expect(error).toBeInstanceOf(ArgumentError);
  expect((error as ArgumentError).message).toBe(
    'nodeRuntime: ONNX Runtime must be installed, got this: onnxruntime-node is not installed, and onnxruntime-web is not installed.\n  Try: npm install onnxruntime-node');
  expect((error as ArgumentError).cause).toBeInstanceOf(Error);
});

test('providers that only the native build has are not replaced', async () => {
  await expect(loadNodeRuntime({ providers: ['cuda'] }, withoutNative)).rejects.toThrow('nodeRuntime: the native build, for providers [cuda] must be installed');
});
