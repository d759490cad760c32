import { expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { blockNoise, shiftedRight } from './image-changes.ts';

test('shiftedRight moves rows, cyclically', () => {
  const pixels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  expect([...shiftedRight(3, 1)(pixels, 0)]).toEqual([3, 1, 2, 6, 4, 5, 9, 7, 8]);
  expect([...shiftedRight(3, 4)(pixels, 0)]).toEqual([3, 1, 2, 6, 4, 5, 9, 7, 8]);
  expect([...shiftedRight(3, 0)(pixels, 0)]).toEqual([...pixels]);
});

test('blockNoise is one number a block, of the deviation, another for each image', () => {
  const change = blockNoise({ side: 40, block: 2, deviation: 0.3, key: key(1) });
  const zeros = new Float32Array(1600);
  const noisy = change(zeros, 7);
  const blocks: number[] = [];
  for (let row = 0; row < 40; row += 2) for (let column = 0; column < 40; column += 2) {
    const all = [0, 1, 40, 41].map((offset) => noisy[40 * row + column + offset]);
    expect(new Set(all).size).toBe(1);
    blocks.push(all[0]);
  }
  expect(Math.sqrt(blocks.reduce((sum, x) => sum + x * x / 400, 0)) / 0.3).toBeCloseTo(1, 0);
  expect(new Set(blocks).size).toBe(400);
  expect([...change(zeros, 7)]).toEqual([...noisy]);
  expect([...change(zeros, 8)]).not.toEqual([...noisy]);
  expect(() => blockNoise({ side: 28, block: 3, deviation: 1, key: key(0) })).toThrow(/side \/ block/);
});
