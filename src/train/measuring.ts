/** Probes in a run: when they are due, what they give for the table, and what they cost. @module */
import { roundoff } from '../curvature/operator.ts';
import { rounded, type Measurement } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { split, type Key } from '../util/random/index.ts';
import type { Arrays } from './checkpoint.ts';
import type { BesideProbe, InsideProbe, Measured, Moment, PreparedProbe, Probe, ProbeSetting } from './probe.ts';
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

/** A number of the step itself: the error is one rounding of the number, the least that it can be. */
export const roundedIn = (dtype: 'float32' | 'float64', value: number): Measurement => rounded(value, Math.abs(value) * roundoff({ precision: dtype }));

export const isInside = (probe: Probe): probe is InsideProbe => probe.where === 'inside';
export const isBeside = (probe: Probe): probe is BesideProbe => probe.where === 'beside';

/** Names of the probes inside the step that measure at a step; the last step is one of them. */
export const dueInside = (probes: readonly InsideProbe[], step: number, steps: number): string[] =>
  probes.filter(({ every }) => step % every === 0 || step === steps - 1).map(({ name }) => name);

/** What a probe inside the step measured. */
export function finished({ name, finish }: InsideProbe, { measured }: HostOutput, dtype: 'float32' | 'float64'): Measured {
  const values = Object.fromEntries(Object.entries(measured[name]).map(([part, value]) => [part, value.item()]));
  if (finish) return finish(values);
  return Object.fromEntries(Object.entries(values).map(([part, value]) => [part, roundedIn(dtype, value)]));
}

export interface BesideSetting<P, State> extends Omit<ProbeSetting<P, State>, 'key'> {
  /** Of the run. */
  readonly root: Key;
}

/** One probe beside the step, with what its measurements cost so far. */
interface Prepared<Instrument> {
  readonly probe: BesideProbe;
  readonly instrument: Instrument;
  count: number;
  seconds: number;
  products: number;
}

/** Probes beside the step, each with what it measures by (one prepared probe, or one a replica): when they are due, and what they cost. */
export class BesideInstruments<Instrument> {
  readonly #prepared: Prepared<Instrument>[] = [];
  readonly #disposal: (instrument: Instrument) => Promise<void>;

  private constructor(disposal: (instrument: Instrument) => Promise<void>) { this.#disposal = disposal; }

  /** Prepares probes one after another; where one cannot be, the others are disposed of. */
  static async of<Instrument>(probes: readonly BesideProbe[], prepare: (probe: BesideProbe) => Promise<Instrument>, disposal: (instrument: Instrument) => Promise<void>): Promise<BesideInstruments<Instrument>> {
    const all = new BesideInstruments(disposal);
    try {
      for (const probe of probes) all.#prepared.push({ probe, instrument: await prepare(probe), count: 0, seconds: 0, products: 0 });
    } catch (error) {
      await all.dispose();
      throw error;
    }
    return all;
  }

  /** Whether any measures after so many steps of all. */
  due(step: number, steps: number): boolean { return this.#prepared.some(({ probe }) => isDueBeside(probe, step, steps)); }

  /** Measures those that are due, one after another: a list of measurements each, told by their places in it. */
  async measure(step: number, steps: number, signal: AbortSignal | undefined, measure: (instrument: Instrument) => Promise<readonly Measured[]>, take: (name: string, place: number, measured: Measured) => void): Promise<void> {
    for (const entry of this.#prepared) {
      if (!isDueBeside(entry.probe, step, steps) || signal?.aborted === true) continue;
      const begun = performance.now();
      const all = await measure(entry.instrument);
      entry.count += all.length;
      entry.seconds += (performance.now() - begun) / 1000;
      for (const [place, measured] of all.entries()) {
        entry.products += Object.values(measured).reduce((sum, { cost }) => sum + (cost?.products ?? 0), 0);
        take(entry.probe.name, place, measured);
      }
    }
  }

  get costs(): readonly RunCost[] { return this.#prepared.map(({ probe: { name }, count, seconds, products }) => ({ name, count, seconds, products })); }

  /** By the names of the probes. */
  get instruments(): readonly (readonly [name: string, instrument: Instrument])[] { return this.#prepared.map(({ probe: { name }, instrument }) => [name, instrument]); }

  async dispose(): Promise<void> { for (const { instrument } of this.#prepared) await this.#disposal(instrument); }
}

const isDueBeside = ({ every }: BesideProbe, step: number, steps: number): boolean => step % every === 0 || step === steps;

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
  const all = await BesideInstruments.of<PreparedProbe<P, State>>(probes, async (probe) => probe.prepare({ ...setting, key: split(root, 'probe', probe.name) }), (instrument) => instrument.dispose());
  return {
    due: (step, steps) => all.due(step, steps),
    measure: (moment, steps, take) => all.measure(moment.step, steps, setting.signal, async (instrument) => [await instrument.measure(moment)], (name, _place, measured) => { take(name, measured); }),
    get costs() { return all.costs; },
    save: () => Object.fromEntries(all.instruments.flatMap(([name, instrument]) => Object.entries(instrument.save?.() ?? {}).map(([path, array]) => [`${prefix(name)}${path}`, array]))),
    restore(arrays) {
      for (const [name, instrument] of all.instruments) {
        const own = Object.entries(arrays).filter(([path]) => path.startsWith(prefix(name)));
        instrument.restore?.(Object.fromEntries(own.map(([path, array]) => [path.slice(prefix(name).length), array])));
      }
    },
    dispose: () => all.dispose(),
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
