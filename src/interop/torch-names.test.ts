import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { torchCases } from '../../test/golden/torch/cases.ts';
import { array, filled, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { embedding, mlp, named, type AnyModel } from '../nn/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { parseSafetensors, pointFromTorch, torchNames, torchStateDict, type ModelPoint, type NamedArrays } from './index.ts';

interface Entry { readonly shape: readonly number[]; readonly data: readonly number[] }
const read = (file: string): Buffer => readFileSync(new URL(`../../test/golden/torch/${file}`, import.meta.url));
const executor = nodeExecutor({ threads: 1 });
const initial = (model: AnyModel): ModelPoint => model.init(key(0)) as ModelPoint;

describe.each(Object.entries(torchCases))('%s', (name, { model, example }) => {
  const file = parseSafetensors(read(`${name}.safetensors`));
  const arrays: NamedArrays = Object.fromEntries(file.tensors.map((entry) => [entry.name, file.read(entry.name)]));

  // PyTorch has loaded the file by load_state_dict(strict=True).
  test('gives the outputs of the PyTorch modules that loaded the same file', async () => {
    const { inputs, outputs } = JSON.parse(read(`${name}.json`).toString()) as { inputs: Entry; outputs: Entry };
    const { params, state } = pointFromTorch(model, initial(model), example, arrays);
    const run = compile((p: never, s: never, x: Tensor) => model.apply(p, x, { mode: 'eval', state: s }).outputs, { executor });
    const found = await run(params as never, state as never, array(inputs.data, inputs.shape, example.dtype ?? 'float32')) as NDArray;
    expect(found.shape).toEqual(outputs.shape);
    expect(Math.max(...outputs.data.map((y, i) => Math.abs(y - found.data[i])))).toBeLessThan(1e-5);
  });

  test('goes back and forth without a change', () => {
    const again = torchStateDict(model, pointFromTorch(model, initial(model), example, { ...arrays, 'stem.norm.num_batches_tracked': filled([], 3, 'int32') }), example);
    expect(again).toEqual(arrays);
  });
});

test('weights of products are transposed behind factors too, tables of vectors and kernels not; a name is not given twice', () => {
  const rows = (model: AnyModel, shape: number[], dtype?: 'int32'): string[] => torchNames(model, initial(model), { shape, ...(dtype && { dtype }) }).map(({ name, isTransposed }) => `${name}${isTransposed ? ' transposed' : ''}`);
  expect(rows(mlp({ sizes: [3, 3, 3], parametrization: 'ntk' }), [3])).toEqual(['layers.0.weight transposed', 'layers.0.bias', 'layers.1.weight transposed', 'layers.1.bias']);
  expect(rows(named({ table: embedding({ tokens: 3, width: 3 }) }), [2], 'int32')).toEqual(['table.weight']);
  const both: AnyModel = { name: 'both', init: () => ({ params: { scale: filled([1], 1), weight: filled([1], 2) }, state: {} }), apply: (_, x, { state }) => ({ outputs: x, state }) };
  expect(rows(both, [1])).toEqual(['scale', 'weight']);
});

test('what is missing, left over or of another shape is named', () => {
  const model = mlp({ sizes: [2, 3, 1] });
  const arrays = torchStateDict(model, initial(model), { shape: [2] });
  const reading = (changed: NamedArrays) => () => pointFromTorch(model, initial(model), { shape: [2] }, changed, 'a.safetensors');
  const { 'layers.0.bias': bias, ...fewer } = arrays;
  expect(reading(fewer)).toThrow(/state_dict a\.safetensors: there must be an array 'layers\.0\.bias'/);
  expect(reading({ ...arrays, 'layers.2.bias': bias })).toThrow(/got 'layers\.2\.bias'/);
  expect(reading({ ...arrays, 'layers.0.weight': filled([2, 3], 0) })).toThrow(/'layers\.0\.weight' must have shape \[3, 2\], got \[2, 3\]/);
});
