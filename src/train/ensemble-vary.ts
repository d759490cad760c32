/** What the replicas of an ensemble differ in. @module */
import { NDArray } from '../core/ndarray.ts';
import type { Optimizer, Schedule, Scalar } from '../optim/index.ts';
import type { Point, Problem } from '../problem/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, split } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/**
 * What differs between replicas; what is not named is the same for all. A list has an entry a replica. Any other name than these is
 * a hyper-parameter that the optimizer is made with.
 */
export interface Variation {
  /** Seeds of everything random, as `train` takes them; `true`: the ensemble's seed, the next integer, and so on. */
  readonly seed?: true | readonly number[];
  /** Seeds of the initial parameters alone. */
  readonly initialisation?: true | readonly number[];
  /** Seeds of what is random after it: batch order, dropout, mixing, draws of the optimizer. */
  readonly order?: true | readonly number[];
  /** Learning rates, constant over the run; in the place of a schedule. */
  readonly learningRate?: readonly number[];
  /** Factors of the schedule's rates. */
  readonly learningRateFactor?: readonly number[];
  /** Factors of all initial parameters. */
  readonly initialScale?: readonly number[];
  readonly [hyperParameter: string]: true | readonly number[] | undefined;
}

/** Hyper-parameters by name: numbers, or scalars of a replica where the step is traced. */
export type HyperParameters = Readonly<Record<string, Scalar>>;

/** An optimizer, or how one is made of the hyper-parameters that differ. */
export type EnsembleOptimizer = Optimizer | ((hyper: HyperParameters) => Optimizer);

/** A learning rate or schedule of all replicas, or one a replica. */
export type EnsembleSchedule = number | Schedule | readonly (number | Schedule)[];

/** A start of all replicas, or one a replica. */
export type EnsembleStart<P, State> = Point<P, State> | readonly Point<P, State>[];

/** One replica: what `train` would be given to do the same. */
export interface Replica<P, State> {
  /** What it differs in, by name. */
  readonly values: Readonly<Record<string, number>>;
  /** The seed of what is random after initialisation: that of the run. */
  readonly seed: number;
  readonly start: Point<P, State>;
  readonly schedule: number | Schedule;
  readonly hyper: Readonly<Record<string, number>>;
}

/** What replicas are made of. */
export interface ReplicaSettings<P, State> {
  readonly replicas?: number;
  readonly vary: Variation;
  readonly seed: number;
  readonly schedule?: EnsembleSchedule;
  readonly start?: EnsembleStart<P, State>;
}

const SEEDS = ['seed', 'initialisation', 'order'] as const;
const KNOWN: readonly string[] = [...SEEDS, 'learningRate', 'learningRateFactor', 'initialScale'];

/**
 * All combinations of values, as lists for `vary`: the last name changes fastest. `grid({ learningRate: [0.1, 1], seed: [0, 1] })` is
 * `{ learningRate: [0.1, 0.1, 1, 1], seed: [0, 1, 0, 1] }`.
 */
export function grid<const Name extends string>(axes: Readonly<Record<Name, readonly number[]>>): Record<Name, readonly number[]> {
  const names = Object.keys(axes) as Name[];
  let rows: readonly (readonly number[])[] = [[]];
  for (const name of names) rows = rows.flatMap((row) => axes[name].map((value) => [...row, value]));
  return Object.fromEntries(names.map((name, i) => [name, rows.map((row) => row[i])] as const)) as unknown as Record<Name, readonly number[]>;
}

/** @throws ArgumentError when lists differ in length, contradict each other, or a value is out of range. */
export function replicasOf<P, State>(problem: Problem<P, State>, settings: ReplicaSettings<P, State>): Replica<P, State>[] {
  const { vary, seed } = settings;
  const count = countOf(settings);
  const lists = Object.fromEntries(Object.entries(vary).flatMap(([name, given]) => (given === undefined ? [] : [[name, valuesOf(name, given, seed, count)]])));
  requireConsistent(settings, lists, count);
  const startOf = starts(problem, settings.start);
  return Array.from({ length: count }, (_, r) => {
    const values = Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list[r]]));
    return {
      values, seed: values.order ?? values.seed ?? seed,
      start: startOf(r, values.initialisation ?? values.seed ?? seed, values.initialScale),
      schedule: values.learningRate ?? scaled(scheduleOf(settings.schedule!, r), values.learningRateFactor),
      hyper: Object.fromEntries(Object.entries(values).filter(([name]) => !KNOWN.includes(name))),
    };
  });
}

/** The optimizer of these hyper-parameters. */
export const optimizerOf = (optimizer: EnsembleOptimizer, hyper: HyperParameters): Optimizer => (typeof optimizer === 'function' ? optimizer(hyper) : optimizer);

const scheduleOf = (schedule: EnsembleSchedule, replica: number): number | Schedule => (typeof schedule === 'object' ? schedule[replica] : schedule);

function countOf({ replicas, vary, schedule, start }: Pick<ReplicaSettings<unknown, unknown>, 'replicas' | 'vary' | 'schedule' | 'start'>): number {
  const list = [...Object.values(vary), schedule, start].find((given) => Array.isArray(given));
  if (replicas !== undefined) return requireInteger('trainEnsemble', 'replicas', replicas, 1);
  if (list === undefined || list.length === 0) throw new ArgumentError({ operation: 'trainEnsemble', required: 'the number of replicas must be given, or a list in vary', received: 'neither' });
  return list.length;
}

function valuesOf(name: string, given: true | readonly number[], seed: number, count: number): readonly number[] {
  const isSeed = (SEEDS as readonly string[]).includes(name);
  if (given === true) {
    if (!isSeed) throw new ArgumentError({ operation: 'trainEnsemble', required: `vary.${name} must be a list of numbers`, received: 'true' });
    return Array.from({ length: count }, (_, r) => seed + r);
  }
  if (given.length !== count) throw new ArgumentError({ operation: 'trainEnsemble', required: `vary.${name} must have an entry for each of the ${count} replicas`, received: `${given.length}`, remedy: 'grid({ ... }) makes lists of all combinations' });
  return given.map((value) => {
    if (isSeed) return requireInteger('trainEnsemble', `vary.${name}`, value);
    return requireNumber('trainEnsemble', `vary.${name}`, value);
  });
}

function requireConsistent({ schedule, start }: Pick<ReplicaSettings<unknown, unknown>, 'schedule' | 'start'>, lists: Readonly<Record<string, readonly number[]>>, count: number): void {
  if (typeof schedule === 'object' && schedule.length !== count) throw new ArgumentError({ operation: 'trainEnsemble', required: `schedule must be one, or have an entry for each of the ${count} replicas`, received: `${schedule.length}` });
  if (isList(start) && start.length !== count) throw new ArgumentError({ operation: 'trainEnsemble', required: `start must be one point, or have an entry for each of the ${count} replicas`, received: `${start.length}` });
  if ((schedule === undefined) === (lists.learningRate === undefined)) {
    throw new ArgumentError({ operation: 'trainEnsemble', required: 'one of schedule and vary.learningRate must be given', received: schedule === undefined ? 'neither' : 'both', remedy: 'vary.learningRateFactor multiplies a schedule' });
  }
  if (lists.learningRate !== undefined && lists.learningRateFactor !== undefined) {
    throw new ArgumentError({ operation: 'trainEnsemble', required: 'one of vary.learningRate and vary.learningRateFactor may be given', received: 'both' });
  }
  if (start !== undefined && lists.initialisation !== undefined) {
    throw new ArgumentError({ operation: 'trainEnsemble', required: 'one of start and vary.initialisation may be given', received: 'both' });
  }
}

const isList = <P, State>(start: EnsembleStart<P, State> | undefined): start is readonly Point<P, State>[] => Array.isArray(start);

/** Points given, or initial points by seed, each made once; times a scale. */
function starts<P, State>(problem: Problem<P, State>, given: EnsembleStart<P, State> | undefined): (replica: number, seed: number, scale: number | undefined) => Point<P, State> {
  const known = new Map<number, Point<P, State>>();
  return (replica, seed, scale = 1) => {
    let point = (isList(given) ? given[replica] : given) ?? known.get(seed);
    if (point === undefined) known.set(seed, (point = problem.model.init(split(key(seed), 'init'))));
    if (scale === 1) return point;
    const times = ({ data, shape, dtype }: NDArray): NDArray => new NDArray((data as Float64Array).map((x) => x * scale), shape, dtype);
    return { ...point, params: mapTree(times, point.params) as Point<P, State>['params'] };
  };
}

function scaled(schedule: number | Schedule, factor: number | undefined): number | Schedule {
  if (factor === undefined) return schedule;
  return typeof schedule === 'number' ? factor * schedule : (step, history) => factor * schedule(step, history);
}
