import { expect, test } from 'vitest';
import { array, scalar, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { matmul, mul, sum } from '../ops/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile, vmap } from '../transforms/index.ts';
import { periodically } from './periodic.ts';

const executor = nodeExecutor({ threads: 1 });
const x = array([1, 2, 3, 4], [2, 2], 'float32');
/** x x' every three steps, else what it was; with a value that was made before, and is used by both. */
const work = (value: Tensor, step: Tensor, every = 3): { made: Tensor; kept: Tensor } => {
  const before = mul(value, 10);
  const otherwise = { made: mul(value, 0), kept: before };
  return periodically('test', step, every, () => ({ made: matmul(before, matmul(value, value)), kept: before }), otherwise);
};

test('what is made is made at its steps, and in the branch alone', async () => {
  const program = compile((value: Tensor, step: Tensor) => work(value, step), { executor });
  const results = await Promise.all([0, 1, 2, 3].map(async (step) => ((await program(x, scalar(step))) as unknown as { made: NDArray; kept: NDArray })));
  expect(results.map(({ made }) => [...made.data].some((value) => value !== 0))).toEqual([true, false, false, true]);
  // x x x = [37 54; 81 118].
  expect([...results[0].made.data]).toEqual([370, 540, 810, 1180]);
  for (const { kept } of results) expect([...kept.data]).toEqual([10, 20, 30, 40]);
  expect(program.graph(x, scalar(0)).nodes.map(({ primitive }) => primitive.name)).not.toContain('dot');
});

test('every step: no branch at all', () => {
  const program = compile((value: Tensor, step: Tensor) => sum(work(value, step, 1).made), { executor });
  expect(program.graph(x, scalar(0)).nodes.map(({ primitive }) => primitive.name)).not.toContain('cond');
});

test('replicas at one step share the branch', async () => {
  const program = compile((values: Tensor, step: Tensor) => vmap((value: Tensor) => work(value, step).made)(values), { executor });
  const both = array([1, 2, 3, 4, 1, 0, 0, 1], [2, 2, 2], 'float32');
  expect([...(await program(both, scalar(3)) as NDArray).data]).toEqual([370, 540, 810, 1180, 10, 0, 0, 10]);
  expect(program.graph(both, scalar(0)).nodes.map(({ primitive }) => primitive.name)).toContain('cond');
});
