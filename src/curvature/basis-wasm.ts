/**
 * Inner loops over the rows of a basis in WebAssembly, assembled here: V8 computes one number at a time, with a check of bounds
 * for each, where these take two and need none. @module
 */

// Measured on 100 rows of 109,386 entries, 2 cores, others at work: inner products with all rows and the combination of all
// took 4.8 ms together with float32 rows and 6.8 with float64 rows; as loops in JavaScript 20.7 with float64 rows.

/** What is used of the global `WebAssembly`, which ECMAScript does not have. */
interface WebAssemblyGlobal {
  readonly Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/**
 * A loop over columns of `count` neighbouring rows; all numbers are addresses in bytes. `row` to the first row, `stride` from row to
 * row, `work` and `end` to the float64 vector, `values` to one float64 a row.
 */
type Loop = (row: number, stride: number, work: number, end: number, values: number) => void;

/** Loops over GROUP rows, and over one: `dot` adds to values, `add` adds the combination to the vector. */
interface Loops {
  readonly dotGroup: Loop;
  readonly addGroup: Loop;
  readonly dotOne: Loop;
  readonly addOne: Loop;
}

/** The loops on a memory of their own. */
export interface RowLoops extends Loops {
  readonly buffer: ArrayBuffer;
}

/** Rows a loop: accumulators, vector and row then fill the 16 registers. */
export const GROUP = 5;
/** Columns a turn of a loop: rows and vectors are padded to a multiple. */
export const COLUMNS = 4;

const PAGE = 65536;
/** More than a memory of 32-bit addresses is sure to hold. */
const LARGEST = 2 ** 31;

/** Loops over rows of a type in `bytes` of zeroed memory; undefined where there is no WebAssembly, not so much memory, or so little that JavaScript is as fast. */
export function rowLoops(bytesPerEntry: 4 | 8, bytes: number): RowLoops | undefined {
  if (bytes < PAGE || bytes > LARGEST) return undefined;
  try {
    const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }).WebAssembly;
    const memory = new wasm.Memory({ initial: Math.ceil(bytes / PAGE) });
    let module = modules.get(bytesPerEntry);
    if (module === undefined) modules.set(bytesPerEntry, (module = new wasm.Module(assemble(bytesPerEntry))));
    const { exports } = new wasm.Instance(module, { basis: { memory } });
    return { ...(exports as Loops), buffer: memory.buffer };
  } catch {
    // No WebAssembly, none with vectors, forbidden by the page's policy, or no address space left.
    return undefined;
  }
}

const modules = new Map<4 | 8, object>();

// The binary format: https://webassembly.github.io/spec/core/binary/

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...out, rest];
    out.push((rest & 0x7f) | 0x80);
  }
}

const name = (text: string): number[] => [...unsigned(text.length), ...Array.from(text, (letter) => letter.charCodeAt(0))];
const section = (id: number, ...content: number[]): number[] => [id, ...unsigned(content.length), ...content];

const [I32, V128] = [0x7f, 0x7b];
const get = (local: number): number[] => [0x20, ...unsigned(local)];
const set = (local: number): number[] => [0x21, ...unsigned(local)];
const tee = (local: number): number[] => [0x22, ...unsigned(local)];
/** `i32.const` of a small positive number, which fits one byte of signed LEB128. */
const constant = (value: number): number[] => [0x41, value];
const [ADD, BELOW, LOOP, BRANCH_IF, END, EMPTY, ADD_FLOAT] = [0x6a, 0x49, 0x03, 0x0d, 0x0b, 0x40, 0xa0];
const at = (offset: number): number[] => [3, ...unsigned(offset)];
const loadFloat = (offset: number): number[] => [0x2b, ...at(offset)];
const storeFloat = (offset: number): number[] => [0x39, ...at(offset)];
const vector = (operation: number): number[] => [0xfd, ...unsigned(operation)];
const loadPair = (offset: number): number[] => [...vector(0), ...at(offset)];
const storePair = (offset: number): number[] => [...vector(11), ...at(offset)];
/** Two float32 as two float64: `v128.load64_zero`, `f64x2.promote_low_f32x4`. */
const loadSingles = (offset: number): number[] => [...vector(0x5d), 2, ...unsigned(offset), ...vector(0x5f)];
const SPLAT = vector(0x14);
const MULTIPLY = vector(0xf2);
const PLUS = vector(0xf0);
const lane = (k: number): number[] => [...vector(0x21), k];

// Locals: the arguments, then the address of each row, then vectors.
const [ROW, STRIDE, WORK, LAST, VALUES, FIRST_ROW] = [0, 1, 2, 3, 4, 5];
const each = (count: number, code: (index: number) => number[]): number[] => Array.from({ length: count }, (_, i) => code(i)).flat();

/** The two functions over `count` rows, as entries of the code section. */
function functions(bytesPerEntry: 4 | 8, count: number): [dot: number[], add: number[]] {
  const row = (r: number): number => FIRST_ROW + r;
  const local = (i: number): number => FIRST_ROW + count + i;
  const load = (r: number, pair: number): number[] => [...get(row(r)), ...(bytesPerEntry === 4 ? loadSingles(8 * pair) : loadPair(16 * pair))];
  const rows = each(count, (r) => [...(r === 0 ? get(ROW) : [...get(row(r - 1)), ...get(STRIDE), ADD]), ...set(row(r))]);
  const advance = [
    ...each(count, (r) => [...get(row(r)), ...constant(COLUMNS * bytesPerEntry), ADD, ...set(row(r))]),
    ...get(WORK), ...constant(COLUMNS * 8), ADD, ...tee(WORK), ...get(LAST), BELOW, BRANCH_IF, 0, END,
  ];
  const entry = (vectors: number, ...code: number[]): number[] => {
    const body = [2, ...unsigned(count), I32, ...unsigned(vectors), V128, ...code, END];
    return [...unsigned(body.length), ...body];
  };
  const sum = (r: number, pair: number): number => local(2 * r + pair);
  const dot = entry(
    2 * count, ...rows, LOOP, EMPTY,
    ...each(2 * count, (i) => {
      const [r, pair] = [i >> 1, i & 1];
      return [...get(sum(r, pair)), ...load(r, pair), ...get(WORK), ...loadPair(16 * pair), ...MULTIPLY, ...PLUS, ...set(sum(r, pair))];
    }),
    ...advance,
    ...each(count, (r) => [
      ...get(VALUES), ...get(VALUES), ...loadFloat(8 * r), ...get(sum(r, 0)), ...get(sum(r, 1)), ...PLUS, ...tee(sum(r, 0)), ...lane(0), ...get(sum(r, 0)), ...lane(1),
      ADD_FLOAT, ADD_FLOAT, ...storeFloat(8 * r),
    ]),
  );
  const add = entry(
    count, ...rows, ...each(count, (r) => [...get(VALUES), ...loadFloat(8 * r), ...SPLAT, ...set(local(r))]), LOOP, EMPTY,
    ...each(2, (pair) => [
      ...get(WORK), ...get(WORK), ...loadPair(16 * pair), ...each(count, (r) => [...load(r, pair), ...get(local(r)), ...MULTIPLY, ...PLUS]), ...storePair(16 * pair),
    ]),
    ...advance,
  );
  return [dot, add];
}

const EXPORTS: readonly (keyof Loops)[] = ['dotGroup', 'addGroup', 'dotOne', 'addOne'];

/** The module: one function type, an imported memory, four functions. */
function assemble(bytesPerEntry: 4 | 8): Uint8Array {
  const code = [...functions(bytesPerEntry, GROUP), ...functions(bytesPerEntry, 1)];
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, 1, 0x60, 5, I32, I32, I32, I32, I32, 0),
    ...section(2, 1, ...name('basis'), ...name('memory'), 2, 0, 0),
    ...section(3, code.length, ...code.map(() => 0)),
    ...section(7, EXPORTS.length, ...EXPORTS.flatMap((text, i) => [...name(text), 0, i])),
    ...section(10, code.length, ...code.flat()),
  ]);
}
