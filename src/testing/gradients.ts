/** Derivatives against finite differences, reverse mode against forward mode, to any order. @module */
import { isFloat, NDArray, toDtype } from '../core/ndarray.ts';
import { evaluate } from '../core/evaluate.ts';
import type { Tensor } from '../core/tensor.ts';
import { constant } from '../ops/index.ts';
import { jvp, linearize, vjp } from '../transforms/autodiff.ts';
import type { HostArguments } from '../transforms/compile.ts';
import { flatten } from '../tree/tree.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, normal, split, type Key } from '../util/random/index.ts';
import { CheckError } from './check-error.ts';
import { requireClose } from './close.ts';
import { evaluateFlat, traceFlat, type FlatFunction } from './evaluate.ts';

/** A way to differentiate. */
export type GradientMode = 'forward' | 'reverse' | 'linearize';

export interface GradientCheckOptions {
  /** How often the function is differentiated: 2 also checks the derivatives of the derivatives, in every mode. Default 2. */
  readonly order?: number;
  /** Default all three. A while loop has no reverse mode. */
  readonly modes?: readonly GradientMode[];
  /** Allowed difference relative to the larger of one and the largest element. Default 1e-6. */
  readonly tolerance?: number;
  /** Largest step of the finite differences along a direction with largest element one; arguments must stay in the domain. Default 2^-7. */
  readonly step?: number;
  /** Seed of the random directions. Default 0. */
  readonly seed?: number;
}

interface Settings { readonly modes: readonly GradientMode[]; readonly tolerance: number; readonly step: number }

/**
 * Checks the derivatives of `f` at `args` in float64 on the reference interpreter, along random directions v and
 * cotangents c: forward mode against central differences extrapolated to sixth order (Richardson), `linearize` against
 * forward mode, and reverse mode by `<c, J v> = <J' c, v>`. With order above one, the same for `J v` and `J' c` as
 * functions of x, v and c. Arguments and results that are not floating-point are constants.
 * @throws CheckError naming the derivative (`vjp of jvp`) that disagrees, and where.
 */
export function checkGrads<Args extends unknown[]>(f: (...args: Args) => unknown, args: HostArguments<Args>, options: GradientCheckOptions = {}): void {
  const { order = 2, modes = ['forward', 'reverse', 'linearize'], tolerance = 1e-6, step = 2 ** -7, seed = 0 } = options;
  if (!Number.isInteger(order) || order < 1) throw new ArgumentError({ operation: 'checkGrads', required: 'order must be a positive integer', received: String(order) });
  const { leaves, structure } = flatten<NDArray | number>(args);
  const values = leaves.map((leaf) => (leaf instanceof NDArray ? leaf : new NDArray(Float64Array.of(leaf), [], 'float64')));
  const moving = values.map((_, i) => i).filter((i) => isFloat(values[i].dtype));
  const flat: FlatFunction = (inputs) => {
    const all = values.map((value, i): Tensor => (isFloat(value.dtype) ? inputs[moving.indexOf(i)] : constant(value)));
    return flatten<Tensor>(f(...(structure.rebuild(all) as Args))).leaves.filter((leaf) => isFloat(leaf.dtype));
  };
  checkFlat(flat, moving.map((i) => toDtype(values[i], 'float64')), order, '', split(key(seed), 'checkGrads'), { modes, tolerance, step });
}

function checkFlat(f: FlatFunction, values: readonly NDArray[], order: number, path: string, key: Key, settings: Settings): void {
  const { modes, tolerance } = settings;
  const directions = randomLike(values, split(key, 'directions'));
  const along = [...values, ...directions];
  const pushed: FlatFunction = (inputs) => jvp((x: readonly Tensor[]) => f(x), [inputs.slice(0, values.length)], [inputs.slice(values.length)])[1];
  const linear: FlatFunction = (inputs) => linearize((x: readonly Tensor[]) => f(x), inputs.slice(0, values.length))[1](inputs.slice(values.length));
  const differences = finiteDifferences(f, values, directions, settings.step);
  if (modes.includes('forward')) compare(evaluateFlat(pushed, along), differences, tolerance, `jvp${path} against finite differences`);
  if (modes.includes('linearize')) compare(evaluateFlat(linear, along), modes.includes('forward') ? evaluateFlat(pushed, along) : differences, modes.includes('forward') ? 1e-11 : tolerance, `linearize${path} against ${modes.includes('forward') ? 'jvp' : 'finite differences'}`);
  const cotangents = randomLike(differences, split(key, 'cotangents'));
  const back = [...values, ...cotangents];
  const pulled: FlatFunction = (inputs) => vjp((x: readonly Tensor[]) => f(x), inputs.slice(0, values.length))[1](inputs.slice(values.length))[0];
  if (modes.includes('reverse')) checkInnerProduct(evaluateFlat(pulled, back), directions, cotangents, differences, tolerance, path);
  if (order === 1) return;
  const of = (name: string): string => ` of ${name}${path}`;
  if (modes.includes('forward')) checkFlat(pushed, along, order - 1, of('jvp'), split(key, 'forward'), settings);
  if (modes.includes('linearize')) checkFlat(linear, along, order - 1, of('linearize'), split(key, 'linearize'), settings);
  if (modes.includes('reverse')) checkFlat(pulled, back, order - 1, of('vjp'), split(key, 'reverse'), settings);
}

/** <c, J v> = <J' c, v>, relative to the sizes of the terms of both sums. */
function checkInnerProduct(pulled: readonly NDArray[], directions: readonly NDArray[], cotangents: readonly NDArray[], pushed: readonly NDArray[], tolerance: number, path: string): void {
  const left = innerProduct(cotangents, pushed);
  const right = innerProduct(pulled, directions);
  // Written so that a NaN fails.
  if (!(Math.abs(left.sum - right.sum) <= tolerance * Math.max(1, left.size, right.size))) {
    throw new CheckError({ operation: 'checkGrads', required: `vjp${path} must agree with finite differences: <J' c, v> = <c, J v> = ${left.sum}`, received: `${right.sum}` });
  }
}

function innerProduct(a: readonly NDArray[], b: readonly NDArray[]): { sum: number; size: number } {
  let sum = 0;
  let size = 0;
  a.forEach(({ data }, k) => data.forEach((x: number, i: number) => {
    sum += x * b[k].data[i];
    size += Math.abs(x * b[k].data[i]);
  }));
  return { sum, size };
}

function compare(actual: readonly NDArray[], expected: readonly NDArray[], tolerance: number, what: string): void {
  requireClose([...actual], [...expected], { relative: 0, absolute: tolerance, scaled: tolerance }, `checkGrads: ${what}`);
}

/** Normal draws scaled so that the largest element is one. */
function randomLike(values: readonly NDArray[], key: Key): NDArray[] {
  return values.map((value, i) => {
    const draws = normal(split(key, i), value.size, { dtype: 'float64' });
    const largest = draws.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    return new NDArray(draws.map((x) => x / (largest || 1)), value.shape, 'float64');
  });
}

/** Central differences with steps h, h/2, h/4 and their Richardson extrapolation: the error is of order h^6. */
function finiteDifferences(f: FlatFunction, values: readonly NDArray[], directions: readonly NDArray[], step: number): NDArray[] {
  const graph = traceFlat(f, values);
  const at = (t: number): NDArray[] => evaluate(graph, values.map((value, k) => new NDArray((value.data as Float64Array).map((x, i) => x + t * directions[k].data[i]), value.shape, 'float64')));
  const central = (h: number): NDArray[] => {
    const [plus, minus] = [at(h), at(-h)];
    return plus.map((y, k) => new NDArray((y.data as Float64Array).map((x, i) => (x - minus[k].data[i]) / (2 * h)), y.shape, 'float64'));
  };
  const extrapolate = (coarse: NDArray[], fine: NDArray[], factor: number): NDArray[] =>
    fine.map((y, k) => new NDArray((y.data as Float64Array).map((x, i) => x + (x - coarse[k].data[i]) / (factor - 1)), y.shape, 'float64'));
  const [first, second, third] = [central(step), central(step / 2), central(step / 4)];
  return extrapolate(extrapolate(first, second, 4), extrapolate(second, third, 4), 16);
}
