/** All libraries on the training runs of one case: first each in a fresh process, then all in turns. @module */
import path from 'node:path';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { Contestant, Program, TrainingRun } from '../shared/contestant.ts';
import { readArrays } from '../shared/manifest.ts';
import { Roster } from '../shared/roster.ts';
import type { OptimizerName, Settings } from './cases.ts';
import { differenceOf, type Difference } from './compare.ts';

export interface Entry {
  /** `pytorch fused`; of one optimizer no two are alike. */
  readonly id: string;
  readonly program: Program;
  readonly optimizer: OptimizerName;
  readonly variant: string;
}

export interface EntryRecord {
  readonly id: string;
  readonly optimizer: OptimizerName;
  /** Steps a second in each round, of all replicas together. */
  readonly rates: number[];
  /** Milliseconds until the first loss, in a fresh process, with tracing and compilation. */
  firstMs: number | null;
  /** Of the counted steps of the first run. */
  firstRate: number | null;
  /** Peak resident memory of that process, in MB. */
  peakMb: number | null;
  /** Mean over the replicas of the last loss of the first run. */
  lastLoss: number | null;
  /** Of the losses of the first run from the reference's. */
  difference: Difference | null;
  /** Why the entry did not finish. */
  failure?: string;
}

export interface ContestOptions {
  /** The case's name, and its data directory. */
  readonly task: string;
  readonly directory: string;
  readonly settings: Readonly<Record<OptimizerName, Settings>>;
  readonly entries: readonly Entry[];
  readonly rounds: number;
  /** A process for each first run; otherwise one a library for everything, and first runs are not in fresh processes. */
  readonly isolated: boolean;
  readonly progress: (text: string) => void;
}

export interface Contest {
  readonly entries: readonly EntryRecord[];
  /** The entry whose losses those of the others were compared with. */
  readonly references: Readonly<Partial<Record<OptimizerName, string>>>;
}

const rateOf = ({ steps, ms }: TrainingRun): number => (1000 * steps) / ms;

/** Runs the contest. An entry that fails is recorded and takes no further part. */
export async function holdContest(options: ContestOptions): Promise<Contest> {
  const { task, directory, settings, entries, rounds, isolated, progress } = options;
  const records = new Map(entries.map((entry): [Entry, EntryRecord] =>
    [entry, { id: entry.id, optimizer: entry.optimizer, rates: [], firstMs: null, firstRate: null, peakMb: null, lastLoss: null, difference: null }]));
  const roster = new Roster(directory);
  const ask = (contestant: Contestant, { optimizer, variant }: Entry, out?: string): Promise<TrainingRun> =>
    contestant.ask({ cmd: 'train', task, optimizer, variant, settings: settings[optimizer], ...(out !== undefined && { out }) });
  const attempt = (entry: Entry, what: string, run: (record: EntryRecord) => Promise<void>): Promise<void> => {
    const record = records.get(entry)!;
    return roster.attempt(entry.program, record, () => {
      progress(`${what}: ${entry.optimizer}, ${entry.id}`);
      return run(record);
    });
  };
  const references: Partial<Record<OptimizerName, { readonly id: string; readonly losses: NDArray }>> = {};
  try {
    for (const entry of entries) {
      const { id, optimizer, program } = entry;
      await attempt(entry, 'first', async (record) => {
        const measure = (contestant: Contestant): Promise<TrainingRun> => ask(contestant, entry, path.join(directory, 'results', optimizer, id.replace(' ', '-')));
        const run = await roster.first(program, isolated, measure);
        const { losses } = readArrays(run.dir!, run.results!);
        const [replicas, steps] = losses.shape;
        const reference = references[optimizer] ??= { id, losses };
        const last = Array.from({ length: replicas }, (_, r) => losses.data[(r + 1) * steps - 1]);
        Object.assign(record, {
          firstMs: run.first_ms, firstRate: rateOf(run), peakMb: run.peak_rss_mb, lastLoss: last.reduce((sum, x) => sum + x, 0) / replicas,
          difference: differenceOf(losses, reference.losses),
        });
      });
    }
    // Processes that have not run yet compile in this round, which is thrown away.
    for (let round = isolated ? -1 : 0; round < rounds; round++) {
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[(i + Math.max(round, 0)) % entries.length];
        await attempt(entry, round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`, async ({ rates }) => {
          const run = await ask(await roster.get(entry.program), entry);
          if (round >= 0) rates.push(rateOf(run));
        });
      }
    }
  } finally {
    await roster.close();
  }
  return { entries: [...records.values()], references: Object.fromEntries(Object.entries(references).map(([optimizer, { id }]) => [optimizer, id])) };
}
