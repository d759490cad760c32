/** Which arrays of a model are parameters, which are state, and why the others are neither. @module */
import { sizeOf } from '../../core/ndarray.ts';
import { ArgumentError } from '../../util/errors.ts';
import { isFloatType, type OnnxType } from './element-types.ts';
import type { ImportedProgram, StoredTensor } from './graph.ts';
import { usesOf, type Use } from './uses.ts';

/** An array that is trained. */
export interface ImportedParameter {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly size: number;
  /** The first node that uses it: `/fc/Gemm (Gemm)`. */
  readonly use: string;
}

/** A floating-point array that is not trained. */
export interface FrozenArray {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly size: number;
  readonly reason: string;
}

/** Arrays of a model by their part. */
export interface Classified {
  readonly parameters: readonly ImportedParameter[];
  readonly frozen: readonly FrozenArray[];
  /** Names of running statistics: state. */
  readonly statistics: readonly string[];
}

/** Names that exporters give to constants of expressions, not to arrays of a module. */
const GENERATED = /^(val_|_val_|c_lifted_tensor|const_|.*::Constant)|(^|\/)Constant(_\d+)?(_output_\d+)?$/;
/** Numbers of this size stand for infinity in masks. */
const MASKING = 1e4;

/**
 * Sorts the floating-point initialisers. A parameter is one that the output depends on differentiably, at a place that is not a setting:
 * also behind Transpose, Reshape, Cast or a function. Not one: single numbers (unless added to a product, or weights by their place),
 * masks, buffers where the exporter says so, and constants that it made itself. `select` overrides: each entry is a pattern with `*`,
 * `+PATTERN` to train and `-PATTERN` to freeze, later entries winning.
 * @throws ArgumentError when a pattern fits no array, or trains one that derivatives do not reach.
 */
export function classifyInitialisers(program: ImportedProgram, outputs: readonly string[], select: readonly string[] = []): Classified {
  const uses = usesOf(program, outputs);
  const parameters: ImportedParameter[] = [];
  const frozen: FrozenArray[] = [];
  const statistics: string[] = [];
  const arrays = [...program.graph.initialisers.values()].filter(({ type }) => isFloatType(type));
  const rules = select.map((entry) => ruleOf(entry, arrays));
  const exporter = { isTold: arrays.some(({ role }) => role === 'parameter'), isTorch: program.producer.startsWith('pytorch') };
  for (const stored of arrays) {
    const { name, type, shape } = stored;
    const own = uses.get(name);
    const row = { name, type, shape, size: sizeOf(shape) };
    const rule = rules.findLast(({ fits }) => fits(name));
    const reaches = own !== undefined && (own.has('weight') || own.has('bias') || own.has('operand'));
    if (own?.has('statistic') === true && !reaches) { statistics.push(name); continue; }
    if (rule?.trains === true && !reaches) throw new ArgumentError({ operation: 'importOnnx', required: 'parameters must be reached by derivatives of the output', received: `'${name}': ${reasonWithout(own)}` });
    const reason = rule === undefined ? reasonAgainst(stored, own, exporter) : rule.trains ? undefined : `frozen by '${rule.entry}'`;
    if (reason === undefined) parameters.push({ ...row, use: own!.get('weight') ?? own!.get('bias') ?? own!.get('operand')! });
    else frozen.push({ ...row, reason });
  }
  return { parameters, frozen, statistics };
}

interface Rule {
  readonly entry: string;
  readonly trains: boolean;
  fits(name: string): boolean;
}

function ruleOf(entry: string, arrays: readonly StoredTensor[]): Rule {
  const sign = entry[0];
  const pattern = entry.slice(1);
  if ((sign !== '+' && sign !== '-') || pattern === '') throw new ArgumentError({ operation: 'importOnnx', required: "an entry of params must be '+PATTERN' to train or '-PATTERN' to freeze", received: `'${entry}'` });
  const expression = new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
  const fits = (name: string): boolean => expression.test(name);
  if (!arrays.some(({ name }) => fits(name))) {
    const known = arrays.slice(0, 20).map(({ name }) => name).join(', ');
    throw new ArgumentError({ operation: 'importOnnx', required: `'${entry}' must fit some floating-point array of the model`, received: arrays.length === 0 ? 'a model without any' : `none of ${known}${arrays.length > 20 ? ', ...' : ''}` });
  }
  return { entry, trains: sign === '+', fits };
}

/** Why derivatives do not reach an array. */
function reasonWithout(uses: ReadonlyMap<Use, string> | undefined): string {
  if (uses === undefined) return 'the output does not depend on it';
  const setting = uses.get('setting');
  if (setting !== undefined) return `a setting of ${setting}`;
  return `it reaches only operators without gradient, the first ${uses.get('zero') ?? uses.get('statistic')}`;
}

/** Why an array that the exporter computed beforehand is frozen. */
export const COMPUTED = 'computed beforehand by the exporter';

/** Why an array is not a parameter by default; undefined when it is one. `isTold`: the exporter says which arrays were parameters; `isTorch`: PyTorch, whose parameters are never Constant nodes. */
function reasonAgainst(stored: StoredTensor, uses: ReadonlyMap<Use, string> | undefined, { isTold, isTorch }: { readonly isTold: boolean; readonly isTorch: boolean }): string | undefined {
  if (uses === undefined || !(uses.has('weight') || uses.has('bias') || uses.has('operand'))) return reasonWithout(uses);
  if (stored.role === 'parameter') return undefined;
  if (stored.role === 'buffer') return 'a buffer of the module, as the exporter says';
  const size = sizeOf(stored.shape);
  if (size === 0) return 'it has no elements';
  if (stored.role === 'constant' && isTorch) return `a constant of the module, of ${uses.get('weight') ?? uses.get('bias') ?? uses.get('operand')}`;
  if (uses.has('weight') || (uses.has('bias') && stored.shape.length > 0)) return undefined;
  if (size === 1) return `one number in ${uses.get('operand') ?? uses.get('bias')}: taken for a constant`;
  if (stored.role === 'constant' || GENERATED.test(stored.name)) return `a constant that the exporter made, of ${uses.get('operand')}`;
  // Such an array is a table of sines and cosines, say, or was made of a parameter: rows of an embedding are named as such.
  if (isTold && stored.role === undefined && !stored.name.includes('embedding')) return `${COMPUTED}, of constants or parameters, for ${uses.get('operand')}`;
  const elements = stored.read();
  const isLimit = (x: number): boolean => !Number.isFinite(x) || Math.abs(x) >= MASKING;
  if (elements.some(isLimit) && elements.every((x) => x === 0 || x === 1 || isLimit(x))) return 'a mask: zeros and very large numbers';
  return undefined;
}
