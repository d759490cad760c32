/** Files stay small: a warning above 400 lines, an error above 600. Protobuf output is excepted. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { filesUnder, isHandWritten, read } from './tree-files.ts';

const warning = 400;
const limit = 600;

/** Files above the limit, with the length they may not exceed. This list only ever shrinks. */
const exempt: Readonly<Record<string, number>> = {};

const written = (file: string): boolean => isHandWritten(file) || file.endsWith('.mjs');
const files = ['src', 'test', 'bench', 'scripts', 'atlas'].flatMap((folder) => filesUnder(folder, written));
const lengths = new Map(files.map((file) => [file, read(file).trimEnd().split('\n').length]));

test(`no file is longer than ${limit} lines`, () => {
  const long = [...lengths].filter(([file, length]) => length > (exempt[file] ?? limit));
  expect(long.map(([file, length]) => `${file}: ${length} lines, at most ${exempt[file] ?? limit}; divide it`)).toEqual([]);
  for (const [file, length] of lengths) {
    if (length > warning && length <= limit) process.stderr.write(`sizes: ${file} has ${length} lines (warning above ${warning})\n`);
  }
});

test('the exemptions are files that still need them', () => {
  const idle = Object.keys(exempt).filter((file) => (lengths.get(file) ?? 0) <= limit);
  expect(idle.map((file) => `${file} is within ${limit} lines: remove its exemption`)).toEqual([]);
});

test('no file is a catch-all', () => {
  const catchAll = files.filter((file) => /^(utils?|helpers?|misc|common)\.(ts|mjs)$/.test(path.posix.basename(file)) && !file.startsWith('src/util/'));
  expect(catchAll.map((file) => `${file}: name the file after what is in it`)).toEqual([]);
});
