/** SHA-256 (FIPS 180-4): names contents, the same in Node and in browsers, without waiting. @module */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** A digest in the making: `update` any number of times, then `hex`. */
export class Sha256 {
  readonly #hash = sha256.create();

  /** Appends bytes; a text counts as its UTF-8 bytes. */
  update(part: string | Uint8Array): this {
    this.#hash.update(typeof part === 'string' ? utf8ToBytes(part) : part);
    return this;
  }

  /** The digest, 64 hexadecimal digits. The object must not be used afterwards. */
  hex(): string {
    return bytesToHex(this.#hash.digest());
  }
}
