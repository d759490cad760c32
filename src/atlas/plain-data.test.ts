import { describe, expect, test } from 'vitest';
import type { PlainData } from './entry.ts';
import { digestOf, firstDifference } from './plain-data.ts';

describe('digest', () => {
  test('is the same whatever the order of names, and for what is undefined or absent', () => {
    expect(digestOf({ a: 1, b: [2, 'x'] })).toBe(digestOf({ b: [2, 'x'], a: 1, c: undefined }));
    expect(digestOf({ a: 1 })).toMatch(/^[0-9a-f]{64}$/);
  });

  test('tells everything else apart', () => {
    const all: PlainData[] = [0, -0, 1, '1', NaN, null, true, [], {}, [1], [[1]], { a: 1 }, { b: 1 }, [1, 2], Float64Array.of(1, 2), Float32Array.of(1, 2), 'a;b', ['a', 'b'], 0.1 + 0.2, 0.3];
    expect(new Set(all.map(digestOf)).size).toBe(all.length);
  });

  test('refuses what is not plain by its place', () => {
    expect(() => digestOf({ a: [{ b: new Map() }] } as never)).toThrow('result.a[0].b must be plain data (numbers, texts, lists, records, typed arrays of numbers), got an instance of Map');
    expect(() => digestOf({ f: () => 0 } as never)).toThrow('result.f must be plain data');
    expect(() => digestOf({ a: 1n } as never)).toThrow('a bigint');
  });
});

describe('first difference', () => {
  test.each<[PlainData, PlainData, string | undefined]>([
    [{ a: [1, NaN], b: 'x' }, { b: 'x', a: [1, NaN] }, undefined],
    [{ a: [1, 2] }, { a: [1, 3] }, 'result.a[1] (2 and 3)'],
    [{ a: 0 }, { a: -0 }, 'result.a (0 and -0)'],
    [{ a: [1, 2] }, { a: [1] }, 'result.a[1] (only in the first)'],
    [{ a: [1] }, { a: [1, 2] }, 'result.a[1] (only in the second)'],
    [{ a: 1 }, { a: '1' }, 'result.a (number and string)'],
    [Float64Array.of(1), Float32Array.of(1), 'result (Float64Array and Float32Array)'],
  ])('%o, %o', (first, second, place) => {
    expect(firstDifference(first, second)).toBe(place);
  });
});
