/** Reductions over axes, which are an attribute or, in later operator sets, an input. @module */
import { isFloat, sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { abs, argmax, argmin, convert, full, log, logSumExp, max, mean, min, normalizeAxis, prod, reshape, reverse, sqrt, square, sub, sum } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import { isIntegerType, type OnnxType } from '../element-types.ts';
import type { OperatorCall, OperatorDefinition, OperatorTable } from '../operator.ts';
import { quotient } from './numbers.ts';
import { axesOf, positive } from './shaping.ts';

type Reduction = (x: Tensor, axes: readonly number[], type: OnnxType) => Tensor;

/** Axes reduced, all when none are given, none at all with `noop_with_empty_axes`. */
function reducedAxes(call: OperatorCall, since: number): number[] | undefined {
  const { rank } = call.input(0);
  const axes = axesOf(call, since);
  if (axes === undefined || axes.length === 0) return call.attributes.flag('noop_with_empty_axes', false) ? undefined : Array.from({ length: rank }, (_, i) => i);
  return positive(axes, rank).sort((a, b) => a - b);
}

const keep = (call: OperatorCall, y: Tensor, axes: readonly number[]): Tensor =>
  (call.attributes.flag('keepdims', true) ? reshape(y, call.input(0).shape.map((n, i) => (axes.includes(i) ? 1 : n))) : y);

/** `since`: operator set from which axes are an input. `isIdentity`: reducing no axis changes nothing. */
const reduction = (f: Reduction, { since = 18, isIdentity = true } = {}): OperatorDefinition => ({
  rule: (call) => {
    const x = call.tensor(0);
    const axes = reducedAxes(call, since);
    if (axes !== undefined) return [call.result(keep(call, f(x, axes, call.input(0).type), axes))];
    if (!isIdentity) throw new ArgumentError({ operation: 'import', required: `${call.operator} must name axes`, received: 'noop_with_empty_axes, which exporters do not agree on' });
    return [call.input(0)];
  },
  settings: [1],
});

/** Over no elements there is a limit of the floating-point numbers, as ONNX defines it, where the engine has no result. */
const orLimit = (f: Reduction, limit: number): Reduction => (x, axes, type) => (
  isFloat(x.dtype) && axes.some((axis) => x.shape[axis] === 0) ? full(x.shape.filter((_, axis) => !axes.includes(axis)), limit, x.dtype) : f(x, axes, type));
const squares: Reduction = (x, axes) => sum(square(x), axes);

/** The mean of integers is rounded toward zero, as a quotient of integers is. */
const meanOf: Reduction = (x, axes, type) => (
  isIntegerType(type) ? quotient(sum(x, axes), full([], sizeOf(axes.map((axis) => x.shape[axis])), x.dtype), type) : mean(x, axes));

/** Extremes of bool, true the larger. */
const extreme = (f: (x: Tensor, axes: readonly number[]) => Tensor): Reduction => (x, axes) => (x.dtype === 'bool' ? convert(f(convert(x, 'int32'), axes), 'bool') : f(x, axes));

/** Positions of extremes; among equals the first, or the last. */
const position = (f: (x: Tensor, axis: number) => Tensor): OperatorDefinition => ({
  rule: (call) => {
    const x = call.tensor(0);
    const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', 0));
    const found = call.attributes.flag('select_last_index', false) ? sub(x.shape[axis] - 1, f(reverse(x, axis), axis)) : f(x, axis);
    return [call.result(keep(call, found, [axis]), 'int64')];
  },
  gradient: 'zero',
});

export const reductionOperators: OperatorTable = {
  ReduceSum: reduction((x, axes) => sum(x, axes), { since: 13 }),
  ReduceMean: reduction(meanOf),
  ReduceMax: reduction(orLimit(extreme(max), -Infinity)),
  ReduceMin: reduction(orLimit(extreme(min), Infinity)),
  ReduceProd: reduction((x, axes) => prod(x, axes)),
  ReduceL1: reduction((x, axes) => sum(abs(x), axes), { isIdentity: false }),
  ReduceL2: reduction((x, axes, type) => sqrt(squares(x, axes, type)), { isIdentity: false }),
  ReduceSumSquare: reduction(squares, { isIdentity: false }),
  ReduceLogSum: reduction((x, axes) => log(sum(x, axes)), { isIdentity: false }),
  ReduceLogSumExp: reduction(orLimit((x, axes) => logSumExp(x, axes), -Infinity), { isIdentity: false }),
  ArgMax: position(argmax),
  ArgMin: position(argmin),
};
