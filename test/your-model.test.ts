/**
 * The commands of docs/your-model.md, as written there, on an export made by that page's own script: test/golden/your-model/ is what
 * `python your-model-export.py --width 2 --examples 120` leaves. Surveys are given fewer examples and points at their end, to take seconds.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ComparisonRecord, SurveyRecord } from 'thalweg/survey';
import { beforeAll, describe, expect, test } from 'vitest';
import { installedCommand } from './command.ts';
import { read, root } from './tree-files.ts';

const golden = path.join(root, 'test', 'golden', 'your-model');
const thalweg = installedCommand('your-model');
/** What makes a survey short. */
const SHORT = ['--preset', 'economy', '--samples', '30'];

const page = read('docs/your-model.md');
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block.split('\n'))
  .filter((line) => line.startsWith('npx thalweg ')).map((line) => line.replace(/\s+#.*$/, '').split(/\s+/).slice(2));

beforeAll(() => {
  mkdirSync(thalweg.at('work'));
  for (const file of readdirSync(golden)) copyFileSync(path.join(golden, file), thalweg.at('work', file));
});

const named = (args: readonly string[]): string => args.join(' ');
const record = (): SurveyRecord => JSON.parse(readFileSync(thalweg.at('work', 'thalweg-out', 'survey', 'survey.json'), 'utf8')) as SurveyRecord;

/** What each command of the page must show, in the page's order. */
const outcomes: readonly { readonly begins: string; readonly shows: readonly (string | RegExp)[]; readonly holds?: () => void }[] = [
  { begins: 'inspect model.onnx', shows: ['written by pytorch', /20 parameters, \d+ elements/, /features\.3\.conv1\.weight +\[2, 2, 3, 3\]/, 'running statistics, kept as state: ', 'every operator on the way from parameters to output has its derivative'] },
  {
    begins: 'survey model.onnx --data train.npz', shows: ['expected, from a trial: ', 'presets on this machine: ', /Test accuracy +\d/, /Largest eigenvalue +\d/, /Training loss on the plane/, /done in .*report\.html/],
    holds: () => { expect(record()).toMatchObject({ complete: true, failures: [], problem: { trainExamples: 120, testExamples: 30, batchNorm: 'eval' } }); },
  },
  {
    begins: 'survey model.onnx --data train.npz --only spectrum --top 3', shows: [/eigenvalues .*, trace .*, density /, /Trace of the Hessian +\d/],
    holds: () => {
      const { costs, eigenvalues, density } = record();
      expect(costs.map(({ name }) => name)).toEqual(['eigenvalues', 'trace', 'density']);
      expect(eigenvalues!.largest).toHaveLength(3);
      expect(density!.grid.length).toBeGreaterThan(10);
    },
  },
  {
    begins: 'survey model.onnx --data train.npz --weights', shows: [/epoch-1\.safetensors +epoch-9\.safetensors/, /epoch-1 to epoch-9 +\d/, /done in .*comparison\.html/],
    holds: () => {
      const { labels, surveys, lines } = JSON.parse(readFileSync(thalweg.at('work', 'thalweg-out', 'survey', 'comparison.json'), 'utf8')) as ComparisonRecord;
      expect([labels, surveys.length, lines.length]).toEqual([['epoch-1.safetensors', 'epoch-9.safetensors'], 2, 1]);
      expect(surveys[1].quality!.trainLoss.value).toBeLessThan(surveys[0].quality!.trainLoss.value);
      // The line begins and ends where the checkpoints are.
      const [{ train, batchNorm }] = lines;
      expect([batchNorm, train!.samples.length]).toEqual(['moved', 25]);
      expect(existsSync(thalweg.at('work', 'thalweg-out', 'survey', 'checkpoint-lines.svg'))).toBe(true);
    },
  },
  { begins: 'survey model.onnx --data train.npz --epochs', shows: [/training by SGD with momentum/, /Test accuracy +\d/], holds: () => { expect(record().training!.end).toBe('finished'); } },
  { begins: 'train model.onnx --data train.npz', shows: [/from the weights of .*model\.onnx/, /Test accuracy +\d/, /done in .*report\.html/] },
  { begins: 'export run --onnx trained.onnx', shows: [/input +input +float32\[batch, 1, 10, 10\]/, 'trained.safetensors: 32 arrays'], holds: () => { expect(existsSync(thalweg.at('work', 'trained.onnx'))).toBe(true); } },
];

describe('the commands of docs/your-model.md', { timeout: 240_000 }, () => {
  test('are those that are run here', () => {
    expect(commands.map(named)).toEqual(outcomes.map(({ begins }) => expect.stringMatching(new RegExp(`^${begins.replaceAll('.', '\\.')}`)) as string));
  });

  test.each(commands.map((args, i) => [named(args), args, i] as const))('thalweg %s', async (_, args, i) => {
    // A part of the measurements does where the page's command is shown above with all of them.
    const short = args[0] !== 'survey' ? [] : args.includes('--epochs') || args.includes('--weights') ? [...SHORT, '--only', 'quality'] : SHORT;
    const { code, stdout, stderr } = await thalweg.run([...args, ...short], { cwd: thalweg.at('work') });
    expect(code, stderr).toBe(0);
    for (const part of outcomes[i].shows) expect(stdout).toMatch(part);
    outcomes[i].holds?.();
  });
});
