/** Rows by index. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { add, less, normalizeAxis, take, where } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';

/** Indices that may count from the end, made positive; known ones are checked to lie in the axis. */
export function positiveIndices(call: OperatorCall, at: number, extent: number): Tensor {
  const known = call.input(at).known;
  const outside = known?.find((index) => index < -extent || index >= extent);
  if (outside !== undefined) throw new ArgumentError({ operation: 'import', required: `indices must lie in ${-extent}..${extent - 1}`, received: String(outside) });
  const indices = call.indices(at);
  if (known !== undefined && known.every((index) => index >= 0)) return indices;
  return where(less(indices, 0), add(indices, extent), indices);
}

const gatherRule: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = normalizeAxis('import', x.rank, call.attributes.integer('axis', 0));
  return [call.result(take(x, positiveIndices(call, 1, x.shape[axis]), axis))];
};

export const indexingOperators: OperatorTable = {
  Gather: { rule: gatherRule, settings: [1], weights: [0] },
};
