/** Leading eigenpairs of a matrix that moves slowly: each search starts from the vectors of the last one. @module */
import { NDArray } from '../../core/ndarray.ts';
import { topEigenpairs, type Eigenpairs, type LinearOperator } from '../../curvature/index.ts';
import { split, type Key } from '../../util/random/index.ts';

export interface SearchOptions {
  /** Eigenpairs; fewer where the matrix is smaller. */
  readonly count: number;
  /** Residual norm relative to the eigenvalue. */
  readonly tolerance: number;
  readonly key: Key;
  readonly signal: AbortSignal | undefined;
}

/** The searches of each replica, one after the other. */
export interface MovingSearch {
  find(operator: LinearOperator, replica: number, step: number): Promise<Eigenpairs>;
  /** The last vectors [pairs, size] by number of the replica. */
  save(): Readonly<Record<string, NDArray>>;
  restore(memory: Readonly<Record<string, NDArray>>): void;
}

/** Searches for the `count` algebraically largest eigenvalues. */
export function movingSearch({ count, tolerance, key, signal }: SearchOptions): MovingSearch {
  let last: (readonly Float64Array[] | undefined)[] = [];
  return {
    async find(operator, replica, step) {
      const found = await topEigenpairs(operator, {
        largest: Math.min(count, operator.size), tolerance, method: 'lanczos', key: split(key, step), start: last[replica] ?? [], ...(signal && { signal }),
      });
      last[replica] = found.largest.map(({ vector }) => vector);
      return found;
    },
    save: () => Object.fromEntries(last.flatMap((vectors, replica) => {
      if (vectors === undefined) return [];
      const size = vectors[0].length;
      const data = new Float64Array(vectors.length * size);
      vectors.forEach((vector, i) => data.set(vector, i * size));
      return [[String(replica), new NDArray(data, [vectors.length, size], 'float64')]];
    })),
    restore(memory) {
      last = [];
      for (const [replica, { data, shape: [rows, size] }] of Object.entries(memory)) {
        last[Number(replica)] = Array.from({ length: rows }, (_, i) => Float64Array.from(data.subarray(i * size, (i + 1) * size)));
      }
    },
  };
}
