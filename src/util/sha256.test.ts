import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256.ts';

test('has the digests of the standard', () => {
  expect(new Sha256().hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(new Sha256().update('abc').hex()).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test("agrees with Node's at every length around a block, however the bytes are cut", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 37 + 11) & 255);
  for (let length = 0; length <= 300; length += length < 130 ? 1 : 17) {
    const wanted = createHash('sha256').update(bytes.subarray(0, length)).digest('hex');
    const cut = Math.floor(length / 3);
    expect(new Sha256().update(bytes.subarray(0, cut)).update(bytes.subarray(cut, length)).hex(), `${length} bytes`).toBe(wanted);
  }
});
