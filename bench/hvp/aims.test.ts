import { expect, test } from 'vitest';
import { aims, judge, partOfPeak, speedup } from './aims.ts';
import { totalOf, type EntryRecord } from './contest.ts';

const record = (id: string, product: number[], total: number[] = []): EntryRecord =>
  ({ id, kind: total.length > 0 ? 'many' : 'one', product, total, firstMs: null, peakMb: null, difference: null });

test('a peer that takes twice the time is met with a speedup of two', () => {
  expect(speedup(record('a', [10, 20, 30]), record('b', [20, 40, 60]), 'one')).toEqual({ median: 2, lower: 2, upper: 2 });
});

test('the part of the peak is that of the fastest product of the same round', () => {
  // 1 GFLOP in 10 ms is 100 GFLOP/s.
  expect(partOfPeak(record('a', [10, 20]), 1, { ort: [200, 50], numpy: [150, 100] }).median).toBeCloseTo(0.5, 12);
});

test('the total counts products that the preparation has made', () => {
  const ms = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  expect(totalOf({ ms, prepare_ms: 5, products_per_call: 1 }, 10)).toBe(15);
  expect(totalOf({ ms, prepare_ms: 5, products_per_call: 1, products_in_prepare: 1 }, 10)).toBe(14);
  expect(totalOf({ ms: [8], prepare_ms: 5, products_per_call: 10 }, 10)).toBe(13);
  expect(totalOf({ ms: [8], prepare_ms: 5, products_per_call: 10, products_in_prepare: 10 }, 10)).toBe(5);
});

test('aims are met, missed, or unknown where a peer is missing', () => {
  const entries = [
    record('thalweg whole', [10]), record('thalweg bound', [8], [90]),
    record('pytorch double-backward', [50]), record('pytorch retained', [20], [250]), record('jax jit', [11]),
  ];
  const verdicts = judge('mlp', { entries, gemm: { ort: [200] } }, 1.5);
  const of = (peer: string | undefined, figure: string) => verdicts.find((verdict) => verdict.peer === peer && verdict.figure === figure);
  expect(verdicts).toHaveLength(aims.filter(({ model }) => model === 'mlp').length);
  expect(of('pytorch double-backward', 'one')).toMatchObject({ measured: { median: 5 }, isMet: true });
  expect(of('jax jit', 'one')).toMatchObject({ measured: { median: 1.1 }, isMet: false });
  expect(of('pytorch retained', 'steady')).toMatchObject({ measured: { median: 2.5 }, isMet: false });
  expect(of('pytorch retained', 'total')!.measured!.median).toBeCloseTo(250 / 90, 12);
  expect(of('jax linearize', 'total')).toMatchObject({ measured: null, isMet: null });
  expect(of(undefined, 'one')).toMatchObject({ measured: { median: 0.75 }, isMet: true });
});
