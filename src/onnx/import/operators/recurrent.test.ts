import { describe, expect, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import { expectAgreement, floats, importedOutputs, ints, type OperatorCase } from './agreement.test-helper.ts';

const [TIME, BATCH, WIDTH, HIDDEN] = [5, 3, 2, 4];
const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Layer = keyof typeof GATES;
interface Options { directions?: number; bias?: boolean; lengths?: readonly number[]; starts?: boolean; peepholes?: boolean; isBatchFirst?: boolean }

const small = (shape: readonly number[], seed: number): NDArray => new NDArray(floats(shape, seed).data.map((x) => x / 2) as Float32Array, shape, 'float32');

function one(operator: Layer, { directions = 1, bias = false, lengths, starts = false, peepholes = false, isBatchFirst = false }: Options = {}, attributes: OperatorCase['attributes'] = {}, rest: Partial<OperatorCase> = {}): OperatorCase {
  const rows = GATES[operator] * HIDDEN;
  const state = isBatchFirst ? [BATCH, directions, HIDDEN] : [directions, BATCH, HIDDEN];
  const inputs = [
    floats(isBatchFirst ? [BATCH, TIME, WIDTH] : [TIME, BATCH, WIDTH]), small([directions, rows, WIDTH], 2), small([directions, rows, HIDDEN], 3),
    bias ? small([directions, 2 * rows], 4) : undefined, lengths === undefined ? undefined : ints(lengths), starts ? small(state, 5) : undefined,
    ...(operator === 'LSTM' ? [starts ? small(state, 6) : undefined, peepholes ? small([directions, 3 * HIDDEN], 7) : undefined] : []),
  ];
  while (inputs.at(-1) === undefined) inputs.pop();
  return {
    operator, inputs, tolerance: 1e-5, outputs: operator === 'LSTM' ? ['float32', 'float32', 'float32'] : ['float32', 'float32'],
    attributes: { hidden_size: HIDDEN, ...(isBatchFirst ? { layout: 1 } : {}), ...attributes }, ...rest,
  };
}
const both = { direction: 'bidirectional' } as const;

const cases: Readonly<Record<string, OperatorCase>> = {
  ...Object.fromEntries((['RNN', 'GRU', 'LSTM'] as const).flatMap((layer) => [
    [`${layer}`, one(layer)],
    [`${layer} with bias and initial states, operator set 7`, one(layer, { bias: true, starts: true }, {}, { opset: 7 })],
    [`${layer} backward`, one(layer, { bias: true, starts: true }, { direction: 'reverse' })],
    [`${layer} both ways`, one(layer, { directions: 2, bias: true, starts: true }, both)],
    [`${layer} of sequences of several lengths, both ways`, one(layer, { directions: 2, bias: true, starts: true, lengths: [5, 2, 3] }, both)],
    [`${layer} of known lengths`, one(layer, { bias: true, lengths: [1, 5, 4] }, {}, { known: [4] })],
    [`${layer} with clip`, one(layer, { bias: true }, { clip: { float: 0.3 } })],
  ])),
  'RNN with relu': one('RNN', { bias: true }, { activations: ['Relu'] }),
  'RNN both ways with functions of their own': one('RNN', { directions: 2 }, { ...both, activations: ['Affine', 'LeakyRelu'], activation_alpha: { floats: [0.5, 0.1] }, activation_beta: { floats: [0.2] } }),
  'GRU whose reset follows the product': one('GRU', { bias: true, starts: true }, { linear_before_reset: 1 }),
  'GRU whose reset follows the product, both ways': one('GRU', { directions: 2, bias: true, lengths: [2, 5, 1] }, { ...both, linear_before_reset: 1 }),
  'GRU with functions of its own': one('GRU', { bias: true }, { activations: ['HardSigmoid', 'Softsign'], activation_alpha: { floats: [0.3] }, activation_beta: { floats: [0.4] } }),
  'LSTM with peepholes': one('LSTM', { bias: true, starts: true, peepholes: true }),
  'LSTM with peepholes, both ways': one('LSTM', { directions: 2, bias: true, starts: true, peepholes: true }, both),
  'LSTM with coupled gates': one('LSTM', { bias: true, starts: true }, { input_forget: 1 }),
  'LSTM with functions of its own': one('LSTM', { bias: true }, { activations: ['sigmoid', 'Elu', 'ScaledTanh'], activation_alpha: { floats: [0.5, 1.5] }, activation_beta: { floats: [0.7] } }),
};

describe('recurrent layers agree with ONNX Runtime, computed and folded', () => {
  test.each(Object.entries(cases))('%s', (_, one) => expectAgreement(one));
});

// ONNX Runtime refuses `layout` 1.
test.each(['RNN', 'GRU', 'LSTM'] as const)('%s with the batch first is the same with axes exchanged', async (layer) => {
  const options = { directions: 2, bias: true, lengths: [5, 2, 3] };
  const plain = one(layer, options, both);
  const first = one(layer, { ...options, isBatchFirst: true }, both);
  const exchange = ({ data, shape: [a, b, ...rest] }: NDArray): NDArray => {
    const run = data.length / (a * b);
    return new NDArray(Float32Array.from(data, (_, i) => data[((Math.floor(i / run) % a) * b + Math.floor(i / run / a)) * run + (i % run)]), [b, a, ...rest], 'float32');
  };
  const expected = await importedOutputs(plain);
  const received = await importedOutputs({ ...first, inputs: [exchange(plain.inputs[0] as NDArray), ...first.inputs.slice(1)] });
  expect(received[0].shape).toEqual([BATCH, TIME, 2, HIDDEN]);
  // [time, directions, batch, hidden] -> [batch, time, directions, hidden]
  const [rows, run] = [TIME * 2, HIDDEN];
  received[0].data.forEach((x, i) => {
    const [b, row, h] = [Math.floor(i / (rows * run)), Math.floor(i / run) % rows, i % run];
    expect(x).toBeCloseTo(expected[0].data[(row * BATCH + b) * run + h], 6);
  });
  expect(received[1].shape).toEqual([BATCH, 2, HIDDEN]);
  exchange(expected[1]).data.forEach((x, i) => expect(received[1].data[i]).toBeCloseTo(x, 6));
});

test('misfits are refused', async () => {
  await expect(importedOutputs(one('LSTM', {}, { direction: 'sideways' }))).rejects.toThrow("attribute 'direction' must be forward, reverse or bidirectional");
  await expect(importedOutputs(one('LSTM', {}, both))).rejects.toThrow('W must be [2,16,2]');
  await expect(importedOutputs(one('GRU', {}, { activations: ['Sigmoid', 'Cosine'] }))).rejects.toThrow('activations of GRU must be among');
  await expect(importedOutputs(one('GRU', { lengths: [1, 6, 2] }, {}, { known: [4] }))).rejects.toThrow('sequence_lens must lie in 0..5');
});
