/** Landscapes for tests, and the definitions computed naively. @module */
import { key, normal, split } from '../../util/random/index.ts';
import type { NeighbourGraph } from './neighbours.ts';
import type { PersistencePoint } from './persistence.ts';

/** Random values; with `levels` only so many different ones, so that there are plateaus and ties. */
export function randomValues(seed: number, size: number, levels?: number): Float64Array {
  const values = normal(split(key(seed), 'landscape'), size, { dtype: 'float64' });
  return levels === undefined ? values : values.map((x) => Math.round((x * levels) / 2) + 0);
}

/** Samples f on a grid, row-major. */
export const sampled = (rows: readonly number[], columns: readonly number[], f: (row: number, column: number) => number): Float64Array =>
  Float64Array.from(rows.flatMap((row) => columns.map((column) => f(row, column))));

/** `n` evenly spaced numbers from `low` to `high`. */
export const range = (low: number, high: number, n: number): number[] => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

/** Components of the sublevel set at each level, by flood fill: the smallest value in each. */
function componentMinima(values: ArrayLike<number>, graph: NeighbourGraph, level: number): number[] {
  const seen = new Set<number>();
  const minima: number[] = [];
  for (let start = 0; start < values.length; start++) {
    if (!(values[start] <= level) || seen.has(start)) continue;
    let least = values[start];
    const stack = [start];
    seen.add(start);
    while (stack.length > 0) {
      const vertex = stack.pop()!;
      least = Math.min(least, values[vertex]);
      graph.each(vertex, (other) => { if (values[other] <= level && !seen.has(other)) { seen.add(other); stack.push(other); } });
    }
    minima.push(least);
  }
  return minima.sort((a, b) => a - b);
}

/** The persistence diagram from the components at every level: minima that vanish from the list have died there. */
export function bruteDiagram(values: ArrayLike<number>, graph: NeighbourGraph): PersistencePoint[] {
  const levels = [...new Set(Array.from(values).filter(Number.isFinite))].sort((a, b) => a - b);
  const points: PersistencePoint[] = [];
  let before: number[] = [];
  for (const level of levels) {
    const now = componentMinima(values, graph, level);
    const left = [...now];
    for (const birth of before) {
      const at = left.indexOf(birth);
      if (at >= 0) left.splice(at, 1);
      else points.push({ birth, death: level });
    }
    before = now;
  }
  return sorted([...points, ...before.map((birth) => ({ birth, death: Infinity }))]);
}

export const sorted = (points: readonly PersistencePoint[]): PersistencePoint[] => [...points].sort((a, b) => a.birth - b.birth || (a.death === b.death ? 0 : a.death - b.death));
