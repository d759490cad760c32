/** Branches and loops. @module */
import { cond } from '../../../prims/control/cond.ts';
import { scan } from '../../../prims/control/scan.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { arange, moveAxis, reshape, reverse } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable, Subgraph } from '../operator.ts';
import { integers, Value, type OnnxType } from '../value.ts';
import { stacked } from './shaping.ts';

/** A loop that cannot be a scan is unrolled up to this many steps. */
const MOST_STEPS = 1024;
/** Loops of so few steps are unrolled at once: what is known in a step stays known. */
const FEW_STEPS = 4;

const refuse = (required: string, received: string, remedy?: string): never => { throw new ArgumentError({ operation: 'import', required, received, remedy }); };

/** A known condition chooses its branch; a computed one becomes a branch of the program, whose sides must have one type each. */
const ifRule: OperatorRule = (call) => {
  const condition = call.input(0);
  const [yes, no] = [call.subgraph('then_branch'), call.subgraph('else_branch')];
  if (condition.isKnown) return (condition.number('the condition') !== 0 ? yes : no).run([]);
  let types: OnnxType[] = [];
  const side = (branch: Subgraph) => (): Tensor[] => {
    const values = branch.run([]);
    types = values.map(({ type }) => type);
    return values.map((value) => value.tensor(call.run.float));
  };
  const outputs = cond(reshape(call.tensor(0), []), [], side(yes), side(no));
  return outputs.map((output, i) => Value.ofTensor(types[i], output));
};

const isTrue = (value: Value | undefined): boolean | undefined => (value === undefined ? true : value.isKnown ? value.number('the condition of a loop') !== 0 : undefined);

/** Inputs: number of steps, condition, carried values. Outputs: carried values at the end, then values of each step stacked. */
const loopRule: OperatorRule = (call) => {
  const body = call.subgraph('body');
  const carried = call.inputs.slice(2).map((_, i) => call.input(i + 2));
  const scanned = body.outputs - 1 - carried.length;
  const limit = call.has(0) ? call.input(0).number('the number of steps of a loop') : Infinity;
  if (scanned < 0) refuse(`the body of a loop must return a condition and ${carried.length} carried values`, `${body.outputs} values`);
  if (isTrue(call.inputs[1]) === undefined) refuse('whether a loop begins must be known beforehand', 'a computed condition', 'export the model without loops whose number of steps depends on data');
  const attempt = limit > FEW_STEPS && Number.isFinite(limit) && isTrue(call.inputs[1]) === true ? scannedLoop(call, body, carried, limit) : undefined;
  return attempt ?? unrolledLoop(call, body, carried, limit, scanned);
};

function unrolledLoop(call: OperatorCall, body: Subgraph, start: readonly Value[], limit: number, scanned: number): Value[] {
  let carried: readonly Value[] = start;
  const pieces: Value[][] = Array.from({ length: scanned }, () => []);
  let goesOn = isTrue(call.inputs[1])!;
  for (let step = 0; goesOn && step < limit; step++) {
    if (step === MOST_STEPS) refuse(`a loop that cannot be a scan must have at most ${MOST_STEPS} steps`, limit === Infinity ? 'more' : String(limit));
    const [condition, ...values] = body.run([integers([step], []), Value.ofKnown('bool', [], Uint8Array.of(1)), ...carried]);
    carried = values.slice(0, start.length);
    values.slice(start.length).forEach((value, i) => pieces[i].push(value));
    goesOn = isTrue(condition) ?? refuse('whether a loop goes on must be known beforehand', 'a computed condition', 'export the model without loops whose number of steps depends on data');
  }
  if (scanned > 0 && pieces[0].length === 0) refuse('a loop that stacks values must take a step', 'none');
  return [...carried, ...pieces.map((list) => Value.ofTensor(list[0].type, stacked(list.map((value) => value.tensor(call.run.float)), 0)))];
}

/** The loop as one operation, if its body is the same for every step; undefined otherwise. */
function scannedLoop(call: OperatorCall, body: Subgraph, carried: readonly Value[], steps: number): Value[] | undefined {
  const { float } = call.run;
  let types: OnnxType[] = [];
  try {
    const { carry, outputs } = scan(carried.map((value) => value.tensor(float)), [arange(steps)], steps, false, (inputs, [step]) => {
      const [condition, ...values] = body.run([Value.ofTensor('int64', step), Value.ofKnown('bool', [], Uint8Array.of(1)), ...inputs.map((input, i) => Value.ofTensor(carried[i].type, input))]);
      if (isTrue(condition) !== true) refuse('a scan goes on to its end', 'a condition');
      types = values.map(({ type }) => type);
      const tensors = values.map((value) => value.tensor(float));
      return { carry: tensors.slice(0, carried.length), outputs: tensors.slice(carried.length) };
    });
    return [...carry, ...outputs].map((output, i) => Value.ofTensor(types[i], output));
  } catch {
    // A body that needs to know its step, or whose values change shape, is unrolled; if that fails too, its error is the one to read.
    return undefined;
  }
}

/** Scan: carried values, then arrays walked along an axis each. */
const scanRule: OperatorRule = (call) => {
  const { float } = call.run;
  const body = call.subgraph('body');
  const walked = call.attributes.integer('num_scan_inputs');
  // Checked before lists of that length are made.
  if (walked < 1 || walked > call.inputs.length) refuse(`num_scan_inputs must lie in 1..${call.inputs.length}`, String(walked));
  const kept = call.inputs.length - walked;
  const results = body.outputs - kept;
  if (results < 0) refuse(`the body of Scan must have at least the ${kept} carried values as outputs`, String(body.outputs));
  const list = (name: string, count: number): number[] => call.attributes.integers(name, Array.from({ length: count }, () => 0));
  const [axes, directions] = [list('scan_input_axes', walked), list('scan_input_directions', walked)];
  const [outAxes, outDirections] = [list('scan_output_axes', results), list('scan_output_directions', results)];
  const carried = call.inputs.slice(0, kept).map((_, i) => call.input(i));
  const sources = Array.from({ length: walked }, (_, i) => call.input(kept + i));
  const stacks = sources.map((source, i) => {
    const front = moveAxis(source.tensor(float), axes[i], 0);
    return directions[i] === 1 ? reverse(front, 0) : front;
  });
  const steps = stacks[0]?.shape[0] ?? refuse('Scan must walk along some input', 'none');
  if (stacks.some((stack) => stack.shape[0] !== steps)) refuse('what Scan walks along must have one extent', stacks.map((stack) => stack.shape[0]).join(' and '));
  let types: OnnxType[] = [];
  const typed = (tensors: readonly Tensor[], like: readonly Value[]): Value[] => tensors.map((tensor, i) => Value.ofTensor(like[i].type, tensor));
  const { carry, outputs } = scan(carried.map((value) => value.tensor(float)), stacks, steps, false, (inputs, slices) => {
    const values = body.run([...typed(inputs, carried), ...typed(slices, sources)]);
    types = values.map(({ type }) => type);
    const tensors = values.map((value) => value.tensor(float));
    return { carry: tensors.slice(0, kept), outputs: tensors.slice(kept) };
  });
  const placed = outputs.map((output, i) => moveAxis(outDirections[i] === 1 ? reverse(output, 0) : output, 0, outAxes[i]));
  return [...carry, ...placed].map((output, i) => Value.ofTensor(types[i], output));
};

export const controlOperators: OperatorTable = {
  If: { rule: ifRule, settings: [0], impure: true },
  Loop: { rule: loopRule, settings: [0, 1], impure: true },
  Scan: { rule: scanRule, since: 9, impure: true },
};
