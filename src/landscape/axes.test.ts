import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../runtime/reference.ts';
import { array, NDArray } from '../core/ndarray.ts';
import { dot, norm } from '../curvature/basis.ts';
import { hessian, topEigenpairs } from '../curvature/index.ts';
import { mlp } from '../nn/index.ts';
import { evaluateGradient, ParameterSpace } from '../problem/index.ts';
import { tinyRegression } from '../problem/tiny-problems.test-helper.ts';
import { flatten, leaves, mapTree } from '../tree/index.ts';
import { key } from '../util/random/index.ts';
import { axisCosines, makeAxis, orthogonalAxes, treeHash, vectorOf } from './axes.ts';
import { eigenvectorAxes, gradientAxis, momentAxis } from './axes-curvature.ts';
import { groupAxes } from './axes-groups.ts';
import { axisBetween, planeThrough } from './axes-points.ts';
import { conventionalAxis, randomAxes } from './axes-random.ts';
import { randomPlane } from './directions.ts';
import { normalizeDirection, NORMALIZATIONS, type Normalization } from './normalization.ts';

const { params } = mlp({ sizes: [20, 30, 5] }).init(key(0));
const weights = { w: array([[3, 0.5], [4, 0], [0, 1.2]], undefined, 'float64'), b: array([2, -1], [2], 'float64') };
const drawn = { w: array([[1, 2], [2, 1], [2, 2]], undefined, 'float64'), b: array([0.5, 0.25], [2], 'float64') };
const values = (tree: unknown): number[][] => leaves<NDArray>(tree).map(({ data }) => [...data]);
const close = (received: readonly number[], wanted: readonly number[], digits = 12): void => {
  expect(received).toHaveLength(wanted.length);
  wanted.forEach((x, i) => expect(received[i]).toBeCloseTo(x, digits));
};

describe('normalisation', () => {
  // Columns of w have norms 5 and 1.3, of the direction 3 and 3; the tensors' norms are sqrt(26.69) and sqrt(18).
  const layer = Math.sqrt(26.69 / 18);
  const model = Math.sqrt((26.69 + 5) / 18);
  const expected: Record<Normalization, number[]> = {
    filter: [5 / 3, 2.6 / 3, 10 / 3, 1.3 / 3, 10 / 3, 2.6 / 3],
    layer: [1, 2, 2, 1, 2, 2].map((x) => x * layer),
    weight: [3, 1, 8, 0, 0, 2.4],
    model: [1, 2, 2, 1, 2, 2].map((x) => x * model),
    dfilter: [1, 2, 2, 1, 2, 2].map((x) => x / 3),
    dlayer: [1, 2, 2, 1, 2, 2].map((x) => x / Math.sqrt(18)),
    none: [1, 2, 2, 1, 2, 2],
  };

  test.each(NORMALIZATIONS)('%s, by hand, with biases left out', (normalization) => {
    const [b, w] = [1, 0].map((i) => values(normalizeDirection(drawn, weights, { normalization }))[i]);
    close(w, expected[normalization], 9);
    expect(b).toEqual([0, 0]);
  });

  test('adds the epsilon of Li et al. to the norm of a filter, and not to that of a tensor', () => {
    const small = { w: array([[3e-10], [4e-10]], undefined, 'float64') };
    const one = { w: array([[0], [1]], undefined, 'float64') };
    close(values(normalizeDirection(small, one, { normalization: 'filter' }))[0], [3 / 6, 4 / 6]);
    close(values(normalizeDirection(small, one, { normalization: 'layer' }))[0], [3 / 5, 4 / 5]);
  });

  test('copies biases, as their code does without biasbn, or keeps them as one filter', () => {
    expect(values(normalizeDirection(drawn, weights, { normalization: 'filter', biases: 'copy' }))[1]).toEqual([2, -1]);
    const kept = values(normalizeDirection(drawn, weights, { normalization: 'layer', biases: 'keep' }))[1];
    close(kept, [0.5, 0.25].map((x) => x * Math.sqrt(5 / 0.3125)), 12);
    expect(norm(vectorOf(normalizeDirection(drawn, weights, { normalization: 'model', biases: 'keep' })))).toBeCloseTo(norm(vectorOf(weights)), 12);
  });

  test('takes rows for filters where weights are stored [out, in]', () => {
    const rows = values(normalizeDirection(drawn, weights, { normalization: 'dfilter', filterAxis: () => 0 }))[0];
    close(rows, [1, 2, 2, 1, 2, 2].map((x, i) => x / [Math.sqrt(5), Math.sqrt(5), Math.sqrt(8)][Math.floor(i / 2)]), 9);
  });

  test('refuses unknown names', () => {
    expect(() => normalizeDirection(drawn, weights, { normalization: 'filters' as never })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: normalizeDirection: normalization must be one of filter, layer, weight, model, dfilter, dlayer, none, got 'filters'.]`);
  });
});

describe('random axes', () => {
  test('are those of randomPlane, and the first do not depend on how many there are', () => {
    const plane = randomPlane(params, 3).map(values);
    expect(randomAxes(params, { seed: 3 }).map(({ direction }) => values(direction))).toEqual(plane);
    expect(randomAxes(params, { seed: 3, count: 4 }).slice(0, 2).map(({ direction }) => values(direction))).toEqual(plane);
  });

  test.each(NORMALIZATIONS)('are nearly orthogonal: |cos| < 5 / sqrt(P), %s', (normalization) => {
    // Weights of one deviation a layer; the worst spread of sizes, of `weight`, leaves a third of the parameters effective.
    const size = vectorOf(params).length / (normalization === 'weight' ? 3 : 1);
    for (let seed = 0; seed < 5; seed++) {
      const cosines = axisCosines(randomAxes(params, { seed, normalization, count: 3 }));
      cosines.forEach((row, i) => row.forEach((c, j) => (i === j ? expect(c).toBe(1) : expect(Math.abs(c)).toBeLessThan(5 / Math.sqrt(size)))));
    }
  });

  test('say where they come from, with a hash of what they are', () => {
    const [x, y] = randomAxes(params, { seed: 7 });
    expect(x.provenance).toEqual({ kind: 'random Gaussian', seed: 7, normalization: 'filter', biases: 'zero', unit: '1 = every filter moved by its own norm', details: { stream: 0 }, norm: norm(vectorOf(x.direction)), hash: treeHash(x.direction) });
    expect(randomAxes(params, { seed: 7 })[0].provenance.hash).toBe(x.provenance.hash);
    expect(y.provenance.hash).not.toBe(x.provenance.hash);
    expect(randomAxes(params, { seed: 8 })[0].provenance.hash).not.toBe(x.provenance.hash);
    const changed = mapTree((a: NDArray) => new NDArray(a.data.slice(), a.shape, a.dtype), x.direction) as typeof x.direction;
    leaves<NDArray>(changed)[0].data[5] += 1e-3;
    expect(treeHash(changed)).not.toBe(x.provenance.hash);
  });

  test('are made orthogonal on request, at their own lengths', () => {
    const tilted = [weights, { w: drawn.w, b: weights.b }, drawn].map((direction) => makeAxis(direction));
    const axes = orthogonalAxes(tilted);
    const cosines = axisCosines(axes);
    expect(Math.abs(axisCosines(tilted)[0][1])).toBeGreaterThan(0.1);
    for (let i = 0; i < 3; i++) for (let j = 0; j < i; j++) expect(Math.abs(cosines[i][j])).toBeLessThan(1e-14);
    axes.forEach(({ provenance }, i) => expect(provenance.norm).toBeCloseTo(tilted[i].provenance.norm, 12));
    expect(axes[2].provenance.details).toEqual({ orthogonalised: true });
    expect(() => orthogonalAxes([tilted[0], tilted[0]])).toThrow(/linearly independent/);
    expect(() => orthogonalAxes([makeAxis<unknown, unknown>(weights, undefined, { mean: weights.b }) as never])).toThrow(/move no batch statistics/);
  });
});

describe('scales of other programs', () => {
  const [axis] = randomAxes(params, { seed: 1, normalization: 'none', biases: 'keep', count: 1 });
  const length = norm(vectorOf(params));
  const own = axis.provenance.norm;

  test('a step is as long as theirs, counted from where they start', () => {
    const mdb = conventionalAxis(axis, params, 'loss-landscapes', { steps: 6, distance: 2 });
    expect(mdb.axis.provenance.norm / ((length * 2) / 6)).toBeCloseTo(1, 6);
    expect(mdb.coordinates).toEqual([-3, -2, -1, 0, 1, 2]);
    const lla = conventionalAxis(axis, params, 'loss-landscape-analysis', { steps: 6, distance: 2 });
    expect(lla.axis.provenance.norm / ((own * 2) / 6)).toBeCloseTo(1, 6);
    const ls = conventionalAxis(axis, params, 'landscaper');
    expect(ls.axis.provenance.norm / ((length * 0.01) / 20.5)).toBeCloseTo(1, 6);
    expect([ls.coordinates.length, ls.coordinates[0], ls.coordinates[20], ls.coordinates[40]]).toEqual([41, -20, 0, 20]);
    const tg = conventionalAxis(axis, params, 'loss-landscape');
    expect(tg.axis.provenance.norm).toBe(own);
    expect([tg.coordinates.length, tg.coordinates[0], tg.coordinates[25], tg.coordinates[50]]).toEqual([51, -1, 0, 1]);
    expect(ls.axis.provenance.details).toEqual({ stream: 0, scale: 'landscaper', steps: 41, distance: 0.01 });
  });
});

describe('axes out of derivatives', () => {
  const problem = tinyRegression(30);
  const point = problem.model.init(key(0));
  const options = { executor: referenceExecutor };

  test('eigenvectors of both ends, in order, of length one, with their eigenvalues', async () => {
    const operator = hessian(problem, point, options);
    const pairs = await topEigenpairs(operator, { largest: 2, smallest: 1 });
    const axes = eigenvectorAxes(point.params, pairs);
    expect(axes.map(({ provenance }) => [provenance.details!.end, provenance.details!.rank])).toEqual([['largest', 1], ['largest', 2], ['smallest', 1]]);
    for (const { direction, provenance } of axes) {
      const v = vectorOf(direction);
      const [image] = await operator.multiply([v]);
      const value = provenance.details!.eigenvalue as number;
      expect(norm(image.map((x, i) => x - value * v[i]))).toBeLessThan(1e-9 * Math.abs(pairs.largest[0].value));
      expect(provenance.norm).toBeCloseTo(1, 12);
    }
    expect(eigenvectorAxes(point.params, pairs, { largest: 1, smallest: 1 }).map(({ provenance }) => provenance.details!.end)).toEqual(['largest', 'smallest']);
    expect(() => eigenvectorAxes(point.params, pairs, { smallest: 2 })).toThrow(/smallest must be an integer from 0 to 1/);
    await operator.dispose();
  });

  test('those of a block leave the other parameters where they are', async () => {
    const operator = hessian(problem, point, { ...options, parameters: 'layers.1' });
    const [axis] = eigenvectorAxes(point.params, await topEigenpairs(operator, { largest: 1 }), { space: operator.space });
    const { leaves: parts, structure } = flatten<NDArray>(axis.direction);
    structure.paths.forEach((path, i) => expect(parts[i].data.some((x) => x !== 0), path).toBe(path.startsWith('layers.1')));
    await operator.dispose();
  });

  test('the gradient points uphill', async () => {
    const gradient = await evaluateGradient(problem, point, problem.train, options);
    const axis = gradientAxis(point.params, gradient);
    expect(dot(vectorOf(axis.direction), gradient.gradient)).toBeCloseTo(norm(gradient.gradient), 12);
    expect(() => gradientAxis(point.params, { ...gradient, gradient: new Float64Array(gradient.gradient.length) })).toThrow(/finite and not zero/);
  });

  test("moments: Adam's direction is m / (sqrt(v) + epsilon)", () => {
    const second = { w: array([[4, 16], [1, 1], [1, 4]], undefined, 'float64'), b: array([1, 1], [2], 'float64') };
    const axis = momentAxis(weights, drawn, { second, epsilon: 0 });
    const wanted = [0.5, 0.25, 0.5, 0.5, 2, 1, 2, 1]; // b before w
    const order = flatten(weights).structure.paths[0] === 'b' ? wanted : [0.5, 0.5, 2, 1, 2, 1, 0.5, 0.25];
    close([...vectorOf(axis.direction)], order.map((x) => x / Math.hypot(...order)));
    expect(momentAxis(weights, drawn, { normalization: 'layer' }).provenance).toMatchObject({ kind: 'optimizer moment', normalization: 'layer', biases: 'keep', details: { moment: 'first moment' } });
  });
});

describe('axes through points', () => {
  const pointOf = (x: number, y: number, z: number, mean = 0) => ({ params: { w: array([x, y, z], [3], 'float64') }, state: { mean: array([mean], [1], 'float64') } });
  const at = (origin: { params: unknown; state: unknown }, axes: readonly { direction: unknown; state?: unknown }[], c: readonly number[], what: 'params' | 'state'): number[] => {
    const sum = vectorOf(origin[what]).slice();
    axes.forEach((axis, i) => vectorOf(what === 'params' ? axis.direction : axis.state).forEach((x, j) => { sum[j] += c[i] * x; }));
    return [...sum];
  };

  test('a line goes from 0 to 1, with the statistics', () => {
    const [a, b] = [pointOf(1, 2, 3, 5), pointOf(2, 4, 3, 9)];
    const { origin, axes, coordinates } = axisBetween(a, b);
    expect(coordinates).toEqual([[0], [1]]);
    expect(at(origin, axes, [1], 'params')).toEqual([2, 4, 3]);
    expect(at(origin, axes, [0.5], 'state')).toEqual([7]);
    expect(() => axisBetween(a, a)).toThrow(/span the axes/);
  });

  test('a plane passes through its three points, to scale and at right angles', () => {
    const points = [pointOf(1, 0, 0, 1), pointOf(4, 4, 0, 2), pointOf(1, 1, 7, -3)] as const;
    const { origin, axes, coordinates } = planeThrough([...points]);
    points.forEach((point, i) => {
      close(at(origin, axes, coordinates[i], 'params'), [...vectorOf(point.params)]);
      close(at(origin, axes, coordinates[i], 'state'), [...vectorOf(point.state)]);
    });
    const distance = (i: number, j: number): number => Math.hypot(...coordinates[i].map((x, k) => x - coordinates[j][k]));
    expect(distance(1, 2)).toBeCloseTo(Math.hypot(3, 3, 7), 12);
    expect(Math.abs(axisCosines(axes)[0][1])).toBeLessThan(1e-14);
    expect(coordinates[1]).toEqual([5, 0]);
    expect(() => planeThrough([points[0], points[1], pointOf(7, 8, 0)])).toThrow(/three points on a line/);
  });
});

describe('axes between groups', () => {
  const space = new ParameterSpace({ w: array([0, 0, 0, 0], [4], 'float64') });
  const at = (...x: number[]) => space.unflatten(Float64Array.from(x)) as { w: NDArray };

  test('weigh what tells groups apart against the spread within them', () => {
    // The means differ by (2, 2, 0, 0); the spread within is 3 along the first coordinate, 0.1 along the second.
    const groups = [[at(-4, -1, 0, 0), at(2, -1.1, 0, 0), at(-1, -0.95, 0, 0)], [at(-2, 1, 0, 0), at(4, 1.1, 0, 0), at(1, 0.95, 0, 0)]];
    const [plain] = groupAxes(groups, { shrinkage: 0 });
    const direction = vectorOf(plain.direction);
    expect(Math.abs(direction[1])).toBeGreaterThan(0.99);
    expect([direction[2], direction[3]].map(Math.abs).every((x) => x < 1e-12)).toBe(true);
    // Closed form of two groups: W^-1 (m2 - m1), W the pooled covariance in the plane of the first two coordinates.
    const within = groups.flatMap((group) => {
      const mean = [0, 1].map((i) => group.reduce((sum, { w }) => sum + w.data[i] / group.length, 0));
      return group.map(({ w }) => [w.data[0] - mean[0], w.data[1] - mean[1]]);
    });
    const [a, b, c] = [[0, 0], [0, 1], [1, 1]].map(([i, j]) => within.reduce((sum, x) => sum + x[i] * x[j], 0));
    const mean = (group: { w: NDArray }[], i: number): number => group.reduce((sum, { w }) => sum + w.data[i] / group.length, 0);
    const [dx, dy] = [0, 1].map((i) => mean(groups[1], i) - mean(groups[0], i));
    const fisher = [c * dx - b * dy, a * dy - b * dx];
    expect(Math.abs(direction[0] * fisher[1] - direction[1] * fisher[0]) / Math.hypot(...fisher)).toBeLessThan(1e-6);
  });

  test('of single points are those of their differences', () => {
    const axes = groupAxes([[at(0, 0, 0, 0)], [at(0, 0, 3, 0)], [at(0, 1, 0, 0)]], { count: 2 });
    axes.forEach(({ direction }) => { const v = vectorOf(direction); expect(Math.hypot(v[0], v[3])).toBeLessThan(1e-12); });
    expect(() => groupAxes([[at(1, 1, 1, 1)], [at(1, 1, 1, 1)]])).toThrow(/points that differ/);
    expect(() => groupAxes([[at(1, 1, 1, 1)]])).toThrow(/at least two groups/);
  });
});
