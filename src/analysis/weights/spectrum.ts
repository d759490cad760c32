/** Squared singular values of weight matrices, by their Gram matrices. @module */
import type { Executor } from '../../core/backend.ts';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { symmetricEigenvaluesPausing } from '../../linalg/index.ts';
import { matmul, transpose } from '../../ops/index.ts';
import { compile } from '../../transforms/index.ts';
import { NonFiniteError } from '../../util/errors.ts';
import type { Matrix } from './matrices.ts';

/** Eigenvalues of W^T W for W with its longer side as rows. */
export interface WeightSpectrum {
  /** Ascending, at least 0; the squares of the singular values, without a factor 1/N. Pooled where there are several matrices. */
  readonly eigenvalues: Float64Array;
  /**
   * Rounding of each eigenvalue, absolute: 4 rows 2^-52 times the largest. Forming W^T W squares the condition number, so singular values
   * below its root, some 1e-7 to 1e-6 of the largest, are noise: about where weights stored in float32 become noise themselves.
   */
  readonly error: number;
}

/** Computes spectra; keeps its compiled programs. */
export interface SpectrumSolver {
  /** @throws NonFiniteError when an entry is NaN or infinite; what `pause` throws. */
  solve(matrix: Matrix): Promise<WeightSpectrum>;
  dispose(): Promise<void>;
}

/** Below this many multiplications the product is done here: a session would cost more. */
const SMALL = 2e7;

/** What a solver may be given. */
export interface SolverOptions {
  /** Runs the large products, in float64. Default: the one an entry point has set. */
  readonly executor?: Executor;
  /** Awaited several times a second during a decomposition, with the fraction of it that is done; ends it by throwing. */
  readonly pause?: (fraction: number) => Promise<void>;
}

/** A solver of spectra. */
export function spectrumSolver({ executor, pause = () => Promise.resolve() }: SolverOptions = {}): SpectrumSolver {
  const settings = executor === undefined ? {} : { executor };
  const columnsProduct = compile((x: Tensor) => matmul(transpose(x), x), settings);
  const rowsProduct = compile((x: Tensor) => matmul(x, transpose(x)), settings);
  return {
    async solve(matrix) {
      requireFinite(matrix);
      const { rows, columns, data } = matrix;
      const n = Math.min(rows, columns);
      const gram = rows * columns * n < SMALL ? smallGram(matrix)
        : (await (columns <= rows ? columnsProduct : rowsProduct)(new NDArray(data, [rows, columns], 'float64'))).data as Float64Array;
      const eigenvalues = (await symmetricEigenvaluesPausing(gram, n, pause, { overwrite: true })).map((x) => Math.max(0, x));
      return { eigenvalues, error: 4 * Math.max(rows, columns) * Number.EPSILON * (n === 0 ? 0 : eigenvalues[n - 1]) };
    },
    async dispose() { await Promise.all([columnsProduct.dispose(), rowsProduct.dispose()]); },
  };
}

function requireFinite({ columns, data }: Matrix): void {
  const bad = data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new NonFiniteError({ operation: 'spectrumSolver', required: 'weights must be finite', received: `${data[bad]} at [${Math.floor(bad / columns)},${bad % columns}]` });
}

/** The lower triangle of the Gram matrix of the shorter side. */
function smallGram({ rows, columns, data }: Matrix): Float64Array {
  const n = Math.min(rows, columns);
  const gram = new Float64Array(n * n);
  if (columns > rows) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let k = 0; k < columns; k++) sum += data[i * columns + k] * data[j * columns + k];
        gram[i * n + j] = sum;
      }
    }
    return gram;
  }
  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < n; i++) {
      const x = data[k * columns + i];
      for (let j = 0; j <= i; j++) gram[i * n + j] += x * data[k * columns + j];
    }
  }
  return gram;
}

/** Eigenvalues of several matrices as one spectrum; the largest rounding error counts. */
export function pooled(spectra: readonly WeightSpectrum[]): WeightSpectrum {
  const eigenvalues = new Float64Array(spectra.reduce((sum, spectrum) => sum + spectrum.eigenvalues.length, 0));
  let at = 0;
  for (const spectrum of spectra) {
    eigenvalues.set(spectrum.eigenvalues, at);
    at += spectrum.eigenvalues.length;
  }
  return { eigenvalues: eigenvalues.sort(), error: Math.max(0, ...spectra.map(({ error }) => error)) };
}
