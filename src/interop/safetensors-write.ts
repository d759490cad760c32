/** Writing the safetensors format. @module */
import { ArgumentError } from '../util/errors.ts';
import type { DType, NDArray } from '../core/ndarray.ts';
import { LENGTH_BYTES } from './safetensors.ts';

/** Arrays by the names they get in the file. */
export type NamedArrays = Readonly<Record<string, NDArray>>;

/** What stands before the elements, and in which order they follow. */
export interface SafetensorsPlan {
  /** Length and header, padded so that the elements begin at a multiple of 8 bytes. */
  readonly head: Uint8Array;
  /** Names in the order of the file. */
  readonly order: readonly string[];
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

const TYPE_NAMES: Readonly<Record<DType, string>> = { float64: 'F64', float32: 'F32', int32: 'I32', bool: 'BOOL' };

/**
 * The header of a file that holds these arrays: widest elements first and then by name, as the reference implementation
 * orders them, so that every tensor is aligned. The same arrays give the same bytes.
 * @throws ArgumentError when an array is called `__metadata__`.
 */
export function planSafetensors(arrays: NamedArrays, metadata: Readonly<Record<string, string>> = {}): SafetensorsPlan {
  if (Object.hasOwn(arrays, '__metadata__')) throw new ArgumentError({ operation: 'planSafetensors', required: 'no array may be called __metadata__, which the format reserves', received: 'one' });
  const order = Object.keys(arrays).sort((a, b) => arrays[b].data.BYTES_PER_ELEMENT - arrays[a].data.BYTES_PER_ELEMENT || (a < b ? -1 : 1));
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let end = 0;
  // Names that look like integers would move to the front of an object; the header is written pair by pair.
  const pairs = Object.entries(header).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  for (const name of order) {
    const { data, dtype, shape } = arrays[name];
    pairs.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: TYPE_NAMES[dtype], shape, data_offsets: [end, end + data.byteLength] })}`);
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(`{${pairs.join(',')}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  const view = new DataView(head.buffer);
  view.setUint32(0, padded >>> 0, true);
  view.setUint32(4, Math.floor(padded / 2 ** 32), true);
  head.set(text, LENGTH_BYTES);
  return { head, order, fileBytes: head.length + end };
}

/** The bytes of an array as they stand in a file. */
export const bytesOfArray = ({ data }: NDArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A whole file in memory. @throws ArgumentError when an array is called `__metadata__`. */
export function encodeSafetensors(arrays: NamedArrays, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const { head, order, fileBytes } = planSafetensors(arrays, metadata);
  const file = new Uint8Array(fileBytes);
  file.set(head);
  let at = head.length;
  for (const name of order) {
    file.set(bytesOfArray(arrays[name]), at);
    at += arrays[name].data.byteLength;
  }
  return file;
}
