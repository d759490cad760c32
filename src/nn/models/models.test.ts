import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { crossEntropy } from '../../losses/index.ts';
import { mean } from '../../ops/index.ts';
import { checkGrads, evaluateReference, requireClose } from '../../testing/index.ts';
import { compile, hvp } from '../../transforms/index.ts';
import { flatten, leavesWithPaths } from '../../tree/tree.ts';
import { key } from '../../util/random/index.ts';
import { ShapeError } from '../../util/errors.ts';
import '../../runtime/node.ts';
import { f64, inDouble, integers, normals, shaken } from '../arrays.test-helper.ts';
import { cnn, dense, mlp, resnet, transformer, type AnyModel, type ResnetParameters, type ResnetState } from '../index.ts';
import * as peers from '../peer-models.test-helper.ts';
import { peerParameters } from './peer-parameters.test-helper.ts';

const shapes = (tree: unknown): [string, readonly number[]][] => leavesWithPaths(tree).map(([path, leaf]) => [path, (leaf as NDArray).shape]);
const evalWith = (model: AnyModel) => (params: unknown, state: unknown, x: Tensor): Tensor => model.apply(params, x, { mode: 'eval', state }).outputs;

/** The trees of a model with every leaf replaced by the array of that path; what loading a peer's weights is. */
function load(tree: unknown, arrays: ReadonlyMap<string, NDArray>): unknown {
  const { structure } = flatten(tree);
  expect([...arrays.keys()].sort()).toEqual([...structure.paths].sort());
  return structure.rebuild(structure.paths.map((path) => arrays.get(path)));
}

const benchmarked: Record<keyof typeof peerParameters, AnyModel> = {
  mlp: mlp({ sizes: [784, 256, 256, 10] }),
  lenet: cnn(),
  resnet20: resnet(),
  transformer: transformer({ vocabulary: 64, context: 64 }),
};

describe('weights of the benchmark\'s peers', () => {
  for (const [name, model] of Object.entries(benchmarked) as [keyof typeof peerParameters, AnyModel][]) {
    test(`${name}: the same names and shapes`, () => {
      const { params, state } = model.init(key(0));
      expect(shapes(params)).toEqual(peerParameters[name].parameters);
      expect(shapes(state)).toEqual(peerParameters[name].constants);
    });
  }

  /** Loads random arrays under the model's paths, and compares with the peer's formulas in float64 and on ONNX Runtime. */
  async function agrees(model: AnyModel, inputs: NDArray, formula: (p: peers.Flat, constants: peers.Flat, x: Tensor) => Tensor): Promise<void> {
    const initial = model.init(key(3));
    const random = (tree: unknown): Map<string, NDArray> => new Map(leavesWithPaths(shaken(tree)) as [string, NDArray][]);
    const [params, state] = [load(initial.params, random(initial.params)), load(initial.state, random(initial.state))];
    const ours = evaluateReference(evalWith(model), params, state, inputs);
    const theirs = evaluateReference((p: unknown, s: unknown, x: Tensor) => formula(peers.byPath(p), peers.byPath(s), x), params, state, inputs);
    requireClose(ours, theirs, { relative: 1e-10, scaled: 1e-11 });
    const inSingle = <T>(tree: T): T => flatten<NDArray>(tree).structure.rebuild(flatten<NDArray>(tree).leaves.map((leaf) => (leaf.dtype === 'float64' ? array(leaf.data, leaf.shape) : leaf))) as T;
    requireClose(await compile(evalWith(model))(inSingle(params), inSingle(state), inSingle(inputs)), ours, { scaled: 3e-5 });
  }
  test('mlp computes the peer\'s formula', () => agrees(mlp({ sizes: [7, 5, 4, 3] }), normals([4, 7], 'x'), (p, _, x) => peers.mlp(p, x)));
  test('cnn computes lenet', () => agrees(cnn({ inputShape: [1, 12, 12], channels: [2, 3], hidden: [5, 4], classes: 3 }), normals([2, 1, 12, 12], 'x'), (p, _, x) => peers.lenet(p, x)));
  test('resnet computes resnet20', () => agrees(resnet({ inputShape: [1, 7, 7], width: 2, classes: 3 }), normals([2, 1, 7, 7], 'x'), peers.resnet20));
  test('transformer computes the peer\'s formula', () =>
    agrees(transformer({ vocabulary: 9, context: 6, width: 8, heads: 2, depth: 3 }), integers([2, 5], 'tokens', 9), (p, _, x) => peers.transformer(p, x, 2)));
});

describe('inputs', () => {
  test('flat images are reshaped, other sizes refused', () => {
    const image = normals([2, 1, 12, 12], 'image');
    const flat = new NDArray(image.data, [2, 144], 'float64');
    for (const model of [cnn({ inputShape: [1, 12, 12], channels: [2, 2], hidden: [3, 3] }), resnet({ inputShape: [1, 12, 12], width: 2, depth: 8 }), mlp({ sizes: [144, 3] })] as AnyModel[]) {
      const { params, state } = inDouble(model.init(key(1)) as { params: unknown; state: unknown });
      requireClose(evaluateReference(evalWith(model), params, state, flat), evaluateReference(evalWith(model), params, state, image), { relative: 0, absolute: 0 });
      expect(() => evaluateReference(evalWith(model), params, state, normals([2, 143], 'x'))).toThrow(ShapeError);
    }
  });
  test('transformer: logits after the last token only; causality; context and tokens checked', () => {
    const [every, last] = (['every', 'last'] as const).map((readout) => transformer({ vocabulary: 5, context: 4, width: 4, heads: 1, depth: 1, outputs: 3, readout }));
    const params = shaken(every.init(key(2)).params);
    const tokens = integers([2, 4], 'tokens', 5);
    const whole = evaluateReference(evalWith(every), params, {}, tokens);
    expect(whole.shape).toEqual([2, 4, 3]);
    const end = evaluateReference(evalWith(last), params, {}, tokens);
    requireClose(end, f64([...whole.data.slice(9, 12), ...whole.data.slice(21, 24)], [2, 3]), { relative: 1e-12 });
    const changed = new NDArray(Int32Array.from(tokens.data, (t, i) => (i % 4 === 3 ? (t + 1) % 5 : t)), [2, 4], 'int32');
    const before = (all: NDArray): NDArray => f64([...all.data.slice(0, 9), ...all.data.slice(12, 21)]);
    const other = evaluateReference(evalWith(every), params, {}, changed);
    requireClose(before(other), before(whole), { relative: 0, absolute: 0 });
    expect(other.data.slice(9, 12)).not.toEqual(whole.data.slice(9, 12));
    expect(() => evaluateReference(evalWith(every), params, {}, integers([1, 5], 'long', 5))).toThrow(/1 to 4 tokens/);
    expect(() => evaluateReference(evalWith(every), params, {}, normals([2, 4], 'x'))).toThrow(/int32/);
  });
});

describe('derivatives', () => {
  const small: [string, AnyModel, NDArray][] = [
    ['mlp', mlp({ sizes: [4, 3, 3] }), normals([3, 4], 'x')],
    ['mlp, ntk', mlp({ sizes: [4, 3, 3], parametrization: 'ntk' }), normals([3, 4], 'x')],
    ['cnn', cnn({ inputShape: [1, 12, 12], channels: [2, 2], hidden: [3, 3], classes: 3, activation: 'tanh', parametrization: 'ntk' }), normals([3, 144], 'x')],
    ['transformer', transformer({ vocabulary: 4, context: 3, width: 4, heads: 2, depth: 1, outputs: 3, readout: 'last' }), integers([3, 3], 'tokens', 4)],
  ];
  for (const [name, model, x] of small) {
    test(`${name}: first and second against finite differences`, () => {
      const labels = integers([3], 'labels', 3);
      checkGrads((p: unknown, inputs: Tensor, l: Tensor) => mean(crossEntropy(evalWith(model)(p, {}, inputs), l)), [shaken(model.init(key(1)).params, 0.6), x, labels] as never, { step: 2 ** -9 });
    });
  }
  test('a resnet in train mode: Hessian-vector product on ONNX Runtime and by the reference; state moves', async () => {
    const model = resnet({ inputShape: [1, 6, 6], width: 2, depth: 8, classes: 3, activation: 'silu' });
    const { params, state } = model.init(key(1));
    const loss = (p: ResnetParameters, s: ResnetState, x: Tensor, labels: Tensor): Tensor => mean(crossEntropy(model.apply(p, x, { mode: 'train', state: s }).outputs, labels));
    const product = (p: ResnetParameters, v: ResnetParameters, s: ResnetState, x: Tensor, labels: Tensor): ResnetParameters => hvp(loss)(p, v, s, x, labels);
    const direction = model.init(key(2)).params;
    const [x, labels] = [array(normals([4, 36], 'x').data, [4, 36]), integers([4], 'labels', 3)];
    const found = await compile(product)(params, direction, state, x, labels);
    const expected = evaluateReference(product, inDouble(params), inDouble(direction), inDouble(state), inDouble(x), labels);
    requireClose(found, expected, { scaled: 1e-3, absolute: 1e-4 });
    const after = await compile((p: ResnetParameters, s: ResnetState, inputs: Tensor) => model.apply(p, inputs, { mode: 'train', state: s }).state)(params, state, x);
    expect(shapes(after)).toEqual(shapes(state));
    expect(Array.from(after.stages[2][0].norm2.variance.data)).not.toEqual(Array.from(state.stages[2][0].norm2.variance.data));
  });
});

test('residual family: depth and width', () => {
  expect(() => resnet({ depth: 18 })).toThrow(/6 n \+ 2/);
  const { params } = resnet({ depth: 14, width: 3, classes: 5 }).init(key(0));
  expect(params.stages.map((stage) => stage.length)).toEqual([2, 2, 2]);
  expect(params.head.weight.shape).toEqual([12, 5]);
  // Odd widths: the shortcut's added channels are divided as evenly as they can be.
  expect(resnet({ width: 3, depth: 8 }).outputShape([2, 784])).toEqual([2, 10]);
  expect(dense({ inputs: 2, outputs: 2 }).name).toBe('dense 2-2');
});
