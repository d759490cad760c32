import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { matmul } from '../ops/index.ts';
import { evaluate, evaluateGradient } from './evaluate.ts';
import type { Problem } from './problem.ts';
import { crossEntropy, squaredError } from './tiny-problems.test-helper.ts';
import { bytesOf, peakBytes } from './memory.ts';
import { compile } from '../transforms/index.ts';

const linear = (problem: Pick<Problem<{ w: Tensor }>, 'loss' | 'train'>): Problem<{ w: Tensor }> => ({
  name: 'linear', ...problem,
  model: { name: 'linear', init: () => ({ params: { w: array([[1, -1], [2, 0.5]], [2, 2], 'float64') }, state: {} }), apply: ({ w }, x) => ({ outputs: matmul(x, w), state: {} }) },
});
const point = linear({ loss: squaredError, train: null as never }).model.init(null as never);
const inputs = array([[1, 0], [0, 1], [1, 1], [2, -1], [-1, 3]]);

describe('loss, accuracy and gradient', () => {
  test('squared error and its gradient, by hand', async () => {
    const problem = linear({ loss: squaredError, train: { inputs, targets: array([[0, 0], [1, 1], [0, 1], [1, 0], [2, 2]]), size: 5 } });
    // Outputs: (1,-1), (2,0.5), (3,-0.5), (0,-2.5), (5,2.5); losses: means of squared differences.
    const each = [1, 0.625, 5.625, 3.625, 4.625];
    const mean = each.reduce((a, b) => a + b) / 5;
    for (const chunk of [2, 5]) {
      const { loss, accuracy } = await evaluate(problem, point, problem.train, { chunk, executor: referenceExecutor });
      expect(loss.value).toBeCloseTo(mean, 12);
      expect(loss.error).toBeCloseTo(Math.sqrt(each.reduce((s, x) => s + (x - mean) ** 2, 0) / 4 / 5), 12);
      expect(accuracy).toBeUndefined();
      const result = await evaluateGradient(problem, point, problem.train, { chunk, executor: referenceExecutor });
      expect(result.loss).toBeCloseTo(mean, 12);
      // X' (outputs - targets) / 5: the mean over two outputs takes the 2 of the square away.
      const difference = [[1, -1], [1, -0.5], [3, -1.5], [-1, -2.5], [3, 0.5]];
      const rows = [[1, 0], [0, 1], [1, 1], [2, -1], [-1, 3]];
      const expected = [0, 1].flatMap((i) => [0, 1].map((j) => rows.reduce((s, row, n) => s + row[i] * difference[n][j], 0) / 5));
      result.gradient.forEach((x, i) => expect(x).toBeCloseTo(expected[i], 12));
    }
  });

  test('accuracy of labels, on the default backend in float32 data', async () => {
    const problem = linear({ loss: crossEntropy, train: { inputs, targets: array([0, 0, 1, 0, 1], [5], 'int32'), size: 5 } });
    const { accuracy } = await evaluate(problem, point, problem.train, { chunk: 2 });
    expect(accuracy).toMatchObject({ value: 0.6, kind: 'standard error', samples: 5 });
    expect(accuracy!.error).toBeCloseTo(Math.sqrt(0.24 / 4), 12);
  });
});

test('peak memory of a chain: its inputs, and two values at a time', () => {
  const graph = compile((x: Tensor, y: Tensor) => matmul(matmul(matmul(x, y), y), y)).graph(array(new Float32Array(100), [10, 10]), array(new Float32Array(100), [10, 10]));
  expect(bytesOf(graph.inputs)).toBe(800);
  expect(peakBytes(graph)).toBe(1600);
});
