/** A line search for the strong Wolfe conditions, traced. @module */
import type { Tensor } from '../core/tensor.ts';
import { abs, add, and, div, equal, full, greaterEqual, less, lessEqual, maximum, minimum, mul, neg, not, notEqual, or, sqrt, square, sub, where } from '../ops/index.ts';
import { whileLoop } from '../transforms/index.ts';
import { mapTree } from '../tree/index.ts';
import type { Scalar } from './optimizer.ts';

export interface WolfeOptions {
  /** c1 of sufficient decrease, f(t) <= f(0) + c1 t f'(0). Default 1e-4. */
  readonly decrease?: Scalar;
  /** c2 of small slope, |f'(t)| <= c2 |f'(0)|. Default 0.9. */
  readonly curvature?: Scalar;
  /** Evaluations after the first one, at most. Default 25. */
  readonly evaluations?: number;
  /** Stops when a bracket is shorter than this over `length`. Default 1e-9. */
  readonly tolerance?: number;
}

/** A point of the line: where, value and slope there. */
interface LinePoint {
  readonly t: Tensor;
  readonly value: Tensor;
  readonly slope: Tensor;
}

/** Where a search ended. */
export interface LineStep {
  /** The step: that of the lowest point known; zero where none is below the start. */
  readonly t: Tensor;
  readonly value: Tensor;
  /** Times that the function was evaluated. */
  readonly evaluations: Tensor;
  /** Whether both conditions hold, bool []. */
  readonly satisfied: Tensor;
}

/** Bracketing: no interval known yet. Zooming: the minimum lies between `low` and `high`. */
const [BRACKETING, ZOOMING, FINISHED] = [0, 1, 2];

interface SearchState {
  readonly phase: Tensor;
  /** Where to evaluate next. */
  readonly trial: Tensor;
  /** While bracketing `low` is the point before; while zooming the lower end of the interval. */
  readonly low: LinePoint;
  readonly high: LinePoint;
  readonly evaluations: Tensor;
  readonly isSlow: Tensor;
  readonly satisfied: Tensor;
}

const choose = <T>(condition: Tensor, yes: T, no: T): T => mapTree((a: Tensor, b: Tensor) => where(condition, a, b), yes, no) as T;

/** The minimum between the bounds of the cubic through two points; their middle, where there is none or a value is not finite. */
function cubicMinimum(a: LinePoint, b: LinePoint, lowest: Tensor, highest: Tensor): Tensor {
  const isOrdered = lessEqual(a.t, b.t);
  const [left, right] = [choose(isOrdered, a, b), choose(isOrdered, b, a)];
  const d1 = sub(add(left.slope, right.slope), mul(3, div(sub(left.value, right.value), sub(left.t, right.t))));
  const squared = sub(square(d1), mul(left.slope, right.slope));
  const d2 = sqrt(maximum(squared, 0));
  const at = sub(right.t, mul(sub(right.t, left.t), div(sub(add(right.slope, d2), d1), add(sub(right.slope, left.slope), mul(2, d2)))));
  const exists = and(greaterEqual(squared, 0), less(abs(at), 1e30));
  return where(exists, minimum(maximum(at, lowest), highest), mul(add(lowest, highest), 0.5));
}

/** The next trial inside a bracket: away from its ends by a tenth when the last one was close to one too. */
function zoomTrial(low: LinePoint, high: LinePoint, isSlow: Tensor): { trial: Tensor; isSlow: Tensor } {
  const [left, right] = [minimum(low.t, high.t), maximum(low.t, high.t)];
  const t = cubicMinimum(low, high, left, right);
  const margin = mul(0.1, sub(right, left));
  const isClose = less(minimum(sub(right, t), sub(t, left)), margin);
  const isPushed = and(isClose, or(isSlow, or(greaterEqual(t, right), lessEqual(t, left))));
  const pushed = where(less(abs(sub(t, right)), abs(sub(t, left))), sub(right, margin), add(left, margin));
  return { trial: where(isPushed, pushed, t), isSlow: and(isClose, not(isPushed)) };
}

/**
 * A step t > 0 along a direction with f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|: bracketing by cubic extrapolation, then
 * zooming by cubic interpolation (Nocedal & Wright 2006, algorithms 3.5 and 3.6; with the safeguards and constants of minFunc
 * and of PyTorch's L-BFGS, whose steps it takes). Values that are not finite count as too high. An evaluation is one of the
 * `whileLoop`'s turns.
 *
 * @param along Value and slope at t. Traced once, in the loop's body.
 * @param start Value and slope at zero; the slope must be negative.
 * @param first The first trial.
 * @param length Largest entry of the direction.
 */
export function strongWolfe(along: (t: Tensor) => { readonly value: Tensor; readonly slope: Tensor }, start: { readonly value: Tensor; readonly slope: Tensor }, first: Tensor, length: Tensor, options: WolfeOptions = {}): LineStep {
  const { decrease = 1e-4, curvature = 0.9, evaluations: most = 25, tolerance = 1e-9 } = options;
  const { dtype } = start.value;
  const number = (value: number): Tensor => full([], value, dtype);
  const origin: LinePoint = { t: number(0), ...start };
  const no = notEqual(number(0), 0);

  const next = (state: SearchState): SearchState => {
    const point: LinePoint = { t: state.trial, ...along(state.trial) };
    const evaluations = add(state.evaluations, 1);
    const isLast = greaterEqual(state.evaluations, most);
    const isHigh = not(lessEqual(point.value, add(start.value, mul(mul(decrease, point.t), start.slope))));
    const isFlat = lessEqual(abs(point.slope), neg(mul(curvature, start.slope)));
    const bracketed = bracket(state, point, isHigh, isFlat, isLast);
    const zoomed = zoom(state, point, isHigh, isFlat, isLast);
    const moved = choose(equal(state.phase, BRACKETING), bracketed, zoomed);
    const isShort = and(equal(moved.phase, ZOOMING), less(mul(abs(sub(moved.high.t, moved.low.t)), length), tolerance));
    const inside = zoomTrial(moved.low, moved.high, moved.isSlow);
    const isZooming = equal(moved.phase, ZOOMING);
    return { ...moved, evaluations, phase: where(isShort, FINISHED, moved.phase), trial: where(isZooming, inside.trial, moved.trial), isSlow: and(isZooming, inside.isSlow) };
  };

  const bracket = (state: SearchState, point: LinePoint, isHigh: Tensor, isFlat: Tensor, isLast: Tensor): SearchState => {
    const isAbove = or(isHigh, and(greaterEqual(state.evaluations, 2), not(less(point.value, state.low.value))));
    const isFound = and(not(isAbove), isFlat);
    const isBetween = and(not(isFound), or(isAbove, greaterEqual(point.slope, 0)));
    const isLower = less(point.value, state.low.value);
    const further = cubicMinimum(state.low, point, add(point.t, mul(0.01, sub(point.t, state.low.t))), mul(point.t, 10));
    const between = { low: choose(isLower, point, state.low), high: choose(isLower, state.low, point) };
    const searched = choose(isBetween, between, { low: point, high: point });
    // Without evaluations left, the better of start and last trial is taken, unchecked.
    const ended = { low: choose(less(point.value, origin.value), point, origin), high: point };
    return {
      ...state, ...choose(isLast, ended, searched), trial: further, satisfied: and(isFound, not(isLast)),
      phase: where(or(isLast, isFound), number(FINISHED), where(isBetween, number(ZOOMING), number(BRACKETING))), isSlow: no,
    };
  };

  const zoom = (state: SearchState, point: LinePoint, isHigh: Tensor, isFlat: Tensor, isLast: Tensor): SearchState => {
    const { low, high } = state;
    const isWorse = or(isHigh, not(less(point.value, low.value)));
    const hasTurned = greaterEqual(mul(point.slope, sub(high.t, low.t)), 0);
    const improved = { low: point, high: choose(and(hasTurned, not(isFlat)), low, high) };
    // A point that is too high for sufficient decrease may still be lower than the low one.
    const isLower = less(point.value, low.value);
    const narrowed = { low: choose(isLower, point, low), high: choose(isLower, low, point) };
    const isFound = and(not(isWorse), isFlat);
    return { ...state, ...choose(isWorse, narrowed, improved), satisfied: isFound, phase: where(or(isFound, isLast), number(FINISHED), number(ZOOMING)) };
  };

  const begin: SearchState = { phase: number(BRACKETING), trial: first, low: origin, high: origin, evaluations: number(0), isSlow: no, satisfied: no };
  const end = whileLoop<SearchState>(({ phase }) => notEqual(phase, FINISHED), next, begin);
  return { t: end.low.t, value: end.low.value, evaluations: end.evaluations, satisfied: end.satisfied };
}
