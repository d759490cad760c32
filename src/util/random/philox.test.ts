import { expect, test } from 'vitest';
import { philox } from './philox.ts';

// The three lines `philox4x32 10` of kat_vectors in Random123: counter (4 words), key (2), output (4).
const KNOWN_ANSWERS = [
  '00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  'ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd',
  '243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1',
];

test.each(KNOWN_ANSWERS)('known answer of Random123: %s', (line) => {
  const words = line.split(' ').map((word) => Number.parseInt(word, 16));
  const out = new Uint32Array(6);
  philox(words[4], words[5], words[0], words[1], words[2], words[3], out, 1);
  expect([...out]).toEqual([0, ...words.slice(6), 0]);
});
