import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { constant, square, sum } from '../../../ops/index.ts';
import { checkGrads, evaluateReference } from '../../../testing/index.ts';
import { grad } from '../../../transforms/index.ts';
import { ModelBuilder } from '../../model.ts';
import { parseOnnx } from '../parse.ts';
import { unsupportedOperators } from '../support.ts';
import { expectAgreement, floats, importedOutputs, ints, type CaseInput, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';

const scores = floats([4, 3]);
const maps = floats([2, 3, 2, 2]);
const weights = new NDArray(Float32Array.of(0.5, 2, 1.25), [3], 'float32');
const labels: CaseInput = { int64: [2, 0, 1, 2] };
const mapLabels: CaseInput = { int64: [0, 2, 1, 1, -1, 0, 2, -1], shape: [2, 2, 2] };
const cases: readonly OperatorCase[] = [
  ...['SoftmaxCrossEntropyLoss', 'NegativeLogLikelihoodLoss'].flatMap((operator): OperatorCase[] => [
    ...['none', 'sum', 'mean'].flatMap((reduction): OperatorCase[] => [
      { operator, inputs: [scores, labels], attributes: { reduction }, known: [], opset: 12 },
      { operator, inputs: [scores, labels, weights], attributes: { reduction }, known: [], opset: 13 },
      { operator, inputs: [maps, mapLabels, weights], attributes: { reduction, ignore_index: -1 }, known: [] },
    ]),
    { operator, inputs: [scores, labels], attributes: { ignore_index: 2 } },
  ]),
  { operator: 'SoftmaxCrossEntropyLoss', inputs: [maps, mapLabels], attributes: { ignore_index: -1 }, outputs: ['float32', 'float32'] },
  { operator: 'MeanVarianceNormalization', inputs: [maps], tolerance: 1e-5 },
  { operator: 'MeanVarianceNormalization', inputs: [maps], attributes: { axes: [1, 3] }, tolerance: 1e-5, opset: 9 },
];

describe('losses agree with ONNX Runtime', () => {
  test.each(cases)('$operator $attributes, operator set $opset', async (each) => { await expectAgreement(each); });

  test('a mean over nothing is zero', async () => {
    const [y] = await importedOutputs({ operator: 'SoftmaxCrossEntropyLoss', inputs: [scores, ints([1, 1, 1, 1])], attributes: { ignore_index: 1 } });
    expect(Array.from(y.data)).toEqual([0]);
  });
});

test('derivatives', () => {
  const x = new NDArray(Float64Array.from({ length: 12 }, (_, i) => Math.cos(2 * i)), [4, 3], 'float64');
  checkGrads((y: Tensor) => applied('SoftmaxCrossEntropyLoss', [y, constant(ints([0, 2, 1, 1]))], { ignore_index: 2 }), [x]);
  checkGrads((y: Tensor) => applied('MeanVarianceNormalization', [y], { axes: [0] }), [x]);
});

test('a constant channel is standardised to zeros, with derivatives that are numbers', () => {
  const constants = new NDArray(new Float64Array(6).fill(3), [2, 3], 'float64');
  const slope = evaluateReference(grad((x: Tensor) => sum(square(applied('MeanVarianceNormalization', [x], { axes: [1] })))), constants);
  expect(Array.from(slope.data).every(Number.isFinite)).toBe(true);
});

test('refuses labels and shapes that do not fit', async () => {
  const rejects = (each: OperatorCase, message: string): Promise<void> => expect(importedOutputs(each)).rejects.toThrow(message);
  await rejects({ operator: 'SoftmaxCrossEntropyLoss', inputs: [scores, { int64: [0, 3, 1, 1] }] }, 'labels must lie in 0..2');
  await rejects({ operator: 'NegativeLogLikelihoodLoss', inputs: [scores, { int64: [0, 1] }] }, 'labels [batch, ...space]');
  await rejects({ operator: 'NegativeLogLikelihoodLoss', inputs: [scores, labels], attributes: { reduction: 'max' } }, 'none, sum or mean');
});

test('operators without a possible rule are refused with the reason', () => {
  const builder = new ModelBuilder();
  const drawn = builder.value('RandomNormalLike', [builder.input('x', 'float32', [2, 2])]);
  const determinant = builder.value('Det', [drawn]);
  builder.output(builder.value('GridSampleOfTomorrow', [determinant]), 'float32', undefined, 'y');
  expect(unsupportedOperators(parseOnnx(builder.finish()), ['y'])).toEqual([
    'Det (1 node, which needs a determinant, which the engine has not)', 'GridSampleOfTomorrow (1 node)',
    'RandomNormalLike (1 node, which draws random numbers of its own, which a measurement could not repeat)',
  ]);
});
