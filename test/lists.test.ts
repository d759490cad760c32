/** `thalweg list` as its user meets it, and docs/optimizers.md: both from the registries. */
import { describe, expect, test } from 'vitest';
import { optimizersPage } from '../scripts/lists-page.ts';
import { listText } from '../src/cli/commands/list.ts';
import type { Listed } from '../src/cli/lists.ts';
import { datasets } from '../src/data/node.ts';
import { losses } from '../src/losses/index.ts';
import { models } from '../src/nn/index.ts';
import { optimizers, schedules } from '../src/optim/index.ts';
import { probes } from '../src/train/index.ts';
import { installedCommand } from './command.ts';
import { read } from './tree-files.ts';

test('docs/optimizers.md is what the registries make', () => {
  expect(read('docs/optimizers.md'), 'run `npm run lists` and commit the result').toBe(optimizersPage());
});

const registries: Record<string, object> = { optimizers, schedules, probes, models, losses, data: datasets };

describe('a list', () => {
  test.each(Object.entries(registries))('%s: a line each, and as JSON', (what, registry) => {
    const [lines, all] = [listText(what), JSON.parse(listText(what, undefined, true)) as Listed[]];
    expect(lines.split('\n').map((line) => line.split(' ', 1)[0])).toEqual(Object.keys(registry));
    expect(all.map(({ name }) => name)).toEqual(Object.keys(registry));
    for (const { name, description, options } of all) {
      expect(lines).toContain(description);
      expect(options.map((option) => option.name)).toEqual(Object.keys((registry as Record<string, { options?: object }>)[name].options ?? {}));
    }
    expect(lines).not.toMatch(/undefined|\[object/);
  });

  test('of one thing has the meaning of its options', () => {
    expect(listText('optimizers', 'sam')).toMatch(/^sam: sharpness-aware.*\nusual learning rate: 0\.1\nstands before another with a plus, as sam\+sgd.*\noptions:\n {2}rho {2}distance uphill; a number of at least 0 \(0\.05\)$/);
    expect(listText('schedules', 'constant')).toMatch(/no options$/);
    expect(JSON.parse(listText('probes', 'sharpness', true))).toMatchObject({ name: 'sharpness', columns: ['sharpness'] });
  });

  test('of nothing counts', () => {
    for (const [what, registry] of Object.entries(registries)) expect(listText()).toMatch(new RegExp(`^${what} +${Object.keys(registry).length}$`, 'm'));
  });
});

describe('the command', { timeout: 120_000 }, () => {
  const thalweg = installedCommand('cli-list');

  test('prints the list, and refuses what is not there in one line', async () => {
    const [optimizerList, json, wrong, wrongName, tooMany] = await Promise.all([['optimizers'], ['--json'], ['optimiser'], ['schedules', 'cosin'], ['probes', 'loss', 'more']].map((args) => thalweg.run(['list', ...args])));
    expect([optimizerList.code, optimizerList.stderr, json.code, json.stderr]).toEqual([0, '', 0, '']);
    expect(optimizerList.stdout).toMatch(/^sgd +stochastic gradient descent.*\[momentum=0, nesterov=false, weightDecay=0, usual rate 0\.1\]$/m);
    expect(optimizerList.stdout).toMatch(/^adam +.*epsilon=1e-8/m);
    expect(optimizerList.stdout).toMatch(/^sam +.*before another with \+, else sgd\]$/m);
    expect(Object.keys(JSON.parse(json.stdout) as object)).toEqual(Object.keys(registries));
    for (const { code, stdout, stderr } of [wrong, wrongName, tooMany]) expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(wrong.stderr).toMatch(/^thalweg: what is listed must be one of optimizers, schedules, probes, models, losses, data, got 'optimiser'\n$/);
    expect(wrongName.stderr).toMatch(/^thalweg: schedules must be named by one of constant, cosine, .*, got 'cosin'\n$/);
  });
});
