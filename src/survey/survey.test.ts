import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Measurement } from '../problem/index.ts';
import { linesStage, planeStage } from './landscape-stage.ts';
import { viewerScript } from '../charts/viewer-bundle.js';
import { surveyFigures } from './figures.ts';
import type { SurveyRecord } from './record.ts';
import { surveyReport, surveySummary } from './report.ts';
import { clusters, flowers, small } from './small-survey.test-helper.ts';
import { partNames, survey, type SurveyEvent } from './survey.ts';
import { trainingStage } from './training-stage.ts';

afterEach(() => { vi.restoreAllMocks(); });

/** Every measurement in a record, by path. */
function measurements(value: unknown, path = ''): [string, Measurement][] {
  if (value === null || typeof value !== 'object') return [];
  if ('kind' in value && 'error' in value) return [[path, value as Measurement]];
  return Object.entries(value).flatMap(([name, child]) => measurements(child, path === '' ? name : `${path}.${name}`));
}

const withoutCosts = (record: SurveyRecord): unknown => ({ ...record, costs: record.costs.map(({ name, products }) => ({ name, products })) });
const partsOf = (record: SurveyRecord): string[] => record.costs.map(({ name }) => name);
/** What the user would read; throws where something cannot be drawn. */
const pageOf = (record: SurveyRecord): string => surveyReport(record, surveyFigures(record)).replace(viewerScript, '');

describe('a survey', () => {
  test.each([['iris, decomposed whole', flowers], ['clusters, by Lanczos', clusters]])('measures everything: %s', async (_, prepare) => {
    const prepared = prepare();
    const record = await survey(prepared, { settings: small, seed: 1 });
    expect(record).toMatchObject({ complete: true, failures: [], schema: 'thalweg-survey/1' });
    expect(partsOf(record)).toEqual(['training', ...partNames]);
    expect(record.training).toMatchObject({ end: 'finished', steps: 24, batchSize: 30 });
    expect(record.training!.testLoss!.steps).toEqual([4, 8, 12, 16, 20, 24]);
    expect(record.eigenvalues!.largest).toHaveLength(small.eigenvalues);
    expect(record.lines!.length).toBeGreaterThan(0);
    const found = measurements(record);
    expect(found.length).toBeGreaterThan(15);
    for (const [path, { value, error }] of found) {
      // The one exception: where the noise hides the mean gradient, only a lower bound is known.
      if (path === 'gradientNoiseScale' && value === Infinity) continue;
      expect(Number.isFinite(value) && Number.isFinite(error) && error >= 0, `${path}: ${value} +- ${error}`).toBe(true);
    }
    expect(record.plane!.train.loss.flat().every(Number.isFinite)).toBe(true);
    expect(record.costs.find(({ name }) => name === 'density')!.products).toBeGreaterThan(0);
  });

  test('is consistent: the parts agree with each other', async () => {
    const { dataset, ...prepared } = flowers();
    const record = await survey({ dataset, ...prepared }, { settings: { ...small, epochs: 40 }, seed: 0 });
    const { quality, eigenvalues, trace, layers, plane, lines, training, problem } = record;
    // The sample is the whole training split, so the middle of plane and lines is the training loss.
    expect(problem).toMatchObject({ samples: 120, trainExamples: 120, testExamples: 30, parameters: 67 });
    expect(plane!.train.loss[2][2]).toBeCloseTo(quality!.trainLoss.value, 5);
    expect(plane!.test!.loss[2][2]).toBeCloseTo(quality!.testLoss!.value, 5);
    expect(lines![0].trainLoss[2]).toBeCloseTo(quality!.trainLoss.value, 5);
    expect(training!.testLoss!.values.at(-1)).toBeCloseTo(quality!.testLoss!.value, 6);
    expect(quality!.testAccuracy!.value).toBeGreaterThan(0.8);
    const counts = quality!.confusion!;
    expect(counts.flat().reduce((sum, n) => sum + n, 0)).toBe(30);
    expect(counts.reduce((sum, row, label) => sum + row[label], 0) / 30).toBeCloseTo(quality!.testAccuracy!.value, 12);
    expect(counts.map((row) => row.reduce((sum, n) => sum + n, 0))).toEqual([10, 10, 10]);
    expect(layers!.reduce((sum, layer) => sum + layer.trace!.value, 0)).toBeCloseTo(trace!.value, 3);
    // Blocks of a matrix have no larger eigenvalue than the whole.
    for (const { topEigenvalue } of layers!) expect(topEigenvalue!.value).toBeLessThanOrEqual(eigenvalues!.largest[0].value * (1 + small.tolerance));
    // The lines end where the quadratic model has risen by one.
    expect(0.5 * eigenvalues!.largest[0].value * lines![0].position[4] ** 2).toBeCloseTo(1, 6);
    const { grid, density } = record.density!;
    expect(grid.slice(1).reduce((sum, x, i) => sum + ((x - grid[i]) * (density[i] + density[i + 1])) / 2, 0)).toBeCloseTo(1, 1);
  });

  test('is a function of its seed, costs apart', async () => {
    const run = (seed: number): Promise<SurveyRecord> => survey(clusters(), { settings: small, seed });
    const first = withoutCosts(await run(4));
    expect(withoutCosts(await run(4))).toEqual(first);
    expect(withoutCosts(await run(5))).not.toEqual(first);
  });

  test.each([
    { only: ['trace'], parts: ['training', 'trace'], fields: ['trace', 'layers'] },
    { only: ['gradient', 'plane'], parts: ['training', 'gradient', 'plane'], fields: ['gradientNorm', 'gradientNoiseScale', 'plane'] },
    { only: ['lines'], parts: ['training', 'eigenvalues', 'lines'], fields: ['eigenvalues', 'lines'] },
    { only: ['spectrum'], parts: ['training', 'eigenvalues', 'trace', 'density'], fields: ['density', 'eigenvalues', 'layers', 'trace'] },
  ])('measures only $only', async ({ only, parts, fields }) => {
    const record = await survey(flowers(), { settings: small, seed: 0, only });
    expect(partsOf(record)).toEqual(parts);
    const always = ['schema', 'provenance', 'problem', 'complete', 'costs', 'failures', 'training'];
    expect(Object.keys(record).filter((field) => !always.includes(field)).sort()).toEqual([...fields].sort());
    expect(record.complete).toBe(true);
    pageOf(record);
  });

  test('refuses a part that there is not', async () => {
    await expect(survey(flowers(), { settings: small, seed: 0, only: ['curvature'] })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: survey: only must name parts among quality, gradient, eigenvalues, trace, density, layers, plane, lines, weights, features, sharpness, kernel, spectrum, got 'curvature'.]`);
  });

  test('takes a batch larger than the data as all of them, and fewer parameters than eigenvalues', async () => {
    const record = await survey(flowers(), { settings: { ...small, batchSize: 1000, eigenvalues: 100 }, seed: 0, only: ['eigenvalues'] });
    expect(record.failures).toEqual([]);
    expect(record.training).toMatchObject({ batchSize: 120, steps: 6 });
    expect(record.eigenvalues!.largest).toHaveLength(67);
  });
});

test('the trial tells what every part and the same parts under each preset will take', async () => {
  const estimates: Extract<SurveyEvent, { kind: 'estimate' }>[] = [];
  await survey(flowers(), { settings: small, seed: 0, only: ['quality', 'weights'], onEvent: (event) => { if (event.kind === 'estimate') estimates.push(event); } });
  const [{ costs, presets }] = estimates;
  expect(costs.map(({ name }) => name)).toEqual(['training', 'quality', 'weights']);
  for (const { seconds } of costs) expect(seconds).toBeGreaterThan(0);
  // No preset changes what the evaluation and the spectra take; training, at most, is longer.
  const [, ...rest] = costs;
  for (const seconds of Object.values(presets)) expect(seconds).toBeGreaterThan(rest.reduce((sum, cost) => sum + cost.seconds, 0));
  expect(presets.full).toBe(presets.standard);
});

describe('what goes wrong', () => {
  test('a part that fails does not stop the others', async () => {
    vi.spyOn(planeStage, 'run').mockRejectedValue(new Error('no plane today'));
    const events: SurveyEvent[] = [];
    const record = await survey(flowers(), { settings: small, seed: 0, only: ['quality', 'plane', 'lines'], onEvent: (event) => events.push(event) });
    expect(record).toMatchObject({ complete: false, failures: [{ name: 'plane', message: 'no plane today' }] });
    expect(record.plane).toBeUndefined();
    expect(record.lines!.length).toBeGreaterThan(0);
    expect(events.flatMap((event) => (event.kind === 'end' && event.failure !== undefined ? [event.name] : []))).toEqual(['plane']);
    expect(pageOf(record)).toContain('plane: no plane today');
  });

  test('training that fails ends it: there is nothing to look at', async () => {
    vi.spyOn(trainingStage, 'run').mockRejectedValue(new Error('no training today'));
    const record = await survey(flowers(), { settings: small, seed: 0 });
    expect(partsOf(record)).toEqual(['training']);
    expect(record).toMatchObject({ complete: false, failures: [{ name: 'training', message: 'no training today' }] });
    pageOf(record);
  });

  test('training that diverges ends it, says where, and keeps the curve', async () => {
    const record = await survey(flowers(), { settings: { ...small, epochs: 20, learningRate: 1e38 }, seed: 0 });
    expect(partsOf(record)).toEqual(['training']);
    expect(record.complete).toBe(false);
    const { divergence, batchLoss, end } = record.training!;
    expect(end).toBe('diverged');
    expect(divergence).toMatchObject({ step: batchLoss.values.length + 1, message: expect.stringMatching(/first at element .* from operation/) as string });
    expect(batchLoss.values.length).toBeGreaterThan(0);
    expect(record.failures[0].message).toMatch(/^diverged at step \d+: /);
    expect(pageOf(record)).toContain('diverged: the loss of step');
  });

  test('a last step that ruins the model is said', async () => {
    // Every step but the last is harmless: 120 examples in one batch, one step.
    const record = await survey(flowers(), { settings: { ...small, epochs: 1, batchSize: 120, learningRate: 1e38 }, seed: 0, only: ['quality'] });
    expect(record.failures).toEqual([{ name: 'quality', message: expect.stringContaining('the last step of training diverged') as string }]);
    pageOf(record);
  });
});

describe('interrupted', () => {
  test.each(['training', ...partNames])('at the first news of %s, keeps what was measured', async (name) => {
    const interrupt = new AbortController();
    const prepared = clusters();
    let at: string | undefined;
    const record = await survey(prepared, {
      settings: { ...small, densityProbes: 4 }, seed: 0, signal: interrupt.signal,
      onEvent: (event) => {
        // Parts without progress are interrupted when they start.
        if ((event.kind === 'progress' || (event.kind === 'start' && name === 'quality')) && event.name === name) { at = event.name; interrupt.abort(); }
      },
    });
    expect(at).toBe(name);
    expect(record).toMatchObject({ complete: false, failures: [] });
    const parts = ['training', ...partNames];
    expect(partsOf(record)).toEqual(parts.slice(0, parts.indexOf(name) + 1));
    if (name !== 'training') expect(record.training!.end).toBe('finished');
    const page = pageOf(record);
    expect(page).toContain('This survey is incomplete');
    expect(page).not.toContain('NaN');
  });

  test('a plane keeps the points that were reached', async () => {
    const interrupt = new AbortController();
    const record = await survey(flowers(), {
      settings: small, seed: 0, only: ['plane'], signal: interrupt.signal,
      onEvent: (event) => { if (event.kind === 'progress' && event.name === 'plane' && event.done === 8) interrupt.abort(); },
    });
    const reached = record.plane!.train.loss.flat().map(Number.isFinite);
    expect(reached).toEqual(reached.map((_, i) => i < 8));
    expect(record.plane!.test).toBeUndefined();
  });

  test('before it starts, measures nothing', async () => {
    const record = await survey(flowers(), { settings: small, seed: 0, signal: AbortSignal.abort() });
    expect(record).toMatchObject({ complete: false, costs: [], failures: [] });
    expect(surveySummary(record)).toEqual([]);
    pageOf(record);
  });

  test('in the middle of the lines, keeps those that were begun', async () => {
    const interrupt = new AbortController();
    const record = await survey(flowers(), {
      settings: small, seed: 0, only: ['lines'], signal: interrupt.signal,
      onEvent: (event) => { if (event.kind === 'progress' && event.name === linesStage.name && event.done === 9) interrupt.abort(); },
    });
    expect(record.lines).toHaveLength(1);
    expect(record.lines![0].trainLoss.every(Number.isFinite)).toBe(true);
    expect(record.lines![0].testLoss!.map(Number.isFinite)).toEqual([true, true, true, true, false]);
    pageOf(record);
  });
});
