/** The data directory that all contestants read: `manifest.json` and raw little-endian arrays. Described in peers/README.md. @module */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import path from 'node:path';
import { NDArray } from '../../src/core/ndarray.ts';
import { DataError } from '../../src/util/errors.ts';

/** Arrays by dotted path: `layers.0.weight`. */
export type NamedArrays = Readonly<Record<string, NDArray>>;

/** A model with weights, data and vectors. */
export interface Case {
  readonly model: string;
  /** What shapes do not tell: the number of heads. */
  readonly config: Readonly<Record<string, number>>;
  readonly parameters: NamedArrays;
  /** Arrays that are not differentiated: running statistics. */
  readonly constants: NamedArrays;
  readonly x: NDArray;
  readonly labels: NDArray;
  /** Each with the names and shapes of `parameters`. */
  readonly vectors: readonly NamedArrays[];
}

/** Where an array lies, relative to the directory. */
export interface ArrayEntry {
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}
export type NamedEntries = Readonly<Record<string, ArrayEntry>>;

const CONSTRUCTORS = { float32: Float32Array, int32: Int32Array } as const;
const isStored = (dtype: string): dtype is keyof typeof CONSTRUCTORS => Object.hasOwn(CONSTRUCTORS, dtype);

function requireDtype(operation: string, dtype: string): keyof typeof CONSTRUCTORS {
  if (isStored(dtype)) return dtype;
  throw new DataError({ operation, required: 'arrays must be float32 or int32', received: dtype });
}

/** The bytes of 4-byte elements, reversed one by one where the machine is big-endian. */
const littleEndian = (bytes: Buffer): Buffer => (endianness() === 'LE' ? bytes : bytes.swap32());

/** Writes an array under `directory` and returns its entry. @throws DataError for other dtypes than float32 and int32. */
export function writeArray(directory: string, file: string, { data, dtype, shape }: NDArray): ArrayEntry {
  requireDtype('writeArray', dtype);
  const target = path.join(directory, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, littleEndian(Buffer.from(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))));
  return { file, dtype, shape };
}

/** Reads an array. @throws DataError when the file does not hold what the entry says. */
export function readArray(directory: string, { file, dtype, shape }: ArrayEntry): NDArray {
  const stored = requireDtype('readArray', dtype);
  const bytes = littleEndian(readFileSync(path.join(directory, file)));
  const expected = 4 * shape.reduce((size, extent) => size * extent, 1);
  if (bytes.byteLength !== expected) throw new DataError({ operation: 'readArray', required: `${file} must hold ${expected} bytes`, received: String(bytes.byteLength) });
  // Small files come out of Node's pool at any offset; large ones have a buffer of their own, and are not copied.
  const memory = bytes.buffer.byteLength === expected ? bytes.buffer as ArrayBuffer : new Uint8Array(bytes).buffer;
  return new NDArray(new CONSTRUCTORS[stored](memory), shape, stored);
}

const mapEntries = <From, To>(record: Readonly<Record<string, From>>, f: (value: From, name: string) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

/** Writes each array to `folder/NAME.bin`. */
export const writeArrays = (directory: string, folder: string, arrays: NamedArrays): NamedEntries =>
  mapEntries(arrays, (array, name) => writeArray(directory, `${folder}/${name}.bin`, array));

export const readArrays = (directory: string, entries: NamedEntries): NamedArrays => mapEntries(entries, (entry) => readArray(directory, entry));

/** Writes a case as a data directory. */
export function writeCase(directory: string, { model, config, parameters, constants, x, labels, vectors }: Case): void {
  mkdirSync(directory, { recursive: true });
  const manifest = {
    model, config,
    parameters: writeArrays(directory, 'parameters', parameters), constants: writeArrays(directory, 'constants', constants),
    x: writeArray(directory, 'x.bin', x), labels: writeArray(directory, 'labels.bin', labels),
    vectors: vectors.map((vector, i) => writeArrays(directory, `vectors/${i}`, vector)),
  };
  writeFileSync(path.join(directory, 'manifest.json'), JSON.stringify(manifest, undefined, 1));
}

interface Manifest extends Pick<Case, 'model' | 'config'> {
  readonly parameters: NamedEntries;
  readonly constants: NamedEntries;
  readonly x: ArrayEntry;
  readonly labels: ArrayEntry;
  readonly vectors: readonly NamedEntries[];
}

/** Reads a data directory. */
export function readCase(directory: string): Case {
  const manifest = JSON.parse(readFileSync(path.join(directory, 'manifest.json'), 'utf8')) as Manifest;
  return {
    model: manifest.model, config: manifest.config,
    parameters: readArrays(directory, manifest.parameters), constants: readArrays(directory, manifest.constants),
    x: readArray(directory, manifest.x), labels: readArray(directory, manifest.labels),
    vectors: manifest.vectors.map((entries) => readArrays(directory, entries)),
  };
}
