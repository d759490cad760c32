/** Options written as texts, `name=value,name=value`: what each kind of value may look like, and how the text is read. @module */
import { ArgumentError } from './errors.ts';

/** How a value is written and read; `parse` returns undefined for a text that is none. */
export interface OptionKind<T> {
  readonly expects: string;
  parse(text: string): T | undefined;
}

export const oneOf = <const T extends string>(names: readonly T[]): OptionKind<T> => ({ expects: `one of ${names.join(', ')}`, parse: (text) => names.find((name) => name === text) });
const number = (text: string): number | undefined => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined);
const within = (text: string, fits: (value: number) => boolean): number | undefined => {
  const value = number(text);
  return value !== undefined && fits(value) ? value : undefined;
};

export const positiveInteger: OptionKind<number> = { expects: 'a positive integer', parse: (text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined) };
export const nonNegativeInteger: OptionKind<number> = { expects: 'an integer of at least 0', parse: (text) => (text === '0' ? 0 : positiveInteger.parse(text)) };
/** Joined by dashes: 784-128-10. */
export const positiveIntegers: OptionKind<readonly number[]> = {
  expects: 'positive integers joined by dashes, as 128-64',
  parse(text) {
    const values = text.split('-').map(positiveInteger.parse);
    return values.every((value) => value !== undefined) ? values : undefined;
  },
};
export const anyNumber: OptionKind<number> = { expects: 'a number', parse: number };
export const nonNegative: OptionKind<number> = { expects: 'a number of at least 0', parse: (text) => within(text, (value) => value >= 0) };
export const positive: OptionKind<number> = { expects: 'a positive number', parse: (text) => within(text, (value) => value > 0) };
/** Shares and decay rates: [0, 1]. */
export const fraction: OptionKind<number> = { expects: 'a number from 0 to 1', parse: (text) => within(text, (value) => value >= 0 && value <= 1) };
export const flag: OptionKind<boolean> = { expects: 'true or false', parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined) };

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
      const known = Object.keys(kinds);
      throw new ArgumentError({ operation, required: known.length === 0 ? 'there are no options' : `options must be key=value with a key of ${known.join(', ')}`, received: `'${entry}'` });
    }
    if (Object.hasOwn(values, name)) throw new ArgumentError({ operation, required: `${name} may be given once`, received: `'${text}'` });
    const value = kinds[name].parse(entry.slice(equals + 1));
    if (value === undefined) throw new ArgumentError({ operation, required: `${name} must be ${kinds[name].expects}`, received: `'${entry.slice(equals + 1)}'` });
    values[name] = value;
  });
  return values as OptionValues<K>;
}

/** What a list of options says of one, besides how its value is written. */
export interface DescribedOption<T = unknown> extends OptionKind<T> {
  readonly about: string;
  /** The value of an option that is left out, where there is a single one. */
  readonly default?: T;
}
export type DescribedOptions = Readonly<Record<string, DescribedOption>>;

/** A kind of option with one line on what it is, and its default. */
export const option = <T>(kind: OptionKind<T>, about: string, standard?: NoInfer<T>): DescribedOption<T> => ({ ...kind, about, ...(standard !== undefined && { default: standard }) });
