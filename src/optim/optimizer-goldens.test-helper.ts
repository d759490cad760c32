/** Stored steps of optax and PyTorch (test/golden/make_optimizers.py) and how optimizers are held against them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Executor } from '../core/backend.ts';
import { array, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, concat, constant, reshape, log, cosh, matmul, neg, sum } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { leaves, mapTree } from '../tree/index.ts';
import type { Optimizer, Schedule } from './optimizer.ts';
import { runOptimizer, type OptimizerRun } from './optimizer-run.test-helper.ts';

interface StoredProblem {
  readonly a: readonly (readonly number[])[];
  readonly b: readonly number[];
  readonly start: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;
}
interface StoredRow {
  readonly source: string;
  /** Parameters after so many steps. */
  readonly after: Readonly<Record<string, readonly number[]>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../test/golden/optimizers/${name}.json`, import.meta.url), 'utf8'));
const problem = read('problem') as StoredProblem;
const rows = read('steps') as Readonly<Record<string, StoredRow>>;

/** A vector, a matrix and a kernel. */
export interface GoldenParams { readonly bias: Tensor; readonly dense: Tensor; readonly kernel: Tensor }
type DType = 'float32' | 'float64';

/** The loss of the goldens, sum(log(cosh(A w - b))). */
export function goldenLoss({ bias, dense, kernel }: GoldenParams): Tensor {
  const a = constant(array(problem.a.flat(), [problem.a.length, problem.a[0].length], bias.dtype as DType));
  const b = constant(array([...problem.b], [problem.b.length], bias.dtype as DType));
  return sum(log(cosh(add(matmul(a, concat([bias, reshape(dense, [-1]), reshape(kernel, [-1])])), neg(b)))));
}

/** Where the goldens start. */
export const goldenStart = (dtype: DType): Record<keyof GoldenParams, NDArray> =>
  Object.fromEntries(Object.entries(problem.start).map(([name, { shape, data }]) => [name, array([...data], shape, dtype)])) as Record<keyof GoldenParams, NDArray>;

export interface GoldenCase {
  /** Name of the row of steps.json. */
  readonly row: string;
  readonly make: () => Optimizer;
  readonly rate: number | Schedule;
  /** The row of what the method gives as its answer, where that is another. */
  readonly answer?: string;
  /** Allowed in float32; default 1e-5. */
  readonly float32?: number;
}

const ort = nodeExecutor({ threads: 1 });

/** Compares after two steps and after ten: in float64 with the reference interpreter to 1e-10, in float32 with ONNX Runtime to 1e-5, of each leaf's largest element. */
export function testGoldens(cases: readonly GoldenCase[]): void {
  test.each(cases.map((golden) => [golden.row, golden] as const))('%s: float64', async (_, golden) => { await compare(golden, referenceExecutor, 'float64', 1e-10); });
  test.each(cases.map((golden) => [golden.row, golden] as const))('%s: float32 on ONNX Runtime', async (_, golden) => { await compare(golden, ort, 'float32', golden.float32 ?? 1e-5); });
}

async function compare({ row, make, rate, answer }: GoldenCase, executor: Executor, dtype: DType, tolerance: number): Promise<void> {
  const stored = rows[row];
  const run = await runOptimizer<GoldenParams>(make(), goldenLoss, goldenStart(dtype), { steps: 10, rate, dtype, executor });
  for (const [step, expected] of Object.entries(stored.after)) {
    expectClose(run.path[Number(step) - 1], expected, tolerance, `${stored.source}, step ${step}`);
  }
  if (answer !== undefined) expectClose(run.answer, rows[answer].after[10], tolerance, rows[answer].source);
}

function expectClose(params: OptimizerRun<GoldenParams>['params'], expected: readonly number[], tolerance: number, what: string): void {
  let offset = 0;
  const errors = mapTree((leaf: NDArray) => {
    const wanted = expected.slice(offset, (offset += leaf.size));
    const largest = Math.max(...wanted.map(Math.abs));
    return Math.max(...wanted.map((value, i) => Math.abs(leaf.data[i] - value) / largest));
  }, params);
  expect(offset).toBe(expected.length);
  for (const error of leaves<number>(errors)) expect(error, what).toBeLessThan(tolerance);
}
