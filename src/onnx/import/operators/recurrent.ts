/** Recurrent layers: each direction is one scan over time, with the products of the inputs made for all times at once. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { scan } from '../../../prims/control/scan.ts';
import { add, arange, at, less, matmul, mul, narrow, reshape, split, stack, sub, transpose, where, zeros } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorCall, OperatorRule, OperatorTable } from '../operator.ts';
import { activationsOf, type Activation } from './recurrent-activations.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

/** Weights and functions of one direction. */
interface Direction {
  /** [gates * hidden, hidden] */
  readonly recurrent: Tensor;
  /** [gates * hidden], added to the products with the state. */
  readonly bias: Tensor | undefined;
  /** [3 * hidden]: what the gates i, o and f see of the cell's state. */
  readonly peepholes: Tensor | undefined;
  readonly activations: readonly Activation[];
}

/** One step: products with the input [batch, gates * hidden] and states, the first of them the output, to new states. */
type Step = (input: Tensor, states: readonly Tensor[], direction: Direction) => Tensor[];

interface Layer {
  readonly gates: number;
  readonly states: number;
  readonly activations: readonly string[];
  /** The step of a node, with what its attributes say. */
  readonly step: (call: OperatorCall) => Step;
}

const product = (state: Tensor, weights: Tensor, bias: Tensor | undefined): Tensor => {
  const y = matmul(state, transpose(weights));
  return bias === undefined ? y : add(y, bias);
};

/** H' = f(x + H R + b) (Elman 1990). */
const simple: Layer = {
  gates: 1, states: 1, activations: ['Tanh'],
  step: () => (input, [state], { recurrent, bias, activations: [f] }) => [f(add(input, product(state, recurrent, bias)))],
};

/** Gates z, r and candidate h (Cho et al. 2014); with `linear_before_reset` the reset follows the product, as in cuDNN and PyTorch. */
const gatedRecurrentUnit: Layer = {
  gates: 3, states: 1, activations: ['Sigmoid', 'Tanh'],
  step: ({ attributes }) => {
    const resetsLate = attributes.flag('linear_before_reset', false);
    return (input, [state], { recurrent, bias, activations: [f, g] }) => {
      const hidden = state.shape[1];
      const [xz, xr, xh] = split(input, 3, 1);
      const part = (from: number, to: number, value: Tensor): Tensor =>
        product(value, narrow(recurrent, 0, from * hidden, to * hidden), bias && narrow(bias, 0, from * hidden, to * hidden));
      const [hz, hr, hh] = resetsLate ? split(part(0, 3, state), 3, 1) : split(part(0, 2, state), 2, 1);
      const update = f(add(xz, hz));
      const reset = f(add(xr, hr));
      const candidate = g(add(xh, resetsLate ? mul(reset, hh) : part(2, 3, mul(reset, state))));
      return [add(mul(sub(1, update), candidate), mul(update, state))];
    };
  },
};

/** Gates i, o, f and cell candidate c (Hochreiter & Schmidhuber 1997; Gers et al. 2000), peepholes of Gers & Schmidhuber 2000. */
const longShortTermMemory: Layer = {
  gates: 4, states: 2, activations: ['Sigmoid', 'Tanh', 'Tanh'],
  step: ({ attributes }) => {
    const isCoupled = attributes.flag('input_forget', false);
    return (input, [state, cell], { recurrent, bias, peepholes, activations: [f, g, h] }) => {
      const [i, o, forget, c] = split(add(input, product(state, recurrent, bias)), 4, 1);
      const [pi, po, pf] = peepholes === undefined ? [] : split(peepholes, 3, 0);
      const seen = (gate: Tensor, weights: Tensor | undefined, value: Tensor): Tensor => f(weights === undefined ? gate : add(gate, mul(weights, value)));
      const entering = seen(i, pi, cell);
      const kept = isCoupled ? sub(1, entering) : seen(forget, pf, cell);
      const next = add(mul(kept, cell), mul(entering, g(c)));
      return [mul(seen(o, po, next), h(next)), next];
    };
  },
};

/** Lengths of the sequences as int32 [batch], undefined where all have the full length. @throws ArgumentError when a known one exceeds it. */
function lengthsOf(call: OperatorCall, time: number, batch: number): Tensor | undefined {
  if (!call.has(4)) return undefined;
  const { known, shape } = call.input(4);
  if (shape.length !== 1 || shape[0] !== batch) refuse(`sequence_lens must be [${batch}]`, call.input(4).toString());
  const outside = known?.find((n) => n < 0 || n > time);
  if (outside !== undefined) refuse(`sequence_lens must lie in 0..${time}`, String(outside));
  return known?.every((n) => n === time) === true ? undefined : call.indices(4);
}

/** Sequences from time to time; beyond its length a sequence keeps its state, and its output is zero. */
function run(step: Step, direction: Direction, input: Tensor, states: readonly Tensor[], lengths: Tensor | undefined, isReverse: boolean): { output: Tensor; states: readonly Tensor[] } {
  const time = input.shape[0];
  const { carry, outputs } = scan(states, lengths === undefined ? [input] : [input, arange(time)], time, isReverse, (before, [slice, now]) => {
    const after = step(slice, before, direction);
    if (lengths === undefined) return { carry: after, outputs: [after[0]] };
    const isWithin = reshape(less(now, lengths), [lengths.shape[0], 1]);
    return { carry: after.map((state, i) => where(isWithin, state, before[i])), outputs: [where(isWithin, after[0], 0)] };
  });
  return { output: outputs[0], states: carry };
}

/** Directions in the order of the weights: whether each runs backward. */
function reversals({ attributes }: OperatorCall): boolean[] {
  const direction = attributes.text('direction', 'forward');
  const known: Readonly<Record<string, boolean[]>> = { forward: [false], reverse: [true], bidirectional: [false, true] };
  return Object.hasOwn(known, direction) ? known[direction] : refuse("attribute 'direction' must be forward, reverse or bidirectional", `'${direction}'`);
}

/** Inputs X, W, R, B, sequence_lens, initial states, P; outputs Y and the last states. With `layout` 1 the batch is the first axis of all but weights. */
const recurrent = ({ gates, states, activations, step }: Layer): OperatorRule => (call) => {
  const isBatchFirst = call.attributes.flag('layout', false);
  const exchange = (x: Tensor): Tensor => (isBatchFirst ? transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]) : x);
  const backward = reversals(call);
  const count = backward.length;
  const x = exchange(call.tensor(0));
  const [time, batch, width] = x.shape;
  const hidden = call.input(2).shape.at(-1)!;
  const require = (place: number, name: string, shape: readonly number[]): Tensor | undefined => {
    if (!call.has(place)) return undefined;
    const value = call.input(place);
    if (value.shape.join() !== shape.join()) refuse(`${name} must be [${shape.join(',')}]`, value.toString());
    return call.tensor(place);
  };
  if (x.rank !== 3) refuse('the input must be [time, batch, width]', call.input(0).toString());
  const weights = require(1, 'W', [count, gates * hidden, width]) ?? refuse('W is needed', 'none');
  const recurrentWeights = require(2, 'R', [count, gates * hidden, hidden]) ?? refuse('R is needed', 'none');
  const biases = require(3, 'B', [count, 2 * gates * hidden]);
  const peepholes = states === 2 ? require(7, 'P', [count, 3 * hidden]) : undefined;
  const stateShape = isBatchFirst ? [batch, count, hidden] : [count, batch, hidden];
  const starts = Array.from({ length: states }, (_, i) => {
    const given = require(5 + i, i === 0 ? 'initial_h' : 'initial_c', stateShape);
    return given === undefined ? zeros([count, batch, hidden], x.dtype) : exchange(given);
  });
  const lengths = lengthsOf(call, time, batch);
  const functions = activationsOf(call, activations, count);
  const own = step(call);
  const results = backward.map((isReverse, d) => {
    const [inputBias, stateBias] = biases === undefined ? [] : split(at(biases, d), 2, 0);
    const direction = { recurrent: at(recurrentWeights, d), bias: stateBias, peepholes: peepholes && at(peepholes, d), activations: functions[d] };
    return run(own, direction, product(x, at(weights, d), inputBias), starts.map((start) => at(start, d)), lengths, isReverse);
  });
  const output = stack(results.map((result) => result.output), 1);
  const last = starts.map((_, i) => exchange(stack(results.map((result) => result.states[i]), 0)));
  return [isBatchFirst ? transpose(output, [2, 0, 1, 3]) : output, ...last].map((tensor) => call.result(tensor));
};

export const recurrentOperators: OperatorTable = {
  RNN: { rule: recurrent(simple), weights: [1, 2, 3], settings: [4] },
  GRU: { rule: recurrent(gatedRecurrentUnit), weights: [1, 2, 3], settings: [4] },
  LSTM: { rule: recurrent(longShortTermMemory), weights: [1, 2, 3, 7], settings: [4] },
};
