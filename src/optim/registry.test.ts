import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, square, sub, sum } from '../ops/index.ts';
import { leavesWithPaths } from '../tree/index.ts';
import type { DescribedOption } from '../util/options.ts';
import type { OptimizerEntry } from './entry.ts';
import type { Optimizer } from './optimizer.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { optimizerNamed, optimizers } from './registry.ts';

const entries: [string, OptimizerEntry][] = Object.entries(optimizers);
const made = (entry: OptimizerEntry, values: Record<string, unknown> = {}): Optimizer => entry.make(values, entry.wraps === undefined ? undefined : optimizerNamed(entry.wraps));
/** What composes others, or must be told the widths of a model, and so has no entry of its own. */
const composers = ['descend', 'withGradientRule', 'optimizerGroups', 'scheduleFree', 'atAscent', 'optimizerNamed', 'mupAdam'];

describe('the registry of optimizers', () => {
  // A recipe is an exported function that returns an optimizer.
  test('has every recipe of the folder', () => {
    const registry = readFileSync(new URL('./registry.ts', import.meta.url), 'utf8');
    const unregistered = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.ts') && !/\.test(-helper)?\.ts$/.test(file)).flatMap((file) => {
      const source = readFileSync(new URL(file, import.meta.url), 'utf8');
      const recipes = [...source.matchAll(/^export (?:function|const) (\w+)[^\n]*\): Optimizer\b/gm)].map(([, name]) => name).filter((name) => !composers.includes(name));
      return recipes.filter(() => !registry.includes(`'./${file}'`)).map((name) => `${file}: ${name}`);
    });
    expect(unregistered).toEqual([]);
  });

  test('is in alphabetical order, described in one line with the source', () => {
    const names = Object.keys(optimizers);
    expect(names).toEqual([...names].sort());
    for (const [name, { description, options, rate, wraps }] of entries) {
      expect(description, name).toMatch(/\b\d{4}\b/);
      expect(description, name).not.toMatch(/\n/);
      expect(rate, name).toBeGreaterThan(0);
      for (const option of Object.values(options)) expect(option.about, name).not.toBe('');
      if (wraps !== undefined) expect(names).toContain(wraps);
    }
  });

  test.each(entries)('%s: defaults in the list are those of the recipe', async (name, entry) => {
    const defaults = Object.fromEntries(Object.entries<DescribedOption>(entry.options).filter(([, option]) => option.default !== undefined).map(([key, option]) => [key, option.default]));
    for (const [key, option] of Object.entries<DescribedOption>(entry.options)) {
      if (option.default !== undefined) expect(option.parse(String(option.default)), `${name}: ${key}`).toEqual(option.default);
    }
    const [plain, explicit] = await Promise.all([twoSteps(made(entry)), twoSteps(made(entry, defaults))]);
    expect(explicit).toEqual(plain);
  });
});

type Params = { w: Tensor; b: Tensor };
const loss = ({ w, b }: Params): Tensor => add(sum(square(sub(mul(w, b), 1))), mul(0.1, sum(square(w))));
/** Everything after two steps; of a method that needs a model, which this loss has not, its name, draws and initial state. */
async function twoSteps(optimizer: Optimizer): Promise<unknown> {
  const start = { w: array([1, -2, 0.5, 3], [2, 2], 'float64'), b: array([0.3, 2], [2], 'float64') };
  const run = await runOptimizer<Params>(optimizer, loss, start, { steps: 2, rate: 0.01 }).catch(async (error: Error) => {
    if (!/needs a problem with a model/.test(error.message)) throw error;
    return runOptimizer<Params>(optimizer, loss, start, { steps: 0, rate: 0.01 });
  });
  const numbers = leavesWithPaths({ params: run.params, state: run.state, answer: run.answer }).map(([path, leaf]) => [path, [...(leaf as { data: Float64Array }).data]]);
  return { name: optimizer.name, draws: optimizer.draws ?? [], numbers };
}

describe('an optimizer by name', () => {
  test('takes its options', () => { expect(optimizerNamed('sgd:momentum=0.9,nesterov=true').name).toBe('nesterov'); });
  test.each([
    ['sdg', /must start with one of .*sgd.*'sdg'/],
    ['', /must start with one of/],
    ['sgd:momentun=0.9', /key of momentum, nesterov, weightDecay.*'momentun=0.9'/],
    ['sgd:momentum=2', /momentum must be a number from 0 to 1.*'2'/],
    ['sgd:momentum=0,momentum=0', /momentum may be given once/],
    ['sgd+sgd', /before a plus must be one of/],
    ['sgd+nothing', /must start with one of/],
  ])('refuses %s', (text, message) => { expect(() => optimizerNamed(text)).toThrow(message); });
});
