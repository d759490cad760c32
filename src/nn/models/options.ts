/** Options of models as texts: the kinds of value that only models have. @module */
import { nonNegative, oneOf, positiveIntegers, type OptionKind } from '../../util/options.ts';
import { activations, type ActivationName } from '../activations.ts';
import { initializers, type InitializerName } from '../initializers.ts';
import type { Parametrization } from '../weights.ts';

const keys = <K extends string>(record: Readonly<Record<K, unknown>>): K[] => Object.keys(record) as K[];

/** Widths joined by dashes: 784-128-10. */
export const widths = positiveIntegers;
/** Two widths. */
export const pair: OptionKind<readonly [number, number]> = {
  expects: 'two positive integers joined by a dash, as 6-16',
  parse(text) {
    const values = widths.parse(text);
    return values?.length === 2 ? [values[0], values[1]] : undefined;
  },
};
export const activation: OptionKind<ActivationName> = oneOf(keys(activations));
export const readout = oneOf(['every', 'last']);

/** What every model takes. */
export const weightOptions = {
  activation,
  parametrization: oneOf<Parametrization>(['standard', 'ntk']),
  initializer: oneOf<InitializerName>(keys(initializers)),
  weightScale: nonNegative,
  biasScale: nonNegative,
} as const;
