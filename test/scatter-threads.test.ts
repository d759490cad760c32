/** Sums of many updates at few places: right and the same at every run, on as many threads as there are. */
import 'thalweg/node';
import { compile, NDArray, type Tensor } from 'thalweg';
import { expect, test } from 'vitest';
import { scatter } from '../src/prims/indexing.ts';

test('updates that meet at one place are all added', async () => {
  const [updates, places, width] = [20_000, 3, 33];
  const indices = new NDArray(Int32Array.from({ length: updates }, (_, i) => (i * 7919) % places), [updates, 1], 'int32');
  const values = new NDArray(new Float32Array(updates * width).fill(1), [updates, width], 'float32');
  const add = compile((operand: Tensor, at: Tensor, by: Tensor) => scatter(operand, at, by, { batchAxes: 0, mode: 'add' }));
  const counts = Array.from({ length: places }, (_, place) => Array.from(indices.data).filter((at) => at === place).length);
  for (let run = 0; run < 5; run++) {
    const sums = await add(new NDArray(new Float32Array(places * width), [places, width], 'float32'), indices, values);
    expect([...sums.data]).toEqual(counts.flatMap((count) => Array.from({ length: width }, () => count)));
  }
});
