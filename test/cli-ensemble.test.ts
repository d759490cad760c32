/** `thalweg train --replicas` as its user meets it: a line a replica, each the run it would be alone; one that diverges. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { RunRecord } from '../src/survey/index.ts';
import { installedCommand } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const iris = ['train', '--data', 'iris', '--model', 'mlp:4-8-3', '--batch', '30', '--epochs', '5', '--schedule', 'cosine'];

const thalweg = installedCommand('cli-ensemble');
const folder = (name: string): string => thalweg.at('out', name);

test('combinations of rates and seeds', patience, async () => {
  const out = folder('grid');
  const { code, stdout, stderr } = await thalweg.run([...iris, '--replicas', '4', '--vary', 'lr=0.05,3e38', '--vary', 'seed', '--seed', '3', '--out', out]);
  expect([code, stderr]).toEqual([0, '']);
  expect(readdirSync(out).sort()).toEqual(['ensemble.csv', 'ensemble.json', 'loss.svg', 'models']);
  expect(readdirSync(path.join(out, 'models'))).toHaveLength(4);
  const [header, ...rows] = readFileSync(path.join(out, 'ensemble.csv'), 'utf8').trimEnd().split('\n').map((line) => line.split(','));
  expect(header.slice(0, 6)).toEqual(['replica', 'learningRate', 'seed', 'end', 'steps', 'loss']);
  expect(rows.map((row) => row.slice(0, 4))).toEqual([['0', '0.05', '3', 'finished'], ['1', '0.05', '4', 'finished'], ['2', '3e+38', '3', 'diverged'], ['3', '3e+38', '4', 'diverged']]);
  expect(stdout).toMatch(/replica 2 diverged at step \d/);
  expect(stdout).toMatch(/\n4 replicas, 2 diverged, in .*ensemble\.csv\n$/);

  const alone = await thalweg.run([...iris, '--lr', '0.05', '--seed', '4', '--out', folder('alone')]);
  expect(alone.code).toBe(0);
  const record = JSON.parse(readFileSync(path.join(folder('alone'), 'run.json'), 'utf8')) as RunRecord;
  const losses = record.columns.find(({ name }) => name === 'loss')!.values;
  expect(Number(rows[1][5])).toBeCloseTo(losses.at(-1)!, 5);
});

test('what ensembles do not have is refused', patience, async () => {
  const { code, stderr } = await thalweg.run([...iris, '--replicas', '2', '--checkpoint-every', '5', '--out', folder('refused')]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--replicas and --vary do not go with --checkpoint-every/);
});
