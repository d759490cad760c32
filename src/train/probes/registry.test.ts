import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../../runtime/node.ts';
import { gaussianClusters } from '../../data/index.ts';
import { crossEntropy } from '../../losses/index.ts';
import { mlp, type MlpParameters } from '../../nn/index.ts';
import { adam } from '../../optim/adam.ts';
import type { Problem } from '../../problem/index.ts';
import { train } from '../train.ts';
import { probeNamed, probes, type ProbeEntry } from './registry.ts';

const entries = Object.entries(probes) as unknown as [string, ProbeEntry][];
const pageOf = (name: string): URL => new URL(`../../../docs/probes/${name}.md`, import.meta.url);

test('names are in alphabetical order, and lines are lines', () => {
  expect(Object.keys(probes)).toEqual(Object.keys(probes).sort());
  for (const [name, { description, cost }] of entries) {
    expect(description.length, name).toBeLessThan(90);
    expect(cost.length, name).toBeGreaterThan(10);
    expect(`${description}${cost}`, name).not.toMatch(/\n|\.$/);
  }
});

describe.each(entries)('%s', (name, { options, columns, page, make }) => {
  test('is made under its name; its cadence is the option\'s default, or what is asked for', () => {
    expect(make({}).name).toBe(name);
    expect(make({}).every).toBe(options.every.default);
    expect(probeNamed(`${name}:every=7`).every).toBe(7);
    expect(probeNamed(`${name}:7`).every).toBe(7);
  });

  test('has its page, which names it, its columns and its options', () => {
    expect(existsSync(pageOf(page)), `docs/probes/${page}.md`).toBe(true);
    const text = readFileSync(pageOf(page), 'utf8');
    for (const wanted of [...columns, ...Object.keys(options)]) expect(text, `docs/probes/${page}.md`).toContain(`\`${wanted}`);
  });
});

test('every page is one of a probe, and the list of them is complete', () => {
  const list = readFileSync(pageOf('README'), 'utf8');
  for (const [name, { page, description }] of entries) expect(list).toContain(`| [${name}](${page}.md) | ${description} |`);
});

test.each([
  ['sharpnes', /must be one of accuracy, .*got 'sharpnes'/],
  ['sharpness:evry=3', /probe sharpness: options must be key=value with a key of every, samples, split, tolerance, got 'evry=3'/],
  ['sharpness:every=0', /every must be a positive integer, got '0'/],
  ['loss:split=validation', /split must be one of train, test, both/],
])('%s is refused', (text, message) => {
  expect(() => probeNamed(text)).toThrow(message);
});

test('all of them at once along a run: the columns are those they name, numbers with errors, and the run is the one without them', async () => {
  const data = gaussianClusters({ samples: 120, testSamples: 60, classes: 3 });
  const problem: Problem<MlpParameters> = { name: 'clusters', model: mlp({ sizes: [2, 16, 20, 3], activation: 'tanh' }), loss: (outputs, targets) => crossEntropy(outputs, targets), train: data.train, test: data.test };
  const options = { optimizer: adam(), schedule: 0.01, steps: 5, batchSize: 40, seed: 0 } as const;
  const plain = await train(problem, options);
  const run = await train(problem, { ...options, probes: entries.map(([name]) => probeNamed(`${name}:every=2`)) });
  run.losses.forEach((loss, i) => expect(loss).toBeCloseTo(plain.losses[i], 6));
  const own = run.table.columns.filter((name) => name !== 'loss' && name !== 'learningRate');
  for (const [name, { columns }] of entries) {
    const patterns = columns.map((column) => new RegExp(`^${column.replace('LAYER', 'layers\\.\\d').replace('NAME', 'layers\\.\\d\\.weight').replace(/\.K$/, '\\.\\d')}$`));
    const found = own.filter((column) => column === name || column.startsWith(`${name}.`));
    expect(found.length, name).toBeGreaterThan(0);
    for (const column of found) expect(patterns.some((pattern) => pattern.test(column)), column).toBe(true);
    // A column that is asked for by an option alone is the exception.
    for (const pattern of patterns) if (!/gradient-norm\\?\.layers/.test(pattern.source)) expect(found.some((column) => pattern.test(column)), `${pattern} of ${name}`).toBe(true);
  }
  const missing = (name: string): boolean => ['gradient-cosine', 'preconditioned-sharpness', 'tangent-kernel.velocity'].includes(name);
  for (const column of own) {
    const measured = run.table.entries(column);
    measured.forEach(({ measurement: { value, error } }, i) => {
      if (i === 0 && missing(column)) { expect(value, column).toBeNaN(); return; }
      expect(value, column).not.toBeNaN();
      // Where the noise hides the gradient, its scale has no error; a decay of few features none either.
      if (Number.isFinite(value)) expect(error, column).toBeGreaterThanOrEqual(0);
    });
    expect(measured.length, column).toBeGreaterThanOrEqual(3);
  }
});
