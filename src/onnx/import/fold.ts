/** Computing beforehand what does not depend on inputs and parameters, as shapes and limits do not. @module */
import { evaluate } from '../../core/evaluate.ts';
import { Graph } from '../../core/graph.ts';
import { sizeOf, type DType } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ArgumentError } from '../../util/errors.ts';
import { hostType, INTEGER_RANGE, toStorage, type HostData, type OnnxType } from './element-types.ts';
import type { OperatorCall, OperatorRule } from './operator.ts';
import { Value } from './value.ts';

/** Larger arrays are left to the backend: its kernels are faster, and nobody asks for their elements beforehand. */
const MOST_ELEMENTS = 1 << 18;

/**
 * The outputs of a rule whose inputs are all known, computed by the engine's reference rules with integers of 64 bits in float64; undefined
 * where something is not known or large.
 * @throws ArgumentError when an integer leaves its type's range or becomes inexact (above 2^53).
 */
export function foldCall(rule: OperatorRule, inputs: readonly (Value | undefined)[], float: DType, call: (tensorOf: (value: Value) => Tensor, dtypeOf: (type: OnnxType) => DType) => OperatorCall): (Value | undefined)[] | undefined {
  let elements = 0;
  for (const value of inputs) {
    if (value === undefined) continue;
    if (!value.isKnown) return undefined;
    elements += value.size;
  }
  if (elements > MOST_ELEMENTS) return undefined;
  let outputs: readonly (Value | undefined)[];
  try {
    outputs = rule(call((value) => value.hostTensor(float), (type) => hostType(type, float)));
  } catch {
    // Some rule does not take 64-bit integers as float64: the plain run either works or says what is wrong.
    return undefined;
  }
  if (outputs.some((value) => value !== undefined && !value.isKnown && sizeOf(value.shape) > MOST_ELEMENTS)) return undefined;
  const computed = outputs.filter((value): value is Value => value !== undefined && !value.isKnown);
  const results = evaluate(new Graph([], computed.map((value) => value.tensor(float))), []);
  const folded = new Map(computed.map((value, i) => [value, results[i].data]));
  return outputs.map((value) => {
    const data = value && folded.get(value);
    if (value === undefined || data === undefined) return value;
    const stored = toStorage(data, hostType(value.type, float));
    requireExact(value, stored, inputs);
    return Value.ofKnown(value.type, value.shape, stored);
  });
}

function requireExact(value: Value, data: HostData, inputs: readonly (Value | undefined)[]): void {
  const range = INTEGER_RANGE[value.type];
  if (range === undefined) return;
  const at = data.findIndex((x) => !Number.isInteger(x) || x < range[0] || x > range[1]);
  if (at >= 0) throw new ArgumentError({ operation: 'import', required: `integers of type ${value.type} must lie in ${range[0]}..${range[1]}`, received: String(data[at]) });
  // The largest integers stand for "to the end" and are passed on; made by arithmetic, integers above 2^53 would be rounded.
  const rounded = data.findIndex((x) => Math.abs(x) > Number.MAX_SAFE_INTEGER && !inputs.some((input) => input?.known?.includes(x) === true));
  if (rounded >= 0) throw new ArgumentError({ operation: 'import', required: 'integers known beforehand must stay below 2^53', received: String(data[rounded]) });
}
