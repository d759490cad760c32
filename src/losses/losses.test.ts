import { describe, expect, test } from 'vitest';
import { array, filled, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { mean, sum } from '../ops/index.ts';
import { compile, grad, hvp } from '../transforms/index.ts';
import { checkGrads, evaluateReference, requireClose } from '../testing/index.ts';
import { hostInputs, readGolden, scalarCase } from '../../test/golden/golden.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import '../runtime/node.ts';
import { accuracy, binaryCrossEntropy, correct, crossEntropy, hinge, lossNamed, lossNameOf, losses, IGNORED_TOKEN, meanSquaredError, nextToken, squaredError, type Loss } from './index.ts';

const f64 = (values: Parameters<typeof array>[0], shape?: readonly number[]): NDArray => array(values, shape, 'float64');
const i32 = (values: Parameters<typeof array>[0]): NDArray => array(values, undefined, 'int32');
const run = (loss: Loss, outputs: NDArray, targets: NDArray): NDArray => evaluateReference(loss, outputs, targets);
const gradient = (loss: Loss, outputs: NDArray, targets: NDArray): NDArray => evaluateReference(grad((z: Tensor, t: Tensor) => sum(loss(z, t))), outputs, targets);
const logits = f64([[0.3, -1.2, 0.7], [2, 0.1, -0.5]]);
const logSumExp = (row: number[]): number => Math.log(row.reduce((total, z) => total + Math.exp(z), 0));

describe('crossEntropy', () => {
  const rows = [[0.3, -1.2, 0.7], [2, 0.1, -0.5]];
  const byHand = (labels: number[]): number[] => rows.map((row, i) => logSumExp(row) - row[labels[i]]);

  test('labels: log-sum-exp minus the score of the label, for each example', () => {
    requireClose(run(crossEntropy, logits, i32([2, 0])), f64(byHand([2, 0])), { relative: 1e-13 });
    requireClose(run(crossEntropy, filled([1, 8], 3, 'float64'), i32([5])), f64([Math.log(8)]), { relative: 1e-13 });
  });
  test('distributions: minus the sum of q log softmax, also where q does not sum to one', () => {
    const q = [[0.2, 0.5, 0.3], [1, 0, 0.5]];
    requireClose(run(crossEntropy, logits, f64(q)), f64(rows.map((row, i) => row.reduce((total, z, k) => total - q[i][k] * (z - logSumExp(row)), 0))), { relative: 1e-13 });
    requireClose(run(crossEntropy, logits, f64([[0, 0, 1], [1, 0, 0]])), f64(byHand([2, 0])), { relative: 1e-13 });
  });
  test('label smoothing moves its share to all classes alike, for labels and distributions', () => {
    const expected = rows.map((row, i) => row.reduce((total, z, k) => total - (0.1 / 3 + (k === [2, 0][i] ? 0.9 : 0)) * (z - logSumExp(row)), 0));
    const smoothed: Loss = (z, t) => crossEntropy(z, t, { labelSmoothing: 0.1 });
    requireClose(run(smoothed, logits, i32([2, 0])), f64(expected), { relative: 1e-13 });
    requireClose(run(smoothed, logits, f64([[0, 0, 1], [1, 0, 0]])), f64(expected), { relative: 1e-13 });
  });
  test('agrees with JAX: value, gradient, Hessian-vector product', () => {
    const golden = readGolden('cross-entropy-smoothed');
    const results = evaluateReference(scalarCase(({ z, labels }) => mean(crossEntropy(z, labels, { labelSmoothing: 0.1 }))).run, hostInputs(golden, 'float64') as never) as Record<string, NDArray>;
    for (const [name, { data, shape }] of Object.entries(golden.outputs)) requireClose(results[name], f64(data, shape), { relative: 1e-10, scaled: 1e-12 }, name);
  });
  test('sequences: the mean over tokens', () => {
    const both = f64([...logits.data, ...logits.data.map((v) => -v)], [2, 2, 3]);
    const losses = run(crossEntropy, both, i32([[2, 0], [1, 1]]));
    const second = rows.map((row) => logSumExp(row.map((z) => -z)) + row[1]);
    requireClose(losses, f64([(byHand([2, 0])[0] + byHand([2, 0])[1]) / 2, (second[0] + second[1]) / 2]), { relative: 1e-13 });
  });
  test('the gradient is softmax minus target', () => {
    requireClose(gradient(crossEntropy, logits, i32([2, 0])), f64(rows.map((row, i) => row.map((z, k) => Math.exp(z - logSumExp(row)) - (k === [2, 0][i] ? 1 : 0)))), { relative: 1e-12 });
  });
  test('refuses targets that fit nothing', () => {
    expect(() => run(crossEntropy, logits, i32([1]))).toThrow(ShapeError);
    expect(() => run(crossEntropy, logits, f64([1, 2]))).toThrow(ShapeError);
    expect(() => run(crossEntropy, f64([1, 2]), i32([1]))).toThrow(ShapeError);
    expect(() => crossEntropy(undefined as never, undefined as never, { labelSmoothing: 2 })).toThrow(ArgumentError);
  });
});

describe('meanSquaredError', () => {
  const outputs = f64([[1, 2], [3, -1]]);
  const targets = f64([[0, 4], [3, 1]]);
  test('the mean over outputs by default, the sum when asked for', () => {
    requireClose(run(meanSquaredError, outputs, targets), f64([2.5, 2]));
    requireClose(run((z, t) => meanSquaredError(z, t, { reduction: 'sum' }), outputs, targets), f64([5, 4]));
    expect(() => meanSquaredError(outputs as never, targets as never, { reduction: 'none' as never })).toThrow(ArgumentError);
  });
  test('labels stand for one-hot vectors; a single output takes a column or a list', () => {
    requireClose(run(meanSquaredError, outputs, i32([0, 1])), run(meanSquaredError, outputs, f64([[1, 0], [0, 1]])));
    for (const target of [f64([2, 4]), f64([[2], [4]]), i32([2, 4])]) requireClose(run(meanSquaredError, f64([[1], [1]]), target), f64([1, 9]));
    requireClose(run(meanSquaredError, f64([1, 1]), f64([2, 4])), f64([1, 9]));
    expect(() => run(meanSquaredError, outputs, f64([1, 2]))).toThrow(ShapeError);
  });
  test('Hessian in the outputs: 2 / outputs for the mean over a batch of one', () => {
    const product = evaluateReference((z: Tensor, v: Tensor, t: Tensor) => hvp((o: Tensor) => mean(meanSquaredError(o, t)))(z, v), f64([[1, 2, 3, 4]]), f64([[1, 0, -1, 2]]), f64([[0, 0, 0, 0]]));
    requireClose(product, f64([[0.5, 0, -0.5, 1]]));
  });
});

describe('squaredError', () => {
  test('half the sum over outputs: the mean squared error times half their number', () => {
    requireClose(run(squaredError, f64([[1, 2], [3, -1]]), f64([[0, 4], [3, 1]])), f64([2.5, 2]));
    requireClose(run(squaredError, f64([[1, 2], [3, -1]]), i32([0, 1])), f64([2, 6.5]));
    requireClose(run(squaredError, f64([1, 1]), f64([2, 4])), f64([0.5, 4.5]));
    const outputs = [Array.from({ length: 10 }, (_, i) => Math.sin(3 * i))];
    requireClose(run(squaredError, f64(outputs), i32([3])), f64([5 * run(meanSquaredError, f64(outputs), i32([3])).data[0]]), { relative: 1e-14 });
    expect(() => run(squaredError, f64([[1, 2]]), f64([1, 2]))).toThrow(ShapeError);
  });
  test('its Hessian in the outputs is the identity', () => {
    requireClose(evaluateReference((z: Tensor, v: Tensor, t: Tensor) => hvp((o: Tensor) => mean(squaredError(o, t)))(z, v), f64([[1, 2, 3, 4]]), f64([[1, 0, -1, 2]]), f64([[0, 0, 0, 0]])), f64([[1, 0, -1, 2]]));
  });
});

describe('binaryCrossEntropy', () => {
  const byHand = (z: number, y: number): number => Math.log(1 + Math.exp(z)) - y * z;
  test('log(1 + exp(z)) - y z, the mean over outputs', () => {
    requireClose(run(binaryCrossEntropy, f64([0.5, -2]), i32([1, 0])), f64([byHand(0.5, 1), byHand(-2, 0)]), { relative: 1e-12 });
    requireClose(run(binaryCrossEntropy, f64([[0.5], [-2]]), f64([1, 0.25])), f64([byHand(0.5, 1), byHand(-2, 0.25)]), { relative: 1e-12 });
    requireClose(run(binaryCrossEntropy, f64([[0.5, -2]]), f64([[1, 0]])), f64([(byHand(0.5, 1) + byHand(-2, 0)) / 2]), { relative: 1e-12 });
    requireClose(run(binaryCrossEntropy, f64([[0.5, -2]]), i32([1])), f64([(byHand(0.5, 0) + byHand(-2, 1)) / 2]), { relative: 1e-12 });
  });
  test('at logit zero: gradient 1/2 - y, second derivative 1/4', () => {
    requireClose(gradient(binaryCrossEntropy, f64([0, 0]), i32([0, 1])), f64([0.5, -0.5]));
    requireClose(evaluateReference((z: Tensor, v: Tensor, t: Tensor) => hvp((o: Tensor) => sum(binaryCrossEntropy(o, t)))(z, v), f64([0]), f64([1]), i32([0])), f64([0.25]));
  });
});

describe('hinge', () => {
  test('binary: max(0, 1 - y z)', () => {
    requireClose(run(hinge, f64([0.5, 2, -0.5]), f64([1, 1, 1])), f64([0.5, 0, 1.5]));
    requireClose(run(hinge, f64([[0.5], [2]]), i32([-1, -1])), f64([1.5, 3]));
    requireClose(run((z, t) => hinge(z, t, { margin: 3 }), f64([2]), f64([1])), f64([1]));
  });
  test('several classes: one plus the largest other score minus that of the label', () => {
    const scores = f64([[2, 1, 0], [2, 1, 0], [5, 1, 0]]);
    requireClose(run(hinge, scores, i32([0, 2, 0])), f64([0, 3, 0]));
    requireClose(gradient(hinge, f64([[2, 1.5, 0], [2, 1, 0]]), i32([0, 2])), f64([[-1, 1, 0], [1, 0, -1]]));
    requireClose(run(hinge, f64([[[1, 0], [0, 0]]]), i32([[0, 1]])), f64([0.5]));
  });
});

describe('nextToken', () => {
  test('the mean over positions that have a target; nothing of those that have none', () => {
    const z = [[[0.3, -1.2], [2, 0.1], [5, 5]], [[1, 0], [0, 1], [0, 0]]];
    const own = (n: number, t: number, y: number): number => logSumExp(z[n][t]) - z[n][t][y];
    requireClose(run(nextToken, f64(z), i32([[1, 0, IGNORED_TOKEN], [-1, -1, -1]])), f64([(own(0, 0, 1) + own(0, 1, 0)) / 2, 0]), { relative: 1e-13 });
    requireClose(run(nextToken, f64(z), i32([[1, 0, 1], [0, 1, 1]])), run(crossEntropy, f64(z), i32([[1, 0, 1], [0, 1, 1]])), { relative: 1e-13 });
    expect(() => run(nextToken, logits, i32([0, 1]))).toThrow('outputs must be [batch, positions, vocabulary]');
  });
});

describe('all losses', () => {
  const labels = i32([0, 1, 1, 0, 1, 0]);
  const cases: Record<keyof typeof losses, [outputs: number[][], targets: NDArray]> = {
    'cross-entropy': [[[1e3, -1e3], [1e3, -1e3], [-1e3, 1e3], [1e3, 1e3], [0, 0], [1e3, 999]], labels],
    'mean-squared-error': [[[1e3, -1e3], [1e3, -1e3], [-1e3, 1e3], [1e3, 1e3], [0, 0], [1, 2]], labels],
    'squared-error': [[[1e3, -1e3], [1e3, -1e3], [-1e3, 1e3], [1e3, 1e3], [0, 0], [1, 2]], labels],
    'binary-cross-entropy': [[[1e3], [1e3], [-1e3], [-1e3], [0], [1]], labels],
    hinge: [[[1e3, -1e3], [1e3, -1e3], [-1e3, 1e3], [1e3, 999], [0.2, 0], [2, 1.7]], labels],
    'next-token': [[[1e3, -1e3], [1e3, -1e3], [-1e3, 1e3], [1e3, 1e3], [0, 0], [1e3, 999]], array(labels.data, [6, 1], 'int32')],
  };
  const expected: Record<keyof typeof losses, number[]> = {
    'cross-entropy': [0, 2000, 0, Math.LN2, Math.LN2, Math.log(1 + Math.exp(-1))],
    'mean-squared-error': [(999 ** 2 + 1e6) / 2, (1e6 + 1001 ** 2) / 2, (1e6 + 999 ** 2) / 2, (999 ** 2 + 1e6) / 2, 0.5, 2],
    'squared-error': [(999 ** 2 + 1e6) / 2, (1e6 + 1001 ** 2) / 2, (1e6 + 999 ** 2) / 2, (999 ** 2 + 1e6) / 2, 0.5, 2],
    'binary-cross-entropy': [1e3, 0, 1e3, 0, Math.LN2, Math.log(1 + Math.E)],
    hinge: [0, 2001, 0, 0, 1.2, 0.7],
    'next-token': [0, 2000, 0, Math.LN2, Math.LN2, Math.log(1 + Math.exp(-1))],
  };
  /** Logits of tokens have an axis of positions. */
  const shaped = (name: string, rows: number[][], dtype: 'float32' | 'float64' = 'float64'): NDArray => array(rows, undefined, dtype).shape.length === 2 && name === 'next-token' ? array(rows.flat(), [rows.length, 1, rows[0].length], dtype) : array(rows, undefined, dtype);
  for (const [name, loss] of Object.entries(losses) as [keyof typeof losses, Loss][]) {
    test(`${name} at logits of +-1000: value, gradient and Hessian-vector product are finite and right, in float64 and on ONNX Runtime`, async () => {
      const [outputs, targets] = cases[name];
      const direction = outputs.map((row, i) => row.map((_, k) => (i + 2 * k) / 4 - 1));
      const all = (z: Tensor, v: Tensor, t: Tensor) => ({ value: loss(z, t), gradient: grad((o: Tensor) => sum(loss(o, t)))(z), product: hvp((o: Tensor) => sum(loss(o, t)))(z, v) });
      const exact = evaluateReference(all, shaped(name, outputs), shaped(name, direction), targets);
      requireClose(exact.value, f64(expected[name]), { relative: 1e-12, absolute: 1e-12 });
      for (const leaf of Object.values(exact)) expect(leaf.data.every(Number.isFinite)).toBe(true);
      requireClose(await compile(all, { requireFinite: true })(shaped(name, outputs, 'float32'), shaped(name, direction, 'float32'), targets), exact, { relative: 1e-5, absolute: 2e-6 });
    });
    test(`${name}: one number an example; derivatives against finite differences`, () => {
      const [outputs, targets] = cases[name];
      const moderate = shaped(name, outputs.map((row, i) => row.map((z, k) => Math.sign(z) * 0.7 + 0.3 * Math.sin(5 * i + 3 * k))));
      expect(run(loss, moderate, targets).shape).toEqual([6]);
      checkGrads((z: Tensor, t: Tensor) => loss(z, t), [moderate, targets]);
    });
  }
  test('by name', () => {
    expect(lossNamed('hinge')).toBe(hinge);
    expect(() => lossNamed('zero-one')).toThrow(/mean-squared-error/);
    expect([lossNamed('mse'), lossNameOf('mse'), lossNameOf('hinge')]).toEqual([squaredError, 'squared-error', 'hinge']);
  });
});

describe('accuracy', () => {
  const outputs = f64([[1, 3, 2], [0, 0, -1], [5, 1, 9]]);
  test('largest output at the label; the first of equal ones counts', () => {
    requireClose(run(correct, outputs, i32([1, 0, 0])), f64([1, 1, 0]));
    requireClose(run(accuracy, outputs, i32([1, 0, 0])), f64(2 / 3, []));
    requireClose(run(correct, outputs, f64([[0, 1, 0], [0.1, 0.2, 0.7], [0, 0, 1]])), f64([1, 0, 1]));
  });
  test('single outputs by sign; sequences by their share', () => {
    for (const targets of [i32([1, 0, 0]), i32([1, -1, -1]), f64([[1], [-1], [-1]])]) requireClose(run(correct, f64([[2], [-1], [3]]), targets), f64([1, 1, 0]));
    requireClose(run(correct, f64([2, -1, 3]), i32([1, 0, 0])), f64([1, 1, 0]));
    requireClose(run(correct, f64([[[1, 0], [0, 1]], [[1, 0], [1, 0]]]), i32([[0, 1], [0, 1]])), f64([1, 0.5]));
    expect(() => run(correct, outputs, i32([1]))).toThrow(ShapeError);
  });
});
