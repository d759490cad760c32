/** Checks of number arguments that many functions share. @module */
import { ArgumentError } from './errors.ts';

/** Returns `value` when it is an integer of [minimum, maximum]. @throws ArgumentError naming the argument otherwise. */
export function requireInteger(
  operation: string, name: string, value: number, minimum = 0, maximum: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  const upper = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new ArgumentError({ operation, required: `${name} must be an integer ${upper}`, received: String(value) });
}

/** Returns `value` when it is a finite number of [minimum, maximum]. @throws ArgumentError naming the argument otherwise. */
export function requireNumber(operation: string, name: string, value: number, minimum = -Infinity, maximum = Infinity): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum && value <= maximum) return value;
  const lower = minimum === -Infinity ? '' : ` of at least ${minimum}`;
  const upper = maximum === Infinity ? '' : `${lower === '' ? ' of' : ' and'} at most ${maximum}`;
  throw new ArgumentError({ operation, required: `${name} must be a finite number${lower}${upper}`, received: String(value) });
}
