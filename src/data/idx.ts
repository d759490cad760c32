/** The IDX format of MNIST and its relatives: a magic number, extents, then bytes. @module */
import { DataError } from '../util/errors.ts';

/** The content of an IDX file of unsigned bytes. */
export interface IdxFile {
  readonly shape: readonly number[];
  /** The elements in row-major order; a view of the parsed bytes, not a copy. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Parses an uncompressed IDX file of unsigned bytes: two zero bytes, the element type 0x08, the rank, one big-endian 32-bit
 * extent an axis, then the elements. `name` stands in messages.
 * @throws DataError when the magic number is wrong, the element type is not byte, or the file is truncated or too long.
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX data'): IdxFile {
  const refuse = (required: string, received: string, remedy?: string): never => {
    throw new DataError({ operation: `parseIdx of ${name}`, required, received, remedy });
  };
  if (bytes.length < 4) refuse('the file must begin with a magic number of 4 bytes', `${bytes.length} bytes`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const magic = `0x${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    refuse('the magic number must begin with two zero bytes', magic, gzip ? 'decompress the file: it is gzip' : undefined);
  }
  if (bytes[2] !== UNSIGNED_BYTE) refuse('elements must be unsigned bytes, type 0x08', `type 0x${bytes[2].toString(16).padStart(2, '0')}`);
  const rank = bytes[3];
  const header = 4 + 4 * rank;
  if (bytes.length < header) refuse(`the header of ${rank} extents must have ${header} bytes`, `${bytes.length} bytes: the file is truncated`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (bytes.length !== header + size) {
    const fault = bytes.length < header + size ? 'the file is truncated' : 'the file is too long';
    refuse(`shape [${shape.join(',')}] must have ${size} bytes of elements`, `${bytes.length - header}: ${fault}`);
  }
  return { shape, data: bytes.subarray(header) };
}
