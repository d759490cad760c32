/** Minima, saddles and maxima of a sampled plane. @module */
import { ShapeError } from '../../util/errors.ts';

/** Critical points of a piecewise linear function on a plane. */
export interface CriticalPoints {
  readonly minima: readonly number[];
  /** Each with its multiplicity: 1 for a simple saddle, 2 for a monkey saddle; at the border also half-saddles. */
  readonly saddles: readonly { readonly vertex: number; readonly multiplicity: number }[];
  /** Maxima of the interior. */
  readonly maxima: readonly number[];
  /** Maxima of the border: level sets only end there, so they do not count towards the characteristic. */
  readonly borderMaxima: readonly number[];
  /** minima - saddles (with multiplicity) + maxima: the Euler characteristic of the finite part, 1 for a plane without masked samples. */
  readonly euler: number;
  readonly masked: number;
}

/** The ring of neighbours in the Freudenthal triangulation, in order; consecutive ones share an edge. [row, column] */
const RING = [[0, 1], [1, 1], [1, 0], [0, -1], [-1, -1], [-1, 0]] as const;

/**
 * Critical points of the piecewise linear interpolation on the triangulation of a grid with one diagonal in each cell (Banchoff
 * 1970; Edelsbrunner, Harer, Zomorodian 2003): what lies below a vertex in the ring of its neighbours decides. No arc: a
 * minimum. The whole ring: a maximum. k arcs: a saddle of multiplicity k - 1. Equal values are ordered by index. Masked samples
 * cut holes: their neighbours are border. Triangles count only with three finite corners.
 *
 * `values` [shape[0], shape[1]] row-major. @throws ShapeError when they do not fit.
 */
export function criticalPoints(values: ArrayLike<number>, shape: readonly [number, number]): CriticalPoints {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows * columns !== values.length) throw new ShapeError({ operation: 'criticalPoints', required: `values must fill a plane [${shape.join(', ')}]`, received: String(values.length) });
  const minima: number[] = [];
  const saddles: { vertex: number; multiplicity: number }[] = [];
  const maxima: number[] = [];
  const borderMaxima: number[] = [];
  let masked = 0;
  for (let vertex = 0; vertex < values.length; vertex++) {
    if (!Number.isFinite(values[vertex])) { masked++; continue; }
    const ring = RING.map(([down, right]) => neighbour(values, rows, columns, Math.floor(vertex / columns) + down, (vertex % columns) + right));
    const below = ring.map((other) => other >= 0 && (values[other] < values[vertex] || (values[other] === values[vertex] && other < vertex)));
    // An arc begins where a lower neighbour follows one that is not.
    const arcs = below.filter((low, i) => low && !below[(i + 5) % 6]).length;
    const lower = below.filter(Boolean).length;
    if (lower === 0) minima.push(vertex);
    else if (lower === 6) maxima.push(vertex);
    else if (arcs > 1) saddles.push({ vertex, multiplicity: arcs - 1 });
    else if (lower === ring.filter((other) => other >= 0).length) borderMaxima.push(vertex);
  }
  return { minima, saddles, maxima, borderMaxima, euler: minima.length - saddles.reduce((sum, { multiplicity }) => sum + multiplicity, 0) + maxima.length, masked };
}

function neighbour(values: ArrayLike<number>, rows: number, columns: number, row: number, column: number): number {
  if (row < 0 || column < 0 || row >= rows || column >= columns) return -1;
  const at = row * columns + column;
  return Number.isFinite(values[at]) ? at : -1;
}
