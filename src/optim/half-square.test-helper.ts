/** Steps on |w|^2 / 2, whose gradient is w: what traces by hand are made on. */
import { array, scalar, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mul, square, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import type { Optimizer } from './optimizer.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';

type Params = { w: Tensor };

/** `w` after each step from `start`. */
export async function trace(optimizer: Optimizer, start: readonly number[], { steps = 2, rate = 0.1 }: { readonly steps?: number; readonly rate?: number } = {}): Promise<number[][]> {
  const { path } = await runOptimizer<Params>(optimizer, ({ w }) => mul(0.5, sum(square(w))), { w: array([...start], [start.length], 'float64') }, { steps, rate });
  return path.map(({ w }) => [...w.data]);
}

/** The preconditioner after so many steps from `start`. */
export async function preconditionerAfter(optimizer: Optimizer, start: readonly number[], { steps = 2, rate = 0.1 }: { readonly steps?: number; readonly rate?: number } = {}): Promise<number[]> {
  const { state } = await runOptimizer<Params>(optimizer, ({ w }) => mul(0.5, sum(square(w))), { w: array([...start], [start.length], 'float64') }, { steps, rate });
  const program = compile((at: unknown, step: Tensor) => optimizer.preconditioner!<Params>(at, step), { executor: referenceExecutor, dtype: 'float64' }) as unknown as (at: unknown, step: NDArray) => Promise<{ w: NDArray }>;
  return [...(await program(state, scalar(steps, 'float64'))).w.data];
}

/** Numbers to 13 digits, which is what a trace by hand can promise. */
export const rounded = (values: readonly number[]): number[] => values.map((value) => Number(value.toPrecision(13)));
