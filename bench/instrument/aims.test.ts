import { expect, test } from 'vitest';
import { judge, speedup } from './aims.ts';
import type { EntryRecord } from './contest.ts';

const record = (id: string, ms: number[], firstMs = 100, peakMb = 500): EntryRecord =>
  ({ id, task: 'trace', ms, split: null, firstMs, firstSplit: null, peakMb, residual: null, difference: 0 });

test('rounds are compared one by one; without rounds, the first runs', () => {
  expect(speedup(record('thalweg', [1, 2]), record('pytorch hutchinson', [6, 12]))).toEqual({ median: 6, lower: 6, upper: 6 });
  expect(speedup(record('thalweg', [], 10), record('jax hutchinson', [], 15)).median).toBe(1.5);
});

test('speed is judged where there is an aim, memory against PyTorch', () => {
  const entries = [record('thalweg', [10], 100, 200), record('pytorch hutchinson', [40], 100, 600), record('jax hutchinson', [13], 100, 100)];
  expect(judge('mlp', entries).map(({ peer, figure, isMet, measured }) => [peer, figure, isMet, measured?.median])).toEqual([
    ['pytorch hutchinson', 'time', false, 4], ['pytorch hutchinson', 'memory', true, 3], ['jax hutchinson', 'time', true, 1.3],
  ]);
  expect(judge('lenet', entries).map(({ peer, figure, isMet }) => [peer, figure, isMet])).toEqual([['pytorch hutchinson', 'time', true], ['pytorch hutchinson', 'memory', true]]);
});

test('what failed is not judged', () => {
  const failed = { ...record('pytorch hutchinson', []), failure: 'out of memory' };
  expect(judge('mlp', [record('thalweg', [10]), failed])).toMatchObject([{ measured: null, isMet: null }, { measured: null, isMet: null }]);
});
