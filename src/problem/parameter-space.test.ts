import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import { ParameterSpace } from './parameter-space.ts';

const params = {
  layers: [{ weight: array([[1, 2], [3, 4]]), bias: array([5, 6]) }, { weight: array([[7], [8]]), bias: array([9]) }],
  scale: array(10, []),
};

describe('ParameterSpace', () => {
  test('lays leaves end to end in depth-first order and back', () => {
    const space = new ParameterSpace(params);
    expect(space.names).toEqual(['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias', 'scale']);
    expect([...space.flatten()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(space.unflatten(space.flatten())).toEqual(params);
    expect(space.ranges[2]).toEqual({ name: 'layers.1.weight', leaf: 2, offset: 6, size: 2, shape: [2, 1] });
  });

  test.each([
    ['layers.1', [7, 8, 9]],
    ['layers.*.bias', [5, 6, 9]],
    ['**.weight', [1, 2, 3, 4, 7, 8]],
    [['scale', 'layers.0.bias'], [5, 6, 10]],
    [(name: string) => name.endsWith('bias'), [5, 6, 9]],
  ])('chooses by name: %s', (filter, expected) => {
    expect([...new ParameterSpace(params, filter).flatten()]).toEqual(expected);
  });

  test('replaces chosen leaves and leaves the others alone', () => {
    const space = new ParameterSpace(params, 'layers.1');
    const moved = space.unflatten(Float64Array.of(-7, -8, -9)) as typeof params;
    expect([...moved.layers[1].weight.data]).toEqual([-7, -8]);
    expect(moved.layers[0].weight).toBe(params.layers[0].weight);
    expect(moved.scale).toBe(params.scale);
  });

  test('stacks blocks of vectors leaf by leaf', () => {
    const space = new ParameterSpace(params, 'layers.1');
    const [weight, bias] = space.split([Float64Array.of(1, 2, 3), Float64Array.of(4, 5, 6)]);
    expect([weight.shape, [...weight.data], bias.shape, [...bias.data]]).toEqual([[2, 2, 1], [1, 2, 4, 5], [2, 1], [3, 6]]);
  });

  test('groups coordinates by layer and by parameter', () => {
    expect(new ParameterSpace(params).groups('layer')).toEqual([{ name: 'layers.0', start: 0, end: 6 }, { name: 'layers.1', start: 6, end: 9 }, { name: 'scale', start: 9, end: 10 }]);
    expect(new ParameterSpace(params, 'layers.0').groups('parameter')).toEqual([{ name: 'layers.0.weight', start: 0, end: 4 }, { name: 'layers.0.bias', start: 4, end: 6 }]);
  });

  test('refuses names that match nothing, and types that do not mix', () => {
    expect(() => new ParameterSpace(params, ['layers.0', 'layers.7'])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: ParameterSpace: every pattern must match a parameter, got 'layers.7'.
        Try: one of layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias, scale]
    `);
    expect(() => new ParameterSpace(params, () => false)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: ParameterSpace: the filter must choose at least one parameter, got a function that refuses every name.
        Try: one of layers.0.weight, layers.0.bias, layers.1.weight, layers.1.bias, scale]
    `);
    expect(() => new ParameterSpace({ a: array([1]), b: array([1], [1], 'int32') })).toThrowErrorMatchingInlineSnapshot(`[DtypeError: ParameterSpace: parameters must be float32, or all float64, got i32[1] at 'b'.]`);
    expect(() => new ParameterSpace(params).unflatten(new Float64Array(3))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: ParameterSpace: vector must have 10 entries, got 3.]`);
  });
});
