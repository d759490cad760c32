import { describe, expect, test } from 'vitest';
import { array, filled, formatType, NDArray, scalar, sizeOf, toDtype } from './ndarray.ts';

describe('array', () => {
  test('takes its shape from nested lists, or is given one', () => {
    expect(array([[1, 2, 3], [4, 5, 6]]).shape).toEqual([2, 3]);
    expect(array([[[1], [2]]]).shape).toEqual([1, 2, 1]);
    expect(array(3).shape).toEqual([]);
    expect(array([1, 2, 3, 4], [2, 2]).shape).toEqual([2, 2]);
    expect(array([]).shape).toEqual([0]);
    expect(array([[], []]).shape).toEqual([2, 0]);
  });

  test('converts numbers, booleans and typed arrays to the dtype', () => {
    expect(array([true, false], undefined, 'bool').data).toEqual(Uint8Array.of(1, 0));
    expect(array(Float64Array.of(1.9, -1.9), undefined, 'int32').data).toEqual(Int32Array.of(1, -1));
    expect(array([0.1]).data[0]).toBe(Math.fround(0.1));
  });

  test.each([[[[1, 2], [3]]], [[1, [2]]], [[[1], 2]], [[[1, 2], [3, [4]]]]])('refuses the ragged list %j', (ragged) => {
    expect(() => array(ragged as never)).toThrow(/rectangular/);
  });

  test('refuses a shape that does not fit', () => {
    expect(() => array([1, 2, 3], [2, 2])).toThrow(/as many elements/);
    expect(() => new NDArray(new Float32Array(1), [-1, -1], 'float32')).toThrow(/as many elements/);
    expect(() => new NDArray(new Float32Array(2), [0.5, 4], 'float32')).toThrow(/as many elements/);
  });
});

test('scalars, filled arrays and text', () => {
  expect([scalar(2).item(), String(scalar(2, 'int32')), String(filled([2, 3], 1, 'float64')), formatType('bool', [])]).toEqual([2, 'i32[]', 'f64[2,3]', 'bool[]']);
  expect([...filled([2], 7).data]).toEqual([7, 7]);
  expect([sizeOf([]), sizeOf([2, 3]), sizeOf([4, 0])]).toEqual([1, 6, 0]);
});

test('conversion truncates to integers, and anything but zero is true', () => {
  expect([...toDtype(array([1.7, -1.7, 0], undefined, 'float64'), 'int32').data]).toEqual([1, -1, 0]);
  expect([...toDtype(array([0.2, 0, -3, NaN]), 'bool').data]).toEqual([1, 0, 1, 1]);
  const same = array([1]);
  expect(toDtype(same, 'float32')).toBe(same);
});

test('the shape cannot be changed afterwards', () => {
  const shape = [2];
  const a = array([1, 2], shape);
  shape[0] = 3;
  expect(a.shape).toEqual([2]);
  expect(() => { (a.shape as number[])[0] = 5; }).toThrow(TypeError);
});
