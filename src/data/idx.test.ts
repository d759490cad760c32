import { describe, expect, test } from 'vitest';
import { parseIdx } from './idx.ts';

const file = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const good = file(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255);

describe('parseIdx', () => {
  test('reads shape and elements, also of a view inside a larger buffer', () => {
    const inside = new Uint8Array(40);
    inside.set(good, 7);
    for (const bytes of [good, inside.subarray(7, 7 + good.length)]) {
      const { shape, data } = parseIdx(bytes);
      expect(shape).toEqual([2, 3]);
      expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
    }
  });

  test('extents are unsigned and big-endian', () => {
    const { shape } = parseIdx(Uint8Array.from([0, 0, 8, 1, 0, 0, 1, 2, ...new Uint8Array(258)]));
    expect(shape).toEqual([258]);
    expect(() => parseIdx(file(0, 0, 8, 1, 255, 255, 255, 255))).toThrow(/4294967295 bytes/);
  });

  const bad: [string, Uint8Array][] = [
    ['too short for a magic number', file(0, 0)], ['wrong magic number', file(1, 2, 8, 1, 0, 0, 0, 0)],
    ['gzip', file(0x1f, 0x8b, 8, 0)], ['wrong element type', file(0, 0, 0x0d, 1, 0, 0, 0, 0)],
    ['truncated header', good.subarray(0, 9)], ['truncated elements', good.subarray(0, 17)], ['too long', file(...good, 0)],
  ];
  test.each(bad)('refuses: %s', (_, bytes) => {
    expect(() => parseIdx(bytes, 'labels')).toThrowErrorMatchingSnapshot();
  });
});
