/** Results as plain data: what they may hold, their digest, and where two of them differ. @module */
import { ArgumentError } from '../util/errors.ts';
import { Sha256 } from '../util/sha256.ts';
import type { PlainData } from './entry.ts';

/** The children of a node by the way they are written; undefined for numbers, texts and the like. */
function children(data: unknown, path: string): [step: string, child: unknown][] | undefined {
  if (Array.isArray(data) || data instanceof Float64Array || data instanceof Float32Array || data instanceof Int32Array) return Array.from(data as ArrayLike<unknown>, (child, i) => [`[${i}]`, child]);
  if (data === null || data === undefined || ['number', 'string', 'boolean'].includes(typeof data)) return undefined;
  const prototype = typeof data === 'object' ? Object.getPrototypeOf(data) as unknown : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    const received = typeof data === 'object' ? `an instance of ${(data as object).constructor?.name ?? 'an unnamed class'}` : `a ${typeof data}`;
    throw new ArgumentError({ operation: 'run of an entry', required: `${path} must be plain data (numbers, texts, lists, records, typed arrays of numbers)`, received });
  }
  // A property that is undefined is as good as absent.
  return Object.entries(data as object).filter(([, child]) => child !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, child]) => [`.${name}`, child]);
}

/** A leaf as text: distinct for every number (-0 and 0, NaN), and for a number and its text. */
const leafText = (leaf: unknown): string => (Object.is(leaf, -0) ? '-0' : typeof leaf === 'string' ? JSON.stringify(leaf) : String(leaf));

/** What kind of node it is. */
const kindOf = (data: unknown): string => (ArrayBuffer.isView(data) ? data.constructor.name : Array.isArray(data) ? 'list' : data !== null && typeof data === 'object' ? 'record' : typeof data);

/** SHA-256 of a result, whatever the order of names in its records. @throws ArgumentError naming the place of anything that is not plain data. */
export function digestOf(result: PlainData): string {
  const digest = new Sha256();
  const visit = (data: unknown, path: string): void => {
    const nested = children(data, path);
    if (nested === undefined) digest.update(`${leafText(data)};`);
    else {
      digest.update(`${kindOf(data)} ${nested.length}(`);
      for (const [step, child] of nested) {
        digest.update(`${step}:`);
        visit(child, path + step);
      }
      digest.update(')');
    }
  };
  visit(result, 'result');
  return digest.hex();
}

/** The first place, in the order of the first result, where two results differ: `result.path[3] (0.5 and 0.25)`; undefined when they are the same. */
export function firstDifference(first: PlainData, second: PlainData): string | undefined {
  const visit = (a: unknown, b: unknown, path: string): string | undefined => {
    if (kindOf(a) !== kindOf(b)) return `${path} (${kindOf(a)} and ${kindOf(b)})`;
    const [ofA, ofB] = [children(a, path), children(b, path)];
    if (ofA === undefined || ofB === undefined) return Object.is(a, b) ? undefined : `${path} (${leafText(a)} and ${leafText(b)})`;
    const inB = new Map(ofB);
    for (const [step, child] of ofA) {
      if (!inB.has(step)) return `${path}${step} (only in the first)`;
      const found = visit(child, inB.get(step), path + step);
      if (found !== undefined) return found;
    }
    const inA = new Set(ofA.map(([step]) => step));
    const more = ofB.find(([step]) => !inA.has(step));
    return more === undefined ? undefined : `${path}${more[0]} (only in the second)`;
  };
  return visit(first, second, 'result');
}
