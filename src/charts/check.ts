/** Refusals shared by the figures: data that does not fit together is never drawn. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import type { NumberList } from './figure.ts';

/** @throws ShapeError unless every named list has the length of the first. */
export function requireSameLength(operation: string, lists: Readonly<Record<string, NumberList | undefined>>): void {
  const [[reference, first], ...rest] = Object.entries(lists).filter((entry) => entry[1] !== undefined) as [string, NumberList][];
  for (const [name, list] of rest) {
    if (list.length !== first.length) {
      throw new ShapeError({ operation, required: `${name} must have the ${first.length} elements of ${reference}`, received: `${list.length}` });
    }
  }
}

/** @throws ArgumentError when there is nothing to draw. */
export function requireSome(operation: string, name: string, list: ArrayLike<unknown>): void {
  if (list.length === 0) throw new ArgumentError({ operation, required: `${name} must have at least one element`, received: 'none' });
}

/** @throws ArgumentError unless the values increase strictly and are finite. */
export function requireIncreasing(operation: string, name: string, values: NumberList): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) && (i === 0 || values[i] > values[i - 1])) continue;
    throw new ArgumentError({ operation, required: `${name} must be finite and increase strictly`, received: `${values[i]} at ${i}` });
  }
}
