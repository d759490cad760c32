import { expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { iris } from '../data/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { mlp } from '../nn/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile } from '../transforms/index.ts';
import { withLabelSmoothing } from './label-smoothing.ts';

const problem = { name: 'flowers', model: mlp({ sizes: [4, 3] }), loss: crossEntropy, train: iris().train };

test('moves probability from the label to all classes alike', async () => {
  const smoothed = withLabelSmoothing(problem, 0.3);
  const logits = [[2, -1, 0.5], [0, 0, 3]];
  const losses = await compile((z: Tensor, y: Tensor) => smoothed.loss(z, y), { executor: referenceExecutor })(array(logits, [2, 3], 'float64'), array([0, 1], [2], 'int32'));
  const expected = logits.map((row, i) => {
    const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
    return -row.reduce((sum, z, k) => sum + (0.1 + (k === i ? 0.7 : 0)) * (z - logSum), 0);
  });
  losses.data.forEach((loss, i) => { expect(loss).toBeCloseTo(expected[i], 12); });
});

test('without smoothing it is the problem itself, and other losses are refused', () => {
  expect(withLabelSmoothing(problem, 0)).toBe(problem);
  expect(() => withLabelSmoothing({ ...problem, loss: meanSquaredError }, 0.1)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: withLabelSmoothing: the problem's loss must be crossEntropy, got 'flowers' with another.
      Try: smooth inside of your own loss]
  `);
  expect(() => withLabelSmoothing(problem, 2)).toThrow('smoothing');
});
