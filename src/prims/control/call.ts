/** Calls kept whole until lowering: functions with derivatives of their own, and recomputed ones. @module */
import { NonlinearError, ShapeError } from '../../util/errors.ts';
import { isFloat } from '../../core/ndarray.ts';
import { closeOver, Graph, inline } from '../../core/graph.ts';
import { bind, placeholder, sameType, type BatchArguments, type BatchResult, type JvpArguments, type JvpResult, type MaybeTensor, type Primitive, type Tensor, type TransposeArguments, type Type } from '../../core/tensor.ts';
import { add, mul } from '../binary.ts';
import { broadcast } from '../broadcast.ts';
import { constantLike, zerosLike } from '../constant.ts';
import { pullBack } from '../interpret/pull-back.ts';
import { vectorize } from '../interpret/vectorize.ts';
import { reduceSum } from '../reduce.ts';
import { none, nonlinear } from '../rules.ts';
import { convert } from '../convert.ts';
import { activeOutputs, asBatched, differentiate, placeholders, spread } from './body.ts';
import { sampleCheckpoint, sampleCustomJvp, sampleCustomLinear, sampleCustomVjp } from './call-samples.ts';

/** Traces `f` over the types of `values`, closes it, and returns its graph with the values it needs. */
function close(values: readonly Tensor[], f: (inputs: Tensor[]) => readonly Tensor[]): { graph: Graph; inputs: Tensor[] } {
  const inputs = placeholders(values);
  const { graph, captured } = closeOver(inputs, f(inputs));
  return { graph, inputs: [...captured, ...values] };
}

/** A function batched as a whole; every output gets a batch axis. */
const batchFunction = (f: (inputs: readonly Tensor[]) => readonly Tensor[], types: readonly Type[], batched: readonly boolean[], size: number) => (values: readonly Tensor[]): Tensor[] => {
  const inner = placeholders(types);
  const result = vectorize(inner, values, batched, size, f(inner));
  return result.outputs.map((output, i) => asBatched(output, result.batched[i], size));
};

// ---- checkpoint

/** A run of inputs that are to be read only when another input is known. */
interface Late { readonly from: number; readonly to: number; readonly after: number }

export interface CheckpointParams {
  readonly body: Graph;
  /** Recomputation in a backward pass: what is computed from these inputs waits for a cotangent. */
  readonly late?: Late;
}

function checkpointed(values: readonly Tensor[], f: (inputs: Tensor[]) => readonly Tensor[], late?: Late): readonly Tensor[] {
  const { graph, inputs } = close(values, f);
  const captured = inputs.length - values.length;
  const shifted = late && { from: late.from + captured, to: late.to + captured, after: late.after + captured };
  return bind(checkpointPrimitive, { body: graph, ...(shifted && { late: shifted }) }, inputs);
}

/**
 * The body with late inputs made to depend on the one they wait for, so that a backend neither merges the recomputation
 * with the first computation nor does it before. Only when lowered: to derivatives the dependence would look real.
 */
function ordered({ body, late }: CheckpointParams, inputs: readonly Tensor[]): Tensor[] {
  return inline(body, inputs.map((x, i) => (late !== undefined && i >= late.from && i < late.to ? orderAfter(x, inputs[late.after]) : x)));
}

function orderAfter(x: Tensor, after: Tensor): Tensor {
  if (!isFloat(x.dtype)) return x;
  const nothing = mul(reduceSum(after, after.shape.map((_, axis) => axis)), constantLike(0, { shape: [], dtype: after.dtype }));
  return add(x, broadcast(convert(nothing, x.dtype), x.shape, []));
}

/** A function whose intermediate values are not kept for the backward pass but computed again there. */
export const checkpointPrimitive: Primitive<CheckpointParams> = {
  name: 'checkpoint',
  shape: ({ body }) => body.outputs,
  jvp({ params: { body, late }, inputs, tangents }: JvpArguments<CheckpointParams>): JvpResult {
    const active = tangents.map((tangent) => tangent !== null);
    const outputActive = activeOutputs(body, active);
    const moving = tangents.filter((tangent) => tangent !== null);
    const result = checkpointed([...inputs, ...moving], (all) => {
      const forward = differentiate(body, all.slice(0, inputs.length), spread(all.slice(inputs.length), active));
      return forward.tangents.filter((tangent) => tangent !== null);
    }, late);
    return { tangents: spread(result, outputActive) };
  },
  transpose({ params: { body }, inputs, linear, cotangents }: TransposeArguments<CheckpointParams>): MaybeTensor[] {
    const active = cotangents.map((ct) => ct !== null);
    const known = inputs.filter((_, i) => !linear[i]);
    const received = cotangents.filter((ct) => ct !== null);
    const result = checkpointed([...known, ...received], (all) => {
      let next = 0;
      const values = inputs.map((input, i) => (linear[i] ? placeholder(input) : all[next++]));
      const moving = values.filter((_, i) => linear[i]);
      return pullBack(moving, inline(body, values), spread(all.slice(known.length), active)).map((ct, i) => ct ?? zerosLike(moving[i]));
    }, { from: 0, to: known.length, after: known.length });
    return spread(result, linear);
  },
  batch({ params: { body, late }, inputs, batched, size }): BatchResult {
    const outputs = checkpointed(inputs, batchFunction((values) => inline(body, values), body.inputs, batched, size), late);
    return { outputs, batched: outputs.map(() => true) };
  },
  simplify: none,
  onnx(lowering, node) {
    const { graph, inputs } = close(node.inputs, (values) => ordered(node.params, values));
    return lowering.inline(graph, inputs.map((input) => lowering.loose(input)));
  },
  reference: ({ params, inputs, evaluate }) => evaluate(params.body, inputs),
  samples: sampleCheckpoint,
  print: ({ body }) => `{body: ${body.nodes.length} operations}`,
};

/** `f(values)`, recomputed during differentiation instead of kept (Griewank & Walther 2000; Chen et al. 2016). */
export const checkpoint = (values: readonly Tensor[], f: (inputs: Tensor[]) => readonly Tensor[]): readonly Tensor[] => checkpointed(values, f);

// ---- custom jvp

/** Tangents of the outputs from the arguments and their tangents (zeros are explicit). */
export type JvpRule = (inputs: readonly Tensor[], tangents: readonly Tensor[]) => readonly Tensor[];

export interface CustomJvpParams {
  /** Takes captured values, then the arguments. */
  readonly body: Graph;
  readonly captured: number;
  readonly rule: JvpRule;
}

/** @throws NonlinearError when a captured value carries a tangent. */
function refuseCaptured(operation: string, count: number, tangents: readonly MaybeTensor[]): void {
  if (tangents.slice(0, count).some((tangent) => tangent !== null)) {
    throw new NonlinearError({ operation, required: 'values that are differentiated must be arguments of the function', received: 'a derivative with respect to a value it closes over', remedy: 'pass the value as an argument, or stopGradient it' });
  }
}

function requireRuleTypes(operation: string, expected: readonly Type[], received: readonly Tensor[]): void {
  if (expected.length !== received.length || expected.some((type, i) => !sameType(type, received[i]))) {
    const list = (types: readonly Type[]): string => types.map((type) => `${type.dtype}[${type.shape.join(',')}]`).join(', ');
    throw new ShapeError({ operation, required: `the rule must return (${list(expected)})`, received: `(${list(received)})` });
  }
}

export const customJvpPrimitive: Primitive<CustomJvpParams> = {
  name: 'custom_jvp',
  shape: ({ body }) => body.outputs,
  jvp({ params: { captured, rule, body }, inputs, tangents }) {
    refuseCaptured('customJvp', captured, tangents);
    const values = inputs.slice(captured);
    const out = rule(values, values.map((value, i) => tangents[captured + i] ?? zerosLike(value)));
    requireRuleTypes('customJvp', body.outputs, out);
    return { tangents: out.map((tangent) => (isFloat(tangent.dtype) ? tangent : null)) };
  },
  transpose: nonlinear('custom_jvp'),
  batch({ params: { body, captured, rule }, inputs, batched, size }: BatchArguments<CustomJvpParams>): BatchResult {
    const types = body.inputs.slice(captured);
    const flags = batched.slice(captured);
    const whole = (values: readonly Tensor[]): readonly Tensor[] => batchFunction((v) => inline(body, v), body.inputs, batched, size)([...inputs.slice(0, captured), ...values]);
    const batchedRule: JvpRule = (values, tangents) =>
      batchFunction((all) => rule(all.slice(0, types.length), all.slice(types.length)), [...types, ...types], [...flags, ...flags], size)([...values, ...tangents]);
    const outputs = customJvp(inputs.slice(captured), whole, batchedRule);
    return { outputs, batched: outputs.map(() => true) };
  },
  simplify: none,
  onnx: (lowering, node) => lowering.inline(node.params.body, node.inputs.map((input) => lowering.loose(input))),
  reference: ({ params, inputs, evaluate }) => evaluate(params.body, inputs),
  samples: sampleCustomJvp,
  print: ({ body }) => `{body: ${body.nodes.length} operations}`,
};

/** `f(values)` with the given forward-mode rule in place of its own derivative. */
export function customJvp(values: readonly Tensor[], f: (inputs: Tensor[]) => readonly Tensor[], rule: JvpRule): readonly Tensor[] {
  const { graph, inputs } = close(values, f);
  return bind(customJvpPrimitive, { body: graph, captured: inputs.length - values.length, rule }, inputs);
}

// ---- custom vjp

/** Outputs and whatever the backward pass needs. */
export type ForwardRule = (inputs: readonly Tensor[]) => { readonly outputs: readonly Tensor[]; readonly residuals: readonly Tensor[] };
/** Cotangents of the arguments; linear in `cotangents`. */
export type BackwardRule = (residuals: readonly Tensor[], cotangents: readonly Tensor[]) => readonly Tensor[];

export interface CustomVjpParams {
  readonly body: Graph;
  readonly captured: number;
  readonly forward: ForwardRule;
  readonly backward: BackwardRule;
}

export const customVjpPrimitive: Primitive<CustomVjpParams> = {
  name: 'custom_vjp',
  shape: ({ body }) => body.outputs,
  jvp({ params: { captured, forward, backward }, inputs, tangents }) {
    refuseCaptured('customVjp', captured, tangents);
    const values = inputs.slice(captured);
    const { outputs, residuals } = forward(values);
    const moving = values.map((value, i) => tangents[captured + i] ?? zerosLike(value));
    // Values that the backward pass closes over become residuals, so that the node knows all it depends on.
    const back = close([...residuals, ...outputs], (all) => backward(all.slice(0, residuals.length), all.slice(residuals.length)));
    const kept = back.inputs.slice(0, back.inputs.length - outputs.length);
    const params: CustomLinearParams = {
      backward: (values, cotangents) => inline(back.graph, [...values, ...cotangents]), residuals: kept.length, types: outputs.map(({ shape, dtype }) => ({ shape, dtype })),
    };
    const out = bind(customLinearPrimitive, params, [...kept, ...moving]);
    return { tangents: out.map((tangent) => (isFloat(tangent.dtype) ? tangent : null)), outputs };
  },
  transpose: nonlinear('custom_vjp'),
  batch({ params: { body, captured, forward, backward }, inputs, batched, size }: BatchArguments<CustomVjpParams>): BatchResult {
    const types = body.inputs.slice(captured);
    const flags = batched.slice(captured);
    const whole = (values: readonly Tensor[]): readonly Tensor[] => batchFunction((v) => inline(body, v), body.inputs, batched, size)([...inputs.slice(0, captured), ...values]);
    let residualTypes: Type[] = [];
    let outputTypes: Type[] = [];
    const batchedForward: ForwardRule = (values) => {
      const all = batchFunction((v) => {
        const { outputs, residuals } = forward(v);
        outputTypes = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
        residualTypes = residuals.map(({ shape, dtype }) => ({ shape, dtype }));
        return [...outputs, ...residuals];
      }, types, flags, size)(values);
      return { outputs: all.slice(0, outputTypes.length), residuals: all.slice(outputTypes.length) };
    };
    const batchedBackward: BackwardRule = (residuals, cotangents) => {
      const received = batchFunction((v) => backward(v.slice(0, residualTypes.length), v.slice(residualTypes.length)), [...residualTypes, ...outputTypes], [...residualTypes, ...outputTypes].map(() => true), size)([...residuals, ...cotangents]);
      // An argument that all elements share receives the sum of their cotangents.
      return received.map((ct, i) => (flags[i] ? ct : reduceSum(ct, [0])));
    };
    const outputs = customVjp(inputs.slice(captured), whole, batchedForward, batchedBackward);
    return { outputs, batched: outputs.map(() => true) };
  },
  simplify: none,
  onnx: (lowering, node) => lowering.inline(node.params.body, node.inputs.map((input) => lowering.loose(input))),
  reference: ({ params, inputs, evaluate }) => evaluate(params.body, inputs),
  samples: sampleCustomVjp,
  print: ({ body }) => `{body: ${body.nodes.length} operations}`,
};

/** `f(values)` with the given backward pass in place of its own derivative. */
export function customVjp(values: readonly Tensor[], f: (inputs: Tensor[]) => readonly Tensor[], forward: ForwardRule, backward: BackwardRule): readonly Tensor[] {
  const { graph, inputs } = close(values, f);
  return bind(customVjpPrimitive, { body: graph, captured: inputs.length - values.length, forward, backward }, inputs);
}

export interface CustomLinearParams {
  readonly backward: BackwardRule;
  readonly residuals: number;
  readonly types: readonly Type[];
}

/** The linear map whose transpose is `backward`, spelled out: the transpose of the backward pass. */
function expand({ backward, residuals, types }: CustomLinearParams, inputs: readonly Tensor[]): Tensor[] {
  const cotangents = placeholders(types);
  const sent = backward(inputs.slice(0, residuals), cotangents);
  requireRuleTypes('customVjp', inputs.slice(residuals), sent);
  return pullBack(cotangents, sent, inputs.slice(residuals)).map((value, i) => value ?? zerosLike(types[i]));
}

/** The derivative of a function with a custom vjp: known by its transpose alone. */
export const customLinearPrimitive: Primitive<CustomLinearParams> = {
  name: 'custom_linear',
  shape: ({ types }) => types,
  jvp({ params, inputs, tangents }) {
    const { graph, inputs: all } = close(inputs, (values) => expand(params, values));
    const active = [...new Array<null>(all.length - inputs.length).fill(null), ...tangents];
    return { tangents: differentiate(graph, all, active).tangents };
  },
  transpose({ params, inputs, linear, cotangents }) {
    const residuals = inputs.slice(0, params.residuals);
    if (linear.slice(0, params.residuals).includes(true)) nonlinear('custom_linear')();
    const sent = params.backward(residuals, cotangents.map((ct, i) => ct ?? zerosLike(params.types[i])));
    requireRuleTypes('customVjp', inputs.slice(params.residuals), sent);
    return [...residuals.map(() => null), ...sent.map((ct, i) => (linear[params.residuals + i] ? ct : null))];
  },
  batch({ params, inputs, batched, size }) {
    const outputs = batchFunction((values) => expand(params, values), inputs.map((input, i): Type => (batched[i] ? { shape: input.shape.slice(1), dtype: input.dtype } : input)), batched, size)(inputs);
    return { outputs, batched: outputs.map(() => true) };
  },
  simplify: (params, inputs) => expand(params, inputs),
  onnx(lowering, node) {
    const { graph, inputs } = close(node.inputs, (values) => expand(node.params, values));
    return lowering.inline(graph, inputs.map((input) => lowering.loose(input)));
  },
  reference({ params, inputs, evaluate }) {
    const values = placeholders(inputs);
    const { graph, captured } = closeOver(values, expand(params, values));
    return evaluate(graph, [...evaluate(new Graph([], captured), []), ...inputs]);
  },
  samples: sampleCustomLinear,
};
