import { describe, expect, test } from 'vitest';
import type { NDArray } from '../../../core/ndarray.ts';
import type { GraphBuilder } from '../../model.ts';
import { parseOnnx } from '../parse.ts';
import { unsupportedOperators } from '../support.ts';
import { expectAgreement, floats, importedOutputs } from './agreement.test-helper.ts';
import { expectModelAgreement, modelBytes, type ModelCase } from './model-agreement.test-helper.ts';

const x = floats([3, 5, 2]);
const splits = (inputs: readonly NDArray[], fill: (b: GraphBuilder, x: readonly string[]) => string[]): ModelCase =>
  ({ inputs, build: (b, names) => fill(b, names).map((name) => b.output(name, 'float32')) });
const part = (b: GraphBuilder, list: string, at: number): string => b.value('SequenceAt', [list, b.int64([at], [])]);

describe('lists of tensors that stand for parts of one agree with ONNX Runtime', () => {
  test('SplitToSequence and SequenceAt: one size, the last part smaller; a size for each; parts of one, kept and not', async () => {
    await expectModelAgreement(splits([x], (b, [name]) => {
      const [even, each] = [b.value('SplitToSequence', [name, b.int64([2], [])], { axis: 1 }), b.value('SplitToSequence', [name, b.int64([1, 0, 4])], { axis: -2 })];
      const [kept, gone] = [b.value('SplitToSequence', [name], { axis: 0 }), b.value('SplitToSequence', [name], { axis: 0, keepdims: 0 })];
      return [part(b, even, 0), part(b, even, 2), part(b, even, -2), part(b, each, 0), part(b, each, -1), part(b, kept, 1), part(b, gone, -1)];
    }));
  });

  test('SequenceConstruct with SequenceAt, and with ConcatFromSequence along an axis that is there and a new one', async () => {
    await expectModelAgreement(splits([x, floats([3, 5, 2], 2)], (b, names) => {
      const list = b.value('SequenceConstruct', names);
      return [part(b, list, -1), b.value('ConcatFromSequence', [list], { axis: 1 }), b.value('ConcatFromSequence', [list], { axis: -1, new_axis: 1 })];
    }));
  });

  test('places and sizes that do not fit are refused, and so is what else uses lists', async () => {
    const rejects = (operator: string, place: number, size: number, message: string): Promise<void> =>
      expect(importedOutputs({ operator, domain: 'thalweg', inputs: [x, { int64: [place] }, { int64: [size], shape: [1] }], attributes: { axis: 1 } })).rejects.toThrow(message);
    await rejects('PartOfSplit', 1, 5, 'the place in a list of 1');
    await rejects('PartOfSplit', 0, 4, 'must split an extent of 5');
    const { bytes } = modelBytes(splits([x], (b, [name]) => [part(b, b.value('SequenceInsert', [b.value('SequenceConstruct', [name]), name]), 0)]));
    const program = parseOnnx(bytes);
    expect(unsupportedOperators(program, program.graph.outputs.map(({ name }) => name)).map((text) => text.split(' ')[0])).toEqual(['SequenceAt', 'SequenceConstruct', 'SequenceInsert']);
  });

  test('a scaler', async () => {
    await expectAgreement({ operator: 'Scaler', domain: 'ai.onnx.ml', inputs: [floats([3, 2])], attributes: { offset: { floats: [0.5, -1] }, scale: { floats: [2, 0.25] } } }, { folds: false });
  });
});
