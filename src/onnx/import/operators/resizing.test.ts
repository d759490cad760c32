import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../core/tensor.ts';
import { checkGrads } from '../../../testing/index.ts';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, importedOutputs, type CaseInput, type OperatorCase } from './agreement.test-helper.ts';
import { applied } from './gradient.test-helper.ts';

const reals = (...values: number[]): NDArray => new NDArray(Float32Array.from(values), [values.length], 'float32');
const sizes = (...int64: number[]): CaseInput => ({ int64 });
const image = floats([1, 2, 5, 4]);
const up = [1, 1, 2.4, 3];
const down = [1, 1, 0.6, 0.7];
type Attributes = NonNullable<OperatorCase['attributes']>;
const resize = (x: NDArray, scales: readonly number[], attributes: Attributes = {}, opset = 19): OperatorCase =>
  ({ operator: 'Resize', inputs: [x, opset < 13 ? reals() : undefined, reals(...scales)], attributes, known: [1, 2], opset, tolerance: 1e-5 });
const sized = (x: NDArray, extents: readonly number[], attributes: Attributes = {}): OperatorCase =>
  ({ operator: 'Resize', inputs: [x, undefined, undefined, sizes(...extents)], attributes, opset: 19, tolerance: 1e-5 });
const transformations = ['half_pixel', 'pytorch_half_pixel', 'half_pixel_symmetric', 'align_corners', 'asymmetric'];
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

const cases: readonly OperatorCase[] = [
  ...transformations.flatMap((mode) => roundings.flatMap((rounding) => [up, down].map((scales) =>
    resize(image, scales, { mode: 'nearest', coordinate_transformation_mode: mode, nearest_mode: rounding })))),
  ...transformations.flatMap((mode) => ['linear', 'cubic'].flatMap((kind) => [
    resize(image, up, { mode: kind, coordinate_transformation_mode: mode }),
    resize(image, down, { mode: kind, coordinate_transformation_mode: mode }),
    sized(image, [1, 2, 9, 3], { mode: kind, coordinate_transformation_mode: mode }),
  ])),
  ...transformations.map((mode) => sized(image, [1, 2, 7, 8], { coordinate_transformation_mode: mode })),
  resize(image, up, { mode: 'nearest', coordinate_transformation_mode: 'tf_half_pixel_for_nn' }, 11),
  resize(image, [1, 1, 2, 3], { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }, 13),
  resize(image, [1, 1, 2, 2], { mode: 'cubic', cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 }),
  resize(image, [1, 1, 1, 1], { mode: 'linear' }),
  resize(floats([1, 2, 3, 4, 3]), [1, 1, 2, 1.5, 0.7], { mode: 'linear' }),
  resize(floats([4, 3]), [1.5, 2], { mode: 'linear' }),
  resize(floats([1, 2, 6]), [1, 1, 2], { mode: 'linear' }),
  resize(image, up, { mode: 'linear', antialias: 1 }),
  ...['linear', 'cubic'].flatMap((mode) => [0, 1].map((outside) => resize(floats([1, 2, 13, 9]), [1, 1, 0.4, 0.7], { mode, antialias: 1, exclude_outside: outside, cubic_coeff_a: { float: -0.5 } }))),
  { operator: 'Resize', inputs: [image, reals(0, 0, 0.2, 0.4, 1, 1, 0.9, 1.3), undefined, sizes(1, 2, 4, 6)], known: [1, 3], attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: { float: 9 } }, opset: 13, tolerance: 1e-5 },
  { operator: 'Resize', inputs: [image, undefined, reals(2, 3)], known: [2], attributes: { mode: 'nearest', axes: [3, 2] }, opset: 18 },
  sized(image, [7, 6], { mode: 'nearest', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }),
  sized(image, [7, 6], { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' }),
  { operator: 'Resize', inputs: [image, reals(1, 1, 2, 3)], known: [1], opset: 10 },
  { operator: 'Resize', inputs: [image, reals(1, 1, 0.6, 1.7)], known: [1], opset: 10 },
  { operator: 'Resize', inputs: [image, reals(1, 1, 2, 3)], known: [1], attributes: { mode: 'linear' }, opset: 10, tolerance: 1e-5 },
  { operator: 'Upsample', inputs: [image, reals(1, 1, 2, 3)], known: [1], opset: 9 },
  { operator: 'Upsample', inputs: [image, reals(1, 1, 2, 2)], known: [1], attributes: { mode: 'linear' }, opset: 9, tolerance: 1e-5 },
  { operator: 'Upsample', inputs: [image], attributes: { scales: { floats: [1, 1, 2, 3] } }, opset: 7 },
  { operator: 'Upsample', inputs: [image], attributes: { scales: { floats: [1, 1, 2.5, 3] }, mode: 'linear' }, opset: 8, tolerance: 1e-5 },
];

describe('resizing agrees with ONNX Runtime', () => {
  test.each(cases.map((each) => [`${each.operator} ${JSON.stringify(each.attributes)} ${each.inputs.slice(1).map((input) => (input instanceof NDArray ? input.data.join(' ') : '-')).join()}`, each] as const))('%s', async (_, each) => { await expectAgreement(each); });
});

test.each(['nearest', 'linear', 'cubic'])('the derivative in mode %s', (mode) => {
  const x = new NDArray(Float64Array.from({ length: 12 }, (_, i) => Math.cos(2 * i)), [1, 1, 3, 4], 'float64');
  checkGrads((y: Tensor) => applied('Resize', [y, undefined, undefined, [1, 1, 6, 6]], { mode }), [x]);
});

test('refuses what it cannot do', async () => {
  const rejects = (each: OperatorCase, message: string): Promise<void> => expect(importedOutputs(each)).rejects.toThrow(message);
  await rejects(resize(image, up, { mode: 'lanczos' }), 'nearest, linear or cubic');
  await rejects(resize(image, up, { coordinate_transformation_mode: 'corner' }), 'half_pixel_symmetric');
  await rejects(resize(image, [1, 1, 2], {}), 'a positive number for each of the axes [0,1,2,3]');
  await rejects({ operator: 'Resize', inputs: [image] }, 'one of scales and sizes must be given');
  await rejects({ operator: 'Resize', inputs: [image, undefined, reals(...up)] }, 'scales must not depend on inputs or parameters');
});
