import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../../runtime/reference.ts';
import { array, toDtype, type NDArray } from '../../core/ndarray.ts';
import { cnn, mlp, resnet, transformer, type AnyModel, type Model } from '../../nn/index.ts';
import { add, cumsum, matmul, tanh } from '../../ops/index.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Point } from '../../problem/index.ts';
import { compile } from '../../transforms/index.ts';
import { leaves, mapTree } from '../../tree/index.ts';
import { key, normal, randint, split } from '../../util/random/index.ts';
import { permutationSymmetries } from './derive-permutations.ts';
import { applyPermutations, composePermutations, identityPermutations, inversePermutations, permutationSpec, randomPermutations } from './permutation-spec.ts';

type AnyPoint = Point<unknown, unknown>;

/** A point whose every number is a draw, so that nothing is equal by accident (scales of one, biases of zero). */
function drawnPoint(model: AnyModel, seed: number): AnyPoint {
  const point = model.init(key(seed)) as AnyPoint;
  let n = 0;
  const draw = (positive: boolean) => ({ shape, size }: NDArray): NDArray =>
    array(normal(split(key(seed), n++), size, { dtype: 'float64', deviation: 0.5 }).map((x) => (positive ? 0.5 + Math.abs(x) : x)), shape, 'float64');
  return { params: mapTree(draw(false), point.params), state: mapTree(draw(true), point.state) } as AnyPoint;
}

async function outputsOf(model: AnyModel, { params, state }: AnyPoint, inputs: NDArray): Promise<number[]> {
  const f = compile((p: never, s: never, x: Tensor) => model.apply(p, x, { mode: 'eval', state: s }).outputs, { executor: referenceExecutor });
  const out = await f(params as never, state as never, toDtype(inputs, inputs.dtype === 'int32' ? 'int32' : 'float64'));
  return [...out.data];
}

const images = (size: number): NDArray => array(normal(key(1), [2, 1, size, size]), [2, 1, size, size], 'float64');
const models: [string, AnyModel, NDArray][] = [
  ['mlp', mlp({ sizes: [5, 7, 6, 3] }), array(normal(key(1), [3, 5]), [3, 5], 'float64')],
  ['cnn', cnn({ inputShape: [1, 12, 12], channels: [3, 4], hidden: [6, 5], classes: 3 }), images(12)],
  ['cnn, pooling windows that do not tile', cnn({ inputShape: [1, 15, 15], channels: [3, 4], hidden: [6, 5], classes: 3 }), images(15)],
  ['resnet', resnet({ inputShape: [1, 8, 8], depth: 14, width: 4, classes: 3 }), images(8)],
  ['transformer', transformer({ vocabulary: 5, context: 3, width: 8, depth: 2, heads: 2, hidden: 6 }), array(randint(key(2), 6, { high: 5 }), [2, 3], 'int32')],
];

describe('permutationSymmetries', () => {
  test.each(models)('%s: any permutation leaves the function alone, to rounding', async (_, model, inputs) => {
    const point = drawnPoint(model, 4);
    const spec = permutationSymmetries(model, point, inputs);
    const before = await outputsOf(model, point, inputs);
    const scale = Math.max(...before.map(Math.abs));
    for (const seed of [1, 2]) {
      const moved = applyPermutations(spec, point, randomPermutations(spec, key(seed)));
      expect(moved).not.toEqual(point);
      const after = await outputsOf(model, moved, inputs);
      expect(Math.max(...after.map((y, i) => Math.abs(y - before[i]))) / scale).toBeLessThan(1e-12);
    }
  });

  test('finds the groups of each family', () => {
    const sizes = (i: number): number[] => permutationSymmetries(models[i][1], drawnPoint(models[i][1], 1), models[i][2]).groups.map(({ size }) => size);
    expect(sizes(0)).toEqual([7, 6]);
    expect(sizes(1)).toEqual([3, 4, 6, 5]);
    expect(sizes(2)).toEqual([3, 4, 6, 5]);
    // The stream of each stage holds that of the last between zeros: 4 channels, 4 new ones, 8 new ones; and one group inside each block.
    expect(sizes(3)).toEqual([4, 4, 4, 8, 4, 8, 16, 8, 16]);
    // The stream, and the hidden layer of each block; heads of attention are left alone.
    expect(sizes(4)).toEqual([8, 6, 6]);
  });

  test('a channel moves as all its places after a flattening', () => {
    const [, model, inputs] = models[1];
    const { groups } = permutationSymmetries(model, drawnPoint(model, 1), inputs);
    const entry = groups[1].axes.find(({ leaf }) => leaf === 'params.dense1.weight')!;
    expect(entry).toMatchObject({ axis: 0, copies: 1 * 1 });
    const wide = cnn({ inputShape: [1, 20, 20], channels: [2, 3] });
    const flat = permutationSymmetries(wide, drawnPoint(wide, 1), images(20)).groups[1].axes.find(({ leaf }) => leaf === 'params.dense1.weight')!;
    expect(flat.copies).toBe(9);
    expect([...flat.positions]).toEqual(Array.from({ length: 27 }, (_, i) => i));
  });

  test('names no symmetry where the order of units matters', async () => {
    const model: Model<{ first: Tensor; second: Tensor }> = {
      name: 'running sums', init: () => ({ params: { first: array(normal(key(1), [3, 4]), [3, 4]), second: array(normal(key(2), [4, 2]), [4, 2]) }, state: {} }),
      apply: ({ first, second }, x) => ({ outputs: matmul(cumsum(tanh(matmul(x, first)), 1), second), state: {} }),
    };
    expect(permutationSymmetries(model, model.init(key(0)), array(normal(key(3), [2, 3]), [2, 3])).groups).toEqual([]);
    const plain = { ...model, apply: ({ first, second }: { first: Tensor; second: Tensor }, x: Tensor) => ({ outputs: matmul(tanh(matmul(x, first)), second), state: {} }) };
    expect(permutationSymmetries(plain, model.init(key(0)), array(normal(key(3), [2, 3]), [2, 3])).groups.map(({ size }) => size)).toEqual([4]);
  });

  test('keeps units of a recurrent matrix together along both its axes', async () => {
    const model: Model<{ into: Tensor; again: Tensor; out: Tensor }> = {
      name: 'two steps', init: () => ({ params: { into: array(normal(key(1), [3, 4]), [3, 4], 'float64'), again: array(normal(key(2), [4, 4]), [4, 4], 'float64'), out: array(normal(key(3), [4, 2]), [4, 2], 'float64') }, state: {} }),
      apply: ({ into, again, out }, x) => {
        const first = tanh(matmul(x, into));
        const second = tanh(add(matmul(first, again), matmul(x, into)));
        return { outputs: matmul(second, out), state: {} };
      },
    };
    const point = model.init(key(0));
    const inputs = array(normal(key(3), [2, 3]), [2, 3], 'float64');
    const spec = permutationSymmetries(model, point, inputs);
    expect(spec.groups.map(({ axes }) => axes.map(({ leaf, axis }) => `${leaf} ${axis}`))).toEqual([['params.into 1', 'params.again 0', 'params.again 1', 'params.out 0']]);
    const moved = applyPermutations(spec, point, randomPermutations(spec, key(5)));
    const [before, after] = [await outputsOf(model, point, inputs), await outputsOf(model, moved, inputs)];
    after.forEach((y, i) => { expect(y).toBeCloseTo(before[i], 12); });
  });
});

describe('permutations', () => {
  const [, model, inputs] = models[3];
  const point = drawnPoint(model, 1);
  const spec = permutationSymmetries(model, point, inputs);
  const bytes = (at: AnyPoint): number[] => [...leaves<NDArray>(at.params), ...leaves<NDArray>(at.state)].flatMap(({ data }) => [...data]);

  test('form a group: inverse and composition undo and chain, moving numbers without changing them', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
      const [p, q] = [randomPermutations(spec, key(seed)), randomPermutations(spec, key(seed + 5000))];
      const once = applyPermutations(spec, point, p);
      expect(bytes(applyPermutations(spec, once, inversePermutations(p)))).toEqual(bytes(point));
      expect(bytes(applyPermutations(spec, point, composePermutations(p, q)))).toEqual(bytes(applyPermutations(spec, once, q)));
      expect(bytes(once).sort()).toEqual(bytes(point).sort());
    }), { numRuns: 10, seed: 1 });
    expect(applyPermutations(spec, point, identityPermutations(spec)).params).toEqual(point.params);
  });

  test('a spec written by hand does the same, and says what does not fit', () => {
    const [, net, x] = models[0];
    const at = drawnPoint(net, 2);
    const found = permutationSymmetries(net, at, x);
    const written = permutationSpec(at, {
      first: { size: 7, axes: [['params.layers.0.weight', 1], ['params.layers.0.bias', 0], ['params.layers.1.weight', 0]] },
      second: { size: 6, axes: [['params.layers.1.weight', 1], ['params.layers.1.bias', 0], ['params.layers.2.weight', 0]] },
    });
    const permutations = randomPermutations(found, key(3));
    expect(applyPermutations(written, at, permutations)).toEqual(applyPermutations(found, at, permutations));
    expect(() => permutationSpec(at, { a: { size: 4, axes: [['params.layers.0.weight', 1]] } })).toThrow(/axis 1 of 'params.layers.0.weight' must be a multiple of the 4 units, got \[5,7\]/);
    expect(() => permutationSpec(at, { a: { size: 7, axes: [['layers.0.weight', 1]] } })).toThrow(/every leaf must be one of the point/);
    expect(() => applyPermutations(found, at, [Int32Array.of(0, 1)])).toThrow(/one permutation for each of the groups/);
  });
});
