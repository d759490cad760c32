/** What a run is a function of, in words and digests: told apart when a run goes on. @module */
import type { Graph } from '../core/graph.ts';
import type { NDArray } from '../core/ndarray.ts';
import { printGraph } from '../core/print.ts';
import type { Schedule } from '../optim/index.ts';
import type { Problem } from '../problem/index.ts';
import { leavesWithPaths } from '../tree/index.ts';
import { Sha256 } from '../util/sha256.ts';
import type { TrainOptions } from './options.ts';
import { rateWithoutLosses } from './rates.ts';

/** Names and values; JSON. */
export type Configuration = Readonly<Record<string, string | number>>;

/** Bytes of each array of the data that enter the digest: evenly spread. */
const SAMPLED_BYTES = 1 << 16;

export interface ConfigurationParts<P, State> {
  readonly problem: Problem<P, State>;
  readonly options: TrainOptions<P, State>;
  readonly steps: number;
  readonly microBatch: number | undefined;
  readonly stepsPerCall?: number;
  readonly start: { readonly params: unknown; readonly state: unknown };
  /** The traced step, which holds the model, the loss, the optimizer and its constants. */
  readonly graph: Graph;
}

/** The configuration of a run. */
export function configurationOf<P, State>({ problem, options, steps, microBatch, stepsPerCall, start, graph }: ConfigurationParts<P, State>): Configuration {
  const { optimizer, schedule, batchSize, seed, mixup, probes = [], labels = {} } = options;
  return {
    problem: problem.name, model: problem.model.name, optimizer: optimizer.name, seed, batchSize, steps, ...(stepsPerCall !== undefined && { stepsPerCall }),
    ...(microBatch !== undefined && { microBatch }), ...(mixup && { mixup: `alpha ${mixup.alpha}` }),
    schedule: scheduleText(schedule),
    probes: probes.map(({ name, every, where }) => `${name} ${where} every ${every}`).join(', '),
    data: `${problem.train.size} examples, ${dataDigest(problem.train)}`,
    start: dataDigest(Object.fromEntries(leavesWithPaths(start)) as Record<string, NDArray>),
    step: new Sha256().update(printGraph(graph)).hex().slice(0, 16),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label ${name}`, value])),
  };
}

/** SHA-256 of a configuration, whatever the order of its names. */
export const configurationHash = (configuration: Configuration): string =>
  new Sha256().update(JSON.stringify(Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1)))).hex();

/** What two configurations differ in, as `name (before, now)`; a run may be made longer. */
export function differences(before: Configuration, now: Configuration): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => name !== 'steps' && before[name] !== now[name]);
  return names.map((name) => `${name} (${before[name] ?? 'none'} before, ${now[name] ?? 'none'} now)`);
}

/** Arrays by name, type, shape and a sample of their bytes. */
function dataDigest(arrays: object): string {
  const digest = new Sha256();
  for (const [name, array] of Object.entries(arrays) as [string, NDArray | number][]) {
    if (typeof array === 'number') continue;
    digest.update(`${name} ${array};`);
    const bytes = new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
    // Odd, so that all bytes of an element have their turn.
    const stride = bytes.length <= SAMPLED_BYTES ? 1 : Math.floor(bytes.length / SAMPLED_BYTES) | 1;
    digest.update(stride === 1 ? bytes : Uint8Array.from({ length: Math.floor(bytes.length / stride) }, (_, i) => bytes[i * stride]));
  }
  return digest.hex().slice(0, 16);
}

/** Steps whose rates enter the digest of a schedule: all early ones, and later ones at growing distances. */
const SAMPLED_STEPS = [...Array(1000).keys(), ...Array.from({ length: 500 }, (_, i) => Math.round(1000 * 1.01 ** i))];

/** A rate; or a schedule's rates at some steps, with a digest of those at many. One that looks at losses says so instead, whatever its constants are. */
export function scheduleText(schedule: number | Schedule): string {
  if (typeof schedule === 'number') return String(schedule);
  const shown = [0, 1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000].map((step) => rateWithoutLosses(schedule, step) ?? 'by losses');
  const digest = new Sha256().update(SAMPLED_STEPS.map((step) => rateWithoutLosses(schedule, step) ?? 'by losses').join(' ')).hex();
  return `${shown.join(' ')} (${digest.slice(0, 8)})`;
}
