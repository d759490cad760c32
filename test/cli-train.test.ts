/** `thalweg train` as its user meets it: what a run writes, going on after Ctrl-C and after a kill, divergence, mistakes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readEvents } from '../src/interop/tensorboard.test-helper.ts';
import type { RunRecord } from '../src/survey/index.ts';
import { installedCommand, type Finished } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const iris = ['train', '--data', 'iris', '--model', 'mlp:4-8-3', '--batch', '30'];

const { run: thalweg, at } = installedCommand('cli-train');
const folder = (name: string): string => at('out', name);
const bytes = (out: string, name: string): Buffer => readFileSync(path.join(out, name));
const recordIn = (out: string): RunRecord => JSON.parse(bytes(out, 'run.json').toString()) as RunRecord;
const columnIn = (record: RunRecord, name: string): readonly number[] => record.columns.find((column) => column.name === name)!.values;

describe('a run', patience, () => {
  test('writes its record, report, figures, model, logs and checkpoints, and ends with a table', async () => {
    const out = folder('whole');
    const { code, stdout, stderr } = await thalweg([...iris, '--out', out, '--epochs', '50', '--lr', '0.05', '--schedule', 'cosine', '--probe', 'sharpness:every=40', '--probe', 'gradient-norm', '--log', '--tensorboard']);
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(out).sort()).toEqual(['checkpoints', 'gradient-norm.svg', 'learning-rate.svg', 'log.csv', 'log.jsonl', 'loss.svg', 'model.safetensors', 'report.html', 'run.json', 'settings.json', 'sharpness.svg', 'tensorboard']);
    const record = recordIn(out);
    expect(record).toMatchObject({
      schema: 'thalweg-run/1', complete: true, end: { reason: 'finished', steps: 200 }, problem: { data: 'iris', loss: 'cross-entropy', parameters: 67, trainExamples: 120 },
      settings: { optimizer: 'sgd:momentum=0.9', schedule: 'cosine', learningRate: 0.05, batchSize: 30, steps: 200, stepsPerEpoch: 4 }, stability: { matrix: 'H', factor: 3.8 },
    });
    expect(columnIn(record, 'loss')).toHaveLength(200);
    expect(record.columns.find(({ name }) => name === 'sharpness')!.steps).toEqual([0, 40, 80, 120, 160, 200]);
    expect(columnIn(record, 'accuracy.test').at(-1)).toBeGreaterThan(0.8);
    expect(record.provenance['command']).toContain('--probe sharpness:every=40');
    expect(stdout).toMatch(/^Thalweg .*training mlp:4-8-3 on iris by sgd:momentum=0.9, learning rate 0.05, 200 steps \(4 an epoch\), seed 0\n/);
    expect(stdout).toMatch(/step 20\/200 +loss .*ETA/);
    expect(stdout).toMatch(/Test accuracy +\d/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^done in .*report\.html$/);
    const report = bytes(out, 'report.html').toString();
    for (const heading of ['Loss', 'Sharpness', 'Gradient norm', 'Cost']) expect(report).toContain(`>${heading}</h2>`);
    expect(report).toContain('Largest eigenvalue of the Hessian.');
  });

  test('its three logs say the same as its record', () => {
    const out = folder('whole');
    const record = recordIn(out);
    const entries = record.columns.flatMap(({ name, steps, values }) => steps.map((step, i) => ({ name, step, value: values[i] })));
    const lines = bytes(out, 'log.jsonl').toString().trimEnd().split('\n').map((line) => JSON.parse(line) as { name: string; step: number; value: number });
    const order = (a: { name: string; step: number }, b: { name: string; step: number }): number => a.step - b.step || (a.name < b.name ? -1 : 1);
    expect(lines.map(({ name, step, value }) => ({ name, step, value })).sort(order)).toEqual([...entries].sort(order));
    const [header, ...rows] = bytes(out, 'log.csv').toString().trimEnd().split('\n').map((row) => row.split(','));
    const cells = rows.flatMap((row) => header.flatMap((name, i) => (i < 2 || row[i] === '' || name.endsWith(' error') ? [] : [{ name, step: Number(row[0]), value: Number(row[i]) }])));
    expect(cells.sort(order)).toEqual([...entries].sort(order));
    const events = readdirSync(path.join(out, 'tensorboard')).flatMap((name) => readEvents(bytes(out, path.join('tensorboard', name))));
    const scalars = events.flatMap(({ step, scalars: list }) => list.map(([tag, value]) => ({ name: tag.replace('/', '.'), step, value })));
    expect(scalars.sort(order)).toEqual(entries.map((entry) => ({ ...entry, value: Math.fround(entry.value) })).sort(order));
  });

  test('prints the record with --json, progress on the other stream', async () => {
    const out = folder('json');
    const { code, stdout, stderr } = await thalweg([...iris, '--out', out, '--steps', '10', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(recordIn(out));
    expect(stderr).toContain('training mlp:4-8-3 on iris');
  });

  test('takes what changes the loss, the gradient and the answer', async () => {
    const out = folder('extras');
    const { code, stderr } = await thalweg([...iris, '--out', out, '--steps', '30', '--optimizer', 'adam:beta1=0.8', '--label-smoothing', '0.1', '--mixup', '0.2', '--clip', '1', '--average', 'ema:decay=0.9', '--micro-batch', '15', '--probe', 'preconditioned-sharpness:every=10']);
    expect([code, stderr]).toEqual([0, '']);
    const record = recordIn(out);
    expect(record.settings).toMatchObject({ learningRate: 0.001, labelSmoothing: 0.1, mixup: 0.2, microBatch: 15 });
    expect(record.settings.optimizer).toBe('exponential-average:decay=0.9+clip-by-global-norm:maximum=1+adam:beta1=0.8');
    expect(record.stability!.matrix).toBe('P^-1 H');
    expect(record.stability!.factor).toBeCloseTo(18, 10);
    // A smoothed loss is never below the entropy of its targets.
    expect(Math.min(...columnIn(record, 'loss.test'))).toBeGreaterThan(0.29);
  });
});

describe('--resume', patience, () => {
  // Sharpness makes steps slow enough to be stopped in between.
  const long = [...iris, '--steps', '900', '--lr', '0.02', '--checkpoint-every', '100', '--probe', 'sharpness:every=50', '--probe', 'distance', '--average', 'ema', '--log', '--tensorboard'];
  const results = ['model.safetensors', 'log.jsonl', 'log.csv'];
  const columnsIn = (out: string): unknown => recordIn(out).columns;
  const scalarsIn = (out: string): Map<string, number> => {
    const found = new Map<string, number>();
    const files = readdirSync(path.join(out, 'tensorboard')).map((name) => readEvents(bytes(out, path.join('tensorboard', name)))).sort((a, b) => a[0].wallTime - b[0].wallTime);
    for (const event of files.flat()) {
      // As TensorBoard does.
      if (event.restart === true) for (const key of found.keys()) if (Number(key.split(' ')[0]) >= event.step) found.delete(key);
      for (const [tag, value] of event.scalars) found.set(`${event.step} ${tag}`, value);
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  let whole = '';
  beforeAll(async () => {
    whole = folder('uninterrupted');
    expect((await thalweg([...long, '--out', whole])).code).toBe(0);
  }, 120_000);

  /** Stops a run once it has gone some way, and goes on with it. */
  async function stopped(name: string, signal: 'SIGINT' | 'SIGKILL'): Promise<{ out: string; first: Finished; second: Finished }> {
    const out = folder(name);
    let sent = false;
    const first = await thalweg([...long, '--out', out], { onOutput: (stdout, child) => { if (!sent && stdout.includes('step 450/')) sent = child.kill(signal); } });
    expect(sent).toBe(true);
    return { out, first, second: await thalweg(['train', '--resume', out]) };
  }

  test('after Ctrl-C: everything is kept, and the end is bit for bit that of a run that was never stopped', async () => {
    const { out, first, second } = await stopped('interrupted', 'SIGINT');
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('interrupted: finishing what is at hand');
    expect(first.stdout).toMatch(/interrupted after step [\d,]+ of 900/);
    expect(first.stdout.trimEnd().split('\n').at(-1)).toBe(`to go on: thalweg train --resume ${out}`);
    expect([second.code, second.stderr]).toEqual([0, '']);
    expect(second.stdout).toMatch(/from the checkpoint after step [\d,]+\n/);
    for (const name of results) expect(bytes(out, name).equals(bytes(whole, name)), name).toBe(true);
    expect(columnsIn(out)).toEqual(columnsIn(whole));
    expect(scalarsIn(out)).toEqual(scalarsIn(whole));
    expect(recordIn(out).provenance['resumed after steps']).toMatch(/^\d+$/);
  });

  test('after a kill, from the last whole checkpoint', async () => {
    const { out, first, second } = await stopped('killed', 'SIGKILL');
    expect(first.code).toBe(null);
    expect([second.code, second.stderr]).toEqual([0, '']);
    expect(second.stdout).toMatch(/from the checkpoint after step [4-9]00\n/);
    for (const name of results) expect(bytes(out, name).equals(bytes(whole, name)), name).toBe(true);
    expect(columnsIn(out)).toEqual(columnsIn(whole));
    expect(scalarsIn(out)).toEqual(scalarsIn(whole));
  });

  test('of a finished run adds steps, and refuses another configuration in one line', async () => {
    const out = folder('longer');
    expect((await thalweg([...iris, '--steps', '60', '--out', out])).code).toBe(0);
    const more = await thalweg(['train', '--resume', '--out', out, '--steps', '120']);
    expect([more.code, more.stderr]).toEqual([0, '']);
    expect(recordIn(out).end.steps).toBe(120);
    const reference = folder('longer-at-once');
    expect((await thalweg([...iris, '--steps', '120', '--out', reference])).code).toBe(0);
    expect(bytes(out, 'model.safetensors').equals(bytes(reference, 'model.safetensors'))).toBe(true);
    const other = await thalweg(['train', '--resume', out, '--optimizer', 'adam', '--steps', '130']);
    expect([other.code, other.stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(other.stderr).toMatch(/^thalweg: resume: the checkpoint must be of a run with this configuration, got other values of optimizer/);
  });
});

test('a run that diverges names step and operation, keeps everything until then, and exits with 3', async () => {
  const out = folder('diverged');
  const { code, stdout, stderr } = await thalweg([...iris, '--out', out, '--lr', '1e30', '--steps', '50', '--loss', 'mse', '--log']);
  expect([code, stderr]).toEqual([3, '']);
  expect(stdout).toMatch(/\ndiverged at step \d+, loss (NaN|Infinity): .*from operation \d+ \(\w+\)/);
  const { end, columns, complete } = recordIn(out);
  expect([end.reason, complete]).toEqual(['diverged', false]);
  expect(columns.find(({ name }) => name === 'loss')!.values).toHaveLength(end.step! - 1);
  expect(bytes(out, 'report.html').toString()).toContain('diverged: the loss of step');
  expect(existsSync(path.join(out, 'model.safetensors'))).toBe(true);
  expect(bytes(out, 'log.jsonl').toString()).toContain('"name":"loss"');
}, 120_000);

describe('a mistake is one clear line and exit code 2', patience, () => {
  test.each([
    [['--optimizer', 'adan'], /optimizer: it must start with one of .*adam.*got 'adan'/],
    [['--optimizer', 'sgd:momentun=1'], /optimizer sgd: options must be key=value with a key of momentum, nesterov, weightDecay, got 'momentun=1'/],
    [['--schedule', 'cosin'], /schedule: it must start with one of .*cosine.*got 'cosin'/],
    [['--probe', 'sharpnes'], /the probe must be one of .*sharpness.*got 'sharpnes'/],
    [['--probe', 'sharpness:every=0'], /probe sharpness: every must be a positive integer, got '0'/],
    [['--probe', 'preconditioned-sharpness', '--optimizer', 'sgd'], /the optimizer must divide gradients by a diagonal/],
    [['--data', 'cifar'], /--data must be one of mnist, iris.*got 'cifar'/],
    [['--data', 'iris:seeds=1'], /dataset iris: options must be key=value with a key of seed/],
    [['--loss', 'zero-one'], /name must be that of a loss, got 'zero-one'.*mse \(for squared-error\)/],
    [['--batch', '1000'], /the batch must have at most the 120 training examples, got 1000/],
    [['--batch', 'all'], /--batch must be an integer of at least 1, got 'all'/],
    [['--subset', '1000'], /subset must be/],
    [['--steps', '10', '--epochs', '1'], /one of steps and epochs may be given, got both/],
    [['--lr', '0'], /--lr must be a positive number/],
    [['--label-smoothing', '1'], /--label-smoothing must be a number of at least 0 and below 1/],
    [['--label-smoothing', '0.1', '--loss', 'mse'], /label smoothing needs the loss cross-entropy, got squared-error/],
    [['--average', 'mean'], /the average must start with ema or swa, got 'mean'/],
    [['--optimizer', 'sgd+adam'], /what stands before a plus must be one of/],
    [['--micro-batch', '7'], /microBatch must divide the batch of 30, got 7/],
    [['--resume', '/nowhere'], /--resume must name the folder of a run that was begun, got '\/nowhere'/],
    [['--epoch', '3'], /unknown option '--epoch' \(Did you mean --epochs\?\)/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await thalweg([...iris, '--out', folder('mistaken'), ...args]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n'), stderr).toHaveLength(1);
    expect(code).toBe(2);
    // What only the run itself can know is said after its first line.
    expect(stdout === '' || stdout.startsWith('Thalweg')).toBe(true);
  });
});
