/** The linear assignment problem. @module */
import { NonFiniteError } from '../../util/errors.ts';

/**
 * The permutation that maximises sum_i gains[i, p(i)] for a square matrix [size, size], row-major: shortest augmenting paths
 * (Jonker & Volgenant 1987; Crouse 2016), exact, O(size^3). @throws NonFiniteError when a gain is not finite.
 */
export function bestAssignment(gains: Float64Array, size: number): Int32Array {
  const odd = gains.findIndex((gain) => !Number.isFinite(gain));
  if (odd >= 0) throw new NonFiniteError({ operation: 'bestAssignment', required: 'gains must be finite', received: `${gains[odd]} for row ${Math.floor(odd / size)} and column ${odd % size}` });
  const state: Matching = { rowPotentials: new Float64Array(size), columnPotentials: new Float64Array(size), columnOf: new Int32Array(size).fill(-1), rowOf: new Int32Array(size).fill(-1) };
  const paths: Paths = { distances: new Float64Array(size), previous: new Int32Array(size), open: new Int32Array(size) };
  for (let row = 0; row < size; row++) augment(gains, size, row, state, paths);
  return state.columnOf;
}

/** Rows and columns matched so far, -1 for none, and dual variables that prove it optimal: -gain >= row + column potential. */
interface Matching {
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
}

/** Shortest alternating paths to the columns: lengths, the row before each column, and the columns not yet settled. */
interface Paths {
  readonly distances: Float64Array;
  readonly previous: Int32Array;
  readonly open: Int32Array;
}

/** Matches one more row: Dijkstra's search by reduced costs to a free column, then the path's pairs change over. */
function augment(gains: Float64Array, size: number, start: number, { rowPotentials, columnPotentials, columnOf, rowOf }: Matching, { distances, previous, open }: Paths): void {
  distances.fill(Infinity);
  for (let j = 0; j < size; j++) open[j] = j;
  let count = size;
  let reached = 0;
  let column = -1;
  for (let row = start; row >= 0; row = rowOf[column]) {
    const base = reached - rowPotentials[row];
    let nearest = 0;
    for (let k = 0; k < count; k++) {
      const j = open[k];
      const length = base - gains[row * size + j] - columnPotentials[j];
      if (length < distances[j]) {
        distances[j] = length;
        previous[j] = row;
      }
      // Among equals a free column ends the search.
      const other = open[nearest];
      if (distances[j] < distances[other] || (distances[j] === distances[other] && rowOf[j] < 0)) nearest = k;
    }
    column = open[nearest];
    reached = distances[column];
    // Settled columns gather behind the open ones.
    open[nearest] = open[--count];
    open[count] = column;
  }
  rowPotentials[start] += reached;
  for (let k = count; k < size; k++) {
    const j = open[k];
    const slack = reached - distances[j];
    columnPotentials[j] -= slack;
    if (rowOf[j] >= 0) rowPotentials[rowOf[j]] += slack;
  }
  for (let row = -1; row !== start;) {
    row = previous[column];
    rowOf[column] = row;
    [columnOf[row], column] = [column, columnOf[row]];
  }
}
