/** Ordinary least squares, and power laws by it. @module */
import { qr } from '../linalg/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';

/** A linear fit y = intercept + sum_k slopes[k] x_k. */
export interface LinearFit {
  readonly intercept: number;
  /** One a column. */
  readonly slopes: readonly number[];
  /** Standard errors of the slopes, for residuals that are independent and equally large; NaN where the fit is exact because there are as many values as coefficients. */
  readonly errors: readonly number[];
  /** 1 - (sum of squared residuals) / (sum of squared deviations from the mean); NaN where all values are equal. */
  readonly rSquared: number;
  /** Value minus fit, one a row. */
  readonly residuals: Float64Array;
}

/** A fit y = prefactor * prod_k x_k ^ exponents[k]. */
export interface PowerLawRegression {
  readonly prefactor: number;
  readonly exponents: readonly number[];
  /** Standard errors of the exponents. */
  readonly errors: readonly number[];
  /** Of the logarithms. */
  readonly rSquared: number;
}

// A column whose part outside of the others is smaller than this, relative to its length, determines no slope.
const DEPENDENT = 1e-12;

/**
 * The least-squares fit of values by an intercept and columns, by QR of centred columns. Standard errors are those of the textbook:
 * s^2 (X'X)^-1 with s^2 the squared residuals over n - p.
 *
 * @throws ShapeError when a column has another length than the values; ArgumentError when there are fewer values than coefficients, or
 * a column is constant or a combination of the others.
 */
export function linearRegression(columns: readonly ArrayLike<number>[], values: ArrayLike<number>): LinearFit {
  const [n, p] = [values.length, columns.length];
  const odd = columns.find(({ length }) => length !== n);
  if (odd !== undefined) throw new ShapeError({ operation: 'linearRegression', required: `every column must have the length of the values, ${n}`, received: String(odd.length) });
  if (n < p + 1) throw new ArgumentError({ operation: 'linearRegression', required: `at least ${p + 1} values for ${p} slopes and an intercept`, received: String(n) });
  const mean = (list: ArrayLike<number>): number => Array.from(list).reduce((sum, x) => sum + x, 0) / n;
  const means = columns.map(mean);
  const centre = mean(values);
  const { q, r } = qr(Float64Array.from({ length: n * p }, (_, at) => columns[at % p][Math.floor(at / p)] - means[at % p]), n, p);
  columns.forEach((_, k) => {
    const length = Math.hypot(...Array.from({ length: k + 1 }, (__, i) => r[i * p + k]));
    if (!(r[k * p + k] > DEPENDENT * Math.max(length, Math.abs(means[k])))) throw new ArgumentError({ operation: 'linearRegression', required: 'columns must be independent of each other and not constant', received: `column ${k}, which the ones before it determine` });
  });
  const slopes = backSubstitute(r, p, Array.from({ length: p }, (_, k) => Array.from(values).reduce((sum, y, i) => sum + q[i * p + k] * (y - centre), 0)));
  const intercept = centre - slopes.reduce((sum, slope, k) => sum + slope * means[k], 0);
  const residuals = Float64Array.from(values, (y, i) => y - intercept - slopes.reduce((sum, slope, k) => sum + slope * columns[k][i], 0));
  const squares = residuals.reduce((sum, x) => sum + x * x, 0);
  const total = Array.from(values).reduce((sum, y) => sum + (y - centre) ** 2, 0);
  const variance = n > p + 1 ? squares / (n - p - 1) : NaN;
  return { intercept, slopes, errors: inverseDiagonal(r, p).map((entry) => Math.sqrt(variance * entry)), rSquared: total > 0 ? 1 - squares / total : NaN, residuals };
}

/**
 * The exponents of a power law by least squares of the logarithms: log y on log x_k.
 * @throws ArgumentError when a number is not positive; whatever `linearRegression` throws.
 */
export function powerLawRegression(columns: readonly ArrayLike<number>[], values: ArrayLike<number>): PowerLawRegression {
  const logs = (list: ArrayLike<number>): Float64Array => Float64Array.from(list, (x) => {
    if (!(x > 0)) throw new ArgumentError({ operation: 'powerLawRegression', required: 'every number must be positive', received: String(x) });
    return Math.log(x);
  });
  const { intercept, slopes, errors, rSquared } = linearRegression(columns.map(logs), logs(values));
  return { prefactor: Math.exp(intercept), exponents: slopes, errors, rSquared };
}

/** x with R x = b of an upper triangle [p, p]. */
function backSubstitute(r: Float64Array, p: number, b: readonly number[]): number[] {
  const x = [...b];
  for (let k = p - 1; k >= 0; k--) {
    for (let j = k + 1; j < p; j++) x[k] -= r[k * p + j] * x[j];
    x[k] /= r[k * p + k];
  }
  return x;
}

/** The diagonal of (R'R)^-1: squared rows of R^-1. */
function inverseDiagonal(r: Float64Array, p: number): number[] {
  const columns = Array.from({ length: p }, (_, j) => backSubstitute(r, p, Array.from({ length: p }, (__, i) => Number(i === j))));
  return Array.from({ length: p }, (_, i) => columns.reduce((sum, column) => sum + column[i] ** 2, 0));
}
