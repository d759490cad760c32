/** A few hundred damaged files through the importer, and those that once did what they must not; `npm run fuzz:onnx` runs many thousands. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fuzzCase, importCase, type FuzzResult } from './fuzz-case.test-helper.ts';
import { mutated } from './mutations.test-helper.ts';

const folder = new URL('../../../test/golden/onnx/', import.meta.url);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));
/** The smallest models: larger ones take longer and have the same operators. */
const files = readdirSync(folder).filter((name) => name.endsWith('.onnx')).map((name) => [name, bytesOf(name)] as const).filter(([, bytes]) => bytes.length < 10_000);
const corpus = JSON.parse(readFileSync(new URL('fuzz-corpus.json', folder), 'utf8')) as readonly { readonly name: string; readonly found: string; readonly fill: number; readonly base64: string }[];

/** A file may be read or refused; it may not fail in any other way, nor take long. */
function expectManners(result: FuzzResult): string {
  expect(result.isFinding ? `${result.label}: ${result.message}` : '').toBe('');
  expect(result.milliseconds, result.label).toBeLessThan(10_000);
  return result.outcome;
}

test.each(files)('damaged copies of %s are read or refused', (_, bytes) => {
  const outcomes = Array.from({ length: 60 }, (_, seed) => expectManners(fuzzCase(bytes, seed)));
  // Mutations that only ever broke the file would test the first check and nothing behind it.
  expect(outcomes).toContain('traced');
  expect(outcomes).toContain('refused');
});

test('a case is the same whenever it is made', () => {
  const [[, bytes]] = files;
  for (const seed of [1, 2, 3]) expect(mutated(bytes, seed)).toEqual(mutated(bytes, seed));
});

describe('cases that once did what they must not', () => {
  test.each(corpus)('$name: $found', ({ name, fill, base64 }) => { expectManners(importCase(new Uint8Array(Buffer.from(base64, 'base64')), name, fill)); });
});
