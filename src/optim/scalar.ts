/** Checks of hyper-parameters. @module */
import { ShapeError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import type { Scalar } from './optimizer.ts';

/**
 * Returns a hyper-parameter: a number is checked to lie in [minimum, maximum], a tensor to be a scalar (its value is known to nobody yet).
 * @throws ArgumentError, ShapeError naming the argument.
 */
export function requireScalar(operation: string, name: string, value: Scalar, minimum = -Infinity, maximum = Infinity): Scalar {
  if (typeof value === 'number') return requireNumber(operation, name, value, minimum, maximum);
  if (value.rank === 0) return value;
  throw new ShapeError({ operation, required: `${name} must be a number or a scalar`, received: String(value) });
}
