/** All libraries on the measurements of one case: first each measurement in a fresh process, then all in turns. @module */
import path from 'node:path';
import type { Contestant, Program, TaskRun } from '../shared/contestant.ts';
import { readArrays } from '../shared/manifest.ts';
import { Roster } from '../shared/roster.ts';
import { warmUpOf, type Settings, type TaskName } from './cases.ts';
import { differenceOf, type Results } from './compare.ts';

export interface Entry {
  /** `pytorch lanczos`; within a task no two are alike. */
  readonly id: string;
  readonly program: Program;
  readonly task: TaskName;
  readonly variant: string;
}

/** Milliseconds of a task, by what they were spent on. */
export interface TimeSplit {
  readonly calls: number;
  readonly prepare: number;
  /** The first call: with tracing and compilation, where that was still to be done. */
  readonly first: number;
  readonly further: number;
  /** The algorithm's own: vectors, small eigenproblems, reading. */
  readonly rest: number;
}

export interface EntryRecord {
  readonly id: string;
  readonly task: TaskName;
  /** The task in each round, in a process that has done a small version of it before. */
  readonly ms: number[];
  /** Of the latest round, or of the first run where there is none. */
  split: TimeSplit | null;
  /** The task in a fresh process. */
  firstMs: number | null;
  firstSplit: TimeSplit | null;
  /** Peak resident memory of that process, in MB. */
  peakMb: number | null;
  /** Largest relative residual of the eigenpairs, found outside of the time. */
  residual: number | null;
  /** From the task's reference, in the unit of its tolerance. */
  difference: number | null;
  /** Why the entry did not finish. */
  failure?: string;
}

export interface ContestOptions {
  /** Data directory of the case. */
  readonly directory: string;
  readonly settings: Readonly<Record<TaskName, Settings>>;
  readonly entries: readonly Entry[];
  readonly rounds: number;
  /** A process for each first run; otherwise one a library for everything, and first runs are not in fresh processes. */
  readonly isolated: boolean;
  readonly progress: (text: string) => void;
}

export interface Contest {
  readonly entries: readonly EntryRecord[];
  /** The entry that the others of a task were compared with. */
  readonly references: Readonly<Partial<Record<TaskName, string>>>;
}

const splitOf = ({ ms, calls, prepare_ms: prepare, call_first_ms: first, call_further_ms: further }: TaskRun): TimeSplit =>
  ({ calls, prepare, first, further, rest: ms - prepare - first - further });

/** Runs the contest. An entry that fails is recorded and takes no further part. */
export async function holdContest(options: ContestOptions): Promise<Contest> {
  const { entries, directory, rounds, settings, isolated, progress } = options;
  const records = new Map(entries.map((entry): [Entry, EntryRecord] =>
    [entry, { id: entry.id, task: entry.task, ms: [], split: null, firstMs: null, firstSplit: null, peakMb: null, residual: null, difference: null }]));
  const roster = new Roster(directory);
  const attempt = (entry: Entry, what: string, run: (record: EntryRecord) => Promise<void>): Promise<void> => {
    const record = records.get(entry)!;
    return roster.attempt(entry.program, record, () => {
      progress(`${what}: ${entry.task}, ${entry.id}`);
      return run(record);
    });
  };
  try {
    const references = await runFirst(options, attempt, roster);
    if (isolated && rounds > 0) for (const entry of entries) await attempt(entry, 'warming up', async () => { await ask(await roster.get(entry.program), entry, warmUpOf(entry.task, settings[entry.task])); });
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[(i + round) % entries.length];
        await attempt(entry, `round ${round + 1} of ${rounds}`, async (record) => {
          const run = await ask(await roster.get(entry.program), entry, settings[entry.task]);
          record.ms.push(run.ms);
          record.split = splitOf(run);
        });
      }
    }
    return { entries: [...records.values()], references };
  } finally {
    await roster.close();
  }
}

const ask = (contestant: Contestant, { task, variant }: Entry, settings: Settings, out?: string): Promise<TaskRun> =>
  contestant.ask({ cmd: 'task', task, variant, settings, ...(out !== undefined && { out }) });

type Attempt = (entry: Entry, what: string, run: (record: EntryRecord) => Promise<void>) => Promise<void>;

/** First runs: compilation, memory, results. The first entry of a task that finishes is the reference of the others. */
async function runFirst({ entries, directory, settings, isolated }: ContestOptions, attempt: Attempt, roster: Roster): Promise<Contest['references']> {
  const references: Partial<Record<TaskName, { id: string; results: Results }>> = {};
  for (const entry of entries) {
    const { task, id, program } = entry;
    await attempt(entry, 'first', async (record) => {
      const measure = (contestant: Contestant): Promise<TaskRun> => ask(contestant, entry, settings[task], path.join(directory, 'results', task, id.replace(' ', '-')));
      const run = await roster.first(program, isolated, measure);
      record.firstMs = run.ms;
      record.split = record.firstSplit = splitOf(run);
      record.peakMb = run.peak_rss_mb;
      record.residual = run.residual;
      const results = readArrays(run.dir!, run.results!);
      const reference = references[task] ??= { id, results };
      record.difference = differenceOf(task, results, reference.results);
    });
  }
  return Object.fromEntries(Object.entries(references).map(([task, { id }]) => [task, id]));
}
