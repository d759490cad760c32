import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { array, NDArray } from '../../core/ndarray.ts';
import { placeholder, type Tensor } from '../../core/tensor.ts';
import { collectFeatures, featureRank as rankOf, neuralCollapse as collapseOf } from '../../analysis/index.ts';
import { gaussianClusters, modularArithmetic } from '../../data/index.ts';
import { empiricalNtk, kernelDistance, targetAlignment } from '../../kernels/index.ts';
import { symmetricEigen } from '../../linalg/index.ts';
import { crossEntropy } from '../../losses/index.ts';
import { cnn, mlp, resnet, transformer, type AnyModel } from '../../nn/index.ts';
import type { Point, Problem } from '../../problem/index.ts';
import { tinyClassification } from '../../problem/tiny-problems.test-helper.ts';
import { referenceExecutor as executor } from '../../runtime/reference.ts';
import { compile } from '../../transforms/index.ts';
import { mapTree } from '../../tree/index.ts';
import { key, normal } from '../../util/random/index.ts';
import type { BesideProbe, Measured } from '../probe.ts';
import { activations } from './activations.ts';
import { deadUnits } from './dead-units.ts';
import { featureRank } from './feature-rank.ts';
import { layerValues, slopes } from './hidden-units.ts';
import { kernelEigenvalue } from './kernel-eigenvalue.ts';
import { neuralCollapse } from './neural-collapse.ts';
import { countingExecutor, momentAt, settingOf } from './probes.test-helper.ts';
import { tangentKernel } from './tangent-kernel.ts';
import { weightRank } from './weight-rank.ts';

const tiny = tinyClassification(40, [3, 6, 5, 3]);
const moments = Array.from({ length: 3 }, (_, number) => momentAt(tiny, number));
const measured = async (probe: BesideProbe, moment = moments[1]): Promise<Measured> => (await probe.prepare(settingOf(tiny))).measure(moment);

describe('layers found in the trace', () => {
  const found = (model: AnyModel, shape: readonly number[], dtype: 'float32' | 'int32' = 'float32') => {
    const { params, state } = model.init(key(0));
    const like = (tree: unknown): never => mapTree((leaf: NDArray) => placeholder(leaf), tree) as never;
    return layerValues({ name: 'model', model }, { params: like(params), state: like(state) } as never, placeholder({ shape, dtype }));
  };

  test.each(['tanh', 'relu', 'gelu', 'silu', 'sigmoid', 'elu'] as const)('of an MLP with %s: units are what the next layer reads', (activation) => {
    const layers = found(mlp({ sizes: [4, 8, 6, 3], activation }), [5, 4]);
    expect(layers.map(({ layer, units, isActivated }) => [layer, String(units), isActivated])).toEqual([['layers.0', 'f32[5,8]', true], ['layers.1', 'f32[5,6]', true], ['layers.2', 'f32[5,3]', false]]);
  });

  test('of a convolutional network, a residual network with normalisation, and a transformer', () => {
    const activated = (layers: ReturnType<typeof found>): string[] => layers.filter(({ isActivated }) => isActivated).map(({ layer, units }) => `${layer} ${units}`);
    expect(activated(found(cnn({ inputShape: [1, 28, 28], classes: 10 }) as AnyModel, [2, 1, 28, 28]))).toEqual(['conv1 f32[2,6,28,28]', 'conv2 f32[2,16,10,10]', 'dense1 f32[2,120]', 'dense2 f32[2,84]']);
    // A convolution before a normalisation has no units of its own; the second of a block's are those behind the shortcut.
    expect(activated(found(resnet({ inputShape: [1, 8, 8], classes: 10, depth: 8, width: 4 }) as AnyModel, [2, 1, 8, 8]))).toEqual([
      'stem.norm f32[2,4,8,8]', 'stages.0.0.norm1 f32[2,4,8,8]', 'stages.0.0.norm2 f32[2,4,8,8]', 'stages.1.0.norm1 f32[2,8,4,4]', 'stages.1.0.norm2 f32[2,8,4,4]', 'stages.2.0.norm1 f32[2,16,2,2]', 'stages.2.0.norm2 f32[2,16,2,2]',
    ]);
    const { train } = modularArithmetic({ modulus: 7 });
    const layers = found(transformer({ vocabulary: 10, context: train.inputs.shape[1], outputs: 7, width: 8, depth: 1, heads: 2 }) as AnyModel, [2, train.inputs.shape[1]], 'int32');
    expect(activated(layers)).toEqual([expect.stringMatching(/mlp.* f32\[2,\d+,32\]/)]);
  });

  test('slopes are derivatives, element by element', async () => {
    // z = x w + b; the sum of tanh z has the derivative 1 - tanh^2 with respect to each z.
    const model = mlp({ sizes: [3, 5, 2], activation: 'tanh' });
    const point = model.init(key(1));
    const inputs = array(normal(key(2), 12, { dtype: 'float64' }), [4, 3], 'float32');
    const run = compile((params: never, x: Tensor) => {
      const [first] = layerValues({ name: 'mlp', model }, { params, state: {} }, x);
      return { slope: slopes(first), units: first.units };
    }, { executor });
    const { slope, units } = await run(point.params as never, inputs);
    slope.data.forEach((x, i) => expect(x).toBeCloseTo(1 - units.data[i] ** 2, 6));
  });
});

describe('activations', () => {
  test('mean, deviation and saturation are those of the units, and vary as the examples do', async () => {
    const out = await measured(activations({ slope: 0.5 }));
    const units = await compile((params: never, x: Tensor) => layerValues(tiny, { params, state: {} }, x).map((values) => values.units), { executor })(moments[1].params as never, array(tiny.train.inputs.data, tiny.train.inputs.shape, 'float64'));
    units.forEach(({ data: values, shape }, l) => {
      const data = [...values];
      const mean = data.reduce((a, b) => a + b, 0) / data.length;
      const deviation = Math.sqrt(data.reduce((s, x) => s + (x - mean) ** 2, 0) / data.length);
      expect(out[`layers.${l}.mean`].value).toBeCloseTo(mean, 12);
      expect(out[`layers.${l}.std`].value).toBeCloseTo(deviation, 12);
      if (l === 2) { expect(out[`layers.${l}.saturation`]).toBeUndefined(); return; }
      // 1 - tanh^2 < 1/2.
      expect(out[`layers.${l}.saturation`].value).toBeCloseTo(data.filter((h) => 1 - h * h < 0.5).length / data.length, 12);
      // The error of the deviation, by leaving examples out.
      const without = Array.from({ length: shape[0] }, (_, left) => {
        const kept = data.filter((_h, i) => Math.floor(i / shape[1]) !== left);
        const m = kept.reduce((a, b) => a + b, 0) / kept.length;
        return Math.sqrt(kept.reduce((s, x) => s + (x - m) ** 2, 0) / kept.length);
      });
      const centre = without.reduce((a, b) => a + b, 0) / without.length;
      const jackknife = Math.sqrt(((without.length - 1) / without.length) * without.reduce((s, x) => s + (x - centre) ** 2, 0));
      expect(out[`layers.${l}.std`].error / jackknife).toBeCloseTo(1, 1);
    });
  });

  test.each([activations(), deadUnits({ threshold: 0.5 })])('replicas at once measure what they do one by one: $name', async (probe) => {
    const count = countingExecutor();
    const prepared = await probe.prepare(settingOf(tiny, { executor: count }));
    const all = await prepared.measureAll!(moments);
    for (const [i, moment] of moments.entries()) {
      const one = await prepared.measure(moment);
      expect(Object.keys(all[i])).toEqual(Object.keys(one));
      for (const part of Object.keys(one)) expect(all[i][part].value).toBeCloseTo(one[part].value, 12);
    }
    const { prepared: programs } = count;
    await prepared.measure(moments[0]);
    await prepared.measureAll!([...moments].reverse());
    expect(count.prepared).toBe(programs);
  });
});

describe('dead units', () => {
  test('of a rectifier whose biases put two of five units to sleep', async () => {
    const model = mlp({ sizes: [2, 5, 2], activation: 'relu' });
    const point = model.init(key(0)) as Point<never>;
    const bias = (point.params as { layers: { bias: NDArray }[] }).layers[0].bias;
    bias.data.set([-1e3, 5, -1e3, 5, 5]);
    const problem = { name: 'sleepers', model, loss: crossEntropy, train: gaussianClusters({ samples: 60 }).train } as unknown as Problem<never>;
    const setting = settingOf(problem, { start: point });
    const out = await (await deadUnits().prepare(setting)).measure({ ...momentAt(problem, 0), params: point.params });
    expect(Object.fromEntries(Object.entries(out).map(([part, { value }]) => [part, value]))).toEqual({ '': 0.4, 'layers.0': 0.4 });
    bias.data.set([5, 5, 5, 5, 5]);
    expect((await (await deadUnits().prepare(setting)).measure({ ...momentAt(problem, 0), params: point.params }))[''].value).toBe(0);
  });

  test('by the mean of the layer: all of them below ten times it, channels of images one unit each', async () => {
    const model = cnn({ inputShape: [1, 28, 28], classes: 3 });
    const size = 4;
    const train = { inputs: array(normal(key(3), size * 784), [size, 1, 28, 28]), targets: new NDArray(Int32Array.from([0, 1, 2, 0]), [size], 'int32'), size };
    const problem = { name: 'images', model, loss: crossEntropy, train } as unknown as Problem<never>;
    const out = await (await deadUnits({ threshold: 10 }).prepare({ ...settingOf(problem), executor: undefined })).measure(momentAt(problem, 0));
    expect(Object.keys(out)).toEqual(['', 'conv1', 'conv2', 'dense1', 'dense2']);
    expect(out[''].value).toBe(1);
    const few = await (await deadUnits({ threshold: 0.9999 }).prepare({ ...settingOf(problem), executor: undefined })).measure(momentAt(problem, 0));
    // Shares of 6 channels.
    expect((few.conv1.value * 6) % 1).toBeCloseTo(0, 12);
    expect(few.conv1.value).toBeGreaterThan(0);
    expect(few.conv1.value).toBeLessThan(1);
  });
});

describe('features and weights', () => {
  test('feature-rank and neural-collapse are those of the features at each moment', async () => {
    const [ranks, collapses] = [await featureRank().prepare(settingOf(tiny)), await neuralCollapse().prepare(settingOf(tiny))];
    for (const moment of moments) {
      const set = await collectFeatures(tiny, moment as never, { executor });
      const { rankMe, decay, participationRatio } = rankOf(set);
      expect(await ranks.measure(moment)).toEqual({ rankme: rankMe, decay, participation: participationRatio });
      const { variability, selfDuality, nearestMeanDisagreement } = collapseOf(set);
      expect(await collapses.measure(moment)).toMatchObject({ nc1: variability, nc3: selfDuality, nc4: nearestMeanDisagreement });
    }
  });

  test('programs are kept', async () => {
    const count = countingExecutor();
    for (const probe of [featureRank(), neuralCollapse(), weightRank(), kernelEigenvalue({ samples: 6 }), tangentKernel({ samples: 6 })]) {
      const prepared = await probe.prepare(settingOf(tiny, { executor: count }));
      await prepared.measure(moments[0]);
      const { prepared: programs } = count;
      for (const moment of moments.slice(1)) await prepared.measure(moment);
      expect(count.prepared, probe.name).toBe(programs);
      await prepared.dispose();
    }
  });

  test('weight-rank of known singular values; biases are left out', async () => {
    const [rows, columns] = [3, 6];
    const weight = new Float64Array(rows * columns);
    [4, 2, 2].forEach((x, i) => { weight[i * columns + i] = x; });
    const moment = { ...moments[0], params: { layers: moments[0].params.layers.map((layer, i) => (i === 0 ? { ...layer, weight: new NDArray(weight, [rows, columns], 'float64') } : layer)) } };
    const out = await measured(weightRank(), moment as never);
    expect(Object.keys(out)).toEqual(['layers.0.weight', 'layers.1.weight', 'layers.2.weight']);
    // Shares 1/2, 1/4, 1/4: entropy 3/2 ln 2.
    expect(out['layers.0.weight'].value).toBeCloseTo(2 ** 1.5, 8);
    expect(Math.abs(out['layers.0.weight'].value - 2 ** 1.5)).toBeLessThanOrEqual(out['layers.0.weight'].error);
    expect(out['layers.1.weight'].value).toBeLessThan(5);
  });
});

describe('tangent kernels', () => {
  test('the largest eigenvalue is that of the dense kernel, over examples and outputs', async () => {
    const n = 7;
    const inputs = array(tiny.train.inputs.data.slice(0, 3 * n), [n, 3], 'float64');
    for (const outputs of ['full', 'mean'] as const) {
      const { values, shape: [, , o = 1] } = await empiricalNtk(tiny, moments[1] as never, inputs, undefined, { outputs, executor });
      const matrix = new Float64Array((n * o) ** 2);
      for (let i = 0; i < n; i++) for (let a = 0; a < o; a++) for (let j = 0; j < n; j++) for (let b = 0; b < o; b++) matrix[(i * o + a) * n * o + j * o + b] = values[((i * n + j) * o + a) * o + b];
      const { values: eigenvalues } = symmetricEigen(matrix, n * o);
      const { '': { value, error, kind } } = await measured(kernelEigenvalue({ samples: n, outputs }));
      expect(kind).toBe('bound');
      expect(Math.abs(value - eigenvalues.at(-1)!)).toBeLessThanOrEqual(error);
      expect(error).toBeLessThan(1e-3 * value);
    }
  });

  test('velocity, distance and alignment are those of the kernels at the moments; restored, the next velocity is the same', async () => {
    const n = 9;
    const probe = tangentKernel({ samples: n });
    const [prepared, other] = [await probe.prepare(settingOf(tiny)), await probe.prepare(settingOf(tiny))];
    const inputs = array(tiny.train.inputs.data.slice(0, 3 * n), [n, 3], 'float64');
    const kernels = await Promise.all(moments.map(async (moment) => (await empiricalNtk(tiny, moment as never, inputs, undefined, { executor })).values));
    const rows = Float64Array.from({ length: 3 * n }, (_, at) => Number(tiny.train.targets.data[Math.floor(at / 3)] === at % 3));
    for (const [i, moment] of moments.entries()) {
      if (i === 2) other.restore!(prepared.save!());
      const { velocity, distance, alignment } = await prepared.measure(moment);
      if (i === 0) expect(velocity.value).toBeNaN();
      else expect(velocity.value).toBeCloseTo(kernelDistance(kernels[i - 1], kernels[i]).value / 10, 12);
      expect(distance.value).toBeCloseTo(kernelDistance(kernels[0], kernels[i]).value, 12);
      expect(alignment.value).toBeCloseTo(targetAlignment(kernels[i], rows, { centred: true }).value, 12);
      if (i === 2) expect((await other.measure(moment)).velocity.value).toBe(velocity.value);
    }
  });
});
