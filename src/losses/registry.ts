/** Losses by name. @module */
import { ArgumentError } from '../util/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { crossEntropy } from './cross-entropy.ts';
import { hinge } from './hinge.ts';
import { meanSquaredError } from './mean-squared-error.ts';

/** Outputs [batch, ...] and targets to one number an example, [batch]. */
export type Loss = (outputs: Tensor, targets: Tensor) => Tensor;

/** All losses, with their default options. */
export const losses = {
  'cross-entropy': crossEntropy,
  'mean-squared-error': meanSquaredError,
  'binary-cross-entropy': binaryCrossEntropy,
  hinge,
} as const satisfies Readonly<Record<string, Loss>>;

/** Names that `lossNamed` knows. */
export type LossName = keyof typeof losses;

/** The loss of a name. @throws ArgumentError listing the names when there is none. */
export function lossNamed(name: string): Loss {
  if (Object.hasOwn(losses, name)) return losses[name as LossName];
  throw new ArgumentError({ operation: 'lossNamed', required: 'name must be that of a loss', received: `'${name}'`, remedy: Object.keys(losses).join(', ') });
}
