/** A choice between two programs. @module */
import { DtypeError, ShapeError } from '../../util/errors.ts';
import { evaluate } from '../../core/evaluate.ts';
import { closeOver, Graph, inline, nodesOf } from '../../core/graph.ts';
import { bind, placeholder, sameType, type BatchArguments, type BatchResult, type JvpArguments, type JvpResult, type MaybeTensor, type Primitive, type Tensor, type TransposeArguments } from '../../core/tensor.ts';
import { broadcast } from '../broadcast.ts';
import { zerosLike } from '../constant.ts';
import { pullBack } from '../interpret/pull-back.ts';
import { vectorize } from '../interpret/vectorize.ts';
import { select } from '../select.ts';
import { activeOutputs, asBatched, differentiate, instantiate, placeholders, spread } from './body.ts';
import { sampleCond } from './samples.ts';

/** Inputs: predicate, operands. Both branches take all operands. */
export interface CondParams {
  readonly whenTrue: Graph;
  readonly whenFalse: Graph;
}

/** Builds the choice from two traced branches over the same inputs. */
function choose(predicate: Tensor, operands: readonly Tensor[], inputs: readonly Tensor[], yes: readonly Tensor[], no: readonly Tensor[]): readonly Tensor[] {
  const { graph, captured } = closeOver(inputs, [...yes, ...no]);
  const branch = (outputs: readonly Tensor[]): Graph => new Graph(graph.inputs, outputs);
  return bind(condPrimitive, { whenTrue: branch(graph.outputs.slice(0, yes.length)), whenFalse: branch(graph.outputs.slice(yes.length)) }, [predicate, ...captured, ...operands]);
}

/** The tangents' branches compute again what they need of the values: no residual crosses. */
function jvpCond({ params, inputs: [predicate, ...operands], tangents: [, ...tangents] }: JvpArguments<CondParams>): JvpResult {
  const active = tangents.map((tangent) => tangent !== null);
  const yes = activeOutputs(params.whenTrue, active);
  const outputActive = activeOutputs(params.whenFalse, active).map((flag, i) => flag || yes[i]);
  if (!outputActive.includes(true)) return { tangents: outputActive.map(() => null) };
  const values = placeholders(operands);
  const moving = placeholders(operands.filter((_, i) => active[i]));
  const branch = (graph: Graph): Tensor[] => {
    const forward = differentiate(graph, values, spread(moving, active));
    return instantiate(forward.outputs, forward.tangents, outputActive);
  };
  const result = choose(predicate, [...operands, ...tangents.filter((t) => t !== null)], [...values, ...moving], branch(params.whenTrue), branch(params.whenFalse));
  return { tangents: spread(result, outputActive) };
}

function transposeCond({ params, inputs: [predicate, ...operands], linear: [, ...linear], cotangents }: TransposeArguments<CondParams>): MaybeTensor[] {
  const active = cotangents.map((ct) => ct !== null);
  const known = operands.map((operand, i) => (linear[i] ? null : placeholder(operand)));
  const received = placeholders(params.whenTrue.outputs.filter((_, i) => active[i]));
  const branch = (graph: Graph): Tensor[] => {
    const values = operands.map((operand, i) => known[i] ?? placeholder(operand));
    const moving = values.filter((_, i) => linear[i]);
    return pullBack(moving, inline(graph, values), spread(received, active)).map((ct, i) => ct ?? zerosLike(moving[i]));
  };
  const result = choose(predicate, [...operands.filter((_, i) => !linear[i]), ...cotangents.filter((ct) => ct !== null)],
    [...known.filter((value) => value !== null), ...received], branch(params.whenTrue), branch(params.whenFalse));
  return [null, ...spread(result, linear)];
}

function batchCond({ params, inputs: [predicate, ...operands], batched: [each, ...batched], size }: BatchArguments<CondParams>): BatchResult {
  const run = (graph: Graph, values: readonly Tensor[]) => {
    const inner = placeholders(graph.inputs);
    return vectorize(inner, values, batched, size, inline(graph, inner));
  };
  const merge = (values: readonly Tensor[]) => {
    const yes = run(params.whenTrue, values);
    const no = run(params.whenFalse, values);
    const flags = yes.batched.map((flag, i) => flag || no.batched[i] || each);
    const align = (side: typeof yes): Tensor[] => side.outputs.map((output, i) => (flags[i] ? asBatched(output, side.batched[i], size) : output));
    return { yes: align(yes), no: align(no), flags };
  };
  if (each) {
    const { yes, no, flags } = merge(operands);
    return { outputs: yes.map((value, i) => select(broadcast(predicate, value.shape, [0]), value, no[i])), batched: flags };
  }
  const values = placeholders(operands);
  const { yes, no, flags } = merge(values);
  return { outputs: choose(predicate, operands, values, yes, no), batched: flags };
}

/** The predicate's value where it depends on constants alone. */
function knownValue(predicate: Tensor): boolean | undefined {
  const isClosed = nodesOf([predicate]).every((node) => node.inputs.every((input) => input.node !== null));
  return predicate.node !== null && isClosed ? evaluate(new Graph([], [predicate]), [])[0].data[0] !== 0 : undefined;
}

export const condPrimitive: Primitive<CondParams> = {
  name: 'cond',
  shape({ whenTrue, whenFalse }, [predicate]) {
    if (predicate.dtype !== 'bool' || predicate.shape.length !== 0) throw new DtypeError({ operation: 'cond', required: 'the predicate must be a bool scalar', received: `${predicate.dtype} [${predicate.shape.join(',')}]` });
    if (whenTrue.outputs.length !== whenFalse.outputs.length || whenTrue.outputs.some((type, i) => !sameType(type, whenFalse.outputs[i]))) {
      throw new ShapeError({ operation: 'cond', required: 'both branches must return the same types', received: `(${whenTrue.outputs.join(', ')}) and (${whenFalse.outputs.join(', ')})` });
    }
    return whenTrue.outputs;
  },
  jvp: jvpCond,
  transpose: transposeCond,
  batch: batchCond,
  simplify({ whenTrue, whenFalse }, [predicate, ...operands]) {
    const known = knownValue(predicate);
    return known === undefined ? null : inline(known ? whenTrue : whenFalse, operands);
  },
  onnx(lowering, node) {
    const [predicate, ...operands] = node.inputs;
    // ONNX Runtime inlines branches of a constant condition by itself, and fails on nested ones whose result is used twice.
    const known = knownValue(predicate);
    if (known !== undefined) return lowering.inline(known ? node.params.whenTrue : node.params.whenFalse, operands.map((operand) => lowering.loose(operand)));
    const names = lowering.node('If', [lowering.name(predicate)], {
      then_branch: lowering.subgraph(node.params.whenTrue, operands), else_branch: lowering.subgraph(node.params.whenFalse, operands),
    }, node.outputs.length);
    return names.map((name, i) => ({ name, shape: node.outputs[i].shape }));
  },
  reference: ({ params, inputs: [predicate, ...operands], evaluate }) => evaluate(predicate.data[0] !== 0 ? params.whenTrue : params.whenFalse, operands),
  samples: sampleCond,
  print: ({ whenTrue, whenFalse }) => `{true: ${whenTrue.nodes.length} operations, false: ${whenFalse.nodes.length} operations}`,
};

/** `whenTrue(operands)` if the predicate holds, else `whenFalse(operands)`; only one of them is run. */
export function cond(predicate: Tensor, operands: readonly Tensor[], whenTrue: (operands: Tensor[]) => readonly Tensor[], whenFalse: (operands: Tensor[]) => readonly Tensor[]): readonly Tensor[] {
  const inputs = placeholders(operands);
  const yes = whenTrue(inputs);
  const no = whenFalse(inputs);
  if (yes.length !== no.length) throw new ShapeError({ operation: 'cond', required: 'both branches must return the same number of values', received: `${yes.length} and ${no.length}` });
  return choose(predicate, operands, inputs, yes, no);
}
