/** Normalisations beyond those by batch and layer: by instance, groups of channels, root mean square, neighbouring channels. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { add, div, mean, mul, normalizeAxis, pow, reshape, rsqrt, square, standardize, sumPool } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';
import { overChannels } from './windows.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };
const range = (from: number, limit: number): number[] => Array.from({ length: limit - from }, (_, i) => from + i);

/** Standardised over space, for each example and channel by itself (Ulyanov et al. 2016). */
const instanceNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  if (x.rank < 3) refuse('the input must be [batch, channels, ...space]', call.input(0).toString());
  const plain = standardize(x, range(2, x.rank), call.attributes.float('epsilon', 1e-5));
  return [call.result(add(mul(plain, overChannels(call.tensor(1), x.rank)), overChannels(call.tensor(2), x.rank)))];
};

/**
 * Standardised over space and each group of channels (Wu & He 2018). Scale and bias have an entry for each group before operator set 21
 * and for each channel from it on.
 */
const groupNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const groups = call.attributes.integer('num_groups');
  const [batch, channels, ...space] = x.shape;
  if (x.rank < 3 || groups < 1 || channels % groups !== 0) refuse(`the input must be [batch, channels, ...space], its channels divided by 'num_groups'`, `${call.input(0).toString()} and ${groups}`);
  const count = call.version < 21 ? groups : channels;
  const grouped = [batch, groups, channels / groups, ...space];
  const entry = (at: number): Tensor => {
    const vector = call.tensor(at);
    if (sizeOf(vector.shape) !== count) refuse(`${at === 1 ? 'scale' : 'bias'} must have ${count} entries`, call.input(at).toString());
    return reshape(vector, [1, groups, count / groups, ...space.map(() => 1)]);
  };
  const plain = standardize(reshape(x, grouped), range(2, grouped.length), call.attributes.float('epsilon', 1e-5));
  return [call.result(reshape(add(mul(plain, entry(1)), entry(2)), x.shape))];
};

/** x / sqrt(mean of squares + epsilon) over all axes from `axis` on (Zhang & Sennrich 2019). */
const rootMeanSquareNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const axes = range(normalizeAxis('import', x.rank, call.attributes.integer('axis', -1)), x.rank);
  const inverse = rsqrt(add(mean(square(x), axes, { keepDims: true }), call.attributes.float('epsilon', 1e-5)));
  return [call.result(mul(mul(x, inverse), call.tensor(1)))];
};

/** x / (bias + alpha / size * sum of squares of `size` neighbouring channels)^beta (Krizhevsky et al. 2012, section 3.3). */
const localResponseNormalisation: OperatorRule = (call) => {
  const x = call.tensor(0);
  const { attributes } = call;
  const size = attributes.integer('size');
  if (x.rank < 2 || size < 1) refuse("the input must be [batch, channels, ...space], attribute 'size' positive", `${call.input(0).toString()} and ${size}`);
  const before = Math.floor((size - 1) / 2);
  const [batch, channels, ...space] = x.shape;
  const plane = reshape(square(x), [batch, 1, channels, sizeOf(space)]);
  const sums = reshape(sumPool(plane, [size, 1], { strides: 1, padding: [[before, size - 1 - before], [0, 0]] }), x.shape);
  const base = add(mul(sums, attributes.float('alpha', 1e-4) / size), attributes.float('bias', 1));
  return [call.result(div(x, pow(base, attributes.float('beta', 0.75))))];
};

export const normalisationOperators: OperatorTable = {
  InstanceNormalization: { rule: instanceNormalisation, weights: [1, 2] },
  GroupNormalization: { rule: groupNormalisation, weights: [1, 2], since: 18 },
  RMSNormalization: { rule: rootMeanSquareNormalisation, weights: [1], since: 23 },
  LRN: { rule: localResponseNormalisation },
};
