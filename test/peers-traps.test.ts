/** Defects of other tools, tested against ourselves, where no test beside the source does already; docs/features.md lists all of them. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sourceCondition } from '../scripts/bootstrap.mjs';
import { analyzeWeights, weightsOf } from '../src/analysis/index.ts';
import { array, NDArray } from '../src/core/ndarray.ts';
import { fisher, ggn, gradientNoise, hessian, hutchinsonTrace, spectralDensity, topEigenpairs } from '../src/curvature/index.ts';
import { empiricalNtk } from '../src/kernels/index.ts';
import {
  averageSharpness, criticalPoints, findCurve, linearBarrier, lossLine, lossPlane, makeAxis, mergeTree, planeGrid, planeRows, randomAxes, samSharpness, sampleBox,
  type LandscapeRecord,
} from '../src/landscape/index.ts';
import { along, pointAt, type Plane } from '../src/landscape/quadratic.test-helper.ts';
import { add, matmul, mul, reshape, slice, square } from '../src/ops/index.ts';
import { evaluate, evaluateGradient, ParameterSpace, type ChunkOptions, type Problem } from '../src/problem/index.ts';
import { tinyClassification, type Layers } from '../src/problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../src/runtime/reference.ts';
import { key, normal } from '../src/util/random/index.ts';
import { root } from './tree-files.ts';

const executor = referenceExecutor;

/** Mean loss x + 10 y^2: no symmetry hides axes that are exchanged, turned around or shifted. */
const valley: Problem<Plane> = {
  name: 'valley',
  model: { name: 'linear', init: () => ({ params: { w: array([0, 0], [2, 1], 'float64') }, state: {} }), apply: ({ w }, inputs) => ({ outputs: matmul(inputs, w), state: {} }) },
  loss: (outputs, targets) => {
    const each = reshape(outputs, [outputs.shape[0]]);
    const part = (column: number) => reshape(slice(targets, [0, column], [targets.shape[0], column + 1]), [targets.shape[0]]);
    return add(mul(part(0), each), mul(part(1), square(each)));
  },
  train: { inputs: array([[1, 0], [0, 1]]), targets: array([[2, 0], [0, 20]]), size: 2 },
};

test('x + 10 y^2 is where it belongs, at every cell, through plane, box, JSON and topology', async () => {
  const f = (x: number, y: number): number => x + 10 * y * y;
  const plane = await lossPlane(valley, pointAt(0, 0), [along(1, 0), along(0, 1)], valley.train, { executor, radius: 2, points: 9 });
  const wanted = plane.y.map((y) => plane.x.map((x) => f(x, y)));
  expect(plane.samples.map((row) => row.map(({ loss }) => loss))).toEqual(wanted);

  const ranges = [{ from: -3, to: 1, points: 5 }, { from: -1, to: 2, points: 7 }];
  const record = await sampleBox(valley, pointAt(0, 0), [makeAxis<Plane>(along(1, 0)), makeAxis<Plane>(along(0, 1))], valley.train, { executor, ranges });
  const [xs, ys] = record.coordinates;
  expect([xs.length, ys.length, xs[0], ys[6]]).toEqual([5, 7, -3, 2]);
  expect(planeRows(JSON.parse(JSON.stringify(record)) as LandscapeRecord, 'loss')).toEqual(ys.map((y) => xs.map((x) => f(x, y))));

  // The floor of the valley is y = 0; its lowest sample is at its left end, and nothing else is a minimum.
  const { values, graph, shape } = planeGrid(plane);
  expect([...values]).toEqual(wanted.flat());
  expect(mergeTree(values, graph).branches.map(({ extremum }) => [extremum % shape[1], Math.floor(extremum / shape[1])])).toEqual([[0, 4]]);
  expect(criticalPoints(values, shape).minima).toEqual([4 * 9]);

  const line = await lossLine(valley, pointAt(0, 0.5), along(1, 0), valley.train, { executor, radius: 1, points: 5 });
  expect(line.samples.map(({ loss }) => loss)).toEqual([1.5, 2, 2.5, 3, 3.5]);
  const { samples } = (await linearBarrier(valley, pointAt(-1, 0), pointAt(1, 1), { executor, points: 3, refineTo: 0 })).train!;
  expect(samples.map(({ loss }) => loss.value)).toEqual([-1, 2.5, 11]);
});

describe('unequal batches', () => {
  const problem = tinyClassification(53, [4, 6, 3]);
  const point = problem.model.init(key(0));
  const other = { ...point, params: new ParameterSpace(point.params).unflatten(new ParameterSpace(point.params).flatten().map((x, i) => x + 0.3 * Math.sin(3 * i))) as typeof point.params };
  const vector = normal(key(3), new ParameterSpace(point.params).size, { dtype: 'float64' });
  const axes = randomAxes<Layers>(point.params, { seed: 1 });

  const measures: Record<string, (chunking: ChunkOptions) => Promise<ArrayLike<number>>> = {
    loss: async (chunking) => { const { loss } = await evaluate(problem, point, problem.train, { executor, ...chunking }); return [loss.value, loss.error]; },
    gradient: async (chunking) => (await evaluateGradient(problem, point, problem.train, { executor, ...chunking })).gradient,
    'Hessian product': async (chunking) => (await hessian(problem, point, { executor, ...chunking }).multiply([vector]))[0],
    'GGN product': async (chunking) => (await ggn(problem, point, { executor, ...chunking }).multiply([vector]))[0],
    'drawn Fisher product': async (chunking) => (await fisher(problem, point, { kind: 'monte-carlo', distribution: 'softmax', executor, ...chunking }).multiply([vector]))[0],
    trace: async (chunking) => { const { value, error } = await hutchinsonTrace(hessian(problem, point, { executor, ...chunking })); return [value, error]; },
    plane: async (chunking) => planeRows(await sampleBox(problem, point, axes, problem.train, { executor, ...chunking, ranges: { radius: 1, points: 3 } }), 'loss').flat(),
    barrier: async (chunking) => { const { barrier } = (await linearBarrier(problem, point, other, { executor, ...chunking, points: 5, refineTo: 0 })).train!; return [barrier.value, barrier.error]; },
    'sharpness by ascent': async (chunking) => [(await samSharpness(problem, point, { executor, ...chunking, radius: 0.1 })).value],
  };

  test.each(Object.entries(measures))('batches of 7, 7, ... and 4 are one batch, to 1e-10: %s', async (_, measure) => {
    const [whole, cut] = [await measure({ chunk: 53 }), await measure({ chunk: 7 })];
    const scale = Math.max(...Array.from(whole, Math.abs));
    expect(scale).toBeGreaterThan(0);
    expect(Math.max(...Array.from(whole, (x, i) => Math.abs(x - cut[i])))).toBeLessThan(1e-10 * scale);
  });
});

describe('seeds', () => {
  const problem = tinyClassification(40, [4, 6, 3]);
  const point = problem.model.init(key(0));
  const second = { ...point, params: new ParameterSpace(point.params).unflatten(new ParameterSpace(point.params).flatten().map((x, i) => x * Math.cos(i))) as typeof point.params };
  /** A result as text: numbers print exactly; how long it took is left out. */
  const bytes = (value: unknown): string => JSON.stringify(value, (name, x: unknown) => (name === 'seconds' ? undefined : ArrayBuffer.isView(x) ? Array.from(x as Float64Array) : x));

  const measures: Record<string, (seed: number) => Promise<unknown>> = {
    plane: (seed) => sampleBox(problem, point, randomAxes<Layers>(point.params, { seed }), problem.train, { executor, ranges: { radius: 1, points: 3 } }),
    'spectral density': (seed) => spectralDensity(hessian(problem, point, { executor }), { steps: 12, probes: 2, key: key(seed) }),
    trace: (seed) => hutchinsonTrace(hessian(problem, point, { executor }), { key: key(seed) }),
    eigenpairs: (seed) => topEigenpairs(hessian(problem, point, { executor }), { largest: 2, method: 'lanczos', key: key(seed) }),
    'drawn Fisher': (seed) => fisher(problem, point, { kind: 'monte-carlo', distribution: 'softmax', key: key(seed), executor }).multiply([normal(key(9), 51, { dtype: 'float64' })]),
    curve: (seed) => findCurve(problem, point, second, { executor, epochs: 2, batchSize: 10, seed }),
    'average sharpness': (seed) => averageSharpness(problem, point, { executor, radius: 0.1, key: key(seed) }),
    'shuffled weights': (seed) => analyzeWeights(weightsOf({ w: new NDArray(normal(key(2), 40 * 30, { dtype: 'float64' }), [40, 30], 'float64') }), { randomize: true, bootstrap: 5, key: key(seed), executor }),
  };

  test.each(Object.entries(measures))('same seed, same bytes: %s', async (_, measure) => {
    const first = bytes(await measure(1));
    expect(bytes(await measure(1))).toBe(first);
    expect(bytes(await measure(2))).not.toBe(first);
  });

  test('what has no seed has the same bytes too', async () => {
    for (const measure of [() => gradientNoise(problem, point, { executor, groups: 4 }), () => empiricalNtk(problem, point, problem.train.inputs, undefined, { executor })]) {
      expect(bytes(await measure())).toBe(bytes(await measure()));
    }
  });
});

/** Prints by how many MiB the process has grown over a hundred products; each moves several MiB of activations and vectors. */
const growth = `
import 'thalweg/node';
import { hessian } from 'thalweg/curvature';
import { gaussianClusters } from 'thalweg/data';
import { crossEntropy } from 'thalweg/losses';
import { mlp } from 'thalweg/nn';
import { key, normal } from 'thalweg/random';

const { train } = gaussianClusters({ samples: 512, classes: 10, dimension: 256 });
const model = mlp({ sizes: [256, 512, 512, 10] });
const operator = hessian({ name: 'memory', model, loss: crossEntropy, train }, model.init(key(0)), { chunk: 200 });
const vector = normal(key(1), operator.size, { dtype: 'float64' });
const products = async (count) => {
  for (let i = 0; i < count; i++) await operator.multiply([vector]);
  globalThis.gc();
  // What the last products left is let go of a turn later, and outside of V8 later still.
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage();
};
const before = await products(20);
const after = await products(100);
const grown = (name) => (after[name] - before[name]) / 2 ** 20;
process.stdout.write(JSON.stringify({ resident: grown('rss'), heap: grown('heapUsed'), external: grown('external'), vector: vector.byteLength / 2 ** 20 }));
`;

test('a hundred Hessian-vector products leave the process no larger', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--conditions', sourceCondition, '--import', 'tsx', '--input-type=module', '--eval', growth], { cwd: path.resolve(root), encoding: 'utf8', timeout: 60_000 });
  expect(status, stderr).toBe(0);
  const grown = JSON.parse(stdout) as Record<'resident' | 'heap' | 'external' | 'vector', number>;
  // One vector a product that is not let go of would be a hundred of them.
  expect(grown.vector).toBeGreaterThan(3);
  expect(grown.heap).toBeLessThan(grown.vector);
  expect(grown.external).toBeLessThan(grown.vector);
  // The allocator keeps pages that it may need again.
  expect(grown.resident).toBeLessThan(30 * grown.vector);
}, 90_000);
