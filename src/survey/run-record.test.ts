import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gaussianClusters, iris, teacherStudent, type Dataset } from '../data/index.ts';
import '../runtime/node.ts';
import { train } from '../train/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { runFigures } from './run-figures.ts';
import { runRecord, RUN_SCHEMA, type RunRecord } from './run-record.ts';
import { runReport, runSummary } from './run-report.ts';
import { prepareRun, type RunSettings } from './run-settings.ts';
import { stabilityOf } from './stability.ts';

const usual: RunSettings = { model: 'mlp:hidden=8', optimizer: 'sgd', schedule: 'constant', seed: 0, probes: [], steps: 12 };
async function recordOf(settings: Partial<RunSettings>, dataset: Dataset = iris()): Promise<RunRecord> {
  const prepared = prepareRun({ ...usual, ...settings }, dataset);
  return runRecord(prepared, await train(prepared.prepared.problem, prepared.options), { command: 'thalweg train' });
}

const document = readFileSync(new URL('../../docs/training-json.md', import.meta.url), 'utf8');
const documented = [...document.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
/** Paths to all that is no object or list, with `[]` for positions in lists. */
function pathsOf(value: unknown, path = ''): string[] {
  if (path === 'provenance' || value === null || typeof value !== 'object') return [path];
  if (Array.isArray(value)) return value.flatMap((element) => pathsOf(element, `${path}[]`));
  return Object.entries(value).flatMap(([name, child]) => pathsOf(child, path === '' ? name : `${path}.${name}`));
}

test('docs/training-json.md names every path of real records, and no other', async () => {
  const records = [
    await recordOf({ labelSmoothing: 0.1, mixup: 0.2, microBatch: 30, batchSize: 60, probes: ['sharpness:every=6', 'gradient-norm'] }),
    await recordOf({ loss: 'mse', learningRate: 1e30, steps: 40 }),
  ];
  expect([...new Set(records.flatMap((record) => pathsOf(JSON.parse(JSON.stringify(record)))))].sort()).toEqual(documented.sort());
  expect(document).toContain(RUN_SCHEMA);
});

describe('a run in words', () => {
  test('has defaults that the record spells out', () => {
    const { settings, stepsPerEpoch } = prepareRun({ model: 'mlp', optimizer: 'adam', schedule: 'constant', seed: 0, probes: ['accuracy:every=7'] }, gaussianClusters({ samples: 1000 }));
    expect([settings.batchSize, settings.steps, settings.learningRate, stepsPerEpoch]).toEqual([128, 500, 0.001, 7]);
    expect(settings.probes).toEqual(['loss:every=7,split=test', 'accuracy:every=7']);
    expect(prepareRun({ ...usual, steps: undefined as never, batchSize: 'full' }, iris()).settings.steps).toBe(2000);
    expect(prepareRun({ ...usual, steps: undefined as never, epochs: 3, batchSize: 50 }, iris()).settings.steps).toBe(6);
    // Regression has no accuracy, and no test split no test.
    expect(prepareRun(usual, teacherStudent({ samples: 100, testSamples: 0 })).settings.probes).toEqual(['loss:every=1,split=train']);
  });

  test('once resolved is its own resolution, so that a longer run measures at the same steps', () => {
    const { settings } = prepareRun({ ...usual, steps: 1000 }, iris());
    expect(prepareRun(settings, iris()).settings).toEqual(settings);
    expect(prepareRun({ ...settings, steps: 5000 }, iris()).settings.probes).toEqual(settings.probes);
  });

  test('a subset is the same for every seed, with each label’s share', () => {
    const [first, second] = [1, 2].map((seed) => prepareRun({ ...usual, seed, subset: 30 }, iris()).prepared.problem.train);
    expect(first.targets.data).toEqual(second.targets.data);
    expect([0, 1, 2].map((label) => first.targets.data.filter((target) => target === label).length)).toEqual([10, 10, 10]);
  });

  test.each([
    [{ optimizer: 'adan' }], [{ schedule: 'cosin' }], [{ probes: ['sharp'] }], [{ batchSize: 500 }], [{ subset: 500 }], [{ epochs: 2 }], [{ average: 'mean' }],
    [{ labelSmoothing: 0.1, loss: 'mse' }], [{ labelSmoothing: 2 }], [{ loss: 'zero-one' }],
  ] as const)('refuses %j', (settings) => { expect(() => prepareRun({ ...usual, ...settings }, iris())).toThrow(ArgumentError); });
});

describe('the stability threshold', () => {
  test.each([
    ['sgd', 'H', 2], ['sgd:momentum=0.9', 'H', 3.8], ['sgd:momentum=0.9,nesterov=true', 'H', 3.8 / 2.8], ['adam', 'P^-1 H', 38], ['adamw:beta1=0.5,weightDecay=1', 'P^-1 H', 6], ['rmsprop', 'P^-1 H', 2],
  ] as const)('%s', (text, matrix, factor) => {
    const stability = stabilityOf(text)!;
    expect(stability.matrix).toBe(matrix);
    expect(stability.factor).toBeCloseTo(factor, 12);
  });
  test.each(['lion', 'sam+sgd', 'clip-by-global-norm+adam'])('none is claimed for %s', (text) => { expect(stabilityOf(text)).toBeUndefined(); });

  // On f = s w^2 / 2 the method converges just below the threshold and diverges just above it.
  const growth = (next: (w: number, v: number) => [number, number]): number => {
    let [w, v] = [1, 0];
    for (let i = 0; i < 4000; i++) [w, v] = next(w, v);
    return Math.abs(w);
  };
  test.each([['sgd', 0], ['sgd:momentum=0.9', 0.9], ['sgd:momentum=0.5,nesterov=true', 0.5]] as const)('%s is what its recurrence says', (text, beta) => {
    const rate = 0.1;
    for (const [share, grows] of [[0.99, false], [1.01, true]] as const) {
      const s = (share * stabilityOf(text)!.factor) / rate;
      const end = growth((w, v) => { const u = beta * v + s * w; return [w - rate * (text.includes('nesterov') ? s * w + beta * u : u), u]; });
      expect(end > 1, `${share}`).toBe(grows);
    }
  });
  test.each([0.9, 0.5])('adam with beta1 = %d is what its recurrence says, at a fixed preconditioner', (beta) => {
    const rate = 0.01;
    for (const [share, grows] of [[0.99, false], [1.01, true]] as const) {
      const s = (share * stabilityOf(`adam:beta1=${beta}`)!.factor) / rate;
      expect(growth((w, m) => { const next = beta * m + (1 - beta) * s * w; return [w - rate * next, next]; }) > 1).toBe(grows);
    }
  });
});

describe('figures and report', () => {
  test('of probes with one part, many parts and a threshold that moves with the rate', async () => {
    const record = await recordOf({ steps: 30, batchSize: 40, schedule: 'cosine', probes: ['sharpness:every=10', 'update-ratio', 'top-eigenvalues:every=10,count=3', 'activations:every=10'] });
    const figures = runFigures(record);
    expect(figures.map(({ name }) => name)).toEqual(['loss', 'learning-rate', 'sharpness', 'top-eigenvalues', 'activations', 'update-ratio']);
    const svg = (name: string): string => figures.find((figure) => figure.name === name)!.svg;
    expect(svg('sharpness')).toContain('2 / learning rate');
    expect(svg('sharpness')).toContain('error bound');
    expect(svg('activations')).toContain('saturation');
    expect(svg('top-eigenvalues').match(/class="panel"/g)).toHaveLength(1);
    const html = runReport(record, figures);
    for (const heading of ['Loss', 'Sharpness', 'Update ratio', 'Cost']) expect(html).toContain(`>${heading}</h2>`);
    expect(html).toContain('edge of stability');
    const summary = Object.fromEntries(runSummary(record).map(({ label, value, note }) => [label, { value, note }]));
    expect(Object.keys(summary)).toEqual(['Test accuracy', 'Test loss', 'Batch loss', 'Sharpness', 'Sharpness / threshold', 'Time']);
    const [last, rate] = ['sharpness', 'learningRate'].map((name) => record.columns.find((column) => column.name === name)!.values.at(-1)!);
    expect(Number(summary['Sharpness / threshold'].value)).toBeCloseTo((last * rate) / 2, 4);
  });

  test('of a run that diverged at once', async () => {
    const record = await recordOf({ loss: 'mse', learningRate: 1e38, steps: 40 });
    expect(record.end).toMatchObject({ reason: 'diverged' });
    expect(runReport(record, runFigures(record))).toContain('diverged: the loss of step');
  });
});
