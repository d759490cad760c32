import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { NDArray } from '../core/ndarray.ts';
import { denseMatrix, hessian } from '../curvature/index.ts';
import { gaussianClusters } from '../data/index.ts';
import { symmetricEigen } from '../linalg/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mlp, type MlpParameters } from '../nn/index.ts';
import { max, mul } from '../ops/index.ts';
import { evaluate, evaluateGradient, ParameterSpace, type Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression, type Layers } from '../problem/tiny-problems.test-helper.ts';
import { leaves } from '../tree/index.ts';
import { key } from '../util/random/index.ts';
import { makeAxis, vectorOf, type Axis } from './axes.ts';
import { randomAxes } from './axes-random.ts';
import { coordinatesAlong, sampleBox, type BoxOptions } from './box.ts';
import { accuracyMetric, eigenvalueMetric, exampleMetric, gradientNormMetric, lossMetric } from './metrics.ts';
import { along, bowl, pointAt, type Plane } from './quadratic.test-helper.ts';
import { cellCoordinates, landscapeProgress, measurementAt, metricGrid, planeRows, type LandscapeRecord } from './record.ts';

const options: BoxOptions = { executor: referenceExecutor };
const xAxis = makeAxis<Plane>(along(1, 0));
const yAxis = makeAxis<Plane>(along(0, 1));
const bytesOf = (tree: unknown): number[] => leaves<NDArray>(tree).flatMap(({ data }) => [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
const timeless = ({ seconds: _, ...record }: LandscapeRecord): Omit<LandscapeRecord, 'seconds'> => record;
/** The parameters moved along axes, on the host. */
const moved = <P>(params: P, axes: readonly Pick<Axis, 'direction'>[], coordinates: readonly number[]): P =>
  new ParameterSpace(params).unflatten(vectorOf(params).map((x, j) => axes.reduce((sum, { direction }, k) => sum + coordinates[k] * vectorOf(direction)[j], x))) as P;

describe('the order of cells', () => {
  const ranges = [{ from: -1, to: 2, points: 4 }, [0, 0.5, 3]];

  test('on a plane that is neither square nor symmetric: rows run along x', async () => {
    const record = await sampleBox(bowl, pointAt(0, 0), [xAxis, yAxis], bowl.train, { ...options, ranges });
    expect(record.coordinates).toEqual([[-1, 0, 1, 2], [0, 0.5, 3]]);
    expect(planeRows(record, 'loss')).toEqual([0, 0.5, 3].map((y) => [-1, 0, 1, 2].map((x) => x * x + 10 * y * y)));
    expect(measurementAt(record, 'loss', [3, 2])!.value).toBe(4 + 90);
    const turned = await sampleBox(bowl, pointAt(0, 0), [yAxis, xAxis], bowl.train, { ...options, ranges });
    expect(planeRows(turned, 'loss')).toEqual([0, 0.5, 3].map((x) => [-1, 0, 1, 2].map((y) => x * x + 10 * y * y)));
  });

  test('in a box of three axes', async () => {
    const tilted = makeAxis<Plane>(along(1, 1));
    const record = await sampleBox(bowl, pointAt(1, 0), [xAxis, yAxis, tilted], bowl.train, { ...options, ranges: [[0, 2], [0, 1, 4], [-1, 5]] });
    expect(record.finished).toHaveLength(12);
    metricGrid(record, 'loss').values.forEach((value, cell) => {
      const [a, b, c] = cellCoordinates(record.coordinates, cell);
      expect(value).toBe((1 + a + c) ** 2 + 10 * (b + c) ** 2);
    });
    expect(measurementAt(record, 'loss', [1, 2, 0])!.value).toBe((1 + 2 - 1) ** 2 + 10 * (4 - 1) ** 2);
    expect(() => planeRows(record, 'loss')).toThrow(/one or two axes/);
  });

  test('of ranges: symmetric ones have an exact zero, others exact ends', () => {
    expect(coordinatesAlong({ radius: 0.3, points: 5 })[2]).toBe(0);
    const uneven = coordinatesAlong({ from: -0.1, to: 0.7, points: 7 });
    expect([uneven[0], uneven[6]]).toEqual([-0.1, 0.7]);
    expect(() => coordinatesAlong([])).toThrow(/at least one coordinate/);
    expect(() => coordinatesAlong({ from: 0, to: NaN, points: 3 })).toThrow(/to must be a finite number/);
  });
});

describe('metrics', () => {
  const problem = tinyClassification(40, [3, 4, 3]);
  const point = problem.model.init(key(0));
  const axes = randomAxes<Layers>(point.params, { seed: 2 });
  const metrics = [
    lossMetric, accuracyMetric, gradientNormMetric, eigenvalueMetric('largest', { products: 100 }), eigenvalueMetric('smallest', { products: 100 }),
    exampleMetric('largest output', (outputs) => max(outputs, 1)), exampleMetric('twice the loss', (_, __, losses) => mul(losses, 2)),
  ];

  test('in one pass are what they are one by one', async () => {
    const record = await sampleBox(problem, point, axes, problem.train, { ...options, metrics, ranges: [{ radius: 0.8, points: 2 }, [0, 0.5]], chunk: 13 });
    for (const cell of [0, 1, 2, 3]) {
      const there = { ...point, params: moved(point.params, axes, cellCoordinates(record.coordinates, cell)) };
      const at = (name: string) => measurementAt(record, name, [cell % 2, Math.floor(cell / 2)])!;
      const { loss, accuracy } = await evaluate(problem, there, problem.train, { ...options, chunk: 13 });
      expect(at('loss').value).toBeCloseTo(loss.value, 12);
      expect(at('loss').error).toBeCloseTo(loss.error, 10);
      expect(at('twice the loss').value).toBeCloseTo(2 * loss.value, 12);
      expect(at('accuracy').value).toBe(accuracy!.value);
      const { gradient } = await evaluateGradient(problem, there, problem.train, options);
      const length = Math.hypot(...gradient);
      expect(Math.abs(at('gradient norm').value - length)).toBeLessThanOrEqual(at('gradient norm').error);
      expect(at('gradient norm').error).toBeLessThan(1e-13);
      const operator = hessian(problem, there, options);
      const { values } = symmetricEigen((await denseMatrix(operator)).map((x) => Number(x.toPrecision(12))), operator.size);
      expect(Math.abs(at('largest eigenvalue').value - values[values.length - 1])).toBeLessThanOrEqual(at('largest eigenvalue').error + 1e-9);
      expect(Math.abs(at('smallest eigenvalue').value - values[0])).toBeLessThanOrEqual(at('smallest eigenvalue').error + 1e-9);
      await operator.dispose();
    }
    expect(record.metrics.map(({ name, errorKind }) => [name, errorKind])).toEqual([
      ['loss', 'standard error'], ['accuracy', 'standard error'], ['gradient norm', 'rounding'], ['largest eigenvalue', 'bound'], ['smallest eigenvalue', 'bound'],
      ['largest output', 'standard error'], ['twice the loss', 'standard error'],
    ]);
  });

  test('a few Lanczos steps give a bound that holds', async () => {
    const [cell] = (await sampleBox(problem, point, axes, problem.train, { ...options, metrics: [eigenvalueMetric('largest', { products: 4, tolerance: 1e-6 })], ranges: [[0.3], [0]] })).metrics;
    const there = { ...point, params: moved(point.params, axes, [0.3, 0]) };
    const operator = hessian(problem, there, options);
    const { values } = symmetricEigen((await denseMatrix(operator)).map((x) => Number(x.toPrecision(12))), operator.size);
    expect(cell.errors[0]!).toBeGreaterThan(1e-6);
    // A residual bounds the distance to some eigenvalue; of the largest a Ritz value is below.
    expect(Math.min(...values.map((value) => Math.abs(value - cell.values[0]!)))).toBeLessThanOrEqual(cell.errors[0]! + 1e-9);
    expect(cell.values[0]!).toBeLessThanOrEqual(values[values.length - 1] + 1e-9);
    await operator.dispose();
  });

  test('accuracy is left out where targets are not labels; bad metrics are refused', async () => {
    const regression = tinyRegression(10);
    const start = regression.model.init(key(0));
    const lines = randomAxes<Layers>(start.params, { count: 1 });
    const scan = (metrics_: BoxOptions['metrics']) => sampleBox(regression, start, lines, regression.train, { ...options, ranges: [[0, 1]], metrics: metrics_ });
    expect((await scan(undefined)).metrics.map(({ name }) => name)).toEqual(['loss']);
    await expect(scan([lossMetric, lossMetric])).rejects.toThrow(/distinct names, got 'loss' twice/);
    await expect(scan([exampleMetric('outputs', (outputs) => outputs)])).rejects.toThrow(/the metric 'outputs' must return one number an example, \[2\]/);
  });
});

describe('the centre', () => {
  test.each([true, false])('is the loss itself, to the bit, on the default backend; distributed %s', async (distribute) => {
    const { train } = gaussianClusters({ samples: 300, classes: 3, dimension: 40 });
    const problem: Problem<MlpParameters> = { name: 'clusters', model: mlp({ sizes: [40, 32, 16, 3] }), loss: crossEntropy, train };
    const start = problem.model.init(key(1));
    // Biases that are not zero.
    const point = { ...start, params: new ParameterSpace(start.params).unflatten(vectorOf(start.params).map((x, i) => x + 0.05 * Math.sin(i))) as typeof start.params };
    for (const chunk of [300, 128]) {
      const { loss, accuracy } = await evaluate(problem, point, train, { chunk });
      const record = await sampleBox(problem, point, randomAxes<MlpParameters>(point.params, { seed: 5 }), train, { chunk, distribute, ranges: { radius: 1, points: 3 } });
      const middle = measurementAt(record, 'loss', [1, 1])!;
      expect([middle.value, middle.error, measurementAt(record, 'accuracy', [1, 1])!.value]).toEqual([loss.value, loss.error, accuracy!.value]);
    }
  });
});

describe('a record', () => {
  const problem = tinyClassification(30, [3, 4, 3]);
  const point = problem.model.init(key(0));
  const axes = randomAxes<Layers>(point.params, { seed: 4 });
  const settings: BoxOptions = { ...options, ranges: [{ radius: 1, points: 5 }, { radius: 0.5, points: 3 }], chunk: 11, metrics: [lossMetric, accuracyMetric, gradientNormMetric] };
  const interrupted = async (after: number): Promise<LandscapeRecord> => {
    const stop = new AbortController();
    return sampleBox(problem, point, axes, problem.train, { ...settings, signal: stop.signal, onProgress: (done) => { if (done >= after) stop.abort(); } });
  };

  test('says by what conventions it was made, in plain JSON', async () => {
    const record = await sampleBox(problem, point, axes, problem.train, settings);
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    expect(record).toMatchObject({
      format: 'thalweg landscape', version: 1, problem: 'tiny classification', batchNorm: { mode: 'absent' }, examples: 30, chunk: 11, precision: 'float64', executor: 'reference', distributed: true,
      axes: [{ kind: 'random Gaussian', seed: 4, normalization: 'filter', biases: 'zero' }, { kind: 'random Gaussian', seed: 4 }],
    });
    expect(record.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(record.cosines[0][0]).toBe(1);
    expect(record.cosines[0][1]).toBe(record.cosines[1][0]);
    expect(landscapeProgress(record)).toEqual({ finished: 15, masked: 0, total: 15 });
  });

  test('that was interrupted, even twice and through JSON, continues to the same bits', async () => {
    const whole = await sampleBox(problem, point, axes, problem.train, settings);
    let part = await interrupted(4);
    expect(landscapeProgress(part)).toEqual({ finished: 4, masked: 0, total: 15 });
    expect(metricGrid(part, 'loss').values.slice(4).every((value) => value === null)).toBe(true);
    const seen: number[] = [];
    const stop = new AbortController();
    part = await sampleBox(problem, point, axes, problem.train, { ...settings, resume: JSON.parse(JSON.stringify(part)) as LandscapeRecord, signal: stop.signal, onProgress: (done) => { seen.push(done); if (done === 9) stop.abort(); } });
    expect(seen).toEqual([5, 6, 7, 8, 9]);
    const rest = await sampleBox(problem, point, axes, problem.train, { ...settings, resume: part });
    expect(timeless(rest)).toEqual(timeless(whole));
    // A finished record costs nothing more.
    expect(timeless(await sampleBox(problem, point, axes, problem.train, { ...settings, resume: rest, onProgress: () => { throw new Error('evaluated again'); } }))).toEqual(timeless(whole));
  });

  test('that was stopped before the first cell can be continued', async () => {
    const part = await sampleBox(problem, point, axes, problem.train, { ...settings, signal: AbortSignal.abort() });
    expect(landscapeProgress(part).finished).toBe(0);
    const rest = await sampleBox(problem, point, axes, problem.train, { ...settings, resume: part });
    expect(timeless(rest)).toEqual(timeless(await sampleBox(problem, point, axes, problem.train, settings)));
  });

  test('is refused by another box, and says what differs', async () => {
    const part = await interrupted(4);
    const resume = (change: { problem?: typeof problem; point?: typeof point; axes?: typeof axes; options?: BoxOptions }) =>
      sampleBox(change.problem ?? problem, change.point ?? point, change.axes ?? axes, (change.problem ?? problem).train, { ...settings, ...change.options, resume: part });
    await expect(resume({ options: { ranges: { radius: 1, points: 3 } } })).rejects.toThrow(/its coordinates must be/);
    await expect(resume({ axes: randomAxes<Layers>(point.params, { seed: 5 }) })).rejects.toThrow(/its axes must be/);
    await expect(resume({ point: { ...point, params: moved(point.params, axes, [1e-9, 0]) } })).rejects.toThrow(/its fingerprint must be/);
    await expect(resume({ problem: { ...problem, train: { ...problem.train, targets: new NDArray(problem.train.targets.data.map((x) => (x + 1) % 3), [30], 'int32') } } })).rejects.toThrow(/its fingerprint must be/);
    await expect(resume({ problem: { ...problem, loss: (outputs, targets) => mul(problem.loss(outputs, targets), 2) } })).rejects.toThrow(/its fingerprint must be/);
    await expect(resume({ options: { metrics: [lossMetric, accuracyMetric] } })).rejects.toThrow(/its (cells|fingerprint|metrics) must be/);
    await expect(resume({ options: { chunk: 7 } })).rejects.toThrow(/its chunk must be 7, got 11/);
  });

  test('keeps cells masked where the loss is not finite: null in JSON, NaN in rows', async () => {
    const record = await sampleBox(bowl, pointAt(1, 0), [yAxis], bowl.train, { ...options, ranges: [[-1e200, -1, 0, 1, 1e200]], metrics: [lossMetric, gradientNormMetric, eigenvalueMetric('largest')] });
    expect(metricGrid(record, 'loss').values).toEqual([null, 11, 1, 11, null]);
    expect(planeRows(record, 'loss')).toEqual([[NaN, 11, 1, 11, NaN]]);
    for (const { values, errors } of record.metrics) expect([values[0], errors[0], values[4]]).toEqual([null, null, null]);
    metricGrid(record, 'largest eigenvalue').values.slice(1, 4).forEach((value) => expect(value).toBeCloseTo(20, 9));
    expect(landscapeProgress(record)).toEqual({ finished: 5, masked: 2, total: 5 });
    expect(measurementAt(record, 'loss', [0])).toBeNull();
  });
});

test('a scan leaves the model as it was, also when it fails', async () => {
  const problem = tinyRegression(20);
  const point = problem.model.init(key(0));
  const axes = randomAxes<Layers>(point.params, { seed: 0 });
  const before = bytesOf([point.params, axes.map(({ direction }) => direction)]);
  await sampleBox(problem, point, axes, problem.train, { ...options, ranges: { radius: 1, points: 3 } });
  expect(bytesOf([point.params, axes.map(({ direction }) => direction)])).toEqual(before);
  await expect(sampleBox(problem, point, axes, problem.train, { ...options, onProgress: () => { throw new Error('stop here'); } })).rejects.toThrow('stop here');
  expect(bytesOf([point.params, axes.map(({ direction }) => direction)])).toEqual(before);
  await expect(sampleBox(problem, point, [], problem.train, options)).rejects.toThrow(/at least one direction/);
  await expect(sampleBox(problem, point, axes, problem.train, { ...options, ranges: [{ radius: 1, points: 3 }] })).rejects.toThrow(/one for each of 2, got 1/);
});
