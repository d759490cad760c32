import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import { bools, expectAgreement, floats, importedOutputs, ints, numbers } from './agreement.test-helper.ts';

const positive = (shape: readonly number[]): NDArray => new NDArray(floats(shape).data.map((x) => Math.abs(x) + 0.2) as Float32Array, shape, 'float32');
const inside = (shape: readonly number[]): NDArray => new NDArray(floats(shape).data.map((x) => 0.45 * x) as Float32Array, shape, 'float32');
const integers = ints([7, -7, 3, -3, 100, 0], [2, 3]);
const divisors = ints([2, 2, -2, -2, 7, 5], [2, 3]);

describe('arithmetic agrees with ONNX Runtime, computed and folded', () => {
  test.each(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean'])('%s of floating-point numbers that broadcast', (operator) => expectAgreement({ operator, inputs: [floats([2, 3]), floats([3], 2)] }));
  test.each(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Mod'])('%s of 32-bit integers: quotients toward zero, remainders with the sign of the divisor', (operator) => expectAgreement({ operator, inputs: [integers, divisors] }));
  test.each(['Add', 'Sub', 'Mul', 'Div', 'Mod'])('%s of 64-bit integers', (operator) => expectAgreement({ operator, known: [], inputs: [{ int64: [7, -7, 3, -3] }, { int64: [2, 2, -2, 5] }] }));
  test('Mod as C has it', () => expectAgreement({ operator: 'Mod', inputs: [floats([6]), positive([6])], attributes: { fmod: 1 }, tolerance: 1e-5 }));
  test.each(['Neg', 'Abs', 'Sign'])('%s of integers', (operator) => expectAgreement({ operator, inputs: [integers] }));
  test.each(['Neg', 'Abs', 'Exp', 'Sin', 'Cos', 'Tan', 'Atan', 'Sinh', 'Cosh', 'Tanh', 'Asinh', 'Erf', 'Sign', 'Floor', 'Ceil', 'Relu', 'Sigmoid', 'Softplus'])('%s', (operator) => expectAgreement({ operator, inputs: [floats([3, 4])], tolerance: 1e-5 }));
  test.each(['Sqrt', 'Log', 'Reciprocal'])('%s of positive numbers', (operator) => expectAgreement({ operator, inputs: [positive([5])] }));
  test.each(['Asin', 'Acos', 'Atanh'])('%s of numbers below one', (operator) => expectAgreement({ operator, inputs: [inside([5])], tolerance: 1e-5 }));
  test('Acosh of numbers above one', () => expectAgreement({ operator: 'Acosh', inputs: [new NDArray(positive([5]).data.map((x) => x + 1) as Float32Array, [5], 'float32')], tolerance: 1e-5 }));
  test('Round to even', () => expectAgreement({ operator: 'Round', inputs: [new NDArray(Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, 2.4), [6], 'float32')] }));
  test('Pow with exponents of another type, negative bases', async () => {
    await expectAgreement({ operator: 'Pow', inputs: [floats([4]), ints([2, 3, 2, 3])], tolerance: 1e-5 });
    await expectAgreement({ operator: 'Pow', inputs: [ints([2, -3, 10, 7]), ints([10, 3, 9, 0])] });
  });
  test('Clip by inputs, by attributes, on one side, and between limits that cross', async () => {
    const limit = (x: number): NDArray => new NDArray(Float32Array.of(x), [], 'float32');
    await expectAgreement({ operator: 'Clip', inputs: [floats([6]), limit(-0.5), limit(1)] });
    await expectAgreement({ operator: 'Clip', inputs: [floats([6]), undefined, limit(1)] });
    await expectAgreement({ operator: 'Clip', inputs: [floats([6]), limit(1), limit(-1)] });
    await expectAgreement({ operator: 'Clip', inputs: [floats([6])], attributes: { min: { float: -0.5 }, max: { float: 0.5 } }, opset: 8 });
  });
});

describe('comparisons and logic', () => {
  test.each(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'])('%s', async (operator) => {
    await expectAgreement({ operator, inputs: [integers, ints([7, -7, 4])], outputs: ['bool'] });
    await expectAgreement({ operator, inputs: [floats([4]), floats([4], 2)], outputs: ['bool'] });
  });
  test.each(['And', 'Or', 'Xor'])('%s', (operator) => expectAgreement({ operator, inputs: [bools([0, 0, 1, 1]), bools([0, 1, 0, 1])] }));
  test('Not, Where', async () => {
    await expectAgreement({ operator: 'Not', inputs: [bools([0, 1])] });
    await expectAgreement({ operator: 'Where', inputs: [bools([0, 1, 1]), floats([2, 3]), floats([2, 1], 2)], outputs: ['float32'] });
  });
  test('IsNaN, IsInf', async () => {
    const x = new NDArray(Float32Array.of(NaN, Infinity, -Infinity, 1), [4], 'float32');
    await expectAgreement({ operator: 'IsNaN', inputs: [x], outputs: ['bool'] });
    await expectAgreement({ operator: 'IsInf', inputs: [x], outputs: ['bool'] });
    await expectAgreement({ operator: 'IsInf', inputs: [x], outputs: ['bool'], attributes: { detect_negative: 0 } });
  });
});

describe('casts', () => {
  const codes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
  test.each(['int32', 'int64', 'bool'] as const)('from floating-point to %s', (type) => expectAgreement({ operator: 'Cast', inputs: [new NDArray(Float32Array.of(1.9, -1.9, 0, 300), [4], 'float32')], attributes: { to: codes[type] }, outputs: [type] }));
  test.each(['float32', 'int32', 'bool'] as const)('from 64-bit integers to %s', (type) => expectAgreement({ operator: 'Cast', known: [], inputs: [{ int64: [1, -2, 0] }], attributes: { to: codes[type] }, outputs: [type] }));
  test('integers of 8 bits keep their low bits', async () => {
    const test = { operator: 'Cast', inputs: [ints([-1, 300, 255, -129])], attributes: { to: 2 } };
    for (const isFolded of [false, true]) expect(Array.from((await importedOutputs(test, { isFolded }))[0].data)).toEqual([255, 44, 255, 127]);
  });
});

describe('bits of known integers', () => {
  test.each(['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'])('%s', async (operator) => {
    const test = { operator, inputs: [ints([12, -1, 7]), ints([10, 5, 3])] };
    const expected = { BitwiseAnd: [8, 5, 3], BitwiseOr: [14, -1, 7], BitwiseXor: [6, -6, 4] }[operator];
    expect(Array.from((await importedOutputs(test, { isFolded: true }))[0].data)).toEqual(expected);
    await expect(importedOutputs(test)).rejects.toThrow(/input 0 of Bitwise\w+, whose bits are computed beforehand, must not depend on inputs/);
  });
});

test('known integers that overflow or divide by zero are refused by their node, not wrapped', async () => {
  const big = { int64: [2 ** 40] };
  await expect(importedOutputs({ operator: 'Mul', inputs: [big, big] }, { isFolded: true })).rejects.toThrow(/node 'Mul_\d+' \(Mul of int64\[1\], int64\[1\]\).*(below 2\^53|must lie in)/);
  await expect(importedOutputs({ operator: 'Div', inputs: [{ int64: [1] }, { int64: [0] }] }, { isFolded: true })).rejects.toThrow(/int64 must lie in.*got Infinity/);
  expect(numbers(3)).toHaveLength(3);
});
