import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { tinyClassification, tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { key, normal } from '../util/random/index.ts';
import { dot } from './basis.ts';
import { congruence, denseJacobian, difference, largest, singlePrecision } from './dense-oracles.test-helper.ts';
import { ggn } from './ggn.ts';
import { jacobian, ntkOperator } from './jacobian.ts';
import { denseMatrix } from './operator.ts';
import { outputHessian } from './output-hessian.ts';

const executor = referenceExecutor;
const problem = tinyClassification(7);
const point = problem.model.init(key(0));
const random = (size: number, seed: number): Float64Array => normal(key(seed), size, { dtype: 'float64' });

describe('Jacobian', () => {
  test('is the dense one, in unequal chunks and blocks too', async () => {
    const expected = await denseJacobian(problem);
    for (const options of [{}, { chunk: 3, block: 2 }, { chunk: 2, block: 1, memoryBudget: 0 }]) {
      const map = jacobian(problem, point, { executor, ...options });
      expect([map.rows, map.columns]).toEqual([21, expected.length / 21]);
      expect(difference(await denseMatrix(map), expected)).toBeLessThan(1e-12);
      await map.dispose();
    }
  });

  test('multiplyTransposed is its transpose, alone and in blocks', async () => {
    const map = jacobian(problem, point, { executor, chunk: 3, block: 2 });
    const [v, w] = [random(map.columns, 1), random(map.columns, 2)];
    const us = [random(map.rows, 3), random(map.rows, 4), random(map.rows, 5)];
    const moved = await map.multiply([v, w]);
    const pulled = await map.multiplyTransposed(us);
    for (const [i, u] of us.entries()) {
      expect(dot(u, moved[0])).toBeCloseTo(dot(pulled[i], v), 11);
      expect(dot(u, moved[1])).toBeCloseTo(dot(pulled[i], w), 11);
    }
    expect(map.products).toBe(5);
  });

  test('restricted to one layer it has that layer\'s columns', async () => {
    const whole = jacobian(problem, point, { executor });
    const part = jacobian(problem, point, { executor, parameters: 'layers.1' });
    const { offset } = whole.space!.ranges.find(({ name }) => name === part.space!.names[0])!;
    const v = random(part.columns, 1);
    const padded = new Float64Array(whole.columns);
    padded.set(v, offset);
    expect(difference((await part.multiply([v]))[0], (await whole.multiply([padded]))[0])).toBeLessThan(1e-13);
  });

  test('in float32 on ONNX Runtime agrees to single precision', async () => {
    const expected = await denseJacobian(problem);
    const map = jacobian(problem, { params: singlePrecision(point.params), state: {} }, { chunk: 3 });
    expect(map.precision).toBe('float32');
    expect(difference(await denseMatrix(map), expected)).toBeLessThan(2e-6 * largest(expected));
    await map.dispose();
  });
});

test('NTK operator: J J\', exactly symmetric to rounding', async () => {
  const J = await denseJacobian(problem);
  const [rows, columns] = [21, J.length / 21];
  const operator = ntkOperator(problem, point, { executor, chunk: 4 });
  expect(operator.size).toBe(rows);
  const dense = await denseMatrix(operator);
  for (let i = 0; i < rows; i++) for (let j = 0; j < rows; j++) expect(dense[i * rows + j]).toBeCloseTo(dot(J.subarray(i * columns, (i + 1) * columns), J.subarray(j * columns, (j + 1) * columns)), 11);
});

describe('output Hessian', () => {
  test('the GGN is J\' (output Hessian) J', async () => {
    for (const each of [problem, tinyRegression(7)]) {
      const at = each.model.init(key(0));
      const operator = outputHessian(each, at, { executor, chunk: 3 });
      const expected = await denseMatrix(ggn(each, at, { executor }));
      expect(difference(congruence(await denseJacobian(each), operator.size, await denseMatrix(operator)), expected)).toBeLessThan(1e-12);
    }
  });

  test('blocks by hand: (diag p - p p\') / N and 2 / (N outputs) I, nothing between examples', async () => {
    const squared = { ...tinyRegression(5), loss: meanSquaredError };
    const identity = await denseMatrix(outputHessian(squared, squared.model.init(key(0)), { executor }));
    identity.forEach((x, at) => expect(x).toBeCloseTo(at % 11 === 0 ? 2 / (5 * 2) : 0, 13));
    const entropy = { ...problem, loss: crossEntropy };
    const dense = await denseMatrix(outputHessian(entropy, point, { executor }));
    for (let i = 0; i < 21; i++) {
      expect(dense.subarray(i * 21, (i + 1) * 21).reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 13);
      for (let j = 0; j < 21; j++) if (Math.floor(i / 3) !== Math.floor(j / 3)) expect(dense[i * 21 + j]).toBe(0);
    }
  });
});
