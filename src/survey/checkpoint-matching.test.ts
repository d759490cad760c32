import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import { matchCheckpoint, matchedArrays } from './checkpoint-matching.ts';

const shapes = (all: Record<string, number[]>): Record<string, { shape: number[] }> => Object.fromEntries(Object.entries(all).map(([name, shape]) => [name, { shape }]));
const by = (parameters: Record<string, number[]>, arrays: Record<string, number[]>): string[] =>
  matchCheckpoint(shapes(parameters), shapes(arrays), 'a.safetensors').matches.map(({ parameter, array: from, by: how, isTransposed }) => `${parameter} <- ${from} (${how}${isTransposed ? ', transposed' : ''})`);

test('by name, then by the end of a name, then by shape, at last transposed', () => {
  expect(by({ 'fc.weight': [2, 3], 'fc.bias': [2] }, { 'fc.bias': [2], 'fc.weight': [2, 3] })).toEqual(['fc.weight <- fc.weight (name)', 'fc.bias <- fc.bias (name)']);
  expect(by({ 'fc.weight': [2, 2], 'out.weight': [2, 2] }, { 'model.out.weight': [2, 2], 'model.fc.weight': [2, 2] })).toEqual(['fc.weight <- model.fc.weight (suffix)', 'out.weight <- model.out.weight (suffix)']);
  expect(by({ 'onnx::MatMul_7': [3, 2], b: [5] }, { 'fc.weight': [2, 3], bias: [5] })).toEqual(['b <- bias (shape)', 'onnx::MatMul_7 <- fc.weight (shape, transposed)']);
});

test('arrays that belong to nothing are listed; transposed values are turned', () => {
  const matching = matchCheckpoint(shapes({ w: [3, 2] }), shapes({ v: [2, 3], 'bn.num_batches_tracked': [] }), 'a');
  expect(matching.unused).toEqual(['bn.num_batches_tracked']);
  expect(Array.from(matchedArrays(matching, { v: array([1, 2, 3, 4, 5, 6], [2, 3]) }).w.data)).toEqual([1, 4, 2, 5, 3, 6]);
});

describe('refusals', () => {
  test.each([
    [{ w: [2, 3] }, { w: [3, 3] }, "checkpoint a.safetensors: 'w' must have shape [2, 3], got [3, 3]"],
    [{ w: [2, 2] }, { u: [2, 2], v: [2, 2] }, "the array of 'w' must be clear, got 'u', 'v' of shape [2, 2]"],
    [{ w: [2], v: [2] }, { u: [2] }, "the array of 'w' must be clear"],
    [{ w: [2], v: [3] }, { u: [2] }, "there must be an array for 'v' [3], got none left"],
  ] as [Record<string, number[]>, Record<string, number[]>, string][])('%#', (parameters, arrays, message) => { expect(() => by(parameters, arrays)).toThrow(message); });
});
