/** Probes beside the step in an ensemble: all replicas at once where the probe can. @module */
import type { Optimizer } from '../optim/index.ts';
import type { Executor } from '../core/backend.ts';
import type { Problem } from '../problem/index.ts';
import { key, split } from '../util/random/index.ts';
import { optimizerOf, type EnsembleOptimizer, type Replica } from './ensemble-vary.ts';
import type { RunCost } from './measuring.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from './probe.ts';

export interface EnsembleProbeSetting<P, State> {
  readonly problem: Problem<P, State>;
  readonly optimizer: EnsembleOptimizer;
  readonly executor: Executor | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
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

/** One probe, prepared once for all replicas or once for each. */
interface Prepared<P, State> {
  readonly probe: BesideProbe;
  readonly instruments: readonly PreparedProbe<P, State>[];
  count: number;
  seconds: number;
  products: number;
}

/**
 * Prepares the probes, once for all replicas: one that cannot measure all at once measures one after another. Where it
 * remembers what it measured, or uses an optimizer whose hyper-parameters differ, each replica has one of its own.
 */
export async function ensembleProbes<P, State>(probes: readonly BesideProbe[], setting: EnsembleProbeSetting<P, State>): Promise<EnsembleProbes<P, State>> {
  const prepared: Prepared<P, State>[] = [];
  const dispose = async (): Promise<void> => { for (const { instruments } of prepared) for (const instrument of instruments) await instrument.dispose(); };
  try {
    for (const probe of probes) prepared.push({ probe, instruments: await instrumentsOf(probe, setting), count: 0, seconds: 0, products: 0 });
  } catch (error) {
    await dispose();
    throw error;
  }
  const isDue = ({ every }: BesideProbe, step: number, steps: number): boolean => step % every === 0 || step === steps;
  return {
    due: (step, steps) => probes.some((probe) => isDue(probe, step, steps)),
    async measure(moments, steps, take) {
      for (const entry of prepared) {
        if (!isDue(entry.probe, moments[0].step, steps) || setting.signal?.aborted === true) continue;
        const begun = performance.now();
        const all = await measureAll(entry.instruments, moments);
        entry.count += moments.length;
        entry.seconds += (performance.now() - begun) / 1000;
        all.forEach((measured, replica) => {
          entry.products += Object.values(measured).reduce((sum, { cost }) => sum + (cost?.products ?? 0), 0);
          take(entry.probe.name, replica, measured);
        });
      }
    },
    get costs() { return prepared.map(({ probe: { name }, count, seconds, products }) => ({ name, count, seconds, products })); },
    dispose,
  };
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
    for (const instrument of instruments) await instrument.dispose();
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
