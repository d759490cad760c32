/** test/golden/onnx/conformance.zip: a selection of the ONNX node tests that `npm test` runs, written by `npm run conformance -- --fixture`. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';
import { root } from './bootstrap.mjs';
import type { CaseResult } from './conformance-case.ts';

/** Limits of the selection. */
const [MOST_CASES, LARGEST_CASE] = [150, 12_000];
/** Files carry a time, and the same tests should give the same bytes. */
const TIME = new Date('2000-01-01T00:00:00');

/** Bytes of the files of a test. */
function filesOf(folder: string, name: string): [string, string][] {
  const data = path.join(folder, name, 'test_data_set_0');
  return [['model.onnx', path.join(folder, name, 'model.onnx')], ...readdirSync(data).sort().map((file): [string, string] => [file, path.join(data, file)])];
}

/**
 * For each operator the smallest test, with derivatives checked where there is one, then the largest one that is small enough; the operators
 * with most tests first.
 */
export function selected(folder: string, results: readonly CaseResult[]): string[] {
  const size = new Map(results.map(({ name }) => [name, filesOf(folder, name).reduce((sum, [, file]) => sum + statSync(file).size, 0)]));
  const usable = results.filter(({ name, outcome, operator }) => outcome === 'passed' && operator !== '(several)' && !name.includes('_expanded') && size.get(name)! <= LARGEST_CASE);
  const groups = [...new Set(usable.map(({ operator }) => operator))].map((operator) => usable.filter((result) => result.operator === operator)).map((group) => {
    const bySize = group.toSorted((a, b) => Number(b.gradient === 'passed') - Number(a.gradient === 'passed') || size.get(a.name)! - size.get(b.name)! || (a.name < b.name ? -1 : 1));
    return [...new Set([bySize[0].name, bySize[bySize.length - 1].name])];
  });
  const first = groups.map(([name]) => name);
  const second = groups.filter((names) => names.length > 1).map(([, name]) => name).sort((a, b) => size.get(a)! - size.get(b)!);
  return [...first, ...second].slice(0, MOST_CASES).sort();
}

/** Writes the selection; returns its names and bytes. */
export function writeFixture(folder: string, results: readonly CaseResult[]): { names: string[]; bytes: number } {
  const names = selected(folder, results);
  const bytes = zipSync(Object.fromEntries(names.flatMap((name) => filesOf(folder, name).map(([file, from]) => [`${name}/${file}`, new Uint8Array(readFileSync(from))] as const))), { level: 9, mtime: TIME });
  writeFileSync(path.join(root, 'test', 'golden', 'onnx', 'conformance.zip'), bytes);
  return { names, bytes: bytes.length };
}
