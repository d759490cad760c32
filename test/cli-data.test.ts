/** The user's own data and loss as the command meets them: archives, tables, a loss in TypeScript, and what does not fit. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { array } from '../src/core/ndarray.ts';
import { encodeNpz } from '../src/interop/index.ts';
import { installedCommand } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const thalweg = installedCommand('cli-data');
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(thalweg.at(name), content);
  return thalweg.at(name);
};
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i * i));
const archive = (labels: readonly number[]): Uint8Array => encodeNpz({ features: array(numbers(labels.length * 4), [labels.length, 4]), labels: array(labels, undefined, 'int32') });
const cycle = Array.from({ length: 60 }, (_, i) => i % 3);

test('an archive, surveyed with a loss in TypeScript that uses the array functions given to it and those of the package', patience, async () => {
  const data = file('data.npz', archive(cycle));
  const loss = file('loss.ts', `import { oneHot } from 'thalweg/ops';
type Functions = typeof import('thalweg/ops');
export default function loss(outputs: never, targets: never, { mean, square, sub }: Functions) { return mean(square(sub(outputs, oneHot(targets, 3))), 1); }
`);
  const { code, stdout, stderr } = await thalweg.run(['spectrum', '--data', `${data}:x=features,split=0.2`, '--model', 'mlp:4-6-3', '--loss', loss, '--epochs', '2', '--preset', 'economy', '--json', '--out', thalweg.at('out')]);
  expect([code, stderr]).toEqual([0, expect.stringContaining('data: 12 of 60 examples are held out as a test set (seed 0)')]);
  expect(JSON.stringify(JSON.parse(stdout))).toContain('loss.ts');
});

test('a table, trained on', patience, async () => {
  const table = file('table.csv', `a,b,kind\n${cycle.map((label, i) => `${i % 7},${label * 2 + 0.1},${['ash', 'elm', 'oak'][label]}`).join('\n')}\n`);
  const { code, stderr } = await thalweg.run(['train', '--data', table, '--model', 'mlp:hidden=8', '--steps', '50', '--out', thalweg.at('run')]);
  expect([code, stderr]).toEqual([0, "data: 'kind' is predicted from 2 columns\n"]);
});

test('what does not fit is one line that names the first offending index', patience, async () => {
  const line = async (args: readonly string[]): Promise<string> => {
    const { code, stderr } = await thalweg.run(['spectrum', '--preset', 'economy', '--model', 'mlp:hidden=4', '--out', thalweg.at('refused'), ...args]);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    return stderr;
  };
  expect(await line(['--data', `${file('negative.npz', archive([0, 1, -4, 1]))}:x=features`])).toContain("labels 'labels' must be from 0 to 99999, got -4 at index [2]");
  expect(await line(['--data', thalweg.at('nothing.npz')])).toContain('the file must exist');
  expect(await line(['--data', 'mnits'])).toContain('--data must be one of mnist');
  expect(await line(['--data', 'iris', '--loss', file('enum.ts', 'enum E { A }\nexport default () => E.A;')])).toContain('the file must be a module');
  expect(await line(['--data', 'iris', '--loss', file('mean.ts', 'export default (o: never, t: never, f: typeof import("thalweg/ops")) => f.mean(o);')])).toContain('it must return a tensor of one number an example');
});
