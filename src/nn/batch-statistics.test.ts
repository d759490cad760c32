import { expect, test } from 'vitest';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray, toDtype } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { compile } from '../transforms/index.ts';
import { leaves, unflatten } from '../tree/index.ts';
import { key } from '../util/random/index.ts';
import { normals } from './arrays.test-helper.ts';
import { batchNorm, dense, sequential, withBatchStatistics } from './index.ts';

test('withBatchStatistics normalises by the batch in both modes, keeps the state, and does not see the scale of what comes before', async () => {
  const plain = sequential(dense({ inputs: 3, outputs: 4 }), batchNorm(4, { epsilon: 0 }));
  const model = withBatchStatistics(plain);
  const { params, state } = model.init(key(0));
  const x = toDtype(normals([7, 3], 'x'), 'float32');
  const run = (of: typeof model, mode: 'train' | 'eval', scale: number) =>
    compile((p: Parameters<typeof model.apply>[0], s: Parameters<typeof model.apply>[2]['state'], inputs: Tensor) => of.apply(p, inputs, { mode, state: s }), { executor: referenceExecutor })(
      unflatten(params, leaves<NDArray>(params).map((leaf, i) => (i === 0 ? new NDArray(Float32Array.from(leaf.data, (value) => value * scale), leaf.shape, 'float32') : leaf))) as typeof params, state, x);
  const trained = await run(plain, 'train', 1);
  for (const mode of ['train', 'eval'] as const) {
    const { outputs, state: after } = await run(model, mode, 1);
    expect([...outputs.data]).toEqual([...trained.outputs.data]);
    expect(after).toEqual(state);
  }
  const { outputs } = await run(model, 'eval', 5);
  outputs.data.forEach((value, i) => { expect(value).toBeCloseTo(trained.outputs.data[i], 5); });
});
