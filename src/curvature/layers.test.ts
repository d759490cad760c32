import { expect, test } from 'vitest';
import { crossEntropy } from '../losses/index.ts';
import { tinyClassification, type Layers } from '../problem/tiny-problems.test-helper.ts';
import type { Problem } from '../problem/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key } from '../util/random/index.ts';
import { difference } from './dense-oracles.test-helper.ts';
import { fisher } from './fisher.ts';
import { hessian } from './hessian.ts';
import { layerBlockDiagonal, layerOperators } from './layers.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const problem: Problem<Layers> = { ...tinyClassification(6), loss: crossEntropy };
const point = problem.model.init(key(0));

test.each([['layer', ['layers.0', 'layers.1']], ['parameter', ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']]] as const)('one operator a %s, named as its group, is that diagonal block', async (by, names) => {
  const whole = await denseMatrix(hessian(problem, point, { executor }));
  const n = Math.sqrt(whole.length);
  const parts = layerOperators(hessian, problem, point, { executor, by, chunk: 4 });
  expect(parts.map(({ name }) => name).sort()).toEqual([...names].sort());
  for (const { operator, start, end } of parts) {
    const dense = await denseMatrix(operator);
    expect(operator.size).toBe(end - start);
    expect(difference(dense, Float64Array.from({ length: operator.size ** 2 }, (_, at) => whole[(start + Math.floor(at / operator.size)) * n + start + (at % operator.size)]))).toBeLessThan(1e-13);
    await operator.dispose();
  }
});

test('the block diagonal has zeros between layers, and works for any maker', async () => {
  for (const make of [hessian, fisher]) {
    const whole = await denseMatrix(make(problem, point, { executor }));
    const n = Math.sqrt(whole.length);
    const joined = layerBlockDiagonal(make, problem, point, { executor });
    const groups = joined.space!.groups('layer');
    const layer = (i: number): number => groups.findIndex(({ start, end }) => i >= start && i < end);
    expect(difference(await denseMatrix(joined), whole.map((x, at) => (layer(Math.floor(at / n)) === layer(at % n) ? x : 0)))).toBeLessThan(1e-13);
    await joined.dispose();
  }
});

test('a choice of parameters restricts the layers', () => {
  expect(layerOperators(hessian, problem, point, { executor, parameters: '**.weight' }).map(({ name }) => name)).toEqual(['layers.0', 'layers.1']);
  expect(layerOperators(hessian, problem, point, { executor, parameters: 'layers.1' }).map(({ name }) => name)).toEqual(['layers.1']);
});
