import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contourTree, type ContourTree } from './contour-tree.ts';
import { criticalPoints } from './critical-points.ts';
import { mergeTree, type LevelDirection } from './merge-tree.ts';
import { edgeGraph, gridGraph, type Connectivity, type NeighbourGraph } from './neighbours.ts';
import { randomValues, range, sampled } from './topology.test-helper.ts';

const seeds = fc.integer({ min: 0, max: 1e6 });

/** Masks every sample at which another random landscape is low. */
const holed = (values: Float64Array, seed: number, below: number): Float64Array => {
  const other = randomValues(seed + 1, values.length);
  return values.map((x, i) => (other[i] < below ? NaN : x));
};

/** Positions of samples in the order of levels; masked ones have none. */
function ranks(values: ArrayLike<number>): Map<number, number> {
  const finite = Array.from(values, (_, i) => i).filter((i) => Number.isFinite(values[i])).sort((a, b) => values[a] - values[b] || a - b);
  return new Map(finite.map((vertex, rank) => [vertex, rank]));
}

/** Components of the level set between ranks `below` and `below` + 1, by definition: edges that cross it, linked where they share a triangle. */
function levelComponents(rank: Map<number, number>, graph: NeighbourGraph, below: number): number {
  const lists = Array.from({ length: graph.size }, (_, i) => { const list: number[] = []; if (rank.has(i)) graph.each(i, (j) => { if (rank.has(j)) list.push(j); }); return list; });
  const low = (i: number): boolean => rank.get(i)! <= below;
  const name = (i: number, j: number): string => (low(i) ? `${i}-${j}` : `${j}-${i}`);
  const crossing = new Set<string>();
  lists.forEach((list, i) => { for (const j of list) if (low(i) && !low(j)) crossing.add(`${i}-${j}`); });
  let components = 0;
  for (const start of [...crossing]) {
    if (!crossing.delete(start)) continue;
    components++;
    const stack = [start];
    while (stack.length > 0) {
      const [i, j] = stack.pop()!.split('-').map(Number);
      for (const k of lists[i]) {
        if (!lists[j].includes(k)) continue;
        const next = low(k) ? name(k, j) : name(i, k);
        if (crossing.delete(next)) stack.push(next);
      }
    }
  }
  return components;
}

/** Arcs that cross each level, against the components of the level set there. */
function expectLevelSets(values: ArrayLike<number>, graph: NeighbourGraph): void {
  const tree = contourTree(values, graph);
  const rank = ranks(values);
  const at = tree.nodes.map(({ vertex }) => rank.get(vertex)!);
  for (let below = 0; below + 1 < rank.size; below++) {
    const crossing = tree.arcs.filter(({ lower, upper }) => at[lower] <= below && at[upper] > below).length;
    expect(crossing).toBe(levelComponents(rank, graph, below));
  }
}

/** Pairs of the merge tree: extremum and where it joins an older one. */
const pairs = (values: ArrayLike<number>, graph: NeighbourGraph, direction: LevelDirection, name: (vertex: number) => number = (vertex) => vertex): string[] =>
  mergeTree(values, graph, { direction }).branches.map(({ extremum, saddle }) => `${name(extremum)} ${saddle < 0 ? 'never' : name(saddle)}`).sort();

/** Whether the contour tree, as a graph on its own, has the join tree and the split tree of the landscape. Values must differ. */
function hasBothTrees(values: ArrayLike<number>, graph: NeighbourGraph, tree: ContourTree): boolean {
  const own = edgeGraph(tree.nodes.length, tree.arcs.map(({ lower, upper }) => [lower, upper] as const));
  const levels = tree.nodes.map(({ value }) => value);
  return (['sublevel', 'superlevel'] as const).every((direction) =>
    pairs(levels, own, direction, (node) => tree.nodes[node].vertex).join() === pairs(values, graph, direction).join());
}

/** What holds of every contour tree. */
function expectForest(tree: ContourTree): void {
  const { nodes, arcs, counts } = tree;
  expect(arcs).toHaveLength(nodes.length - tree.parts);
  // With nodes - parts arcs it has no cycle when, and only when, it has `parts` components.
  if (nodes.length > 0) expect(mergeTree(nodes.map(() => 0), edgeGraph(nodes.length, arcs.map(({ lower, upper }) => [lower, upper] as const))).parts).toBe(tree.parts);
  expect(arcs.reduce((sum, { samples }) => sum + samples, 0)).toBe(tree.regular);
  expect(nodes.length + tree.regular).toBe(tree.size);
  expect(Object.values(counts).reduce((a, b) => a + b)).toBe(nodes.length);
  nodes.forEach(({ value, above, below }, i) => {
    expect(arcs.filter(({ lower }) => lower === i)).toHaveLength(above);
    expect(arcs.filter(({ upper }) => upper === i)).toHaveLength(below);
    if (i > 0) expect(value).toBeGreaterThanOrEqual(nodes[i - 1].value);
  });
  for (const { lower, upper } of arcs) expect(upper).toBeGreaterThan(lower);
}

describe('contour tree', () => {
  test('of a line by hand: the line itself from extremum to extremum', () => {
    const tree = contourTree([5, 1, 2, 3, 0, 7, 6], gridGraph([7]));
    expect(tree.nodes).toEqual([
      { vertex: 4, value: 0, kind: 'minimum', below: 0, above: 2 }, { vertex: 1, value: 1, kind: 'minimum', below: 0, above: 2 },
      { vertex: 3, value: 3, kind: 'maximum', below: 2, above: 0 }, { vertex: 0, value: 5, kind: 'maximum', below: 1, above: 0 },
      { vertex: 6, value: 6, kind: 'minimum', below: 0, above: 1 }, { vertex: 5, value: 7, kind: 'maximum', below: 2, above: 0 },
    ]);
    expect(tree.arcs).toEqual([
      { lower: 0, upper: 2, samples: 0 }, { lower: 0, upper: 5, samples: 0 }, { lower: 1, upper: 2, samples: 1 }, { lower: 1, upper: 3, samples: 0 }, { lower: 4, upper: 5, samples: 0 },
    ]);
    expect(tree).toMatchObject({ size: 7, regular: 1, masked: 0, parts: 1, counts: { minimum: 3, maximum: 3, join: 0, split: 0, 'join-split': 0, single: 0 } });
  });

  test('two wells and two hills: the wells join at the saddle between them, the hills split off at theirs', () => {
    // x^4 - 2 x^2 + tilt has wells at x = -1 and 1 and its saddle at 0; a rim that rises outward keeps all other contours closed.
    const axis = range(-2, 2, 21);
    const wells = sampled(axis, axis, (y, x) => x ** 4 - 2 * x ** 2 + 0.1 * x + 5 * y ** 2 + 1e-6 * y);
    const index = (y: number, x: number): number => axis.findIndex((a) => Math.abs(a - y) < 1e-9) * 21 + axis.findIndex((a) => Math.abs(a - x) < 1e-9);
    const tree = contourTree(wells, gridGraph([21, 21], { connectivity: 'simplicial' }));
    expect(tree.nodes.slice(0, 3).map(({ vertex, kind }) => [vertex, kind])).toEqual([[index(0, -1), 'minimum'], [index(0, 1), 'minimum'], [index(0, 0), 'join']]);
    expect(tree.counts).toMatchObject({ minimum: 2, join: 1, 'join-split': 0, single: 0 });
    // Above the saddle the rim cuts the one contour into pieces, each of which ends in a maximum of the border.
    expect(tree.counts.maximum).toBe(tree.nodes.filter(({ kind }) => kind === 'split').reduce((sum, { above }) => sum + above - 1, 1));

    const turned = contourTree(wells.map((value) => -value), gridGraph([21, 21], { connectivity: 'simplicial' }));
    expect(turned.nodes.slice(-3).map(({ vertex, kind }) => [vertex, kind])).toEqual([[index(0, 0), 'split'], [index(0, 1), 'maximum'], [index(0, -1), 'maximum']]);
  });

  test.each<[string, number[], Connectivity]>([
    ['lines', [14], 'simplicial'], ['planes', [5, 6], 'simplicial'], ['boxes', [3, 3, 3], 'simplicial'], ['full planes', [5, 6], 'full'],
  ])('as many arcs cross a level as the level set has components: %s', (_, shape, connectivity) => {
    const graph = gridGraph(shape, { connectivity });
    fc.assert(fc.property(seeds, fc.option(fc.constantFrom(2, 4), { nil: undefined }), (seed, levels) => {
      expectLevelSets(randomValues(seed, graph.size, levels), graph);
    }), { numRuns: 25 });
  });

  test('masked samples on a line cut it into a forest, with the level sets of all parts', () => {
    const graph = gridGraph([16]);
    fc.assert(fc.property(seeds, (seed) => {
      const values = holed(randomValues(seed, 16), seed, -0.7);
      values[seed % 16] = 0;
      expectForest(contourTree(values, graph));
      expectLevelSets(values, graph);
    }), { numRuns: 60 });
    const tree = contourTree([1, 2, NaN, 3, Infinity, 5, 4], gridGraph([7]));
    expect(tree).toMatchObject({ size: 5, masked: 2, parts: 3, regular: 0, counts: { minimum: 2, maximum: 2, single: 1 } });
    expect(tree.arcs).toEqual([{ lower: 0, upper: 1, samples: 0 }, { lower: 3, upper: 4, samples: 0 }]);
    expect(tree.nodes[2]).toEqual({ vertex: 3, value: 3, kind: 'single', below: 0, above: 0 });
  });

  test.each<Connectivity>(['simplicial', 'full'])('is a tree with the join tree and the split tree of the landscape: %s', (connectivity) => {
    const graph = gridGraph([6, 7], { connectivity });
    fc.assert(fc.property(seeds, (seed) => {
      const values = randomValues(seed, graph.size);
      const tree = contourTree(values, graph);
      expectForest(tree);
      expect(tree.consistent).toBe(true);
      expect(hasBothTrees(values, graph, tree)).toBe(true);
      const tied = contourTree(randomValues(seed, graph.size, 3), graph);
      expectForest(tied);
      expect(tied.consistent).toBe(true);
    }), { numRuns: 40 });
  });

  test('says where a landscape has no contour tree: axis connectivity and holes', () => {
    const seen = { true: 0, false: 0 };
    for (let seed = 0; seed < 60; seed++) {
      const graph = gridGraph([6, 7], { connectivity: seed % 2 === 0 ? 'axis' : 'simplicial' });
      const values = holed(randomValues(seed, graph.size), seed, seed % 2 === 0 ? -Infinity : -1);
      const tree = contourTree(values, graph);
      expectForest(tree);
      // The pairs are part of the trees: equal trees have equal pairs.
      if (tree.consistent) expect(hasBothTrees(values, graph, tree)).toBe(true);
      seen[`${tree.consistent}`]++;
    }
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(5);
    // Lows and highs at opposite corners of a cell: of the four edges of the ring, the one from the lowest to the highest is left out.
    const cell = contourTree([0, 2, 3, 1], gridGraph([2, 2], { connectivity: 'axis' }));
    expect(cell.consistent).toBe(true);
    expect(cell.arcs.map(({ lower, upper }) => [cell.nodes[lower].value, cell.nodes[upper].value])).toEqual([[0, 2], [1, 2], [1, 3]]);
  });

  test('minima and maxima are the critical points of the piecewise linear surface', () => {
    fc.assert(fc.property(seeds, fc.option(fc.constantFrom(3, 5), { nil: undefined }), (seed, levels) => {
      const values = randomValues(seed, 56, levels);
      const { nodes } = contourTree(values, gridGraph([7, 8], { connectivity: 'simplicial' }));
      const { minima, maxima, borderMaxima } = criticalPoints(values, [7, 8]);
      const of = (wanted: string): number[] => nodes.filter(({ kind }) => kind === wanted).map(({ vertex }) => vertex).sort((a, b) => a - b);
      expect(of('minimum')).toEqual(minima);
      expect(of('maximum')).toEqual([...maxima, ...borderMaxima].sort((a, b) => a - b));
    }), { numRuns: 60 });
  });

  test('a rising map of the values changes nothing but the values; a sign turns the tree over', () => {
    const graph = gridGraph([6, 6], { connectivity: 'simplicial' });
    const turn = { minimum: 'maximum', maximum: 'minimum', join: 'split', split: 'join', 'join-split': 'join-split', single: 'single' };
    fc.assert(fc.property(seeds, (seed) => {
      const values = randomValues(seed, 36);
      const tree = contourTree(values, graph);
      const mapped = contourTree(values.map((x) => Math.exp(x) + x ** 3), graph);
      expect(mapped.nodes.map(({ vertex, kind }) => [vertex, kind])).toEqual(tree.nodes.map(({ vertex, kind }) => [vertex, kind]));
      expect([mapped.arcs, mapped.counts]).toEqual([tree.arcs, tree.counts]);
      const turned = contourTree(values.map((x) => -x), graph);
      expect(turned.nodes.map(({ vertex, kind }) => [vertex, turn[kind]]).reverse()).toEqual(tree.nodes.map(({ vertex, kind }) => [vertex, kind]));
      const last = tree.nodes.length - 1;
      const text = ({ lower, upper, samples }: ContourTree['arcs'][number]): string => `${lower} ${upper} ${samples}`;
      expect(turned.arcs.map(({ lower, upper, samples }) => text({ lower: last - upper, upper: last - lower, samples })).sort()).toEqual(tree.arcs.map(text).sort());
    }), { numRuns: 40 });
  });

  test('a hole gives the level sets a loop that the tree does not show', () => {
    // A ring of eight samples: two contours at each level, one path with the same join and split tree.
    const values = [0, 1, 2, 3, NaN, 4, 5, 6, 7];
    const graph = gridGraph([3, 3], { connectivity: 'simplicial' });
    const ring = contourTree(values, graph);
    expect(ring.consistent).toBe(true);
    expect(ring.arcs).toEqual([{ lower: 0, upper: 1, samples: 6 }]);
    expect(levelComponents(ranks(values), graph, 3)).toBe(2);
  });

  test('refuses what does not fit, and a graph on which leaves come to an end', () => {
    expect(() => contourTree([1, 2], gridGraph([3]))).toThrow('3 samples');
    expect(() => contourTree([NaN, NaN], gridGraph([2]))).toThrow('at least one sample');
    const graph = edgeGraph(8, [[1, 0], [2, 0], [3, 0], [4, 2], [5, 3], [6, 3], [7, 6], [7, 4]]);
    expect(() => contourTree([0, 5, 6, 3, 2, 4, 7, 1], graph)).toThrow('those of one tree');
  });
});
