/** Texts that name an entry of a registry, or one that wraps another. @module */
import { ArgumentError } from '../util/errors.ts';
import { parseOptions, type DescribedOptions, type OptionValues } from '../util/options.ts';

/** What both kinds of entry have. */
interface Composable {
  readonly options: DescribedOptions;
  readonly wraps?: string;
}

/**
 * Reads `name:option=value,...`, or `outer:...+inner:...` where the outer wraps the inner; without an inner it takes the one its entry
 * names. `make` is called from the inside out.
 *
 * @throws ArgumentError naming the part that is wrong, and the names there are.
 */
export function composed<E extends Composable, T>(what: string, registry: Readonly<Record<string, E>>, text: string, make: (entry: E, values: OptionValues<DescribedOptions>, base: T | undefined) => T): T {
  const named = (part: string, base: T | undefined): T => {
    const [name] = part.split(':', 1);
    const entry = entryNamed(what, registry, name, text);
    if (entry.wraps === undefined && base !== undefined) {
      const wrapping = Object.keys(registry).filter((other) => registry[other].wraps !== undefined);
      throw new ArgumentError({ operation: what, required: `what stands before a plus must be one of ${wrapping.join(', ')}`, received: `'${text}'` });
    }
    const values = parseOptions(`${what} ${name}`, part.slice(name.length + 1), entry.options);
    return make(entry, values, base ?? (entry.wraps === undefined ? undefined : named(entry.wraps, undefined)));
  };
  // A plus before a letter: exponents of numbers keep theirs.
  return text.split(/\+(?=[a-z])/i).reduceRight<T | undefined>((base, part) => named(part, base), undefined)!;
}

function entryNamed<E>(what: string, registry: Readonly<Record<string, E>>, name: string, text: string): E {
  if (Object.hasOwn(registry, name)) return registry[name];
  throw new ArgumentError({ operation: what, required: `it must start with one of ${Object.keys(registry).join(', ')}`, received: `'${text}'` });
}
