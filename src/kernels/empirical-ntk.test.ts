import { describe, expect, test } from 'vitest';
import { toDtype, type NDArray } from '../core/ndarray.ts';
import { mapTree } from '../tree/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { mlp } from '../nn/index.ts';
import { key } from '../util/random/index.ts';
import { draw, inputsFor, jacobianOf, samples, type Sample } from './models.test-helper.ts';
import { empiricalNngp, empiricalNtk, ntkImplementations, type EmpiricalNtkOptions } from './index.ts';

const executor = referenceExecutor;
type Kept = NonNullable<EmpiricalNtkOptions['outputs']>;

/** The kernel by its definition, from written-out Jacobians. */
async function expected(sample: Sample, first: NDArray, second: NDArray, kept: Kept, pairs: 'all' | 'diagonal', chosen: (name: string) => boolean = () => true): Promise<number[]> {
  const left = await jacobianOf(sample, first);
  const right = await jacobianOf(sample, second);
  const { outputs: o, space } = left;
  const ranges = space.ranges.filter(({ name }) => chosen(name));
  const entry = (i: number, k: number, j: number, l: number): number => ranges.reduce((sum, { offset, size }) => {
    for (let p = offset; p < offset + size; p++) sum += left.rows[(i * o + k) * space.size + p] * right.rows[(j * o + l) * space.size + p];
    return sum;
  }, 0);
  const each = Array.from({ length: o }, (_, k) => k);
  const values = (i: number, j: number): number[] => {
    if (kept === 'full') return each.flatMap((k) => each.map((l) => entry(i, k, j, l)));
    const diagonal = each.map((k) => entry(i, k, j, k));
    if (kept === 'diagonal') return diagonal;
    const trace = diagonal.reduce((a, b) => a + b, 0);
    return [kept === 'mean' ? trace / o : trace];
  };
  const rows = Array.from({ length: first.shape[0] }, (_, i) => i);
  if (pairs === 'diagonal') return rows.flatMap((i) => values(i, i));
  return rows.flatMap((i) => Array.from({ length: second.shape[0] }, (_, j) => values(i, j)).flat());
}

const worst = (received: Float64Array, wanted: readonly number[]): number => {
  expect(received).toHaveLength(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(received[i] - value))) / scale;
};

describe('empiricalNtk', () => {
  const ways = samples.flatMap((sample) => ntkImplementations.map((implementation) => [sample.network.name, implementation, sample] as const));

  test.each(ways)('%s by %s is J J\' written out', async (_, implementation, sample) => {
    const [first, second] = [inputsFor(sample, 3), inputsFor(sample, 2, 'others')];
    for (const outputs of ['mean', 'full'] as const) {
      const own = await empiricalNtk(sample.network, sample.point, first, undefined, { outputs, implementation, executor, block: 2 });
      expect(worst(own.values, await expected(sample, first, first, outputs, 'all'))).toBeLessThan(1e-12);
    }
    const other = await empiricalNtk(sample.network, sample.point, first, second, { outputs: 'diagonal', implementation, executor });
    expect(worst(other.values, await expected(sample, first, second, 'diagonal', 'all'))).toBeLessThan(1e-12);
  });

  test.each(ways)('%s by %s: each example with its counterpart', async (_, implementation, sample) => {
    const [first, second] = [inputsFor(sample, 2), inputsFor(sample, 2, 'others')];
    for (const outputs of implementation === 'jacobian-contraction' ? ['sum'] as const : ['diagonal', 'full'] as const) {
      const kernel = await empiricalNtk(sample.network, sample.point, first, second, { outputs, pairs: 'diagonal', implementation, executor });
      expect(worst(kernel.values, await expected(sample, first, second, outputs, 'diagonal'))).toBeLessThan(1e-12);
    }
  });

  test.each(samples.map((sample) => [sample.network.name, sample] as const))('%s: parts of the parameters', async (_, sample) => {
    const inputs = inputsFor(sample, 2);
    const { space } = await jacobianOf(sample, inputs);
    const some = space.names.filter((_name, i) => i % 2 === 0 && !_name.includes('unused'));
    const kernel = await empiricalNtk(sample.network, sample.point, inputs, undefined, { parameters: some, executor });
    expect(worst(kernel.values, await expected(sample, inputs, inputs, 'mean', 'all', (name) => some.includes(name)))).toBeLessThan(1e-12);
  });

  test('a small memory budget cuts outputs and examples, prepares blocks again, and changes nothing but rounding', async () => {
    const sample = samples[0];
    const inputs = inputsFor(sample, 7);
    const wanted = await expected(sample, inputs, inputs, 'mean', 'all');
    for (const implementation of ntkImplementations) {
      const kernel = await empiricalNtk(sample.network, sample.point, inputs, undefined, { implementation, executor, memoryBudget: 3000 });
      expect(kernel.plan.examples).toBeLessThan(7);
      if (implementation === 'jacobian-contraction') {
        expect(kernel.plan.seeds).toBeLessThan(3);
        expect(kernel.plan.keptColumns).toBeLessThan(Math.ceil(7 / kernel.plan.examples));
      }
      expect(worst(kernel.values, wanted)).toBeLessThan(1e-12);
    }
  });

  test('float32 on ONNX Runtime stays within the stated rounding; the matrix is symmetric to the last bit, and the same each time', async () => {
    const model = mlp({ sizes: [20, 30, 10, 5] });
    const point = model.init(key(1));
    const network = { name: 'mlp', model };
    const inputs = draw('inputs', [9, 20]);
    const exactPoint = { params: mapTree((leaf: NDArray) => toDtype(leaf, 'float64'), point.params) as typeof point.params, state: {} };
    const exact = await empiricalNtk(network, exactPoint, inputs, undefined, { executor });
    for (const outputs of ['mean', 'full'] as const) {
      const run = () => empiricalNtk(network, point, inputs, undefined, { executor: nodeExecutor({ threads: 1 }), outputs, block: 4 });
      const kernel = await run();
      expect((await run()).values).toEqual(kernel.values);
      const tail = outputs === 'mean' ? 1 : 5;
      for (let i = 0; i < 9; i++) for (let j = 0; j < 9; j++) for (let k = 0; k < tail; k++) for (let l = 0; l < tail; l++) {
        expect(kernel.values[((i * 9 + j) * tail + k) * tail + l]).toBe(kernel.values[((j * 9 + i) * tail + l) * tail + k]);
      }
      if (outputs === 'mean') {
        kernel.values.forEach((value, at) => {
          const [i, j] = [Math.floor(at / 9), at % 9];
          expect(Math.abs(value - exact.values[at])).toBeLessThan(kernel.rounding * Math.sqrt(exact.values[i * 10] * exact.values[j * 10]));
        });
      }
    }
  });

  test('the choice follows the predicted cost: factors for a traced dense net, no Jacobian for all pairs of many outputs', async () => {
    const point = (sizes: number[]) => { const model = mlp({ sizes }); return { network: { name: 'mlp', model }, at: model.init(key(2)) }; };
    const wide = point([64, 128, 10]);
    const traced = await empiricalNtk(wide.network, wide.at, draw('wide', [4, 64]), undefined, { executor });
    expect(traced.implementation).toBe('structured-derivatives');
    expect(traced.predicted['structured-derivatives']!.flops).toBeLessThan(traced.predicted['jacobian-contraction']!.flops / 5);
    // Novak et al. (2022), table 1: directional derivatives win by the number of outputs when these pairs are all wanted.
    const many = point([2, 2, 64]);
    const costs = (await empiricalNtk(many.network, many.at, draw('many', [2, 2]), undefined, { executor, outputs: 'full' })).predicted;
    expect(costs['jacobian-contraction']!.flops).toBeGreaterThan(costs['ntk-vector-products']!.flops);
  });

  test('reports progress, and an aborted signal stops it with its reason', async () => {
    const sample = samples[0];
    const inputs = inputsFor(sample, 6);
    const seen: number[] = [];
    await empiricalNtk(sample.network, sample.point, inputs, undefined, { executor, block: 2, onProgress: ({ done, total }) => { expect(total).toBe(6); seen.push(done); } });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    const controller = new AbortController();
    const stopped = empiricalNtk(sample.network, sample.point, inputs, undefined, { executor, block: 2, signal: controller.signal, onProgress: ({ done }) => { if (done === 2) controller.abort(new Error('enough')); } });
    await expect(stopped).rejects.toThrow('enough');
  });

  test('refuses what cannot be', async () => {
    const { network, point } = samples[0];
    await expect(empiricalNtk(network, point, draw('x', [2, 4]), draw('y', [2, 5]), { executor })).rejects.toThrow('examples of second must be like those of first');
    await expect(empiricalNtk(network, point, draw('x', [2, 4]), draw('y', [3, 4]), { executor, pairs: 'diagonal' })).rejects.toThrow('both sets must have 2 examples');
    await expect(empiricalNtk(network, point, draw('x', [0, 4]), undefined, { executor })).rejects.toThrow('first must hold at least one example');
    await expect(empiricalNtk(network, point, draw('x', [2, 4]), undefined, { executor, outputs: 'trace' as never })).rejects.toThrow('outputs must be one of mean, sum, diagonal, full');
  });
});

describe('empiricalNngp', () => {
  test('is the mean of products of outputs', async () => {
    const sample = samples[0];
    const model = sample.network;
    const kernel = await empiricalNngp(model, sample.point, inputsFor(sample, 3), inputsFor(sample, 2, 'others'), { executor, block: 2 });
    const own = await empiricalNngp(model, sample.point, inputsFor(sample, 3), undefined, { executor });
    expect(kernel.shape).toEqual([3, 2]);
    // The outputs are linear in the head and its bias: their products are contractions of what the Jacobian by these holds.
    const { rows, outputs, space } = await jacobianOf(sample, inputsFor(sample, 3));
    const flat = space.flatten();
    const last = space.ranges.filter(({ name }) => name.startsWith('layers.1'));
    const output = (i: number, k: number): number => last.reduce((sum, { offset, size }) => {
      for (let p = offset; p < offset + size; p++) sum += rows[(i * outputs + k) * space.size + p] * flat[p];
      return sum;
    }, 0);
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
      expect(own.values[i * 3 + j]).toBeCloseTo([0, 1, 2].reduce((sum, k) => sum + output(i, k) * output(j, k), 0) / 3, 12);
    }
  });
});
