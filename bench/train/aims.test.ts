import { expect, test } from 'vitest';
import { judge, speedup } from './aims.ts';
import type { EntryRecord } from './contest.ts';

const record = (id: string, rates: number[], firstRate = 100): EntryRecord =>
  ({ id, optimizer: 'sgd', rates, firstMs: 10, firstRate, peakMb: 500, lastLoss: 1, difference: null });

test('rates are compared round by round; without rounds, those of the first runs', () => {
  expect(speedup(record('thalweg', [600, 1200]), record('pytorch default', [100, 200]))).toEqual({ median: 6, lower: 6, upper: 6 });
  expect(speedup(record('thalweg', [], 150), record('jax jit', [], 100)).median).toBe(1.5);
});

test('every entry of a peer is judged where there is an aim', () => {
  const entries = [record('thalweg', [1000]), record('pytorch default', [400]), record('pytorch fused', [625]), record('jax scan', [800])];
  expect(judge('mlp', entries).map(({ peer, isMet, measured }) => [peer, isMet, measured?.median])).toEqual([['pytorch default', true, 2.5], ['pytorch fused', false, 1.6], ['jax scan', true, 1.25]]);
  expect(judge('lenet', entries).map(({ peer, isMet }) => [peer, isMet])).toEqual([['pytorch default', true], ['pytorch fused', true]]);
});

test('what failed is not judged', () => {
  const failed = { ...record('pytorch fused', []), failure: 'no such optimizer' };
  expect(judge('mlp', [record('thalweg', [10]), failed])).toMatchObject([{ measured: null, isMet: null }]);
});
