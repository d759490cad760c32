/** Comparison of trees of host arrays within tolerances. @module */
import { isFloat, NDArray, sameShape } from '../core/ndarray.ts';
import { flatten, requireSameStructure } from '../tree/tree.ts';
import { CheckError } from './check-error.ts';

export interface Tolerances {
  /** Allowed difference relative to the expected element. Default 1e-6. */
  readonly relative?: number;
  /** Allowed difference in addition. Default 1e-12. */
  readonly absolute?: number;
  /** Allowed difference relative to the largest finite element of the expected array, in addition. Default 0. */
  readonly scaled?: number;
}

const toArray = (leaf: unknown): NDArray => (leaf instanceof NDArray ? leaf : new NDArray(Float64Array.of(Number(leaf)), [], 'float64'));

/** Element where two arrays differ by more than allowed, or -1. NaN equals NaN, an infinity itself, and -0 equals 0. */
function firstDifference(actual: NDArray, expected: NDArray, { relative = 1e-6, absolute = 1e-12, scaled = 0 }: Tolerances): number {
  const exact = !isFloat(actual.dtype) || !isFloat(expected.dtype);
  let largest = 0;
  for (const x of expected.data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  for (let i = 0; i < expected.data.length; i++) {
    const a = actual.data[i];
    const e = expected.data[i];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    // Written so that a NaN on one side fails.
    if (exact || !(Math.abs(a - e) <= absolute + relative * Math.abs(e) + scaled * largest) || !Number.isFinite(e)) return i;
  }
  return -1;
}

/** What differs first, in words; undefined when the trees agree. */
function explainDifference(actual: unknown, expected: unknown, tolerances: Tolerances): { required: string; received: string } | undefined {
  const a = flatten<unknown>(actual);
  const e = flatten<unknown>(expected);
  requireSameStructure('requireClose', e.structure, a.structure);
  for (const [k, leaf] of e.leaves.entries()) {
    const [left, right] = [toArray(a.leaves[k]), toArray(leaf)];
    const where = e.structure.paths[k] === '' ? '' : ` at '${e.structure.paths[k]}'`;
    if (!sameShape(left.shape, right.shape)) return { required: `the value${where} must be of shape [${right.shape.join(',')}]`, received: `[${left.shape.join(',')}]` };
    const at = firstDifference(left, right, tolerances);
    if (at >= 0) return { required: `element ${at}${where} must be ${right.data[at]}`, received: `${left.data[at]} (difference ${left.data[at] - right.data[at]})` };
  }
  return undefined;
}

/**
 * Whether two trees of host arrays or numbers agree within tolerances; integers and booleans must be equal. NaN agrees
 * with NaN and an infinity with itself. @throws TreeError when the trees differ in structure.
 */
export const allClose = (actual: unknown, expected: unknown, tolerances: Tolerances = {}): boolean => explainDifference(actual, expected, tolerances) === undefined;

/**
 * As `allClose`, for tests: says which element of which leaf differs, and by how much.
 * @throws CheckError when something differs; TreeError when the trees differ in structure.
 */
export function requireClose(actual: unknown, expected: unknown, tolerances: Tolerances = {}, what = 'requireClose'): void {
  const difference = explainDifference(actual, expected, tolerances);
  if (difference !== undefined) throw new CheckError({ operation: what, ...difference });
}
