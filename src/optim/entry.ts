/** Entries of the registries of optimizers and schedules: what the command line and the documentation know of one. @module */
import type { DescribedOptions, OptionValues } from '../util/options.ts';
import { ArgumentError } from '../util/errors.ts';
import type { Optimizer, Schedule } from './optimizer.ts';

/** An optimizer that can be had by name. */
export interface OptimizerEntry<K extends DescribedOptions = DescribedOptions> {
  /** One line for lists, with the source. */
  readonly description: string;
  /** A learning rate that is usual for it: where to start from. */
  readonly rate: number;
  readonly options: K;
  /** For what wraps an optimizer: the name of the one it wraps unless another is given. */
  readonly wraps?: string;
  /** `base` is what to wrap. @throws ArgumentError when an option is out of range. */
  make(values: OptionValues<K>, base?: Optimizer): Optimizer;
}

/** An entry whose `make` knows the types of its options. */
export const optimizerEntry = <const K extends DescribedOptions>(entry: Omit<OptimizerEntry<K>, 'wraps'>): OptimizerEntry<K> => entry;

/** An entry of something that wraps another optimizer. */
export function wrapperEntry<const K extends DescribedOptions>({ make, ...entry }: Omit<OptimizerEntry<K>, 'make' | 'wraps'> & {
  readonly wraps: string;
  make(values: OptionValues<K>, base: Optimizer): Optimizer;
}): OptimizerEntry<K> {
  return {
    ...entry,
    make(values, base) {
      if (base === undefined) throw new ArgumentError({ operation: 'optimizer', required: 'this entry wraps an optimizer, which must be given', received: 'none', remedy: 'optimizerNamed' });
      return make(values, base);
    },
  };
}

/** What a run tells a schedule. */
export interface ScheduleSetting {
  /** The learning rate that the run was given: the largest one. */
  readonly rate: number;
  /** Steps of the run. */
  readonly steps: number;
}

/** A schedule that can be had by name. */
export interface ScheduleEntry<K extends DescribedOptions = DescribedOptions> {
  /** One line for lists, with the source. */
  readonly description: string;
  readonly options: K;
  /** For what comes before another schedule: the name of the one that follows unless another is given. */
  readonly wraps?: string;
  /** `base` is what follows. @throws ArgumentError when an option is out of range. */
  make(setting: ScheduleSetting, values: OptionValues<K>, base?: (setting: ScheduleSetting) => Schedule): Schedule;
}

/** An entry whose `make` knows the types of its options. */
export const scheduleEntry = <const K extends DescribedOptions>(entry: ScheduleEntry<K>): ScheduleEntry<K> => entry;
