/** Options of models as texts: what each kind of value may look like. @module */
import { ArgumentError } from '../../util/errors.ts';
import { activations, type ActivationName } from '../activations.ts';
import { initializers, type InitializerName } from '../initializers.ts';
import type { Parametrization } from '../weights.ts';

/** How a value is written and read; `parse` returns undefined for a text that is none. */
export interface OptionKind<T> {
  readonly expects: string;
  parse(text: string): T | undefined;
}

const oneOf = <const T extends string>(names: readonly T[]): OptionKind<T> => ({ expects: `one of ${names.join(', ')}`, parse: (text) => names.find((name) => name === text) });
const positiveInteger = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);
const keys = <K extends string>(record: Readonly<Record<K, unknown>>): K[] => Object.keys(record) as K[];

export const integer: OptionKind<number> = { expects: 'a positive integer', parse: positiveInteger };
export const nonNegative: OptionKind<number> = {
  expects: 'a number of at least 0',
  parse: (text) => (/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined),
};
/** Widths joined by dashes: 784-128-10. */
export const widths: OptionKind<readonly number[]> = {
  expects: 'positive integers joined by dashes, as 128-64',
  parse(text) {
    const values = text.split('-').map(positiveInteger);
    return values.every((value) => value !== undefined) ? values : undefined;
  },
};
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

export type OptionKinds = Readonly<Record<string, OptionKind<unknown>>>;
/** The values that options of these kinds have; all are optional. */
export type OptionValues<K extends OptionKinds> = { readonly [N in keyof K]?: K[N] extends OptionKind<infer T> ? T : never };

/**
 * Reads `value,key=value,...` by the kinds; a first entry without `=` belongs to the option `positional`.
 * @throws ArgumentError naming the option that is unknown, given twice or malformed.
 */
export function parseOptions<K extends OptionKinds>(operation: string, text: string, kinds: K, positional?: keyof K & string): OptionValues<K> {
  const values: Record<string, unknown> = {};
  text.split(',').filter((entry, _, all) => entry !== '' || all.length > 1).forEach((entry, place) => {
    const equals = entry.indexOf('=');
    const name = equals < 0 && place === 0 && positional !== undefined ? positional : entry.slice(0, Math.max(equals, 0));
    if (!Object.hasOwn(kinds, name)) {
      throw new ArgumentError({ operation, required: `options must be key=value with a key of ${Object.keys(kinds).join(', ')}`, received: `'${entry}'` });
    }
    if (Object.hasOwn(values, name)) throw new ArgumentError({ operation, required: `${name} may be given once`, received: `'${text}'` });
    const value = kinds[name].parse(entry.slice(equals + 1));
    if (value === undefined) throw new ArgumentError({ operation, required: `${name} must be ${kinds[name].expects}`, received: `'${entry.slice(equals + 1)}'` });
    values[name] = value;
  });
  return values as OptionValues<K>;
}
