/** The commands of single instruments, on checkpoints and on what they train themselves. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ComparisonRecord, SurveyRecord } from 'thalweg/survey';
import { beforeAll, describe, expect, test } from 'vitest';
import { installedCommand } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const small = ['--data', 'iris', '--model', 'mlp:4-8-3', '--preset', 'economy'];

const { run: thalweg, at } = installedCommand('instruments');
const folder = (name: string): string => at('out', name);
const recordIn = (out: string, name: string): SurveyRecord => JSON.parse(readFileSync(path.join(out, `${name}.json`), 'utf8')) as SurveyRecord;
const checkpoint = (seed: number): string => path.join(folder(`seed-${seed}`), 'model.safetensors');

beforeAll(async () => {
  for (const seed of [0, 1]) {
    const { code } = await thalweg(['survey', ...small, '--epochs', '30', '--seed', String(seed), '--only', 'quality', '--out', folder(`seed-${seed}`)]);
    expect(code).toBe(0);
  }
}, 240_000);

describe('single instruments', patience, () => {
  test.each([
    { name: 'spectrum', options: ['--top', '4', '--trace-probes', '12'], parts: ['eigenvalues', 'trace', 'density', 'layers'], figures: ['eigenvalues', 'density', 'layers'] },
    { name: 'plane', options: ['--points', '9'], parts: ['plane'], figures: ['plane', 'plane-test'] },
    { name: 'plane', options: ['--points', '5', '--axes', 'hessian', '--radius', '0.5'], parts: ['eigenvalues', 'plane'], figures: ['plane'] },
    { name: 'line', options: ['--points', '7'], parts: ['eigenvalues', 'lines'], figures: ['lines'] },
    { name: 'sharpness', options: ['--radius', '0.1', '--ascent-steps', '2'], parts: ['eigenvalues', 'trace', 'sharpness'], figures: ['eigenvalues'] },
    { name: 'kernel', options: ['--examples', '30'], parts: ['kernel'], figures: ['kernel'] },
  ])('$name measures a checkpoint', async ({ name, options, parts, figures }) => {
    const out = folder(name);
    const { code, stdout, stderr } = await thalweg([name, ...small, '--weights', checkpoint(0), '--out', out, '--json', ...options]);
    expect(code, stderr).toBe(0);
    const record = recordIn(out, name);
    expect(JSON.parse(stdout)).toEqual(record);
    expect(record).toMatchObject({ complete: true, failures: [] });
    expect(record.training).toBeUndefined();
    expect(record.costs.map((cost) => cost.name)).toEqual(parts);
    for (const figure of figures) expect(existsSync(path.join(out, `${figure}.svg`)), figure).toBe(true);
    expect(stderr).toContain('expected, from a trial:');
    if (name === 'spectrum') expect(record.eigenvalues!.largest).toHaveLength(4);
    if (name === 'plane') expect(record.plane!.train.x).toHaveLength(parts.length === 1 ? 9 : 5);
    if (name === 'kernel') expect(record.kernel).toMatchObject({ examples: 30 });
    if (name === 'sharpness') expect(record.sharpness!.length).toBeGreaterThan(5);
  });

  test('a checkpoint gives what was measured when it was trained', async () => {
    const out = folder('again');
    await thalweg(['survey', ...small, '--weights', checkpoint(0), '--only', 'quality', '--out', out]);
    expect(recordIn(out, 'survey').quality).toEqual(recordIn(folder('seed-0'), 'survey').quality);
  });

  test('several checkpoints are measured and compared', async () => {
    const out = folder('compared');
    const { code, stdout } = await thalweg(['spectrum', ...small, '--weights', checkpoint(0), checkpoint(1), '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Largest eigenvalue +\S.* {2}\d/);
    expect(stdout).toMatch(/seed-0\/model\.safetensors +seed-1\/model\.safetensors\n/);
    const { labels, surveys: records, lines } = JSON.parse(readFileSync(path.join(out, 'comparison.json'), 'utf8')) as ComparisonRecord;
    expect(labels).toEqual(['seed-0/model.safetensors', 'seed-1/model.safetensors']);
    expect(records).toHaveLength(2);
    expect(records[0].eigenvalues).not.toEqual(records[1].eigenvalues);
    const page = readFileSync(path.join(out, 'comparison.html'), 'utf8');
    for (const part of ['Numbers side by side', 'Spectra of the Hessian side by side', 'The loss between checkpoints']) expect(page).toContain(part);
    // The line ends at the checkpoints, and rises between networks of different seeds.
    const [{ first, second, train }, ...none] = lines;
    expect([first, second, none]).toEqual([0, 1, []]);
    expect([train!.samples[0].t, train!.samples.at(-1)!.t]).toEqual([0, 1]);
    expect(train!.barrier.value).toBeGreaterThanOrEqual(0);
    expect(train!.barrier.error).toBeGreaterThan(0);
    expect(stdout).toMatch(/line +distance +train barrier/);
    expect(recordIn(path.join(out, '2-model'), 'spectrum').eigenvalues).toEqual(records[1].eigenvalues);
  });

  test('a checkpoint of another model is refused', async () => {
    const { code, stderr } = await thalweg(['plane', '--data', 'iris', '--model', 'mlp:4-9-3', '--weights', checkpoint(0), '--out', folder('refused')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/must have shape \[4, 9\], got \[4, 8\]/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('connect', patience, () => {
  test('measures barriers between checkpoints, before and after alignment', async () => {
    const out = folder('connect');
    const { code, stdout, stderr } = await thalweg(['connect', ...small, '--weights', checkpoint(0), checkpoint(1), '--out', out, '--json', '--points', '7']);
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as { pairs: { asFound: { train: { barrier: { value: number; error: number } } }; aligned: unknown }[]; complete: boolean };
    expect(report.complete).toBe(true);
    expect(report.pairs).toHaveLength(1);
    expect(report.pairs[0].asFound.train.barrier.value).toBeGreaterThanOrEqual(0);
    expect(report.pairs[0].aligned).toBeDefined();
    for (const file of ['connect.json', 'path-1.svg', 'report.html']) expect(existsSync(path.join(out, file)), file).toBe(true);
  });

  test('keeps the networks that it trains, which then give the same barriers', async () => {
    const out = folder('trained');
    const args = ['connect', ...small, '--epochs', '3', '--json', '--points', '5', '--alignment', 'none'];
    const first = await thalweg([...args, '--seed', '4', '--out', out]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('1 pair\n');
    const again = await thalweg([...args, '--seed', '4', '--weights', path.join(out, 'seed-4.safetensors'), path.join(out, 'seed-5.safetensors'), '--out', folder('retrieved')]);
    expect((JSON.parse(again.stdout) as { pairs: unknown }).pairs).toEqual((JSON.parse(first.stdout) as { pairs: unknown }).pairs);
  });

  test('one checkpoint is no pair', async () => {
    const { code, stderr } = await thalweg(['connect', ...small, '--weights', checkpoint(0)]);
    expect([code, stderr.split('\n')[0]]).toEqual([2, 'thalweg: --weights must name at least two checkpoints, got one']);
  });
});
