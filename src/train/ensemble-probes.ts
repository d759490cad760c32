/** Probes beside the step in an ensemble: all replicas at once where the probe can. @module */
import type { Optimizer } from '../optim/index.ts';
import { key, split } from '../util/random/index.ts';
import { optimizerOf, type EnsembleOptimizer, type Replica } from './ensemble-vary.ts';
import { BesideInstruments, type RunCost } from './measuring.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from './probe.ts';

export interface EnsembleProbeSetting<P, State> extends Omit<ProbeSetting<P, State>, 'key' | 'start' | 'optimizer'> {
  readonly optimizer: EnsembleOptimizer;
  readonly replicas: readonly Replica<P, State>[];
}

/** The probes beside the step of some replicas. */
export interface EnsembleProbes<P, State> {
  /** Whether any measures after so many steps of all. */
  due(step: number, steps: number): boolean;
  /** Measures those that are due, at a moment a replica. */
  measure(moments: readonly Moment<P, State>[], steps: number, take: (name: string, replica: number, measured: Measured) => void): Promise<void>;
  readonly costs: readonly RunCost[];
  dispose(): Promise<void>;
}

/**
 * Prepares the probes, once for all replicas: one that cannot measure all at once measures one after another. Where it
 * remembers what it measured, or uses an optimizer whose hyper-parameters differ, each replica has one of its own.
 */
export async function ensembleProbes<P, State>(probes: readonly BesideProbe[], setting: EnsembleProbeSetting<P, State>): Promise<EnsembleProbes<P, State>> {
  const all = await BesideInstruments.of(probes, (probe) => instrumentsOf(probe, setting), disposed);
  return {
    due: (step, steps) => all.due(step, steps),
    measure: (moments, steps, take) => all.measure(moments[0].step, steps, setting.signal, (instruments) => measureAll(instruments, moments), take),
    get costs() { return all.costs; },
    dispose: () => all.dispose(),
  };
}

async function disposed(instruments: readonly PreparedProbe<never, never>[]): Promise<void> {
  for (const instrument of instruments) await instrument.dispose();
}

async function measureAll<P, State>(instruments: readonly PreparedProbe<P, State>[], moments: readonly Moment<P, State>[]): Promise<readonly Measured[]> {
  const [first] = instruments;
  if (instruments.length === 1 && first.measureAll !== undefined) return first.measureAll(moments);
  const all: Measured[] = [];
  for (const [i, moment] of moments.entries()) all.push(await (instruments[i] ?? first).measure(moment));
  return all;
}

async function instrumentsOf<P, State>(probe: BesideProbe, { replicas, optimizer, ...rest }: EnsembleProbeSetting<P, State>): Promise<PreparedProbe<P, State>[]> {
  const prepare = async ({ seed, start }: Replica<P, State>, own: Optimizer): Promise<PreparedProbe<P, State>> =>
    probe.prepare<P, State>({ ...rest, optimizer: own, start, key: split(key(seed), 'probe', probe.name) } satisfies ProbeSetting<P, State>);
  const [first] = replicas;
  const use = { isUsed: false };
  const common = await prepare(first, watched(optimizerOf(optimizer, first.hyper), use));
  const needsOwn = (use.isUsed && Object.keys(first.hyper).length > 0) || (common.measureAll === undefined && common.save !== undefined);
  if (!needsOwn || replicas.length === 1) return [common];
  const instruments = [common];
  try {
    for (const replica of replicas.slice(1)) instruments.push(await prepare(replica, optimizerOf(optimizer, replica.hyper)));
  } catch (error) {
    await disposed(instruments);
    throw error;
  }
  return instruments;
}

/** The optimizer; tells whether anything but its name is looked at. */
const watched = (optimizer: Optimizer, use: { isUsed: boolean }): Optimizer => new Proxy(optimizer, {
  get(target, name) {
    if (name !== 'name') use.isUsed = true;
    return Reflect.get(target, name) as unknown;
  },
});
