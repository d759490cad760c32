/** Problems and comparisons that the tests of training share. */
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { gaussianClusters } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { batchNorm, dense, dropout, mlp, named, type AnyModel } from '../nn/index.ts';
import { add, relu, square, sum, zerosLike } from '../ops/index.ts';
import { rounded, type Problem } from '../problem/index.ts';
import { leavesWithPaths } from '../tree/index.ts';
import type { BesideProbe, InsideProbe, TrainingRun } from './index.ts';

/** Three clusters in the plane for a small multilayer perceptron. */
export function clusters(samples = 120, model: AnyModel = mlp({ sizes: [2, 16, 3] }) as AnyModel): Problem<unknown, unknown> {
  const data = gaussianClusters({ samples, seed: 3 });
  return { name: 'clusters', model, loss: crossEntropy, train: data.train, test: data.test };
}

/** A network with batch normalisation and dropout. */
export const noisyModel = (): AnyModel => named({ first: dense({ inputs: 2, outputs: 8 }), norm: batchNorm(8), relu, drop: dropout(0.25), last: dense({ inputs: 8, outputs: 3 }) }) as AnyModel;

/** Everything of a run that does not depend on the clock, for comparison bit by bit. */
export function contentOf({ params, state, memory, answer, losses, table, end }: TrainingRun<unknown, unknown>): unknown {
  const bits = (tree: unknown): [string, string][] => (leavesWithPaths(tree) as [string, NDArray][]).map(([path, { data }]) => [path, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')]);
  return {
    params: bits(params), state: bits(state), memory: bits(memory), answer: answer === undefined ? undefined : bits(answer), losses, end,
    columns: table.columns, entries: table.columns.map((name) => table.entries(name).map(({ step, epoch, measurement: { cost: _, ...measurement } }) => ({ step, epoch, ...measurement }))),
  };
}

/** Length of the gradient, where due; and the number of steps seen, which it remembers. */
export const countedGradient = (every: number): InsideProbe<{ seen: Tensor }> => ({
  where: 'inside', name: 'gradient', every,
  init: (params) => ({ seen: zerosLike(squaredLength(params)) }),
  measure: (view, { seen }) => ({ values: { squared: squaredLength(view.grad()), seen }, memory: { seen: add(seen, 1) } }),
});

/** Squared length of the parameters, and how often it was measured: a probe that remembers. */
export const countedLength = (every: number): BesideProbe => ({
  where: 'beside', name: 'length', every,
  prepare() {
    let times = 0;
    return {
      measure: ({ params }) => {
        times++;
        const squared = leavesWithPaths(params).reduce((total, [, leaf]) => total + Array.from((leaf as NDArray).data).reduce((s, x) => s + x * x, 0), 0);
        return Promise.resolve({ '': rounded(squared, 0), times: rounded(times, 0) });
      },
      save: () => ({ times: new NDArray(Int32Array.of(times), [], 'int32') }),
      restore: ({ times: kept }) => { times = kept.item(); },
      dispose: () => Promise.resolve(),
    };
  },
});

const squaredLength = (tree: unknown): Tensor => leavesWithPaths(tree).map(([, leaf]) => sum(square(leaf as Tensor))).reduce((a, b) => add(a, b));
