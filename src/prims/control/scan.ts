/** Loops of known length: a body applied to a carry and to the slices of stacked inputs. @module */
import { ShapeError } from '../../util/errors.ts';
import { allocate, NDArray, sizeOf } from '../../core/ndarray.ts';
import { closeOver, dependents, Graph, inline, substitute } from '../../core/graph.ts';
import { bind, placeholder, sameType, type BatchArguments, type BatchResult, type JvpArguments, type JvpResult, type MaybeTensor, type Primitive,
  type ReferenceArguments, type Tensor, type TransposeArguments, type Type } from '../../core/tensor.ts';
import { add } from '../binary.ts';
import { zerosLike } from '../constant.ts';
import { pullBack } from '../interpret/pull-back.ts';
import { vectorize } from '../interpret/vectorize.ts';
import { moveAxis } from '../shape.ts';
import { none } from '../rules.ts';
import { activeOutputs, asBatched, differentiate, growFlags, instantiate, placeholders, spread, unalias } from './body.ts';
import { sampleScan } from './samples.ts';

/** The body maps [constants, carry, slices] to [carry, outputs]; the primitive maps [constants, carry, stacks] to [carry, stacked outputs]. */
export interface ScanParams {
  readonly body: Graph;
  readonly constants: number;
  readonly carry: number;
  readonly length: number;
  /** From the last slice to the first; outputs keep the slices' places. */
  readonly reverse: boolean;
}

interface Sections<T> { readonly constants: T[]; readonly carry: T[]; readonly stacks: T[] }

const sections = <T>(params: ScanParams, all: readonly T[]): Sections<T> => ({
  constants: all.slice(0, params.constants),
  carry: all.slice(params.constants, params.constants + params.carry),
  stacks: all.slice(params.constants + params.carry),
});
const stackOf = (length: number, type: Type): Type => ({ shape: [length, ...type.shape], dtype: type.dtype });
const sliceOf = (type: Type): Type => ({ shape: type.shape.slice(1), dtype: type.dtype });

/** Loops over `stacks` with the traced step; values of enclosing traces that it uses become constants. */
function loop(options: { carry: readonly Tensor[]; stacks: readonly Tensor[]; length: number; reverse: boolean }, carryInputs: readonly Tensor[], sliceInputs: readonly Tensor[], outputs: readonly Tensor[]): readonly Tensor[] {
  const { graph, captured } = closeOver([...carryInputs, ...sliceInputs], outputs);
  const params = { body: graph, constants: captured.length, carry: options.carry.length, length: options.length, reverse: options.reverse };
  return bind(scanPrimitive, params, [...captured, ...options.carry, ...options.stacks]);
}

function scanTypes(params: ScanParams, inputs: readonly Type[]): Type[] {
  const { body, length } = params;
  const { stacks, carry } = sections(params, inputs);
  const expected = sections(params, body.inputs);
  for (const [i, stack] of stacks.entries()) {
    if (stack.shape[0] !== length) throw new ShapeError({ operation: 'scan', required: `every stacked input must have ${length} slices along axis 0`, received: `input ${i} of shape [${stack.shape.join(',')}]` });
    if (!sameType(sliceOf(stack), expected.stacks[i])) throw new ShapeError({ operation: 'scan', required: `slice ${i} must be ${String(expected.stacks[i])}`, received: `[${sliceOf(stack).shape.join(',')}]` });
  }
  carry.forEach((value, i) => {
    if (!sameType(value, body.outputs[i])) {
      throw new ShapeError({ operation: 'scan', required: `the body must return carry ${i} with the type it came in, ${value.dtype} [${value.shape.join(',')}]`, received: `${body.outputs[i].dtype} [${body.outputs[i].shape.join(',')}]`, remedy: 'convert or reshape the carry inside the body' });
    }
  });
  return [...body.outputs.slice(0, params.carry), ...body.outputs.slice(params.carry).map((type) => stackOf(length, type))];
}

/**
 * Splits the differentiated body: one loop for the values, which also keeps what the tangents need, and one that is
 * linear in the tangents. So the tangent loop can be transposed.
 */
function jvpScan({ params, inputs, tangents }: JvpArguments<ScanParams>): JvpResult {
  const at = sections(params, inputs);
  const t = sections(params, tangents);
  const constantActive = t.constants.map((tangent) => tangent !== null);
  const stackActive = t.stacks.map((tangent) => tangent !== null);
  const carryActive = growFlags(t.carry.map((tangent) => tangent !== null),
    (flags) => activeOutputs(params.body, [...constantActive, ...flags, ...stackActive]).slice(0, params.carry));
  const carry = placeholders(at.carry);
  const slices = placeholders(at.stacks.map(sliceOf));
  const carryTangents = placeholders(at.carry.filter((_, i) => carryActive[i]));
  const sliceTangents = placeholders(at.stacks.map(sliceOf).filter((_, i) => stackActive[i]));
  const forward = differentiate(params.body, [...at.constants, ...carry, ...slices],
    [...t.constants, ...spread(carryTangents, carryActive), ...spread(sliceTangents, stackActive)]);
  const outputActive = forward.tangents.map((tangent, i) => (i < params.carry ? carryActive[i] : tangent !== null));
  const tangentOutputs = instantiate(forward.outputs, forward.tangents, outputActive);
  const { kept, fromStacks, sources } = splitResiduals([...carryTangents, ...sliceTangents], t.constants, [...carry, ...slices], slices, tangentOutputs);
  const options = { length: params.length, reverse: params.reverse };
  const values = loop({ ...options, carry: at.carry, stacks: at.stacks }, carry, slices, [...forward.outputs, ...kept]);
  const count = forward.outputs.length;
  const residuals = kept.map((_, i) => values[count + i]);
  const residualInputs = placeholders(kept);
  const reused = [...fromStacks];
  const reusedInputs = placeholders(reused.map((i) => slices[i]));
  const inputOf = new Map<Tensor, Tensor>([
    ...kept.map((tensor, i) => [tensor, residualInputs[i]] as const), ...reused.map((index, i) => [slices[index], reusedInputs[i]] as const),
  ]);
  // All at once: a value rebuilt by an earlier renaming would no longer be the one that is kept.
  const renamed = substitute(tangentOutputs, new Map([...sources].map(([tensor, source]) => [tensor, inputOf.get(source)!] as const)));
  const tangentStacks = [...t.stacks.filter((tangent) => tangent !== null), ...residuals, ...reused.map((i) => at.stacks[i])];
  const out = loop({ ...options, carry: instantiate(at.carry, t.carry, carryActive), stacks: tangentStacks }, carryTangents, [...sliceTangents, ...residualInputs, ...reusedInputs], renamed);
  return { tangents: spread(out, outputActive), outputs: values.slice(0, count) };
}

/** What the linear part uses of the values, each with its source: slices as they are, and computed values that must be kept. */
function splitResiduals(tangentInputs: readonly Tensor[], constantTangents: readonly MaybeTensor[], valueInputs: readonly Tensor[], slices: readonly Tensor[], outputs: readonly Tensor[]): { kept: Tensor[]; fromStacks: Set<number>; sources: Map<Tensor, Tensor> } {
  const { nodes, depends } = dependents([...tangentInputs, ...constantTangents.filter((tangent) => tangent !== null)], outputs);
  const values = dependents(valueInputs, outputs);
  const kept = new Set<Tensor>();
  const fromStacks = new Set<number>();
  const sources = new Map<Tensor, Tensor>();
  const use = (tensor: Tensor): void => {
    if (depends(tensor) || !values.depends(tensor)) return;
    const source = unalias(tensor);
    sources.set(tensor, source);
    const index = slices.indexOf(source);
    if (index >= 0) fromStacks.add(index);
    else kept.add(source);
  };
  nodes.forEach((node) => node.inputs.forEach(use));
  outputs.forEach(use);
  return { kept: [...kept], fromStacks, sources };
}

function transposeScan({ params, inputs, linear, cotangents }: TransposeArguments<ScanParams>): MaybeTensor[] {
  const at = sections(params, inputs);
  const flags = sections(params, linear);
  // A carry of a linear loop is linear throughout, also where it starts from a constant zero.
  const bodyTypes = sections(params, params.body.inputs);
  const constants = at.constants.map((value, i) => (flags.constants[i] ? placeholder(value) : value));
  const carry = placeholders(bodyTypes.carry);
  const slices = placeholders(bodyTypes.stacks);
  const bodyOutputs = inline(params.body, [...constants, ...carry, ...slices]);
  const ctCarry = placeholders(bodyTypes.carry);
  const sums = placeholders(at.constants.filter((_, i) => flags.constants[i]));
  const ctActive = cotangents.slice(params.carry).map((ct) => ct !== null);
  const ctSlices = placeholders(params.body.outputs.slice(params.carry).filter((_, i) => ctActive[i]));
  const linearInputs = [...constants.filter((_, i) => flags.constants[i]), ...carry, ...slices.filter((_, i) => flags.stacks[i])];
  const received = pullBack(linearInputs, bodyOutputs, [...ctCarry, ...spread(ctSlices, ctActive)]);
  const orZero = (from: number, like: readonly Tensor[]): Tensor[] => like.map((value, i) => received[from + i] ?? zerosLike(value));
  const nextSums = sums.map((sum, i) => { const ct = received[i]; return ct === null ? sum : add(sum, ct); });
  const nextCarry = orZero(sums.length, carry);
  const ctInputs = orZero(sums.length + carry.length, slices.filter((_, i) => flags.stacks[i]));
  const known = slices.filter((_, i) => !flags.stacks[i]);
  const result = loop({
    length: params.length, reverse: !params.reverse,
    carry: [...at.carry.map((value, i) => cotangents[i] ?? zerosLike(value)), ...sums.map((sum) => zerosLike(sum))],
    stacks: [...cotangents.slice(params.carry).filter((ct) => ct !== null), ...at.stacks.filter((_, i) => !flags.stacks[i])],
  }, [...ctCarry, ...sums], [...ctSlices, ...known], [...nextCarry, ...nextSums, ...ctInputs]);
  const ctConstants = spread(result.slice(params.carry, params.carry + sums.length), flags.constants);
  const ctStacks = spread(result.slice(params.carry + sums.length), flags.stacks);
  return [...ctConstants, ...result.slice(0, params.carry).map((ct, i) => (flags.carry[i] ? ct : null)), ...ctStacks];
}

function batchScan({ params, inputs, batched, size }: BatchArguments<ScanParams>): BatchResult {
  const at = sections(params, inputs);
  const flags = sections(params, batched);
  const { body } = params;
  const batchType = (type: Type, flag: boolean): Type => (flag ? stackOf(size, type) : type);
  const types = sections(params, body.inputs);
  const run = (carryFlags: readonly boolean[]): { carry: Tensor[]; slices: Tensor[]; outputs: Tensor[]; batched: boolean[] } => {
    const carry = placeholders(types.carry.map((type, i) => batchType(type, carryFlags[i])));
    const slices = placeholders(types.stacks.map((type, i) => batchType(type, flags.stacks[i])));
    const inner = placeholders(body.inputs);
    const result = vectorize(inner, [...at.constants, ...carry, ...slices], [...flags.constants, ...carryFlags, ...flags.stacks], size, inline(body, inner));
    return { carry, slices, outputs: result.outputs, batched: result.batched };
  };
  const carryFlags = growFlags(flags.carry, (current) => run(current).batched.slice(0, params.carry));
  const { carry, slices, outputs, batched: outputFlags } = run(carryFlags);
  const aligned = outputs.map((output, i) => (i < params.carry && carryFlags[i] ? asBatched(output, outputFlags[i], size) : output));
  const result = loop({
    length: params.length, reverse: params.reverse,
    carry: at.carry.map((value, i) => (carryFlags[i] ? asBatched(value, flags.carry[i], size) : value)),
    stacks: at.stacks.map((value, i) => (flags.stacks[i] ? moveAxis(value, 0, 1) : value)),
  }, carry, slices, aligned);
  const finalFlags = outputFlags.map((flag, i) => (i < params.carry ? carryFlags[i] : flag));
  return { outputs: result.map((value, i) => (i >= params.carry && finalFlags[i] ? moveAxis(value, 1, 0) : value)), batched: finalFlags };
}

function referenceScan({ params, inputs, types, evaluate }: ReferenceArguments<ScanParams>): NDArray[] {
  const at = sections(params, inputs);
  let carry = at.carry;
  const stacks = types.slice(params.carry).map((type) => allocate(type.dtype, sizeOf(type.shape)));
  for (let step = 0; step < params.length; step++) {
    const i = params.reverse ? params.length - 1 - step : step;
    const slices = at.stacks.map((stack) => {
      const n = stack.size / params.length;
      return new NDArray(stack.data.slice(i * n, (i + 1) * n), stack.shape.slice(1), stack.dtype);
    });
    const outputs = evaluate(params.body, [...at.constants, ...carry, ...slices]);
    carry = outputs.slice(0, params.carry);
    outputs.slice(params.carry).forEach((output, k) => stacks[k].set(output.data, i * output.size));
  }
  return [...carry, ...stacks.map((data, k) => new NDArray(data, types[params.carry + k].shape, types[params.carry + k].dtype))];
}

export const scanPrimitive: Primitive<ScanParams> = {
  name: 'scan',
  shape: scanTypes,
  jvp: jvpScan,
  transpose: transposeScan,
  batch: batchScan,
  simplify: none,
  onnx(lowering, node) {
    const { params } = node;
    const at = sections(params, node.inputs);
    // ONNX wants at least one scanned input.
    const stacks = at.stacks.length > 0 ? at.stacks.map((stack) => lowering.name(stack)) : [lowering.constant(ramp(params.length))];
    const body = at.stacks.length > 0 ? params.body : new Graph([...params.body.inputs, placeholder({ shape: [], dtype: 'int32' })], params.body.outputs);
    const graph = lowering.subgraph(body, at.constants);
    const direction = stacks.map(() => Number(params.reverse));
    const outputDirection = node.outputs.slice(params.carry).map(() => Number(params.reverse));
    const names = lowering.node('Scan', [...at.carry.map((value) => lowering.name(value)), ...stacks], {
      body: graph, num_scan_inputs: stacks.length, scan_input_directions: direction, ...(outputDirection.length > 0 ? { scan_output_directions: outputDirection } : {}),
    }, node.outputs.length);
    return names.map((name, i) => ({ name, shape: node.outputs[i].shape }));
  },
  reference: referenceScan,
  samples: sampleScan,
  print: ({ body, length, reverse, carry }) => `{length: ${length}, carry: ${carry}${reverse ? ', reverse' : ''}, body: ${body.nodes.length} operations}`,
};

const ramp = (length: number): NDArray => new NDArray(Int32Array.from({ length }, (_, i) => i), [length], 'int32');

/**
 * Applies `step(carry, slices) -> [carry, outputs]` to each slice along axis 0 of `stacks`, in order.
 * Returns the last carry and the stacked outputs.
 */
export function scan(carry: readonly Tensor[], stacks: readonly Tensor[], length: number, reverse: boolean,
  step: (carry: Tensor[], slices: Tensor[]) => { carry: readonly Tensor[]; outputs: readonly Tensor[] }): { carry: readonly Tensor[]; outputs: readonly Tensor[] } {
  const carryInputs = placeholders(carry);
  const sliceInputs = placeholders(stacks.map(sliceOf));
  const made = step(carryInputs, sliceInputs);
  if (made.carry.length !== carry.length) throw new ShapeError({ operation: 'scan', required: `the body must return ${carry.length} carried values`, received: String(made.carry.length) });
  const result = loop({ carry, stacks, length, reverse }, carryInputs, sliceInputs, [...made.carry, ...made.outputs]);
  return { carry: result.slice(0, carry.length), outputs: result.slice(carry.length) };
}
