/** Schedules by name. @module */
import { composed } from '../composition.ts';
import type { ScheduleEntry, ScheduleSetting } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';
import { constantEntry } from './constant.ts';
import { cosineEntry, cosineRestartsEntry } from './cosine.ts';
import { exponentialEntry } from './exponential.ts';
import { inverseSquareRootEntry } from './inverse-square-root.ts';
import { oneCycleEntry } from './one-cycle.ts';
import { plateauEntry } from './plateau.ts';
import { linearEntry, polynomialEntry } from './polynomial.ts';
import { repeatedDecayEntry } from './repeated-decay.ts';
import { piecewiseEntry, stepEntry } from './step.ts';
import { warmupStableDecayEntry } from './warmup-stable-decay.ts';
import { warmupEntry } from './warmup.ts';

/** All schedules, one line each, in alphabetical order. */
export const schedules = {
  constant: constantEntry,
  cosine: cosineEntry,
  'cosine-restarts': cosineRestartsEntry,
  exponential: exponentialEntry,
  'inverse-square-root': inverseSquareRootEntry,
  linear: linearEntry,
  'one-cycle': oneCycleEntry,
  piecewise: piecewiseEntry,
  plateau: plateauEntry,
  polynomial: polynomialEntry,
  'repeated-decay': repeatedDecayEntry,
  step: stepEntry,
  warmup: warmupEntry,
  'warmup-stable-decay': warmupStableDecayEntry,
} as const satisfies Readonly<Record<string, ScheduleEntry>>;

/** Names that a schedule's text may start with. */
export type ScheduleName = keyof typeof schedules;

/**
 * A schedule for a run from a text: a name and, after a colon, options separated by commas, as `cosine:warmup=100,end=0`. A warm-up
 * stands before any other with a plus: `warmup:steps=100+exponential:factor=0.01`.
 *
 * @throws ArgumentError naming the part that is wrong, and the names there are.
 */
export const scheduleNamed = (text: string, setting: ScheduleSetting): Schedule =>
  composed<ScheduleEntry, (setting: ScheduleSetting) => Schedule>('schedule', schedules, text, (entry, values, base) => (at) => entry.make(at, values, base))(setting);
