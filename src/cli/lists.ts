/** What there is to name on the command line, from the registries: as data, for lists and for the documentation. @module */
import { datasets } from '../data/node.ts';
import { lossDescriptions } from '../losses/index.ts';
import { models } from '../nn/index.ts';
import { optimizers, schedules, type OptimizerEntry, type ScheduleEntry } from '../optim/index.ts';
import { probes, type ProbeEntry } from '../train/index.ts';
import type { DescribedOption, OptionKind } from '../util/options.ts';

/** An option of a listed thing. */
export interface ListedOption {
  readonly name: string;
  /** What a value looks like. */
  readonly expects: string;
  readonly about?: string;
  /** As it would be written; absent where the option has no single default. */
  readonly default?: string;
}

/** A thing that can be named. */
export interface Listed {
  readonly name: string;
  readonly description: string;
  readonly options: readonly ListedOption[];
  /** Of optimizers: a usual learning rate. */
  readonly rate?: number;
  /** Of optimizers and schedules that stand before another: the one they take by themselves. */
  readonly wraps?: string;
  /** Of models: how one is written. */
  readonly example?: string;
  /** Of probes: the columns of the table, and what a measurement costs. */
  readonly columns?: readonly string[];
  readonly cost?: string;
}

/** A value as it is written in an option. */
const written = (value: unknown): string => (typeof value === 'number' && value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential() : String(value));

function listed<E extends { readonly description: string; readonly options?: Readonly<Record<string, OptionKind<unknown> & Partial<DescribedOption>>> }>(registry: Readonly<Record<string, E>>, more: (entry: E) => Partial<Listed> = () => ({})): Listed[] {
  return Object.entries(registry).map(([name, entry]) => ({
    name, description: entry.description, ...more(entry),
    options: Object.entries(entry.options ?? {}).map(([key, { expects, about, default: standard }]) => ({
      name: key, expects, ...(about !== undefined && { about }), ...(standard !== undefined && { default: written(standard) }),
    })),
  }));
}

/** The lists by what they are of. */
export const lists = {
  optimizers: () => listed<OptimizerEntry>(optimizers, ({ rate, wraps }) => ({ rate, ...(wraps !== undefined && { wraps }) })),
  schedules: () => listed<ScheduleEntry>(schedules, ({ wraps }) => (wraps === undefined ? {} : { wraps })),
  probes: () => listed<ProbeEntry>(probes, ({ columns, cost }) => ({ columns, cost })),
  models: () => listed(models, ({ example }) => ({ example })),
  losses: () => listed(Object.fromEntries(Object.entries(lossDescriptions).map(([name, description]) => [name, { description }]))),
  data: () => listed(datasets),
} as const satisfies Readonly<Record<string, () => Listed[]>>;

/** What can be listed. */
export type ListName = keyof typeof lists;
export const listNames = Object.keys(lists) as readonly ListName[];
