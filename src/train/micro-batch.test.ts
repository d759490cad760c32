import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray, toDtype } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { batchNorm, dense, dropout, named, type AnyModel } from '../nn/index.ts';
import { matmul, mean, tanh } from '../ops/index.ts';
import { adam, sam, sgd, type Optimizer, type UpdateContext } from '../optim/index.ts';
import type { Problem } from '../problem/index.ts';
import { flatten, leaves, mapTree } from '../tree/index.ts';
import { train, type TrainOptions } from './index.ts';
import { clusters, countedGradient } from './training.test-helper.ts';

/** In float64, so that the order of additions is all that can differ. */
function precise(model: AnyModel): Problem<unknown, unknown> {
  const problem = clusters(60, model);
  return { ...problem, model: { ...model, init: (key) => mapTree((leaf: NDArray) => toDtype(leaf, 'float64'), model.init(key)) as never } };
}
const smooth = (): AnyModel => named({ first: dense({ inputs: 2, outputs: 6 }), tanh, drop: dropout(0.25), last: dense({ inputs: 6, outputs: 3 }) }) as AnyModel;
const settings = { schedule: 0.1, steps: 4, batchSize: 24, seed: 0, executor: referenceExecutor };
const flat = (tree: unknown): number[] => leaves<NDArray>(tree).flatMap(({ data }) => [...data]);

/** The gradient of each layer between its two factors: A G S. */
function between<P>({ grad, layerFactors }: UpdateContext<P>): unknown {
  const gradient = grad();
  const moved = Object.assign({}, ...layerFactors().map((layer) => layer.leaves(matmul(matmul(layer.inputs, layer.matrix(gradient)), layer.slopes)))) as Record<string, Tensor>;
  const { leaves: all, structure } = flatten<Tensor>(gradient);
  return structure.rebuild(all.map((leaf, i) => moved[structure.paths[i]] ?? leaf));
}

/** Descends along a direction made of one quantity of the context. */
const along = (name: string, direction: <P>(context: UpdateContext<P>) => unknown, draws?: Optimizer['draws']): Optimizer => ({
  name, init: () => ({}), ...(draws && { draws }),
  update: (context) => sgd().update({ ...context, grad: () => direction(context) as never }, [{}]) as never,
});

describe('a batch in parts', () => {
  const averaged = (tree: unknown): unknown => mapTree((leaf: Tensor) => mean(leaf, 0), tree);
  test.each<[string, Optimizer]>([
    ['momentum', sgd({ momentum: 0.9 })], ['Adam', adam()], ['SAM, with a gradient elsewhere', sam(sgd(), { rho: 0.1 })],
    ['Hessian products', along('hvp', (context) => context.hvp(context.grad()))],
    ['Gauss-Newton products', along('ggnvp', (context) => context.ggnvp(context.grad()))],
    ['gradients of the examples', along('examples', (context) => averaged(context.perExampleGrad()))],
    ['gradients at drawn targets', along('sampled', (context) => context.sampledGrad(), [{ kind: 'targets' }])],
    ['Kronecker factors', along('factors', (context) => between(context))],
  ])('steps as the whole batch: %s', async (_, optimizer) => {
    const problem = precise(smooth());
    const options: TrainOptions<unknown, unknown> = { ...settings, optimizer, probes: [countedGradient(1)] };
    const whole = await train(problem, options);
    for (const microBatch of [4, 12]) {
      const parts = await train(problem, { ...options, microBatch });
      expect(parts.microBatch).toBe(microBatch);
      expect(flat(whole.params)).not.toEqual(flat((await train(problem, { ...options, steps: 1 })).params));
      flat(parts.params).forEach((value, i) => { expect(value).toBeCloseTo(flat(whole.params)[i], 12); });
      parts.losses.forEach((loss, i) => { expect(loss).toBeCloseTo(whole.losses[i], 12); });
      parts.table.series('gradient.squared').values.forEach((value, i) => { expect(value).toBeCloseTo(whole.table.series('gradient.squared').values[i], 12); });
    }
  });

  test('mixes examples of the batch before it is cut, and works on the whole training set', async () => {
    const problem = precise(smooth());
    for (const options of [{ mixup: { alpha: 1 } }, { batchSize: 'full' as const }]) {
      const whole = await train(problem, { ...settings, optimizer: sgd(), ...options });
      const parts = await train(problem, { ...settings, optimizer: sgd(), ...options, microBatch: 6 });
      parts.losses.forEach((loss, i) => { expect(loss).toBeCloseTo(whole.losses[i], 12); });
    }
  });

  test('gives batch normalisation the statistics of the parts, one after another', async () => {
    const problem = precise(named({ first: dense({ inputs: 2, outputs: 6 }), norm: batchNorm(6), last: dense({ inputs: 6, outputs: 3 }) }) as AnyModel);
    const run = await train(problem, { ...settings, optimizer: sgd(), schedule: 0, steps: 1, batchSize: 24, microBatch: 12 });
    // At rate zero two steps of half the batch leave the same statistics.
    const halves = await train(problem, { ...settings, optimizer: sgd(), schedule: 0, steps: 2, batchSize: 12 });
    flat(run.state).forEach((value, i) => { expect(value).toBeCloseTo(flat(halves.state)[i], 12); });
    expect(run.losses[0]).toBeCloseTo((halves.losses[0] + halves.losses[1]) / 2, 12);
  });

  test('must divide the batch', async () => {
    await expect(train(clusters(), { ...settings, optimizer: sgd(), microBatch: 5 })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: train: microBatch must divide the batch of 24, got 5.]`);
    await expect(train(clusters(), { ...settings, optimizer: sgd(), microBatch: 25 })).rejects.toThrow('microBatch must be an integer from 1 to 24');
  });

  test('is chosen by predicted memory: the largest divisor that fits', async () => {
    const problem = clusters(120);
    const run = (memoryBudget: number) => train(problem, { optimizer: sgd(), schedule: 0.1, steps: 1, batchSize: 'full', seed: 0, microBatch: 'auto', memoryBudget });
    expect((await run(2 ** 30)).microBatch).toBeUndefined();
    const sizes: number[] = [];
    for (const budget of [14_000, 8_000, 0]) sizes.push((await run(budget)).microBatch ?? Infinity);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.every((size) => 120 % size === 0)).toBe(true);
    expect(sizes[0]).toBeLessThan(120);
    expect(new Set(sizes).size).toBe(3);
    expect(sizes[2]).toBe(1);
  });
});
