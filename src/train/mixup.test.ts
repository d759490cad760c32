import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { sgd } from '../optim/index.ts';
import { compile } from '../transforms/index.ts';
import { key, split } from '../util/random/index.ts';
import { train } from './index.ts';
import { drawMix, mixed, type Mix } from './mixup.ts';
import { clusters } from './training.test-helper.ts';

const settings = { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, epochs: 4, batchSize: 32, seed: 0 };

describe('mixup', () => {
  const inputs = array([[1, 2], [3, 4], [-5, 0]], [3, 2], 'float64');
  const mix = { partners: array([2, 0, 1], [3], 'int32'), share: array([0.75], [], 'float64') };
  const outputs = [[0.2, -1, 2], [1, 1, 0], [0, 3, -2]];

  test('averages inputs, and the losses to both targets, which for cross-entropy is the loss to mixed targets', async () => {
    const labels = array([0, 2, 1], [3], 'int32');
    const program = compile((x: Tensor, y: Tensor, z: Tensor, m: Mix) => {
      const { batch, loss } = mixed({ inputs: x, targets: y }, crossEntropy, m);
      return [batch.inputs, loss(z, batch.targets)];
    }, { executor: referenceExecutor });
    const [x, losses] = await program(inputs, labels, array(outputs, [3, 3], 'float64'), mix);
    expect([...x.data]).toEqual([0.75 - 1.25, 1.5, 2.25 + 0.25, 3 + 0.5, -3.75 + 0.75, 1]);
    const mixture = [[0.75, 0.25, 0], [0.25, 0, 0.75], [0, 0.75, 0.25]];
    outputs.forEach((row, i) => {
      const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
      expect(losses.data[i]).toBeCloseTo(row.reduce((sum, z, k) => sum - mixture[i][k] * (z - logSum), 0), 12);
    });
  });

  test('works with targets of several numbers', async () => {
    const program = compile((x: Tensor, z: Tensor, m: Mix) => {
      const { batch, loss } = mixed({ inputs: x, targets: x }, meanSquaredError, m);
      return loss(z, batch.targets);
    }, { executor: referenceExecutor });
    const losses = await program(inputs, array([[0, 0], [0, 0], [0, 0]], [3, 2], 'float64'), mix);
    const squares = [2.5, 12.5, 12.5];
    expect([...losses.data]).toEqual([0, 1, 2].map((i) => 0.75 * squares[i] + 0.25 * squares[[2, 0, 1][i]]));
  });

  test('draws a permutation and a share, functions of the key', () => {
    const drawn = drawMix(split(key(1), 5), { alpha: 0.3 }, 50, 'float32');
    expect(new Set(drawn.partners.data).size).toBe(50);
    expect(drawMix(split(key(1), 5), { alpha: 0.3 }, 50, 'float32')).toEqual(drawn);
    expect(drawMix(split(key(1), 6), { alpha: 0.3 }, 50, 'float32').share).not.toEqual(drawn.share);
  });

  test('changes training, less so for shares near zero and one', async () => {
    const [plain, strong, weak] = [await train(clusters(), settings), await train(clusters(), { ...settings, mixup: { alpha: 1 } }), await train(clusters(), { ...settings, mixup: { alpha: 1e-9 } })];
    // With shares of zero or one the batch is itself, or itself in another order: the mean loss is the same.
    weak.losses.forEach((loss, i) => { expect(loss).toBeCloseTo(plain.losses[i], 4); });
    expect(Math.abs(strong.losses.at(-1)! - plain.losses.at(-1)!)).toBeGreaterThan(0.05);
  });

  test('needs inputs that can be averaged, and a positive alpha', async () => {
    await expect(train(clusters(), { ...settings, mixup: { alpha: 0 } })).rejects.toThrow('mixup.alpha');
    const tokens = { ...clusters(), train: { ...clusters().train, inputs: new NDArray(new Int32Array(192), [96, 2], 'int32') } };
    await expect(train(tokens, { ...settings, mixup: { alpha: 1 } })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: train: mixup needs inputs that can be averaged, got tokens, i32[96,2].]`);
  });
});
