import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { solve, svd, symmetricEigen } from '../linalg/index.ts';
import { crossEntropy, meanSquaredError } from '../losses/index.ts';
import { add, conv as convolve, matmul, mean, mul, reshape, square, tanh } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { tinyClassification, tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, normal, randint, split } from '../util/random/index.ts';
import { difference, largest, singlePrecision } from './dense-oracles.test-helper.ts';
import { fisher } from './fisher.ts';
import { kfac, type KroneckerFactors } from './kfac.ts';
import { kfoc } from './kfoc.ts';
import { denseMatrix } from './operator.ts';

const executor = referenceExecutor;
const classification = { ...tinyClassification(8), loss: crossEntropy } as Problem<never>;
const regression = { ...tinyRegression(8), loss: meanSquaredError } as Problem<never>;

/** A convolution at several places, then a dense layer. */
const image = ((): Problem<never> => {
  const draw = (name: string, shape: number[]): NDArray => array(normal(split(key(11), name), shape, { dtype: 'float64', deviation: 0.6 }), shape, 'float64');
  const params = { k: draw('k', [2, 1, 2, 2]), kb: draw('kb', [2]), w: draw('w', [8, 3]), b: draw('b', [3]) };
  return {
    name: 'image', loss: crossEntropy,
    train: { inputs: array(normal(key(12), [5, 1, 3, 3]), [5, 1, 3, 3]), targets: new NDArray(randint(key(13), [5], { high: 3 }), [5], 'int32'), size: 5 },
    model: {
      name: 'image', init: () => ({ params, state: {} }),
      apply: ({ k, kb, w, b }: { k: Tensor; kb: Tensor; w: Tensor; b: Tensor }, x: Tensor) =>
        ({ outputs: add(matmul(reshape(tanh(add(convolve(x, k), reshape(kb, [1, 2, 1, 1]))), [x.shape[0], 8]), w), b), state: {} }),
    },
  } as unknown as Problem<never>;
})();

/** A block of a dense matrix [size, size], its coordinates in the order of the block. */
const blockOf = (matrix: Float64Array, { positions }: KroneckerFactors): Float64Array => {
  const size = Math.sqrt(matrix.length);
  return Float64Array.from({ length: positions.length ** 2 }, (_, at) => matrix[positions[Math.floor(at / positions.length)] * size + positions[at % positions.length]]);
};

const distance = (a: Float64Array, b: Float64Array): number => Math.hypot(...a.map((x, i) => x - b[i]));

/** Singular values of the block rearranged so that a Kronecker product has rank one: [(i, j), (o, p)]. */
function rearrangedSingularValues(block: Float64Array, inputs: number, outputs: number): Float64Array {
  const size = inputs * outputs;
  const rearranged = new Float64Array(size * size);
  for (let i = 0; i < inputs; i++) for (let j = 0; j < inputs; j++) for (let o = 0; o < outputs; o++) for (let p = 0; p < outputs; p++) {
    rearranged[(i * inputs + j) * outputs ** 2 + o * outputs + p] = block[(i * outputs + o) * size + j * outputs + p];
  }
  return svd(rearranged, inputs ** 2, outputs ** 2).values;
}

describe('the nearest Kronecker product', () => {
  test.each([['exact', classification], ['empirical', classification], ['monte-carlo', classification], ['empirical', regression], ['exact', image], ['empirical', image]] as [string, Problem<never>][])(
    'to each block of the %s Fisher: as far as the singular values left out, and never farther than KFAC ($1.name)', async (kind, problem) => {
      const point = problem.model.init(key(0));
      const options = { executor, kind: kind as 'exact', draws: 2 };
      const [plain, best] = [await kfac(problem, point, options), await kfoc(problem, point, options)];
      const [truth, near, far] = [await denseMatrix(fisher(problem, point, options)), await denseMatrix(best.operator), await denseMatrix(plain.operator)];
      expect(best.converged).toBe(true);
      best.factors.forEach((block, i) => {
        const values = rearrangedSingularValues(blockOf(truth, block), block.inputs, block.outputs);
        const optimal = Math.hypot(...values.subarray(1));
        const [ours, kfacs] = [near, far].map((matrix) => distance(blockOf(matrix, block), blockOf(truth, block)));
        expect(ours).toBeCloseTo(optimal, 9);
        expect(best.norms[i]).toBeCloseTo(values[0], 9);
        expect(ours).toBeLessThanOrEqual(kfacs);
        expect(optimal).toBeGreaterThan(1e-3);
        expect(kfacs - ours).toBeGreaterThan(1e-6);
      });
    });

  test('one iteration is no farther than KFAC already, and says that it has not converged', async () => {
    const point = image.model.init(key(0));
    const [plain, once] = [await kfac(image, point, { executor }), await kfoc(image, point, { executor, maxIterations: 1 })];
    expect([once.iterations, once.converged]).toEqual([1, false]);
    const truth = await denseMatrix(fisher(image, point, { executor }));
    const [far, near] = [await denseMatrix(plain.operator), await denseMatrix(once.operator)];
    for (const block of once.factors) expect(distance(blockOf(near, block), blockOf(truth, block))).toBeLessThan(distance(blockOf(far, block), blockOf(truth, block)));
  });

  test('one example: the block itself', async () => {
    const point = classification.model.init(key(0));
    const { operator, factors } = await kfoc(classification, point, { executor, samples: 1 });
    const [truth, dense] = [await denseMatrix(fisher(classification, point, { executor, samples: 1 })), await denseMatrix(operator)];
    for (const block of factors) {
      expect(largest(blockOf(truth, block))).toBeGreaterThan(0.01);
      expect(difference(blockOf(dense, block), blockOf(truth, block))).toBeLessThan(1e-12);
    }
  });
});

describe('factors', () => {
  test.each([classification, image])('are symmetric and positive semi-definite, with KFAC\'s trace of the inputs ($name)', async (problem) => {
    const point = problem.model.init(key(0));
    const [plain, { factors }] = [await kfac(problem, point, { executor }), await kfoc(problem, point, { executor, kind: 'empirical' })];
    const trace = (matrix: Float64Array, n: number): number => matrix.reduce((sum, x, at) => (at % (n + 1) === 0 ? sum + x : sum), 0);
    factors.forEach(({ inputFactor, outputFactor, inputs, outputs }, i) => {
      for (const [matrix, n] of [[inputFactor, inputs], [outputFactor, outputs]] as const) {
        matrix.forEach((x, at) => { expect(x).toBe(matrix[(at % n) * n + Math.floor(at / n)]); });
        expect(Math.min(...symmetricEigen(matrix, n).values)).toBeGreaterThan(-1e-14 * largest(matrix) * n);
      }
      expect(trace(inputFactor, inputs)).toBeCloseTo(trace(plain.factors[i].inputFactor, inputs), 10);
    });
  });

  test('are the same bits again, and in chunks the same to rounding', async () => {
    const point = image.model.init(key(0));
    const options = { executor, kind: 'monte-carlo', draws: 2 } as const;
    const [a, b, cut] = [await kfoc(image, point, options), await kfoc(image, point, options), await kfoc(image, point, { ...options, chunk: 2 })];
    const all = (made: typeof a): Float64Array => Float64Array.from(made.factors.flatMap(({ inputFactor, outputFactor }) => [...inputFactor, ...outputFactor]));
    expect(all(b)).toEqual(all(a));
    expect(difference(all(cut), all(a))).toBeLessThan(1e-9);
  });

  test('of slopes that are all zero are zero', async () => {
    const at = regression.model.init(key(0));
    const zero = { ...regression, loss: (o: Tensor) => mul(mean(square(o), 1), 0) } as Problem<never>;
    const { operator, norms } = await kfoc(zero, at, { executor, kind: 'empirical' });
    expect(norms.every((x) => x === 0)).toBe(true);
    expect((await denseMatrix(operator)).every((x) => x === 0)).toBe(true);
  });

  test('in float32 on ONNX Runtime agree to single precision', async () => {
    const point = image.model.init(key(0));
    const [exact, single] = [await kfoc(image, point, { executor }), await kfoc(image, { params: singlePrecision(point.params), state: {} } as never, { chunk: 2 })];
    const [a, b] = [await denseMatrix(exact.operator), await denseMatrix(single.operator)];
    expect(single.converged).toBe(true);
    expect(difference(a, b)).toBeLessThan(1e-4 * largest(a));
  });
});

test('the inverse is that of the damped matrix; arguments are checked', async () => {
  const point = classification.model.init(key(0));
  const made = await kfoc(classification, point, { executor });
  const damped = (await denseMatrix(made.operator)).map((x, at) => (at % 32 === 0 ? x + 0.01 : x));
  const vector = normal(key(2), 31, { dtype: 'float64' });
  expect(difference((await made.inverse({ damping: 0.01 }).multiply([vector]))[0], solve(damped, 31, vector))).toBeLessThan(1e-9);
  await expect(kfoc(classification, point, { executor, maxIterations: 0 })).rejects.toThrow(ArgumentError);
  await expect(kfoc(classification, point, { executor, tolerance: -1 })).rejects.toThrow(ArgumentError);
  await expect(kfoc(classification, point, { executor, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
});
