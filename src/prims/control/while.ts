/** Loops of unknown length. Forward mode only: the number of steps depends on the values. @module */
import { DtypeError, ShapeError } from '../../util/errors.ts';
import type { NDArray } from '../../core/ndarray.ts';
import { closeOver, inline, type Graph } from '../../core/graph.ts';
import { bind, sameType, type BatchArguments, type BatchResult, type JvpArguments, type JvpResult, type Primitive, type Tensor, type Type } from '../../core/tensor.ts';
import { broadcast } from '../broadcast.ts';
import { convert } from '../convert.ts';
import { constantLike } from '../constant.ts';
import { greater } from '../binary.ts';
import { vectorize } from '../interpret/vectorize.ts';
import { reduceSum } from '../reduce.ts';
import { none, nonlinear } from '../rules.ts';
import { select } from '../select.ts';
import { activeOutputs, asBatched, differentiate, growFlags, instantiate, placeholders, spread } from './body.ts';
import { sampleWhile } from './samples.ts';

/** Inputs: constants of the condition, constants of the body, carry. Both graphs take their constants, then the carry. */
export interface WhileParams {
  readonly condition: Graph;
  readonly body: Graph;
  readonly conditionConstants: number;
  readonly bodyConstants: number;
}

interface Sections<T> { readonly condition: T[]; readonly body: T[]; readonly carry: T[] }
const sections = <T>({ conditionConstants: n, bodyConstants: m }: WhileParams, all: readonly T[]): Sections<T> =>
  ({ condition: all.slice(0, n), body: all.slice(n, n + m), carry: all.slice(n + m) });

/** Builds the loop from a traced condition and body over the same carry inputs. */
function loop(carry: readonly Tensor[], inputs: readonly Tensor[], condition: Tensor, outputs: readonly Tensor[]): readonly Tensor[] {
  const test = closeOver(inputs, [condition]);
  const body = closeOver(inputs, outputs);
  const params = { condition: test.graph, body: body.graph, conditionConstants: test.captured.length, bodyConstants: body.captured.length };
  return bind(whilePrimitive, params, [...test.captured, ...body.captured, ...carry]);
}

function jvpWhile({ params, inputs, tangents }: JvpArguments<WhileParams>): JvpResult {
  const at = sections(params, inputs);
  const t = sections(params, tangents);
  const constantActive = t.body.map((tangent) => tangent !== null);
  const active = growFlags(t.carry.map((tangent) => tangent !== null), (flags) => activeOutputs(params.body, [...constantActive, ...flags]));
  const carry = placeholders(at.carry);
  const carryTangents = placeholders(at.carry.filter((_, i) => active[i]));
  const [condition] = inline(params.condition, [...at.condition, ...carry]);
  const forward = differentiate(params.body, [...at.body, ...carry], [...t.body, ...spread(carryTangents, active)]);
  const result = loop([...at.carry, ...instantiate(at.carry, t.carry, active)], [...carry, ...carryTangents], condition,
    [...forward.outputs, ...instantiate(forward.outputs, forward.tangents, active)]);
  // The values are those of the loop as it was: taken from this one they would depend on the tangents, and could not be kept
  // while the tangents change (`linearize`, the loop around this one).
  return { tangents: spread(result.slice(at.carry.length), active) };
}

/** Elements that are done keep their values while others go on. */
function batchWhile({ params, inputs, batched, size }: BatchArguments<WhileParams>): BatchResult {
  const at = sections(params, inputs);
  const flags = sections(params, batched);
  const types = params.body.outputs;
  const run = (carryFlags: readonly boolean[]) => {
    const carry = placeholders(types.map((type, i): Type => (carryFlags[i] ? { shape: [size, ...type.shape], dtype: type.dtype } : type)));
    const apply = (graph: Graph, constants: readonly Tensor[], constantFlags: readonly boolean[]) => {
      const inner = placeholders(graph.inputs);
      return vectorize(inner, [...constants, ...carry], [...constantFlags, ...carryFlags], size, inline(graph, inner));
    };
    const condition = apply(params.condition, at.condition, flags.condition);
    const body = apply(params.body, at.body, flags.body);
    return { carry, condition: condition.outputs[0], isEach: condition.batched[0], outputs: body.outputs, batched: body.batched };
  };
  const carryFlags = growFlags(flags.carry, (current) => {
    const { isEach, batched: out } = run(current);
    return isEach ? out.map(() => true) : out;
  });
  const { carry, condition, isEach, outputs, batched: outputFlags } = run(carryFlags);
  const aligned = outputs.map((output, i) => (carryFlags[i] ? asBatched(output, outputFlags[i], size) : output));
  const next = isEach ? aligned.map((value, i) => select(broadcast(condition, value.shape, [0]), value, carry[i])) : aligned;
  const any = isEach ? anyOf(condition) : condition;
  const start = at.carry.map((value, i) => (carryFlags[i] ? asBatched(value, flags.carry[i], size) : value));
  return { outputs: loop(start, carry, any, next), batched: carryFlags };
}

function anyOf(flags: Tensor): Tensor {
  const count = reduceSum(convert(flags, 'int32'), [0]);
  return greater(count, constantLike(0, count));
}

export const whilePrimitive: Primitive<WhileParams> = {
  name: 'while',
  shape(params, inputs) {
    const [condition] = params.condition.outputs;
    if (condition.dtype !== 'bool' || condition.rank !== 0) throw new DtypeError({ operation: 'whileLoop', required: 'the condition must return one bool scalar', received: `${condition.dtype} [${condition.shape.join(',')}]` });
    sections(params, inputs).carry.forEach((value, i) => {
      if (!sameType(value, params.body.outputs[i])) throw new ShapeError({ operation: 'whileLoop', required: `the body must return carry ${i} with the type it came in, ${value.dtype} [${value.shape.join(',')}]`, received: `${params.body.outputs[i].dtype} [${params.body.outputs[i].shape.join(',')}]` });
    });
    return params.body.outputs;
  },
  jvp: jvpWhile,
  transpose: nonlinear('while'),
  batch: batchWhile,
  simplify: none,
  onnx(lowering, node) {
    const { params } = node;
    const at = sections(params, node.inputs);
    const start = lowering.inline(params.condition, [...at.condition, ...at.carry].map((value) => lowering.loose(value)));
    const graph = lowering.subgraph(params.body, at.body, {
      extraInputs: [{ dtype: 'int64', shape: [] }, { dtype: 'bool', shape: [] }],
      extraOutputs: (inner, outputs) => {
        const values = [...at.condition.map((value) => inner.loose(value)), ...outputs.map((name, i) => ({ name, shape: params.body.outputs[i].shape }))];
        return [{ name: inner.inline(params.condition, values)[0].name, dtype: 'bool', shape: [] }];
      },
    });
    const names = lowering.node('Loop', ['', start[0].name, ...at.carry.map((value) => lowering.name(value))], { body: graph }, node.outputs.length);
    return names.map((name, i) => ({ name, shape: node.outputs[i].shape }));
  },
  reference({ params, inputs, evaluate }) {
    const at = sections(params, inputs);
    let carry: NDArray[] = at.carry;
    while (evaluate(params.condition, [...at.condition, ...carry])[0].data[0] !== 0) carry = evaluate(params.body, [...at.body, ...carry]);
    return carry;
  },
  samples: sampleWhile,
  print: ({ condition, body }) => `{condition: ${condition.nodes.length} operations, body: ${body.nodes.length} operations}`,
};

/** Applies `step` to the carry while `condition` holds. */
export function whileLoop(carry: readonly Tensor[], condition: (carry: Tensor[]) => Tensor, step: (carry: Tensor[]) => readonly Tensor[]): readonly Tensor[] {
  const inputs = placeholders(carry);
  const outputs = step(inputs);
  if (outputs.length !== carry.length) throw new ShapeError({ operation: 'whileLoop', required: `the body must return ${carry.length} carried values`, received: String(outputs.length) });
  return loop(carry, inputs, condition(inputs), outputs);
}
