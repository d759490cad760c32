/** What pairs of operators on lists of tensors come to: parts of a split, items of a list, lists joined (`withoutSequences`). @module */
import { concat, expandDims, narrow, normalizeAxis, squeeze } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';

function refuse(required: string, received: string): never {
  throw new ArgumentError({ operation: 'import', required, received });
}

/** The place in a list of `count`, counted from its end where it is negative. */
function placeOf(index: readonly number[], count: number): number {
  const [at] = index;
  if (index.length !== 1 || at < -count || at >= count) refuse(`the place in a list of ${count} must be one number in ${-count}..${count - 1}`, index.join(', '));
  return at < 0 ? at + count : at;
}

/** Inputs: the tensor, the place of the part, and its size, for all parts or for each; without, parts of one. */
const partRule: OperatorRule = (call) => {
  const { shape, rank } = call.input(0);
  const axis = normalizeAxis('import', rank, call.attributes.integer('axis', 0));
  const sizes = call.has(2) ? call.integers(2, 'the sizes of a split') : [1];
  const isOneForAll = !call.has(2) || call.input(2).rank === 0;
  const least = isOneForAll ? 1 : 0;
  if (sizes.some((n) => !(n >= least)) || (!isOneForAll && sizes.reduce((sum, n) => sum + n, 0) !== shape[axis])) refuse(`the sizes must split an extent of ${shape[axis]}`, `[${sizes.join(',')}]`);
  const at = placeOf(call.integers(1, 'the place in a list'), isOneForAll ? Math.ceil(shape[axis] / sizes[0]) : sizes.length);
  const start = isOneForAll ? at * sizes[0] : sizes.slice(0, at).reduce((sum, n) => sum + n, 0);
  const part = narrow(call.tensor(0), axis, start, Math.min(start + sizes[isOneForAll ? 0 : at], shape[axis]));
  const isKept = call.has(2) || call.attributes.flag('keepdims', true);
  return [call.result(isKept ? part : squeeze(part, [axis]))];
};

/** Inputs: the place, the items. */
const itemRule: OperatorRule = (call) => [call.input(1 + placeOf(call.integers(0, 'the place in a list'), call.inputs.length - 1))];

const joinRule: OperatorRule = (call) => {
  const isNew = call.attributes.flag('new_axis', false);
  const axis = normalizeAxis('import', call.input(0).rank + Number(isNew), call.attributes.integer('axis'));
  const items = call.inputs.map((_, i) => call.tensor(i));
  return [call.result(concat(isNew ? items.map((item) => expandDims(item, axis)) : items, axis))];
};

/** The domain `thalweg`, which no file needs to name. */
export const listOperators: OperatorTable = {
  PartOfSplit: { rule: partRule, settings: [1, 2] },
  ItemOfList: { rule: itemRule, settings: [0] },
  ConcatOfList: { rule: joinRule },
};
