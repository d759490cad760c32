import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { array, NDArray } from '../../core/ndarray.ts';
import { svd } from '../../linalg/index.ts';
import { key, normal, split } from '../../util/random/index.ts';
import { analyzeWeights, weightsOf, type WeightLayer } from './analyze.ts';
import { weightMatrices, weightWatcherMatrices } from './matrices.ts';
import { summarizeWeights } from './summary.ts';

const draw = (name: string, shape: readonly number[], scale = 1): NDArray => array(normal(split(key(1), name), shape, { dtype: 'float64' }).map((x) => scale * x), shape, 'float64');
const transposed = ({ data, shape: [rows, columns] }: NDArray): NDArray => array(Float64Array.from({ length: data.length }, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)]), [columns, rows], 'float64');
const squares = (matrix: NDArray): number[] => [...svd(Float64Array.from(matrix.data), matrix.shape[0], matrix.shape[1]).values].map((x) => x * x).sort((a, b) => a - b);
const eigenvaluesOf = (layers: readonly WeightLayer[], name: string): number[] => [...layers.find((layer) => layer.name === name)!.spectrum.eigenvalues];
function expectClose(received: readonly number[], expected: readonly number[]): void {
  expect(received).toHaveLength(expected.length);
  received.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-12 * expected[expected.length - 1]));
}

describe('analyzeWeights', () => {
  test('[outputs, inputs] and [inputs, outputs] alike: the squared singular values', async () => {
    const weight = draw('w', [40, 25]);
    const { layers } = await analyzeWeights(weightsOf({ a: weight, b: transposed(weight) }));
    expectClose(eigenvaluesOf(layers, 'a'), squares(weight));
    expectClose(eigenvaluesOf(layers, 'b'), squares(weight));
    expect(layers.map(({ rows, columns }) => [rows, columns])).toEqual([[40, 25], [40, 25]]);
  });

  test('large products on the backend agree with the ones here', async () => {
    const weight = draw('big', [330, 260]);
    const { layers } = await analyzeWeights(weightsOf({ tall: weight, wide: transposed(weight) }));
    expectClose(eigenvaluesOf(layers, 'tall'), squares(weight));
    expectClose(eigenvaluesOf(layers, 'wide'), squares(weight));
  });

  test('convolutions: reshaped as one matrix, and slices pooled', async () => {
    const kernel = draw('k', [12, 11, 2, 3]);
    const slice = (at: number): NDArray => array(Float64Array.from({ length: 132 }, (_, i) => kernel.data[i * 6 + at]), [12, 11], 'float64');
    const { layers } = await analyzeWeights(weightsOf({ conv: kernel }));
    expect(layers.map(({ name, form }) => [name, form])).toEqual([['conv', 'reshaped'], ['conv [slices]', 'slices']]);
    expectClose(eigenvaluesOf(layers, 'conv'), squares(array(kernel.data, [12, 66], 'float64')));
    const pooled = [0, 1, 2, 3, 4, 5].flatMap((at) => squares(slice(at))).sort((a, b) => a - b);
    expectClose(eigenvaluesOf(layers, 'conv [slices]'), pooled);
    // WeightWatcher halves the eigenvalues of pooled slices, and multiplies those of single ones by half the number of slices.
    const theirs = await analyzeWeights(weightsOf({ conv: kernel }), weightWatcherMatrices);
    expectClose(eigenvaluesOf(theirs.layers, 'conv [slices]'), pooled.map((x) => x / 2));
    const single = await analyzeWeights(weightsOf({ conv: kernel }), { convolutions: ['each slice'], scaleSlices: true });
    expectClose(eigenvaluesOf(single.layers, 'conv [slice 4]'), squares(slice(4)).map((x) => 3 * x));
  });

  test('skips with reasons, before anything is read', async () => {
    const read: string[] = [];
    const source = weightsOf({ tiny: draw('t', [4, 30]), bias: draw('b', [30]), scalar: draw('s', []), ids: array([1, 2, 3, 4], [2, 2], 'int32'), long: draw('l', [60, 12]), zero: array(new Float64Array(400), [20, 20], 'float64'), nan: array(new Float64Array(400).fill(NaN), [20, 20], 'float64'), good: draw('g', [15, 15]) });
    const { layers, skipped, vectors } = await analyzeWeights({ tensors: source.tensors, read: (name) => { read.push(name); return source.read(name); } }, { maxRows: 50 });
    expect(layers.map(({ name }) => name)).toEqual(['good']);
    expect(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))).toEqual({
      tiny: 'fewer than 10 eigenvalues: 4', ids: 'elements are int32, not floating-point numbers', long: 'more than 50 rows: 60', zero: 'all elements are zero', nan: 'an element is NaN',
    });
    expect(vectors).toBe(2);
    expect(read.sort()).toEqual(['good', 'nan', 'zero']);
    expect((await analyzeWeights(source, { maxEigenvalues: 11, layers: (name) => name === 'long' })).skipped).toEqual([{ name: 'long', shape: [60, 12], reason: 'more than 11 eigenvalues: 12' }]);
  });

  test('an orthogonal matrix has no tail, though its eigenvalues differ by rounding', async () => {
    const { layers: [layer] } = await analyzeWeights(weightsOf({ q: array(svd(Float64Array.from(draw('q', [40, 40]).data), 40, 40).u, [40, 40], 'float64') }));
    expect(layer.tail).toEqual({ status: 'no fit', fingers: 0, alternatives: [] });
    expect(layer.alphaNorms).toBeUndefined();
  });

  test('the same key gives the same bits, layers do not depend on their neighbours', async () => {
    const parameters = { a: draw('a', [30, 20]), b: draw('b', [25, 20]) };
    const options = { randomize: true, bootstrap: 5, key: key(3), executor: referenceExecutor };
    const strip = (layers: readonly WeightLayer[]): unknown => layers.map((layer) => ({ ...layer, seconds: 0 }));
    const whole = strip((await analyzeWeights(weightsOf(parameters), options)).layers) as unknown[];
    expect(strip((await analyzeWeights(weightsOf(parameters), options)).layers)).toEqual(whole);
    expect(strip((await analyzeWeights(weightsOf({ b: parameters.b }), options)).layers)).toEqual([whole[1]]);
  });

  test('a shuffled layer of noise is like itself, a structured one is not', async () => {
    const [left, right] = [draw('u', [80, 1]), draw('v', [60, 1])];
    const structured = array(draw('n', [80, 60]).data.map((x, at) => x + left.data[Math.floor(at / 60)] * right.data[at % 60]), [80, 60], 'float64');
    const { layers: [noise, spiked] } = await analyzeWeights(weightsOf({ noise: draw('n', [80, 60]), spiked: structured }), { randomize: true });
    expect(noise.randomised!.distance).toBeLessThan(0.05);
    expect(Math.abs(noise.randomised!.softRank - 1)).toBeLessThan(0.15);
    expect(spiked.randomised!.beyond).toBe(1);
    expect(spiked.randomised!.softRank).toBeLessThan(0.3);
    expect(spiked.randomised!.distance).toBeGreaterThan(noise.randomised!.distance);
  });

  test('a signal ends it with what there is; progress ends at the total', async () => {
    const parameters = { a: draw('a', [30, 20]), b: draw('b', [25, 20]) };
    const seen: number[] = [];
    const { aborted } = await analyzeWeights(weightsOf(parameters), { onProgress: ({ done, total }) => { seen.push(done / total); } });
    expect(aborted).toBe(false);
    expect(seen.at(-1)).toBe(1);
    expect(seen.every((x, i) => x >= (seen[i - 1] ?? 0))).toBe(true);
    const stop = new AbortController();
    const partial = await analyzeWeights(weightsOf(parameters), { signal: stop.signal, onProgress: ({ layer }) => { if (layer === 1) stop.abort(); } });
    expect([partial.aborted, partial.layers.map(({ name }) => name)]).toEqual([true, ['a']]);
  });
});

describe('summarizeWeights', () => {
  /** Singular values that are given: diagonal matrices. */
  const diagonal = (values: readonly number[]): NDArray => array(Float64Array.from({ length: values.length ** 2 }, (_, at) => (at % (values.length + 1) === 0 ? Math.sqrt(values[at / (values.length + 1)]) : 0)), [values.length, values.length], 'float64');
  const heavy = (gamma: number): NDArray => diagonal(Array.from({ length: 60 }, (_, k) => (1 - (k + 0.5) / 60) ** (-1 / gamma)));

  test('failed fits are counted and are in no mean: never an alpha of -1', async () => {
    const summary = summarizeWeights(await analyzeWeights(weightsOf({ a: heavy(1.5), b: heavy(2), flat: diagonal(Array.from({ length: 20 }, () => 1)) })));
    const fits = (await analyzeWeights(weightsOf({ a: heavy(1.5), b: heavy(2) }))).layers.map(({ tail }) => tail.alpha!.value);
    expect(summary.alpha).toBeCloseTo((fits[0] + fits[1]) / 2, 12);
    expect(summary.counts).toEqual({ fitted: 2, 'no fit': 1 });
    expect(summary.diagnosis).toMatch(/^Mean alpha 2\.\d\d ± 0\.\d\d over 2 of 3 layers: heavy tails in the range of well-trained models \(2 to 6\).*1 without a usable fit\.$/);
  });

  test('says what it sees', async () => {
    const say = async (parameters: unknown): Promise<string> => summarizeWeights(await analyzeWeights(weightsOf(parameters))).diagnosis;
    expect(await say({ a: draw('r', [200, 100]), b: draw('s', [150, 100]) })).toMatch(/2 of 2 layers look like random matrices/);
    expect(await say({ a: heavy(0.6) })).toMatch(/very heavy tails, as of over-trained layers/);
    expect(await say({ a: diagonal(Array.from({ length: 20 }, () => 1)) })).toMatch(/No layer has a tail/);
    expect(await say({ bias: draw('b', [10]) })).toBe('No weight matrices.');
    expect(await say({ a: draw('r', [3, 3]) })).toMatch(/all 1 matrices were skipped/);
  });

  test('a convolution counts once', async () => {
    const analysis = await analyzeWeights(weightsOf({ conv: draw('k', [24, 20, 3, 3]) }));
    expect(analysis.layers).toHaveLength(2);
    expect(summarizeWeights(analysis).stableRank).toBe(analysis.layers[0].norms.stableRank);
  });
});

test('vectors and scalars have no matrices', () => {
  expect([weightMatrices('b', [5]), weightMatrices('s', [])]).toEqual([[], []]);
});
