import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choice, key, permutation } from '../../util/random/index.ts';
import { levelOrder, mergeTree, simplify, type MergeTree } from './merge-tree.ts';
import { edgeGraph, gabrielGraph, gridGraph, planeGrid, type Connectivity } from './neighbours.ts';
import { persistenceDiagram } from './persistence.ts';
import { bruteDiagram, randomValues, range, sampled, sorted } from './topology.test-helper.ts';

const diagram = (tree: MergeTree) => sorted(persistenceDiagram(tree));
const edgesOf = (graph: ReturnType<typeof gridGraph>): string[] => {
  const edges: string[] = [];
  for (let i = 0; i < graph.size; i++) graph.each(i, (j) => { if (i < j) edges.push(`${i}-${j}`); });
  return edges.sort();
};

describe('neighbours', () => {
  test('of a grid: counts, symmetry and distances', () => {
    for (const [connectivity, inner] of [['full', [8, 26]], ['axis', [4, 6]], ['simplicial', [6, 14]]] as const) {
      for (const [i, shape] of [[3, 3], [3, 3, 3]].entries()) {
        const graph = gridGraph(shape, { connectivity });
        const seen: number[] = [];
        graph.each((graph.size - 1) / 2, (j) => seen.push(j));
        expect(new Set(seen).size).toBe(inner[i]);
        for (let v = 0; v < graph.size; v++) graph.each(v, (j) => { let back = 0; graph.each(j, (k) => { if (k === v) back++; }); expect(back).toBe(1); });
      }
    }
    const distances: number[] = [];
    gridGraph([2, 2], { spacing: [3, 4] }).each(0, (j, distance) => { distances[j] = distance; });
    expect(distances).toEqual([undefined, 4, 3, 5].map((x) => x as number));
  });

  test('the Gabriel graph of a regular grid is the full grid with ties kept and the axis grid with ties dropped', () => {
    for (const shape of [[3, 4], [3, 3, 2]]) {
      const points = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => shape.map((extent, axis) => Math.floor(i / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % extent));
      expect(edgesOf(gabrielGraph(points))).toEqual(edgesOf(gridGraph(shape, { connectivity: 'full' })));
      expect(edgesOf(gabrielGraph(points, { ties: 'drop' }))).toEqual(edgesOf(gridGraph(shape, { connectivity: 'axis' })));
    }
  });

  test('the Gabriel graph in general position against midpoint balls', () => {
    const points = Array.from({ length: 25 }, (_, i) => Array.from(randomValues(i, 3)));
    const expected: string[] = [];
    points.forEach((a, i) => points.forEach((b, j) => {
      const middle = a.map((x, k) => (x + b[k]) / 2);
      const distance = (c: number[]): number => Math.hypot(...c.map((x, k) => x - middle[k]));
      if (i < j && points.every((c, k) => k === i || k === j || distance(c) > distance(a))) expected.push(`${i}-${j}`);
    }));
    expect(edgesOf(gabrielGraph(points))).toEqual(expected.sort());
  });

  test('a plane keeps its axes: rows are y, columns x', () => {
    const plane = { x: [0, 1, 2], y: [0, 5], samples: [0, 1].map((row) => [0, 1, 2].map((column) => ({ loss: 10 * row + column, standardError: 0, accuracy: 0 }))) };
    const { values, graph, shape } = planeGrid(plane, 'axis');
    expect([...values]).toEqual([0, 1, 2, 10, 11, 12]);
    expect(shape).toEqual([2, 3]);
    const found: [number, number][] = [];
    graph.each(1, (j, distance) => found.push([j, distance]));
    expect(found.sort((a, b) => a[0] - b[0])).toEqual([[0, 1], [2, 1], [4, 5]]);
  });

  test('refuse what does not fit', () => {
    expect(() => gridGraph([])).toThrow('at least one axis');
    expect(() => gridGraph([2, 0])).toThrow('shape[1]');
    expect(() => gridGraph([2, 2], { connectivity: 'diagonal' as Connectivity })).toThrow('connectivity');
    expect(() => edgeGraph(3, [[0, 3]])).toThrow('ends of an edge');
    expect(() => edgeGraph(3, [[1, 1]])).toThrow('two vertices');
  });
});

describe('merge tree', () => {
  test('two wells with a saddle of known height', () => {
    // (x^2 - 1)^2 + 0.3 x + y^2: wells near -1 and 1, a saddle near 0.0377 between them.
    const f = (y: number, x: number): number => (x * x - 1) ** 2 + 0.3 * x + y * y;
    const axis = range(-1.5, 1.5, 301);
    const root = (from: number): number => { let x = from; for (let i = 0; i < 60; i++) x -= (4 * x ** 3 - 4 * x + 0.3) / (12 * x * x - 4); return x; };
    const [left, saddle, right] = [root(-1), root(0), root(1)].map((x) => f(0, x));
    for (const connectivity of ['full', 'axis', 'simplicial'] as const) {
      const tree = mergeTree(sampled(axis, axis, f), gridGraph([301, 301], { connectivity }));
      expect(tree.branches).toHaveLength(2);
      const [deep, shallow] = tree.branches;
      // Half a cell off, an extremum differs by half its curvature times 0.005^2.
      expect(deep.birth).toBeCloseTo(left, 3);
      expect(deep.death).toBe(Infinity);
      expect(shallow.birth).toBeCloseTo(right, 3);
      expect(shallow.death).toBeCloseTo(saddle, 3);
      expect(deep.last?.value).toBe(tree.range[1]);
      expect(tree.nodes.map(({ kind }) => kind)).toEqual(['leaf', 'leaf', 'saddle', 'root']);
      expect(tree.nodes.map(({ parent }) => parent)).toEqual([2, 2, 3, -1]);
    }
  });

  test.each(['full', 'axis', 'simplicial'] as const)('agrees with the components at every level (%s)', (connectivity) => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.constantFrom(undefined, 3, 1), (seed, rows, columns, levels) => {
      const graph = gridGraph([rows, columns], { connectivity });
      const values = randomValues(seed, rows * columns, levels);
      const masked = levels === 1 ? values : values.map((x, i) => (i % 7 === seed % 7 && i > 0 ? NaN : x));
      expect(diagram(mergeTree(masked, graph))).toEqual(bruteDiagram(masked, graph));
    }), { numRuns: 120 });
  });

  test('agrees with the components in three dimensions and on a point cloud', () => {
    for (let seed = 0; seed < 8; seed++) {
      const cube = gridGraph([4, 3, 4]);
      expect(diagram(mergeTree(randomValues(seed, 48), cube))).toEqual(bruteDiagram(randomValues(seed, 48), cube));
      const cloud = gabrielGraph(Array.from({ length: 40 }, (_, i) => randomValues(100 * seed + i, 2)));
      expect(diagram(mergeTree(randomValues(seed, 40), cloud))).toEqual(bruteDiagram(randomValues(seed, 40), cloud));
    }
  });

  test('a superlevel tree is the sublevel tree of the negative, with its levels turned', () => {
    for (let seed = 0; seed < 10; seed++) {
      const graph = gridGraph([6, 7]);
      const values = randomValues(seed, 42, seed % 2 === 0 ? 4 : undefined);
      const above = mergeTree(values, graph, { direction: 'superlevel' });
      const below = mergeTree(values.map((x) => -x), graph);
      expect(above.branches.map((b) => [b.extremum, -b.birth, -b.death, b.persistence, b.size, b.parent])).toEqual(below.branches.map((b) => [b.extremum, b.birth, b.death, b.persistence, b.size, b.parent]));
      expect(above.range).toEqual([Math.min(...values), Math.max(...values)]);
    }
  });

  test('adding a constant moves the diagram, a monotone map maps it, relabelling leaves it', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(undefined, 4), (seed, levels) => {
      const graph = gridGraph([5, 6]);
      const values = randomValues(seed, 30, levels);
      const points = diagram(mergeTree(values, graph));
      // Halves and integers: sums are exact.
      const coarse = values.map((x) => Math.round(2 * x) / 2 + 0);
      expect(diagram(mergeTree(coarse.map((x) => x + 3), graph))).toEqual(diagram(mergeTree(coarse, graph)).map(({ birth, death }) => ({ birth: birth + 3, death: death + 3 })));
      const map = (x: number): number => x ** 3 + 2 * x;
      expect(diagram(mergeTree(values.map(map), graph))).toEqual(points.map(({ birth, death }) => ({ birth: map(birth), death: map(death) })));
      const order = permutation(key(seed), 30);
      const place = new Int32Array(30);
      order.forEach((old, now) => { place[old] = now; });
      const edges: [number, number][] = [];
      for (let i = 0; i < 30; i++) graph.each(i, (j) => { if (i < j) edges.push([place[i], place[j]]); });
      const renamed = mergeTree(Float64Array.from(order, (old) => values[old]), edgeGraph(30, edges));
      expect(diagram(renamed)).toEqual(points);
      if (levels === undefined) expect(renamed.branches.map(({ size }) => size)).toEqual(mergeTree(values, graph).branches.map(({ size }) => size));
    }), { numRuns: 60 });
  });

  test('nodes form a tree that rises to the root', () => {
    for (let seed = 0; seed < 20; seed++) {
      const values = randomValues(seed, 64, seed % 3 === 0 ? 5 : undefined).map((x, i) => ((i + seed) % 9 === 0 ? Infinity : x));
      const tree = mergeTree(values, gridGraph([8, 8], { connectivity: 'axis' }));
      const children = tree.nodes.map(() => 0);
      tree.nodes.forEach(({ parent, value }) => {
        if (parent < 0) return;
        children[parent]++;
        expect(tree.nodes[parent].value).toBeGreaterThanOrEqual(value);
      });
      expect(tree.nodes.filter(({ parent }) => parent < 0)).toHaveLength(tree.parts);
      tree.nodes.forEach(({ kind }, i) => {
        if (kind === 'leaf') expect(children[i]).toBe(0);
        else if (kind === 'root') expect(children[i]).toBe(1);
        else expect(children[i]).toBeGreaterThanOrEqual(2);
      });
      expect(tree.nodes.filter(({ kind }) => kind === 'leaf').map(({ vertex }) => vertex)).toEqual(tree.branches.map(({ extremum }) => extremum));
      tree.branches.forEach(({ parent, persistence }) => { if (parent >= 0) expect(tree.branches[parent].persistence).toBeGreaterThanOrEqual(persistence); });
      expect(tree.masked).toBe(values.filter((x) => !Number.isFinite(x)).length);
    }
  });

  test('where three valleys meet, all join the deepest', () => {
    // A star: three leaves about a centre.
    const tree = mergeTree([3, 0, 1, 2], edgeGraph(4, [[0, 1], [0, 2], [0, 3]]));
    expect(tree.branches.map(({ extremum, saddle, parent, size }) => [extremum, saddle, parent, size])).toEqual([[1, -1, -1, 4], [2, 0, 0, 1], [3, 0, 0, 1]]);
    expect(tree.nodes.map(({ vertex, kind, parent }) => [vertex, kind, parent])).toEqual([[1, 'leaf', 3], [2, 'leaf', 3], [3, 'leaf', 3], [0, 'saddle', -1]]);
  });

  test('masked samples are left out and counted, never filled', () => {
    // A wall of NaN cuts the landscape: two parts, each with an essential branch.
    const values = [0, NaN, 1, 2, Infinity, 3, 1, -Infinity, 0.5];
    const tree = mergeTree(values, gridGraph([3, 3]));
    expect([tree.masked, tree.size, tree.parts]).toEqual([3, 6, 2]);
    expect(tree.branches.filter(({ parent }) => parent < 0).map(({ birth, death }) => [birth, death])).toEqual([[0, Infinity], [0.5, Infinity]]);
    expect(tree.range).toEqual([0, 3]);
    expect(() => mergeTree([NaN, Infinity], gridGraph([2]))).toThrow('at least one sample must be finite');
    expect(() => mergeTree([1, 2, 3], gridGraph([2]))).toThrow('2 samples');
  });

  test('on a narrow diagonal valley the full grid sees one minimum, the axis grid one for each sample', () => {
    const axis = range(-1, 1, 21);
    const values = sampled(axis, axis, (y, x) => 1000 * (x - y) ** 2 + 0.1 * (x + y));
    expect(mergeTree(values, gridGraph([21, 21])).branches).toHaveLength(1);
    expect(mergeTree(values, gridGraph([21, 21], { connectivity: 'axis' })).branches).toHaveLength(21);
  });

  test('levels are ordered by value, then by index', () => {
    expect([...levelOrder([2, NaN, 1, 2, 1], 'sublevel')]).toEqual([2, 4, 0, 3]);
    expect([...levelOrder([2, NaN, 1, 2, 1], 'superlevel')]).toEqual([0, 3, 2, 4]);
  });
});

describe('simplification', () => {
  test('leaves exactly the branches above the threshold, in one step or in two', () => {
    for (let seed = 0; seed < 10; seed++) {
      const values = randomValues(seed, 100);
      const graph = gridGraph([10, 10], { connectivity: 'axis' });
      const tree = mergeTree(values, graph);
      const threshold = choice(key(seed), 10, 1)[0] / 5;
      const simple = simplify(tree, threshold);
      expect(simple.branches.map(({ extremum }) => extremum)).toEqual(tree.branches.filter(({ persistence }) => persistence > threshold).map(({ extremum }) => extremum));
      expect(simple).toEqual(mergeTree(values, graph, { threshold }));
      expect(simplify(simplify(tree, threshold / 2), threshold)).toEqual(simple);
      expect(simple.absorbed.size + simple.branches.length).toBe(mergeTree(values, graph).branches.length + tree.absorbed.size);
    }
  });

  test('an infinite landscape part is never cancelled', () => {
    expect(simplify(mergeTree([0, 5, 1], gridGraph([3])), 1e300).branches).toHaveLength(1);
  });
});
