/** Keys: the immutable seeds of random streams, split by name. @module */
import { ArgumentError } from '../errors.ts';
import { philox } from './philox.ts';

/**
 * A 64-bit key. Every draw is a pure function of a key (and its own index), so a key is used for one draw; for another,
 * split it by name. A class rather than a plain object, so that trees treat it as a leaf.
 */
export class Key {
  /** Least significant 32 bits, unsigned. */
  readonly low: number;
  /** Most significant 32 bits, unsigned. */
  readonly high: number;

  constructor(low: number, high: number) {
    this.low = low >>> 0;
    this.high = high >>> 0;
    Object.freeze(this);
  }

  toString(): string {
    return `key(0x${this.high.toString(16).padStart(8, '0')}${this.low.toString(16).padStart(8, '0')})`;
  }
}

/** What a draw writes in counter word 2, so that two distributions drawn from one key share no block. */
export const DRAW = { uniform: 1, normal: 2, rademacher: 3, integer: 4, shuffle: 5, exponential: 6 } as const;
/** Counter word 3 is 0 in draws and starts as this ("splt") in splits. */
const SPLIT_DOMAIN = 0x73706c74;

/**
 * The key of a seed: its 64 bits, two's complement when negative.
 * @throws ArgumentError when a number is not a safe integer, or a bigint needs more than 64 bits.
 */
export function key(seed: number | bigint): Key {
  const valid = typeof seed === 'bigint' ? seed >= -(2n ** 63n) && seed < 2n ** 64n : Number.isSafeInteger(seed);
  if (!valid) {
    throw new ArgumentError({
      operation: 'key', required: 'seed must be a safe integer or a bigint of 64 bits', received: String(seed),
      remedy: 'pass an integer such as 0, or split(key(0), name) for a seed by name',
    });
  }
  const bits = BigInt.asUintN(64, BigInt(seed));
  return new Key(Number(bits & 0xffffffffn), Number(bits >> 32n));
}

/** `tag, UTF-8 bytes` of a string or `tag, 8 little-endian bytes` of an integer, padded with zeros to 8-byte blocks. */
function encodeName(name: string | number): { words: Uint32Array; length: number } {
  if (typeof name === 'number' && !Number.isSafeInteger(name)) {
    throw new ArgumentError({ operation: 'split', required: 'name must be a string or a safe integer', received: String(name) });
  }
  const body = typeof name === 'string' ? new TextEncoder().encode(name) : new Uint8Array(8);
  if (typeof name === 'number') new DataView(body.buffer).setBigInt64(0, BigInt(name), true);
  const length = body.length + 1;
  const bytes = new Uint8Array(Math.ceil(length / 8) * 8);
  bytes[0] = typeof name === 'string' ? 1 : 2;
  bytes.set(body, 1);
  const view = new DataView(bytes.buffer);
  return { words: Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true)), length };
}

/**
 * The child of a key under a name, or under a path of names: `split(key, 'layers', 0)` = `split(split(key, 'layers'), 0)`.
 * Children depend on the parent and the name only, never on the order or number of splits.
 *
 * Derivation, a CBC-MAC with Philox4x32-10 under the parent key: with message blocks m_1, m_2, ... of 64 bits (`encodeName`)
 * and the chain c_0 = (byte length, "splt"), the words (c_i, s_i) = Philox([m_i, c_{i-1}]); the child key is the last s.
 * The string '3' and the number 3 are different names. @throws ArgumentError when a number is not a safe integer.
 */
export function split(key: Key, ...path: readonly (string | number)[]): Key {
  const out = new Uint32Array(4);
  let child = key;
  for (const name of path) {
    const { words, length } = encodeName(name);
    out[0] = length;
    out[1] = SPLIT_DOMAIN;
    for (let i = 0; i < words.length; i += 2) philox(child.low, child.high, words[i], words[i + 1], out[0], out[1], out);
    child = new Key(out[2], out[3]);
  }
  return child;
}
