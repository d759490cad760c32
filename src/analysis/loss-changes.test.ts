import { expect, test } from 'vitest';
import { lossChanges, overlap } from './loss-changes.ts';

test('the largest changes of either sign, and the share of the largest of all', () => {
  const before = [1, 1, 1, 1, 1, 1, 1, 1];
  const after = [1, 4, 0.5, 1.25, 0, 1, 1, 1.25];
  // Changes 0, 3, -0.5, 0.25, -1, 0, 0, 0.25: in all 5.
  const { up, down, share } = lossChanges(before, after, { count: 2, part: 0.25 });
  expect([...up]).toEqual([1, 3]);
  expect([...down]).toEqual([4, 2]);
  expect(share).toBeCloseTo(4 / 5, 14);
  expect(lossChanges(before, before, { count: 1 }).share).toBeNaN();
  expect(lossChanges([0, 0, 0, 0], [1, 1, 1, 1], { count: 1, part: 0.5 }).share).toBe(0.5);
  expect(() => lossChanges(before, [1], { count: 1 })).toThrow(/must hold 8 losses/);
  expect(() => lossChanges(before, after, { count: 9 })).toThrow(/count/);
});

test('overlap', () => {
  expect(overlap([1, 2, 3, 4], [4, 9, 1])).toBe(0.5);
  expect(overlap([1], [2])).toBe(0);
  expect(overlap([], [2])).toBeNaN();
});
