/** NumPy's archives: zip files of arrays, stored or compressed. @module */
import { unzipSync, zipSync } from 'fflate';
import type { NDArray } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import { encodeNpy, parseNpy, type NpyArray, type NpyOptions } from './npy.ts';

/** Options of `parseNpz`. */
export interface NpzOptions extends NpyOptions {
  /** Names of the arrays to read; all when absent. */
  readonly only?: readonly string[];
  /** An archive whose arrays claim more bytes than this is refused. Default 8 GiB. */
  readonly mostBytes?: number;
}

/** Deflate cannot shrink further than to about a thousandth: an entry that claims more is made to fill memory. */
const LARGEST_RATIO = 1100;
const MOST_BYTES = 8 * 2 ** 30;

/**
 * Arrays of a `.npz` file by name, in its order.
 * @throws DataError when the file is no zip archive, an entry is damaged, encrypted or claims an impossible size, or an array is as `parseNpy` refuses it.
 */
export function parseNpz(bytes: Uint8Array, { name = 'in memory', only, mostBytes = MOST_BYTES, ...options }: NpzOptions = {}): ReadonlyMap<string, NpyArray> {
  const operation = `NumPy archive ${name}`;
  if (bytes.length < 22 || bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    throw new DataError({ operation, required: 'the file must be a zip archive of arrays', received: bytes.length === 0 ? 'no bytes' : `${bytes.length} bytes that begin with ${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`, remedy: 'write it with numpy.savez or numpy.savez_compressed' });
  }
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter(file) {
        if (!file.name.endsWith('.npy') || (only !== undefined && !only.includes(arrayName(file.name)))) return false;
        total += file.originalSize;
        if (file.originalSize > LARGEST_RATIO * Math.max(1, file.size) + 1024 || total > mostBytes) {
          throw new DataError({ operation, required: `'${file.name}' must unpack to a size that its ${file.size} bytes can hold and that ${mostBytes} bytes of memory take`, received: `${file.originalSize} bytes` });
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ operation, required: 'the archive must be whole', received: (error as Error).message, remedy: 'copy or download it again' });
  }
  return new Map(Object.entries(files).map(([file, content]) => [arrayName(file), parseNpy(content, { ...options, name: `'${arrayName(file)}' of ${name}` })]));
}

const arrayName = (file: string): string => file.replace(/\.npy$/, '');

/** The arrays as a compressed `.npz` file, as numpy.savez_compressed writes it. The same arrays give the same bytes. */
export function encodeNpz(arrays: Readonly<Record<string, NDArray>>): Uint8Array {
  const entries = Object.entries(arrays).map(([name, value]) => [`${name}.npy`, [encodeNpy(value), { mtime: new Date(1980, 0, 1) }]] as const);
  return zipSync(Object.fromEntries(entries) as Parameters<typeof zipSync>[0]);
}
