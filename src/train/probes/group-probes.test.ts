import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { takeRows } from '../../data/index.ts';
import { symmetricEigen } from '../../linalg/index.ts';
import { sgd } from '../../optim/index.ts';
import { evaluate, ParameterSpace } from '../../problem/index.ts';
import { squaredError, tinyRegression, type Layers } from '../../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { train } from '../train.ts';
import { eigenvectorShare } from './eigenvector-share.ts';
import { groupLoss } from './group-loss.ts';
import { pointRecorder } from './point-recorder.ts';
import { denseDerivatives, momentAt, settingOf } from './probes.test-helper.ts';

const problem = tinyRegression(24, [3, 4, 2]);
const options = { optimizer: sgd(), schedule: 0.3, steps: 4, seed: 0, executor: referenceExecutor } as const;

describe('group-loss', () => {
  test('is the mean loss of each group before every step', async () => {
    const groups = { few: [1, 5], others: [0, 2, 3, 23] };
    const points = pointRecorder<Layers, Record<string, never>>({ every: 1 });
    const { table } = await train(problem, { ...options, batchSize: 'full', probes: [groupLoss({ groups, loss: squaredError }), points] });
    for (const [name, group] of Object.entries(groups)) {
      const { values } = table.series(`group-loss.${name}`);
      expect(values).toHaveLength(4);
      for (const [i, value] of values.entries()) {
        const wanted = (await evaluate(problem, points.points[i], takeRows(problem.train, group), { executor: referenceExecutor })).loss.value;
        expect(value).toBeCloseTo(wanted, 12);
      }
    }
  });

  test('refuses indices that no batch has', async () => {
    const run = train(problem, { ...options, batchSize: 8, probes: [groupLoss({ groups: { few: [3, 9] }, loss: squaredError })] });
    await expect(run).rejects.toThrow(/groups.few must hold indices below the batch size 8, got 9/);
  });
});

test('eigenvector-share is that of the dense Hessian\'s top eigenvector, within its bound', async () => {
  const belongs = (name: string, index: number): boolean => name === 'layers.0.weight' && index >= 8;
  const prepared = await eigenvectorShare({ belongs, tolerance: 1e-7 }).prepare(settingOf(problem));
  for (const moment of [0, 1, 2].map((number) => momentAt(problem, number))) {
    const { hessian, size } = await denseDerivatives(problem, moment);
    const { values, vectors } = symmetricEigen(hessian, size);
    const range = new ParameterSpace(moment.params).ranges.find(({ name }) => name === 'layers.0.weight')!;
    let wanted = 0;
    for (let i = 8; i < range.size; i++) wanted += vectors[(range.offset + i) * size + size - 1] ** 2;
    const { '': share, eigenvalue } = await prepared.measure(moment);
    expect(Math.abs(share.value - wanted)).toBeLessThanOrEqual(share.error + 1e-12);
    expect(share.error).toBeLessThan(1e-4);
    expect(Math.abs(eigenvalue.value - values[size - 1])).toBeLessThanOrEqual(eigenvalue.error + 1e-12);
  }
  await prepared.dispose();
});
