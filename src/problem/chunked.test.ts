import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { compile, hvp } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { add, mul, sum, tanh } from '../ops/index.ts';
import { key, normal } from '../util/random/index.ts';
import { chunkedSum, type ChunkedSumOptions } from './chunked.ts';
import { examplesOf, lossSum, pointOf, type Examples, type PointTensors } from './objective.ts';
import { tinyClassification, type Layers } from './tiny-problems.test-helper.ts';

type Fixed = PointTensors<Layers, Record<string, never>>;

function hessianProduct(examples: number, dtype: 'float32' | 'float64', options: ChunkedSumOptions) {
  const problem = tinyClassification(examples, [5, 8, 3], dtype);
  const point = problem.model.init(key(0));
  const product = (fixed: Fixed, batch: Examples, vector: Layers): Layers =>
    hvp((params: Layers) => lossSum(problem, params, fixed.state, batch))(fixed.params, vector);
  const data = examplesOf(problem.train, dtype);
  const sums = chunkedSum<Fixed, Examples, [Layers], Layers>(product, pointOf(point), data, options);
  const vector = { layers: point.params.layers.map(({ weight, bias }) => ({ weight: noise(weight), bias: noise(bias) })) };
  return { problem, point, product, data, sums, vector };
}

let draws = 0;
const noise = ({ shape, dtype }: NDArray): NDArray => array(normal(key(draws++), shape, { dtype: 'float64' }), shape, dtype);
const join = (tree: unknown): number[] => leaves<NDArray>(tree).flatMap(({ data }) => [...data]);
const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((x, i) => x - b[i])) / Math.hypot(...b);

describe('a sum over chunks', () => {
  test.each([
    { dtype: 'float64', executor: referenceExecutor, tolerance: 1e-10 },
    { dtype: 'float32', executor: undefined, tolerance: 1e-6 },
  ] as const)('equals one big batch in $dtype, with a smaller last chunk, kept or recomputed', async ({ dtype, executor, tolerance }) => {
    const backend = executor === undefined ? {} : { executor };
    for (const options of [{ chunk: 7 }, { chunk: 7, memoryBudget: 2000 }, { chunk: 7, memoryBudget: 0 }, { chunk: 50 }, { chunk: 1000 }, {}, { bind: false, chunk: 16 }]) {
      const { product, point, data, sums, vector } = hessianProduct(50, dtype, { ...options, ...backend });
      const whole = compile((fixed: Fixed, batch: Examples, v: Layers) => product(fixed, batch, v), backend);
      const expected = join(await whole(pointOf<Layers, Record<string, never>>(point) as never, data as never, vector as never));
      for (let call = 0; call < 2; call++) expect(distance(join(await sums.evaluate(vector as never)), expected)).toBeLessThan(tolerance);
      await sums.dispose();
      await whole.dispose();
    }
  });

  test('says what it kept and what it recomputes', async () => {
    const all = hessianProduct(50, 'float64', { chunk: 7, executor: referenceExecutor });
    expect(all.sums.cost).toBeUndefined();
    await all.sums.evaluate(all.vector as never);
    expect(all.sums.cost).toMatchObject({ examples: 50, chunk: 7, chunks: 8, remainder: 1, kept: 8, recomputed: 0, calls: 1 });
    const kept = all.sums.cost!.residualBytes;
    expect(kept).toBeGreaterThan(0);
    const some = hessianProduct(50, 'float64', { chunk: 7, executor: referenceExecutor, memoryBudget: all.sums.cost!.workingBytes + kept / 2 });
    await some.sums.evaluate(some.vector as never);
    await some.sums.evaluate(some.vector as never);
    const cost = some.sums.cost!;
    expect(cost.kept).toBeGreaterThan(0);
    expect(cost.recomputed).toBe(8 - cost.kept);
    expect(cost.residualBytes).toBeLessThanOrEqual(kept / 2);
    expect(cost.calls).toBe(2);
  });

  test('chooses chunks that fit the budget, equal where a divisor is near', async () => {
    const { sums, vector } = hessianProduct(600, 'float64', { executor: referenceExecutor, memoryBudget: 600_000 });
    await sums.evaluate(vector as never);
    const { chunk, chunks, remainder, workingBytes } = sums.cost!;
    expect(chunks).toBeGreaterThan(1);
    expect(remainder).toBe(0);
    expect(chunk * chunks).toBe(600);
    expect(workingBytes).toBeLessThanOrEqual(600_000 / 16);
  });

  test('adds in float64: many small terms onto a large one', async () => {
    const values = Float32Array.from({ length: 2000 }, (_, i) => (i === 0 ? 1e6 : 0.01));
    const sums = chunkedSum((_: Record<string, never>, x: Tensor) => sum(x), {}, array(values, [2000]), { chunk: 1 });
    const exact = values.reduce((total, x) => total + x, 0);
    const total = await sums.evaluate();
    expect(total.dtype).toBe('float64');
    expect(Math.abs(total.item() - exact)).toBeLessThan(1e-6);
    await sums.dispose();
  });

  test('serves several call signatures and simultaneous calls', async () => {
    const x = array([1, 2, 3, 4, 5], [5], 'float64');
    const sums = chunkedSum((w: Tensor, batch: Tensor, v: Tensor) => sum(mul(tanh(mul(w, batch)), sum(v))), array(0.5, [], 'float64'), x, { chunk: 2, executor: referenceExecutor });
    const base = [1, 2, 3, 4, 5].reduce((total, value) => total + Math.tanh(value / 2), 0);
    const results = await Promise.all([[1], [1, 2], [3], [4, 5, 6]].map((v) => sums.evaluate(array(v, [v.length], 'float64'))));
    expect(results.map((r) => r.item())).toEqual([1, 3, 3, 15].map((factor) => expect.closeTo(base * factor, 12) as number));
    await sums.dispose();
  });

  test('visits chunks in order with their ranges', async () => {
    const sums = chunkedSum((_: Record<string, never>, x: Tensor) => sum(x), {}, array([1, 2, 3, 4, 5], [5]), { chunk: 2, bind: false });
    const seen: unknown[] = [];
    await sums.each([], (part, range) => seen.push([part.item(), range.start, range.count]));
    expect(seen).toEqual([[3, 0, 2], [7, 2, 2], [5, 4, 1]]);
    await sums.dispose();
  });

  test('refuses examples that do not fit together', () => {
    const f = (_: Record<string, never>, { a, b }: { a: Tensor; b: Tensor }): Tensor => sum(add(a, b));
    expect(() => chunkedSum(f, {}, { a: array([1, 2]), b: array([1, 2, 3]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: chunkedSum: all leaves of batch must have 2 examples along axis 0, got f32[3] at 'b'.]`);
    expect(() => chunkedSum((_: Record<string, never>, x: Tensor) => sum(x), {}, array([], [0]))).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: chunkedSum: batch must hold at least one example, got f32[0].]`);
  });
});
