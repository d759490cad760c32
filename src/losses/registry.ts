/** Losses by name. @module */
import { ArgumentError } from '../util/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { crossEntropy } from './cross-entropy.ts';
import { hinge } from './hinge.ts';
import { meanSquaredError } from './mean-squared-error.ts';
import { nextToken } from './next-token.ts';
import { squaredError } from './squared-error.ts';

/** Outputs [batch, ...] and targets to one number an example, [batch]. */
export type Loss = (outputs: Tensor, targets: Tensor) => Tensor;

/** All losses, with their default options. */
export const losses = {
  'cross-entropy': crossEntropy,
  'mean-squared-error': meanSquaredError,
  'squared-error': squaredError,
  'binary-cross-entropy': binaryCrossEntropy,
  hinge,
  'next-token': nextToken,
} as const satisfies Readonly<Record<string, Loss>>;

/** Names that `lossNamed` knows. */
export type LossName = keyof typeof losses;

/** One line each, for lists. */
export const lossDescriptions: Readonly<Record<LossName, string>> = {
  'cross-entropy': 'minus the log-probability of the class, outputs as logits, in nats',
  'mean-squared-error': 'mean over the outputs of squared differences',
  'squared-error': 'half the sum over the outputs of squared differences; mse for short',
  'binary-cross-entropy': 'minus the log-probability of 0 or 1, a logit each; mean over outputs; bce for short',
  hinge: 'how much the class lacks of a margin of 1 over the best other one',
  'next-token': 'cross-entropy of the next token, mean over the positions that have a target (none where it is negative)',
};

/** Short names. `mse` is the loss that papers on the stability of gradient descent call so: a half, and a sum over outputs. */
const aliases: Readonly<Record<string, LossName>> = { mse: 'squared-error', bce: 'binary-cross-entropy', ce: 'cross-entropy' };

/** The name that a loss is registered under. @throws ArgumentError listing the names when there is none. */
export function lossNameOf(name: string): LossName {
  const registered = Object.hasOwn(aliases, name) ? aliases[name] : name;
  if (Object.hasOwn(losses, registered)) return registered as LossName;
  throw new ArgumentError({ operation: 'lossNamed', required: 'name must be that of a loss', received: `'${name}'`, remedy: [...Object.keys(losses), ...Object.entries(aliases).map(([alias, full]) => `${alias} (for ${full})`)].join(', ') });
}

/** The loss of a name. @throws ArgumentError listing the names when there is none. */
export const lossNamed = (name: string): Loss => losses[lossNameOf(name)];
