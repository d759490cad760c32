/** Options of a benchmark's command line, checked, and its frame: help, refusals, exit codes. @module */
import { parseArgs } from 'node:util';
import { ArgumentError, ThalwegError } from '../../src/util/errors.ts';
import { KNOWN_PEERS, resultsFile } from './programs.ts';

export const say = (text: string): boolean => process.stderr.write(`${text}\n`);
export const print = (text: string): boolean => process.stdout.write(`${text}\n`);

/** The items of a list option, all of `known` by default; `none` stands for no item. @throws ArgumentError for others. */
function listOption<T extends string>(operation: string, name: string, text: string | undefined, known: readonly T[]): T[] {
  const chosen = (text?.split(',') ?? known).filter((item) => item !== 'none');
  const odd = chosen.find((item) => !(known as readonly string[]).includes(item));
  if (odd !== undefined) throw new ArgumentError({ operation, required: `--${name} must be among ${known.join(', ')}`, received: `'${odd}'` });
  return chosen as T[];
}

/** An integer option; undefined when absent. @throws ArgumentError below `least` and for anything else. */
function integerOption(operation: string, name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new ArgumentError({ operation, required: `--${name} must be an integer of at least ${least}`, received: `'${text}'` });
}

/** What every benchmark is asked for. */
export interface BenchmarkOptions<Task extends string = never> {
  readonly models: readonly string[];
  readonly tasks: readonly Task[];
  readonly peers: readonly string[];
  /** Undefined: as many as the benchmark has for a model. */
  readonly rounds: number | undefined;
  readonly threads: number;
  readonly seed: number;
  readonly isQuick: boolean;
  /** Where results go; undefined for nowhere. */
  readonly out: string | undefined;
}

/** What there is to choose from in a benchmark; without tasks there is no such option. */
interface Choices<Task extends string> {
  readonly models: readonly string[];
  readonly tasks?: readonly Task[];
  readonly leastRounds: number;
}

/** The options of the benchmark `name`; undefined when help was asked for. @throws ArgumentError | TypeError when one is unknown or malformed. */
export function readBenchmarkOptions<Task extends string = never>(name: string, { models, tasks, leastRounds }: Choices<Task>): BenchmarkOptions<Task> | undefined {
  const text = { type: 'string' } as const;
  const { values }: { values: Readonly<Record<string, string | boolean | undefined>> } = parseArgs({
    options: { models: text, ...(tasks && { tasks: text }), repeat: text, peers: text, threads: text, seed: text, quick: { type: 'boolean' }, out: text, help: { type: 'boolean' } },
  });
  if (values.help === true) return undefined;
  const textOf = (option: string): string | undefined => values[option] as string | undefined;
  const list = <T extends string>(option: string, known: readonly T[]): T[] => listOption(`bench ${name}`, option, textOf(option), known);
  const whole = (option: string, least: number): number | undefined => integerOption(`bench ${name}`, option, textOf(option), least);
  const isQuick = values.quick === true;
  return {
    models: list('models', models), tasks: list('tasks', tasks ?? []), peers: list('peers', KNOWN_PEERS), rounds: whole('repeat', leastRounds), threads: whole('threads', 1) ?? 2,
    seed: whole('seed', 0) ?? 1, isQuick, out: textOf('out') ?? (isQuick ? undefined : resultsFile(name)),
  };
}

/** Reads the options and runs; options undefined mean that help was asked for. Sets the exit code: 2 for options that are refused. */
export async function runBenchmark<Options>(usage: string, readOptions: () => Options | undefined, main: (options: Options) => Promise<void>): Promise<void> {
  try {
    const options = readOptions();
    if (options === undefined) print(usage);
    else await main(options);
  } catch (error) {
    const isUsage = error instanceof ArgumentError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
    if (!isUsage && !(error instanceof ThalwegError)) throw error;
    say(`${(error as Error).message}${isUsage ? `\n${usage}` : ''}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
