/** Options of a benchmark's command line, checked, and its frame: help, refusals, exit codes. @module */
import { ArgumentError, ThalwegError } from '../../src/util/errors.ts';

export const say = (text: string): boolean => process.stderr.write(`${text}\n`);
export const print = (text: string): boolean => process.stdout.write(`${text}\n`);

/** The items of a list option, all of `known` by default; `none` stands for no item. @throws ArgumentError for others. */
export function listOption(operation: string, name: string, text: string | undefined, known: readonly string[]): string[] {
  const chosen = (text ?? known.join(',')).split(',').filter((item) => item !== 'none');
  const odd = chosen.find((item) => !known.includes(item));
  if (odd !== undefined) throw new ArgumentError({ operation, required: `--${name} must be among ${known.join(', ')}`, received: `'${odd}'` });
  return chosen;
}

/** An integer option; undefined when absent. @throws ArgumentError below `least` and for anything else. */
export function integerOption(operation: string, name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new ArgumentError({ operation, required: `--${name} must be an integer of at least ${least}`, received: `'${text}'` });
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
