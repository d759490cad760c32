/** Probes in a run: when they are due, what they give for the table, and what they cost. @module */
import type { Executor } from '../core/backend.ts';
import type { Optimizer } from '../optim/index.ts';
import { rounded, type Point, type Problem } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { split, type Key } from '../util/random/index.ts';
import type { Arrays } from './checkpoint.ts';
import type { BesideProbe, InsideProbe, Measured, Moment, PreparedProbe, Probe } from './probe.ts';
import type { HostOutput } from './program.ts';
import type { MeasurementTable } from './table.ts';

/** What a part of a run cost. */
export interface RunCost {
  /** `training`, `checkpoints`, or a probe's name. */
  readonly name: string;
  /** Steps, checkpoints, measurements. */
  readonly count: number;
  /** Wall-clock seconds. Of a probe inside the step: what its steps took beyond the others, NaN where there are no others. */
  readonly seconds: number;
  /** Products with curvature matrices, as the measurements say. */
  readonly products: number;
}

/** Adds what was measured at a step to a table: `probe.part`, or `probe` for the part ''. */
export function record(table: MeasurementTable, name: string, measured: Measured, step: number, epoch: number): void {
  for (const [part, measurement] of Object.entries(measured)) {
    const column = part === '' ? name : `${name}.${part}`;
    if (column === 'loss' || column === 'learningRate') throw new ArgumentError({ operation: 'train', required: `a probe's column must not be called '${column}', which every step has`, received: `probe '${name}'` });
    table.add(column, { step, epoch, measurement });
  }
}

export const isInside = (probe: Probe): probe is InsideProbe => probe.where === 'inside';
export const isBeside = (probe: Probe): probe is BesideProbe => probe.where === 'beside';

/** Names of the probes inside the step that measure at a step; the last step is one of them. */
export const dueInside = (probes: readonly InsideProbe[], step: number, steps: number): string[] =>
  probes.filter(({ every }) => step % every === 0 || step === steps - 1).map(({ name }) => name);

/** What a probe inside the step measured. */
export function finished({ name, finish }: InsideProbe, { measured }: HostOutput, dtype: 'float32' | 'float64'): Measured {
  const values = Object.fromEntries(Object.entries(measured[name]).map(([part, value]) => [part, value.item()]));
  if (finish) return finish(values);
  const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  return Object.fromEntries(Object.entries(values).map(([part, value]) => [part, rounded(value, Math.abs(value) * unit)]));
}

export interface BesideSetting<P, State> {
  readonly problem: Problem<P, State>;
  readonly optimizer: Optimizer;
  readonly executor: Executor | undefined;
  /** Of the run. */
  readonly root: Key;
  readonly batchSize: number;
  readonly start: Point<P, State>;
  readonly signal: AbortSignal | undefined;
}

/** The probes beside the step of a run. */
export interface BesideProbes<P, State> {
  /** Whether any measures after so many steps of all. */
  due(step: number, steps: number): boolean;
  /** Measures those that are due, one after another. */
  measure(moment: Moment<P, State>, steps: number, take: (name: string, measured: Measured) => void): Promise<void>;
  readonly costs: readonly RunCost[];
  /** What they remember, by `probe:NAME:path`. */
  save(): Arrays;
  restore(arrays: Arrays): void;
  dispose(): Promise<void>;
}

const prefix = (name: string): string => `probe:${name}:`;

/** Prepares the probes beside the step, once a run. */
export async function besideProbes<P, State>(probes: readonly BesideProbe[], { root, ...setting }: BesideSetting<P, State>): Promise<BesideProbes<P, State>> {
  const prepared: { readonly probe: BesideProbe; readonly instrument: PreparedProbe<P, State>; count: number; seconds: number; products: number }[] = [];
  const dispose = async (): Promise<void> => { for (const { instrument } of prepared) await instrument.dispose(); };
  try {
    for (const probe of probes) {
      prepared.push({ probe, instrument: await probe.prepare({ ...setting, key: split(root, 'probe', probe.name) }), count: 0, seconds: 0, products: 0 });
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const isDue = ({ every }: BesideProbe, step: number, steps: number): boolean => step % every === 0 || step === steps;
  return {
    due: (step, steps) => probes.some((probe) => isDue(probe, step, steps)),
    async measure(moment, steps, take) {
      for (const entry of prepared) {
        if (!isDue(entry.probe, moment.step, steps) || setting.signal?.aborted === true) continue;
        const begun = performance.now();
        const measured = await entry.instrument.measure(moment);
        entry.count++;
        entry.seconds += (performance.now() - begun) / 1000;
        entry.products += Object.values(measured).reduce((sum, { cost }) => sum + (cost?.products ?? 0), 0);
        take(entry.probe.name, measured);
      }
    },
    get costs() { return prepared.map(({ probe: { name }, count, seconds, products }) => ({ name, count, seconds, products })); },
    save: () => Object.fromEntries(prepared.flatMap(({ probe: { name }, instrument }) => Object.entries(instrument.save?.() ?? {}).map(([path, array]) => [`${prefix(name)}${path}`, array]))),
    restore(arrays) {
      for (const { probe: { name }, instrument } of prepared) {
        const own = Object.entries(arrays).filter(([path]) => path.startsWith(prefix(name)));
        instrument.restore?.(Object.fromEntries(own.map(([path, array]) => [path.slice(prefix(name).length), array])));
      }
    },
    dispose,
  };
}

/** Times of steps by the probes that were due; what each of these added. */
export class StepTimes {
  readonly #times = new Map<string, { readonly due: readonly string[]; count: number; seconds: number }>();

  /** The time of steps done in one call. */
  add(due: readonly string[], count: number, seconds: number): void {
    const key = due.join('\n');
    const entry = this.#times.get(key) ?? { due, count: 0, seconds: 0 };
    this.#times.set(key, { due, count: entry.count + count, seconds: entry.seconds + seconds });
  }

  costs(probes: readonly InsideProbe[]): RunCost[] {
    const all = [...this.#times.values()];
    const plain = this.#times.get('');
    const extra = new Map(probes.map(({ name }) => [name, { count: 0, seconds: 0 }]));
    for (const { due, count, seconds } of all) {
      for (const name of due) {
        const entry = extra.get(name)!;
        entry.count += count;
        // Measured together, they share what the step took longer.
        entry.seconds += plain === undefined ? NaN : Math.max(0, seconds - (count * plain.seconds) / plain.count) / due.length;
      }
    }
    const total = all.reduce((sum, { count, seconds }) => ({ count: sum.count + count, seconds: sum.seconds + seconds }), { count: 0, seconds: 0 });
    const inside = [...extra].map(([name, cost]) => ({ name, ...cost, products: 0 }));
    const added = inside.reduce((sum, { seconds }) => sum + (Number.isNaN(seconds) ? 0 : seconds), 0);
    return [{ name: 'training', count: total.count, seconds: total.seconds - added, products: 0 }, ...inside];
  }
}
