import { expect, test } from 'vitest';
import { listsOf } from './train-ensemble.ts';

test('lists are combined, and seeds without a list count the repetitions', () => {
  expect(listsOf([], 3, 5)).toEqual({ seed: [5, 6, 7] });
  expect(listsOf(['lr=0.1,1'], undefined, 0)).toEqual({ learningRate: [0.1, 1] });
  expect(listsOf(['lr=0.1,1', 'initial-scale=1,2'], 4, 0)).toEqual({ learningRate: [0.1, 0.1, 1, 1], initialScale: [1, 2, 1, 2] });
  expect(listsOf(['lr=0.1,1', 'seed'], 6, 5)).toEqual({ learningRate: [0.1, 0.1, 0.1, 1, 1, 1], seed: [5, 6, 7, 5, 6, 7] });
  expect(listsOf(['seed=4,9', 'order'], 4, 0)).toEqual({ seed: [4, 4, 9, 9], order: [0, 1, 0, 1] });
});

test('what cannot be combined is refused', () => {
  expect(() => listsOf(['lr=0.1,1'], 3, 0)).toThrowErrorMatchingInlineSnapshot(`[UsageError: --replicas must be the 2 combinations of --vary, got 3; add --vary seed to repeat them]`);
  expect(() => listsOf(['lr=0.1,1', 'seed'], 3, 0)).toThrowErrorMatchingInlineSnapshot(`[UsageError: --replicas must be a multiple of the 2 combinations of --vary, got 3]`);
  expect(() => listsOf(['lr'], 3, 0)).toThrowErrorMatchingInlineSnapshot(`[UsageError: --vary lr must be followed by numbers, as lr=1,2, got '']`);
  expect(() => listsOf(['lr=0.1,'], 3, 0)).toThrowErrorMatchingInlineSnapshot(`[UsageError: --vary lr must be followed by numbers, as lr=1,2, got '0.1,']`);
  expect(() => listsOf(['momentum=1'], 3, 0)).toThrowErrorMatchingInlineSnapshot(`[UsageError: --vary must start with one of seed, initialisation, order, lr, initial-scale, got 'momentum=1']`);
});
