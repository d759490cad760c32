import { expect, test } from 'vitest';
import { phaseSplit } from './phase-split.ts';

const steps = [0, 1, 2, 4, 8, 16, 32, 64];

test('the turning points and the ratios between them', () => {
  expect(phaseSplit(steps, [6, 5, 3, 4, 9, 12, 10, 8])).toEqual({
    atMinimum: 2, atMaximum: 16, start: 6, minimum: 3, maximum: 12, end: 8, collapse: 2, expansion: 4, compression: 1.5,
  });
});

test('a rising curve has one phase; a low end is not a collapse', () => {
  expect(phaseSplit(steps, [1, 2, 3, 4, 5, 6, 7, 8])).toMatchObject({ collapse: 1, expansion: 8, compression: 1, atMinimum: 0, atMaximum: 64 });
  expect(phaseSplit(steps, [4, 2, 3, 4, 5, 6, 7, 1])).toMatchObject({ atMinimum: 1, maximum: 7, end: 1 });
});

test('what cannot be split is refused', () => {
  expect(() => phaseSplit([1, 2, 3], [1, 2, 3])).toThrow(/at least four/);
  expect(() => phaseSplit([1, 2], [1, 2, 3, 4])).toThrow(/2 and 4/);
});
