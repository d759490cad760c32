/** All contestants on one case: first each alone and cold, then all in turns. @module */
import path from 'node:path';
import { Contestant, messageOf, withContestant, type Program, type Run } from '../shared/contestant.ts';
import { readArrays } from '../shared/manifest.ts';
import { median, relativeDifference } from '../shared/statistics.ts';

/** `one`: each product on its own. `many`: several at one point, what they share done once. */
export type Kind = 'one' | 'many';

export interface Entry {
  /** `thalweg whole`, `pytorch retained`. */
  readonly id: string;
  readonly program: Program;
  readonly variant: string;
  readonly kind: Kind;
}

/** What was measured of an entry; milliseconds, one number a round. */
export interface EntryRecord {
  readonly id: string;
  readonly kind: Kind;
  /** One product: for `many`, one further product once bound. */
  readonly product: number[];
  /** All products at the point, binding included; only for `many`. */
  readonly total: number[];
  /** First preparation and product in a fresh process, with tracing and compilation. */
  firstMs: number | null;
  /** Peak resident memory of that process, in MB. */
  peakMb: number | null;
  /** Largest relative difference to the reference's products; null when there is none. */
  difference: number | null;
  /** Why the entry did not finish. */
  failure?: string;
}

export interface ContestOptions {
  /** Data directory of the case. */
  readonly directory: string;
  /** Products at one point: the number of vectors of the case. */
  readonly vectors: number;
  readonly rounds: number;
  readonly entries: readonly Entry[];
  /** Contestants that multiply large matrices, each round. */
  readonly gemm: readonly { readonly id: string; readonly program: Program; readonly variant: string }[];
  readonly progress: (text: string) => void;
}

export interface Contest {
  readonly entries: readonly EntryRecord[];
  /** GFLOP/s by product and round. */
  readonly gemm: Readonly<Record<string, number[]>>;
  /** The entry that the others were compared with. */
  readonly reference: string;
}

const GEMM_CALLS = 3;
const ONE_CALLS = 3;

/** Runs the contest. An entry that fails is recorded and takes no further part. */
export async function holdContest(options: ContestOptions): Promise<Contest> {
  const records = new Map(options.entries.map(({ id, kind }): [string, EntryRecord] =>
    [id, { id, kind, product: [], total: [], firstMs: null, peakMb: null, difference: null }]));
  const reference = await runCold(options, records);
  const gemm = await runRounds(options, records);
  return { entries: [...records.values()], gemm, reference };
}

/** Each entry in a process of its own: compilation, memory, results. Returns the entry whose results are the reference. */
async function runCold({ directory, entries, progress }: ContestOptions, records: ReadonlyMap<string, EntryRecord>): Promise<string> {
  let reference: { id: string; products: Float64Array[][] } | undefined;
  for (const { id, program, variant } of entries) {
    const record = records.get(id)!;
    progress(`cold: ${id}`);
    try {
      await withContestant(program, async (contestant) => {
        await contestant.ask({ cmd: 'load', dir: directory });
        const run = await contestant.ask({ cmd: 'run', variant, repeat: 1, warmup: 0 });
        record.firstMs = run.first_ms;
        record.peakMb = run.peak_rss_mb;
        const { dir, products } = await contestant.ask({ cmd: 'result', variant, out: path.join(directory, 'results', id.replace(' ', '-')) });
        const read = products.map((entry) => sortedParts(readArrays(dir, entry)));
        const compared = reference ??= { id, products: read };
        record.difference = Math.max(...read.map((parts, i) => relativeDifference(parts, compared.products[i])));
      });
    } catch (error) {
      record.failure = messageOf(error);
    }
  }
  return reference?.id ?? 'none';
}

const sortedParts = (arrays: ReturnType<typeof readArrays>): Float64Array[] =>
  Object.keys(arrays).sort().map((name) => Float64Array.from(arrays[name].data));

/** All libraries alive, one entry after another, `rounds` times; each round starts at another entry. */
async function runRounds({ directory, entries, gemm, vectors, rounds, progress }: ContestOptions, records: ReadonlyMap<string, EntryRecord>): Promise<Record<string, number[]>> {
  const alive = new Map<Program, Contestant>();
  const rates: Record<string, number[]> = Object.fromEntries(gemm.map(({ id }) => [id, []]));
  try {
    for (const { program } of entries) {
      if (alive.has(program) || !entries.some((entry) => entry.program === program && records.get(entry.id)!.failure === undefined)) continue;
      alive.set(program, new Contestant(program));
      await alive.get(program)!.ask({ cmd: 'load', dir: directory });
    }
    for (const { program } of gemm) if (!alive.has(program)) alive.set(program, new Contestant(program));
    // Round -1 compiles and is thrown away.
    for (let round = -1; round < rounds; round++) {
      progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
      const steps = [
        ...entries.map((entry) => () => runEntry(entry, alive.get(entry.program), records.get(entry.id)!, vectors, round)),
        ...gemm.map(({ id, program, variant }) => async () => {
          const { gflops } = await alive.get(program)!.ask({ cmd: 'gemm', variant, repeat: GEMM_CALLS });
          if (round >= 0) rates[id].push(median(gflops));
        }),
      ];
      for (let i = 0; i < steps.length; i++) await steps[(i + Math.max(round, 0)) % steps.length]();
    }
  } finally {
    for (const contestant of alive.values()) await contestant.close();
  }
  return rates;
}

async function runEntry({ kind, variant }: Entry, contestant: Contestant | undefined, record: EntryRecord, vectors: number, round: number): Promise<void> {
  if (record.failure !== undefined || contestant === undefined) return;
  const isBlock = variant.endsWith('-block');
  const many = isBlock ? 1 : vectors;
  try {
    const run = await contestant.ask({ cmd: 'run', variant, repeat: round < 0 ? 1 : kind === 'one' ? ONE_CALLS : many, warmup: kind === 'one' ? 1 : 0 });
    if (round < 0) return;
    record.product.push(median(run.ms) / run.products_per_call);
    if (kind === 'many') record.total.push(totalOf(run, vectors));
  } catch (error) {
    record.failure = messageOf(error);
  }
}

/** Milliseconds of all products at one point: the preparation, and the calls that it has not made itself. */
export function totalOf({ ms, prepare_ms: prepare, products_per_call: each, products_in_prepare: made = 0 }: Pick<Run, 'ms' | 'prepare_ms' | 'products_per_call' | 'products_in_prepare'>, products: number): number {
  return prepare + ms.slice(0, Math.ceil((products - made) / each)).reduce((sum, value) => sum + value, 0);
}
