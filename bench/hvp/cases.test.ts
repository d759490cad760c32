import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { Case } from '../shared/manifest.ts';
import { benchmarks, makeCase } from './cases.ts';

/** One digest of every array, with names and shapes. */
function digest({ parameters, constants, x, labels, vectors }: Case): string {
  const hash = createHash('sha256');
  for (const [name, array] of [parameters, constants, { x, labels }, ...vectors].flatMap((arrays) => Object.entries<NDArray>(arrays))) {
    hash.update(`${name} ${array}`).update(new Uint8Array(array.data.buffer));
  }
  return hash.digest('hex');
}

test.each(Object.keys(benchmarks))('%s is a pure function of the seed, with vectors shaped as the parameters', (name) => {
  const options = { seed: 3, batch: 2, vectors: 1 };
  const made = makeCase(name, options);
  expect(digest(makeCase(name, options))).toBe(digest(made));
  expect(digest(makeCase(name, { ...options, seed: 4 }))).not.toBe(digest(made));
  const types = (arrays: Case['parameters']): string[] => Object.entries(arrays).map(([path, value]) => `${path} ${value}`);
  expect(types(made.vectors[0])).toEqual(types(made.parameters));
});
