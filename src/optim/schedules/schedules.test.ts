/** Schedules against PyTorch and optax (test/golden/make_schedules.py), by hand where neither has them, and as pure functions. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DescribedOption } from '../../util/options.ts';
import type { ScheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';
import { constantSchedule } from './constant.ts';
import { cosineRestartsSchedule, cosineSchedule } from './cosine.ts';
import { exponentialSchedule } from './exponential.ts';
import { inverseSquareRootSchedule } from './inverse-square-root.ts';
import { oneCycleSchedule } from './one-cycle.ts';
import { plateauSchedule } from './plateau.ts';
import { linearSchedule, polynomialSchedule } from './polynomial.ts';
import { decayBranches, repeatedDecaySchedule } from './repeated-decay.ts';
import { scheduleNamed, schedules } from './registry.ts';
import { piecewiseSchedule, stepSchedule } from './step.ts';
import { sequenceSchedule, warmupSchedule } from './warmup.ts';
import { warmupStableDecaySchedule } from './warmup-stable-decay.ts';

const stored = JSON.parse(readFileSync(new URL('../../../test/golden/schedules/rates.json', import.meta.url), 'utf8')) as { losses: (number | null)[]; rows: Record<string, { source: string; rates: number[] }> };
const losses = stored.losses.map((loss) => loss ?? Infinity);
const rate = 0.5;

describe('goldens', () => {
  const cases: Record<string, Schedule> = {
    step: stepSchedule({ rate, every: 7, factor: 0.3 }),
    piecewise: piecewiseSchedule({ rate, at: [5, 12, 30], factor: 0.2 }),
    'piecewise factors': piecewiseSchedule({ rate, at: [4, 11], factor: [0.5, 0.1] }),
    exponential: exponentialSchedule({ rate, factor: 0.9 }),
    'exponential to an end': exponentialSchedule({ rate, factor: 0.3, every: 10, end: 0.1 }),
    polynomial: polynomialSchedule({ rate, steps: 25, end: 0.05, power: 3 }),
    linear: linearSchedule({ rate, steps: 25, end: 0.05 }),
    cosine: cosineSchedule({ rate, steps: 30, end: 0.01 }),
    'cosine-restarts': cosineRestartsSchedule({ rate, period: 5, multiplier: 2, end: 0.01 }),
    'cosine-restarts of one length': cosineRestartsSchedule({ rate, period: 7 }),
    'one-cycle': oneCycleSchedule({ rate, steps: 40 }),
    'one-cycle linear': oneCycleSchedule({ rate, steps: 40, rise: 0.45, shape: 'linear', division: 10, finalDivision: 100 }),
    'one-cycle in three phases': oneCycleSchedule({ rate, steps: 40, threePhase: true }),
    plateau: plateauSchedule({ rate, window: 1, factor: 0.5, patience: 2 }),
    'plateau with cooldown': plateauSchedule({ rate, window: 1, factor: 0.1, patience: 1, threshold: 0.01, cooldown: 3, minimum: 0.004 }),
    warmup: warmupSchedule(exponentialSchedule({ rate, factor: 0.9 }), { steps: 8 }),
  };
  test.each(Object.entries(cases))('%s', (name, schedule) => {
    const { rates, source } = stored.rows[name];
    rates.forEach((expected, step) => {
      expect(Math.abs(schedule(step, { losses: losses.slice(0, step) }) - expected), `${source}, step ${step}`).toBeLessThan(1e-13);
    });
  });
  test('cover every row', () => { expect(Object.keys(cases).sort()).toEqual(Object.keys(stored.rows).sort()); });
});

describe('by hand', () => {
  test('constant', () => { expect(constantSchedule(0.3)(17)).toBe(0.3); });
  test('cosine: warm-up, middle, end', () => {
    const at = cosineSchedule({ rate: 1, steps: 110, warmup: 10 });
    expect([0, 9, 10, 60, 110, 999].map((step) => Number(at(step).toFixed(12)))).toEqual([0.1, 1, 1, 0.5, 0, 0]);
  });
  // Vaswani et al. 2017: d^-0.5 min(n^-0.5, n warmup^-1.5) with d = 512, warmup = 4000.
  test('inverse square root is equation 3 of the paper', () => {
    const at = inverseSquareRootSchedule({ rate: 1 / Math.sqrt(512 * 4000), warmup: 4000 });
    for (const n of [1, 100, 4000, 4001, 100_000]) expect(at(n - 1)).toBeCloseTo(512 ** -0.5 * Math.min(n ** -0.5, n * 4000 ** -1.5), 15);
  });
  test('warm-up, stable, decay', () => {
    const shapes = { linear: [1, 1, 0.75, 0.5, 0], cosine: [1, 1, (1 + Math.SQRT1_2) / 2, 0.5, 0], 'square-root': [1, 1, 0.5, 1 - Math.SQRT1_2, 0] } as const;
    for (const [shape, after] of Object.entries(shapes)) {
      const at = warmupStableDecaySchedule({ rate: 2, steps: 20, warmup: 4, decay: 8, shape: shape as keyof typeof shapes });
      const expected = [0.5, 2, 2, ...after.map((value) => 2 * value)];
      [0, 3, 4, 11, 12, 14, 16, 20].forEach((step, i) => { expect(at(step), `${shape} ${step}`).toBeCloseTo(expected[i], 12); });
    }
  });
  test('an inverse-linear decay is linear in the inverse of the rate, to a tenth unless told otherwise', () => {
    const at = warmupStableDecaySchedule({ rate: 2, steps: 20, warmup: 0, decay: 10, shape: 'inverse-linear' });
    expect([9, 10, 15, 20].map((step) => 1 / at(step))).toEqual([0.5, 0.5, expect.closeTo(0.5 * 0.5 + 5 * 0.5, 12), expect.closeTo(5, 12)]);
    expect(warmupStableDecaySchedule({ rate: 2, steps: 20, warmup: 0, decay: 10, shape: 'inverse-linear', end: 0.02 })(20)).toBeCloseTo(0.02, 14);
  });
  test('a repeated decay comes down before each budget and begins again at the full rate', () => {
    const at = repeatedDecaySchedule({ rate: 1, budgets: [10, 20], decay: 0.2, shape: 'linear' });
    // Decays of 2 and 4 steps.
    expect([0, 8, 9, 10, 16, 18, 19, 20].map((step) => at(step))).toEqual([1, 1, 0.5, 1, 1, 0.5, 0.25, 0]);
    const alone = warmupStableDecaySchedule({ rate: 1, steps: 10, warmup: 3, decay: 1, shape: 'inverse-linear' });
    const first = repeatedDecaySchedule({ rate: 1, budgets: [10, 30], warmup: 3 });
    for (let step = 0; step < 10; step++) expect(first(step)).toBe(alone(step));
  });
  test('branches of one main run pay for the decays before them', () => {
    expect(decayBranches([1000, 2000, 3000], 0.1)).toEqual([{ budget: 1000, steps: 1000, decay: 100 }, { budget: 2000, steps: 1900, decay: 200 }, { budget: 3000, steps: 2700, decay: 300 }]);
    expect(() => decayBranches([10, 11], 0.9)).toThrow(/decays before 11 must leave its own 10 steps, got 2/);
  });
  test('exponential warm-up goes up by one factor', () => {
    const at = warmupSchedule(constantSchedule(1), { steps: 3, shape: 'exponential', from: 0.001 });
    [0.01, 0.1, 1, 1].forEach((expected, step) => { expect(at(step)).toBeCloseTo(expected, 12); });
  });
  test('a warm-up from a share of the rate', () => { expect(warmupSchedule(constantSchedule(2), { steps: 4, from: 0.2 })(1)).toBeCloseTo(2 * (0.2 + 0.8 / 2), 12); });
  test('stages count from their own zero', () => {
    const at = sequenceSchedule([{ schedule: linearSchedule({ rate: 1, steps: 4 }), steps: 4 }, { schedule: constantSchedule(7), steps: 1 }, { schedule: linearSchedule({ rate: 2, steps: 2 }) }]);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((step) => at(step))).toEqual([1, 0.75, 0.5, 0.25, 7, 2, 1, 0, 0]);
  });
});

describe('plateau', () => {
  const make = (): Schedule => plateauSchedule({ rate: 1, window: 3, factor: 0.5, patience: 1 });
  test('looks at means of windows', () => {
    // Means 2, 2, 2: the first improves on nothing, two that do not exceed the patience of one.
    const history = { losses: [1, 2, 3, 0, 2, 4, 3, 3, 0, 2, 2] };
    expect([0, 3, 6, 8, 9, 11].map((step) => make()(step, history))).toEqual([1, 1, 1, 1, 0.5, 0.5]);
  });
  test('is a function of step and losses: any order, any growth, after resuming, behind a warm-up', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 60, maxLength: 60 }), fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }), fc.nat(40), (all, asked, warmup) => {
      const one = warmupSchedule(make(), { steps: warmup });
      const grown: number[] = [];
      const inOrder = [...all, 0].map((loss, step) => {
        const value = one(step, { losses: grown });
        grown.push(loss);
        return value;
      });
      for (const step of asked) {
        expect(one(step, { losses: grown })).toBe(inOrder[step]);
        expect(warmupSchedule(make(), { steps: warmup })(step, { losses: all.slice(0, step) })).toBe(inOrder[step]);
      }
    }), { numRuns: 50 });
  });
  test('refuses a history that lacks losses', () => {
    expect(() => make()(6, { losses: [1, 2, 3, 4, 5] })).toThrow(/losses of the 6 steps before step 6.*5 losses/);
    expect(() => make()(3)).toThrow(/0 losses/);
  });
});

describe('the registry of schedules', () => {
  const entries: [string, ScheduleEntry][] = Object.entries(schedules);
  const history = { losses: Array.from({ length: 400 }, (_, i) => 1 / (1 + i)) };
  test('is in alphabetical order', () => { expect(Object.keys(schedules)).toEqual(Object.keys(schedules).sort()); });
  test.each(entries)('%s: rates lie between 0 and the peak, in runs of any length; defaults are those of the function', (name, entry) => {
    const defaults = Object.entries<DescribedOption>(entry.options).filter(([, option]) => option.default !== undefined).map(([key, option]) => `${key}=${String(option.default)}`).join(',');
    for (const steps of [1, 2, 3, 10, 400]) {
      const [plain, explicit] = [name, `${name}:${defaults}`].map((text) => scheduleNamed(text, { rate, steps }));
      for (let step = 0; step < steps; step++) {
        const value = plain(step, history);
        expect(value >= 0 && value <= rate * (1 + 1e-15), `${name}, ${step} of ${steps}: ${value}`).toBe(true);
        expect(explicit(step, history)).toBe(value);
      }
    }
  });
  test('texts compose', () => {
    const at = scheduleNamed('warmup:steps=4+exponential:factor=0.25,every=2', { rate: 1, steps: 10 });
    expect([0, 3, 4, 5, 6].map((step) => at(step))).toEqual([0.25, 1, 1, 0.5, 0.25]);
    // What follows a warm-up has the steps that are left.
    expect(scheduleNamed('warmup:steps=4+linear', { rate: 1, steps: 10 })(7)).toBeCloseTo(0.5, 12);
  });
  test.each([['cosin', /must start with one of constant, cosine/], ['step:every=0', /every must be a positive integer/], ['cosine+step', /before a plus must be one of warmup/]])('refuses %s', (text, message) => {
    expect(() => scheduleNamed(text, { rate: 1, steps: 10 })).toThrow(message);
  });
});

test.each<[string, () => Schedule]>([
  ['rate', () => constantSchedule(-1)], ['every', () => stepSchedule({ rate, every: 0 })], ['at\\[1\\]', () => piecewiseSchedule({ rate, at: [4, 4] })],
  ['factor', () => piecewiseSchedule({ rate, at: [4, 8], factor: [1] })], ['period', () => cosineRestartsSchedule({ rate, period: 0 })], ['rise', () => oneCycleSchedule({ rate, steps: 9, rise: 1.1 })],
  ['decay', () => warmupStableDecaySchedule({ rate, steps: 10, warmup: 6, decay: 5 })], ['steps of stage 0', () => sequenceSchedule([{ schedule: constantSchedule(1) }, { schedule: constantSchedule(1) }])],
  ['at least one stage', () => sequenceSchedule([])], ['from', () => warmupSchedule(constantSchedule(1), { steps: 3, shape: 'exponential', from: 0 })], ['patience', () => plateauSchedule({ rate, patience: -1 })],
  ['end', () => warmupStableDecaySchedule({ rate, steps: 10, warmup: 0, decay: 5, shape: 'inverse-linear', end: 0 })], ['budgets\\[1\\]', () => repeatedDecaySchedule({ rate, budgets: [5, 5] })],
  ['decay of 10 steps', () => repeatedDecaySchedule({ rate, budgets: [15, 20], decay: 0.5 })],
])('refuses a wrong %s', (what, make) => { expect(make).toThrow(new RegExp(what)); });
