/** Layers that every exporter writes: activations of the first generation, softmax, batch and layer normalisation, dropout. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import {
  add, convert, gelu, greaterEqual, logSoftmax, mean, mul, ones, relu, reshape, rsqrt, sigmoid, softmax, softplus, square, stopGradient, sub, where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';
import type { Value } from '../value.ts';
import { overChannels } from './windows.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };
const elementwise = (f: (x: Tensor) => Tensor): OperatorRule => (call) => [call.result(f(call.tensor(0)))];

/** Before operator set 13 all axes from `axis` on (default 1) are one; from it on, `axis` alone (default the last). */
const normalised = (f: (x: Tensor, axis: number) => Tensor): OperatorRule => (call) => {
  const x = call.tensor(0);
  if (call.version >= 13) return [call.result(f(x, call.attributes.integer('axis', -1)))];
  const axis = call.attributes.integer('axis', 1);
  const at = axis < 0 ? axis + x.rank : axis;
  if (at < 0 || at > x.rank) refuse(`axis must lie in ${-x.rank}..${x.rank}`, String(axis));
  return [call.result(reshape(f(reshape(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]), 1), x.shape))];
};

/** Mean and population variance of each channel of a batch. */
function batchMoments(x: Tensor): { centre: Tensor; variance: Tensor; count: number } {
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const centre = mean(x, axes);
  return { centre, variance: mean(square(sub(x, overChannels(centre, x.rank))), axes), count: sizeOf(axes.map((axis) => x.shape[axis])) };
}

/**
 * y = scale (x - mean) / sqrt(variance + epsilon) + bias (Ioffe & Szegedy 2015). In eval mode by the kept statistics. By those of the batch
 * in train mode, where derivatives flow through them and the kept ones are renewed, as PyTorch does: momentum 1 - ONNX's, variance
 * divided by n - 1 unless the model itself is in training mode, whose definition divides by n.
 */
const batchNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const epsilon = call.attributes.float('epsilon', 1e-5);
  const momentum = call.attributes.float('momentum', 0.9);
  if (x.rank < 2) refuse('the input must be [batch, channels, ...space]', call.input(0).toString());
  if (!call.attributes.flag('spatial', true)) refuse("attribute 'spatial' must be 1: statistics of each channel", '0');
  const [keptMean, keptVariance] = [call.input(3), call.input(4)];
  const apply = (centre: Tensor, variance: Tensor): Tensor => {
    const factor = mul(call.tensor(1), rsqrt(add(variance, epsilon)));
    return add(mul(sub(x, overChannels(centre, x.rank)), overChannels(factor, x.rank)), overChannels(call.tensor(2), x.rank));
  };
  const isOwnTraining = call.attributes.flag('training_mode', false);
  const isTraining = call.run.mode === 'train' || isOwnTraining;
  if (!isTraining && call.run.batchNormalisation === 'eval') return [call.result(apply(call.tensor(3), call.tensor(4)))];
  const { centre, variance, count } = batchMoments(x);
  if (count < 2) refuse('normalisation by the batch needs more than one value for each channel', call.input(0).toString());
  const outputs: (Value | undefined)[] = [call.result(apply(centre, variance))];
  if (!isTraining) return outputs;
  const fresh = isOwnTraining ? variance : mul(variance, count / (count - 1));
  const renewed = [[keptMean, centre, 3], [keptVariance, fresh, 4]] as const;
  renewed.forEach(([kept, value, at], i) => {
    const next = add(mul(call.tensor(at), momentum), mul(stopGradient(value), 1 - momentum));
    if (kept.origin !== undefined) call.run.keepStatistic(kept.origin, next);
    outputs[i + 1] = call.result(next);
  });
  return outputs;
};

/** In eval mode the input itself. In train mode by noise that the run provides; without it the input, with a notice. */
const dropout: OperatorRule = (call) => {
  const x = call.tensor(0);
  const rate = call.version < 12 ? call.attributes.float('ratio', 0.5) : call.has(1) ? call.input(1).number('the ratio of Dropout') : 0.5;
  const uniform = call.run.mode === 'train' && rate > 0 ? call.run.noise(x.shape) : undefined;
  if (call.run.mode === 'train' && rate > 0 && uniform === undefined) call.run.notice('dropout is off: no random numbers are given');
  if (uniform === undefined) return [call.input(0), call.result(convert(ones(x.shape, 'float32'), 'bool'), 'bool')];
  const isKept = greaterEqual(uniform, rate);
  return [call.result(where(isKept, mul(x, rate < 1 ? 1 / (1 - rate) : 0), 0)), call.result(isKept, 'bool')];
};

/** Standardises over all axes from `axis` on (Ba et al. 2016); the other outputs are the mean and the inverse deviation. */
const layerNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axis = call.attributes.integer('axis', -1);
  const from = axis < 0 ? axis + x.rank : axis;
  if (from < 0 || from >= x.rank) refuse(`axis must lie in ${-x.rank}..${x.rank - 1}`, String(axis));
  const axes = x.shape.map((_, i) => i).slice(from);
  const centre = mean(x, axes, { keepDims: true });
  const centred = sub(x, centre);
  const inverse = rsqrt(add(mean(square(centred), axes, { keepDims: true }), call.attributes.float('epsilon', 1e-5)));
  const scaled = mul(mul(centred, inverse), call.tensor(1));
  return [call.result(call.has(2) ? add(scaled, call.tensor(2)) : scaled), call.result(centre), call.result(inverse)];
};

const geluRule: OperatorRule = (call) => {
  const approximation = call.attributes.text('approximate', 'none');
  if (approximation !== 'none' && approximation !== 'tanh') refuse("attribute 'approximate' must be 'none' or 'tanh'", `'${approximation}'`);
  return [call.result(gelu(call.tensor(0), { approximate: approximation === 'tanh' }))];
};

export const networkOperators: OperatorTable = {
  Gelu: { rule: geluRule, since: 20 },
  Softplus: { rule: elementwise(softplus) },
  Relu: { rule: elementwise(relu) },
  Sigmoid: { rule: elementwise(sigmoid) },
  Softmax: { rule: normalised(softmax) },
  LogSoftmax: { rule: normalised(logSoftmax) },
  BatchNormalization: { rule: batchNormalisation, weights: [1, 2], statistics: [3, 4] },
  Dropout: { rule: dropout, settings: [1, 2], impure: true },
  // ONNX's from operator set 17 on; ONNX Runtime's optimiser writes it under the same name into older models.
  LayerNormalization: { rule: layerNormalisation, weights: [1, 2] },
};
