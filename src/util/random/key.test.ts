import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../errors.ts';
import { key, split } from './index.ts';
import type { Key } from './index.ts';
import { philox } from './philox.ts';

function differingBits(a: Key, b: Key): number {
  const count = (word: number): number => word.toString(2).replaceAll('0', '').length;
  return count((a.low ^ b.low) >>> 0) + count((a.high ^ b.high) >>> 0);
}

describe('key', () => {
  test('holds the 64 bits of the seed', () => {
    expect(key(0x123456789abcd).toString()).toBe('key(0x000123456789abcd)');
    expect(key(-1).toString()).toBe('key(0xffffffffffffffff)');
    expect(key(2n ** 64n - 1n).toString()).toBe('key(0xffffffffffffffff)');
  });

  test('is frozen, and a leaf of trees', () => {
    expect(Object.isFrozen(key(0))).toBe(true);
    expect(Object.getPrototypeOf(key(0))).not.toBe(Object.prototype); // plain objects are branches
  });

  test.each([0.5, Number.NaN, Infinity, 2 ** 53, 2n ** 64n])('refuses the seed %s', (seed) => {
    expect(() => key(seed)).toThrow(ArgumentError);
  });

  test('message', () => {
    expect(() => key(0.5)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: key: seed must be a safe integer or a bigint of 64 bits, got 0.5.
        Try: pass an integer such as 0, or split(key(0), name) for a seed by name]
    `);
  });
});

describe('split', () => {
  test('follows its stated derivation', () => {
    const parent = key(7);
    const out = new Uint32Array(4);
    // 'weight' is 6 bytes: with the tag 1 and one byte of padding, a single block.
    philox(parent.low, parent.high, 0x69657701, 0x00746867, 7, 0x73706c74, out);
    const child = split(parent, 'weight');
    expect([child.low, child.high]).toEqual([out[2], out[3]]);
  });

  test('a path is a chain of names', () => {
    expect(split(key(1), 'layers', 0, 'weight')).toEqual(split(split(split(key(1), 'layers'), 0), 'weight'));
    expect(split(key(1))).toEqual(key(1));
  });

  test('20,000 names and numbers, long and short, give different keys', () => {
    const seen = new Set<string>([key(3).toString()]);
    for (let i = 0; i < 10000; i++) {
      seen.add(split(key(3), i).toString());
      seen.add(split(key(3), `a name that is longer than a block ${i}`).toString());
    }
    expect(seen.size).toBe(20001);
  });

  test('names that differ by kind, padding, order or encoding are different', () => {
    const names = ['', '\0', '\0\0', '3', 3, -3, 'ab', 'ba', 'a', 'a\0', 'é', 'e\u0301', 'abcdefg', 'abcdefg\0'];
    expect(new Set(names.map((name) => split(key(0), name).toString())).size).toBe(names.length);
  });

  test('one bit of the name or of the seed changes half of the bits of the child', () => {
    let bits = 0;
    let pairs = 0;
    for (let i = 0; i < 500; i++) {
      for (let bit = 0; bit < 8; bit++) {
        bits += differingBits(split(key(i), i), split(key(i), i ^ (1 << bit)));
        bits += differingBits(split(key(i), 'x'), split(key(i ^ (1 << bit)), 'x'));
        pairs += 2;
      }
    }
    // 8000 pairs of 64 bits: the mean has a standard deviation of 4 / sqrt(8000) = 0.045.
    expect(Math.abs(bits / pairs - 32)).toBeLessThan(0.25);
  });

  test('is a pure function of parent and name', () => {
    fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.string(), (seed, name) => {
      expect(split(key(seed), name)).toEqual(split(key(seed), name));
    }));
  });

  test('refuses numbers that are not safe integers', () => {
    expect(() => split(key(0), 0.5)).toThrow(ArgumentError);
  });
});
