/** `thalweg atlas`: the papers that are here as programs, and their claims. @module */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { topics, type PresetName } from '../../atlas/index.ts';
import { loadEntries, loadRegistry } from '../../atlas/node.ts';
import { entriesNamed, entryNamed } from '../atlas-names.ts';
import type { AtlasRunOptions } from '../atlas-run.ts';
import { UsageError } from '../exit.ts';
import { integer, requireWritable } from '../options.ts';

// What an action needs is loaded by it: formulas and the gallery would slow the start of every other command.

/** Where results of runs go unless told otherwise. */
const RESULTS = 'thalweg-out/atlas';

/** The command with its subcommands. */
export function atlasCommand(): Command {
  return new Command('atlas')
    .description('Papers as programs with claims that can fail: list, show and run them, or write them as a site.')
    .addCommand(listing()).addCommand(showing()).addCommand(running()).addCommand(site());
}

const names = async (): Promise<string[]> => Object.keys(await loadRegistry());

function listing(): Command {
  return new Command('list')
    .description('The entries with their papers and the verdicts of the stored runs.')
    .addOption(new Option('--topic <topic>', 'only of this topic').argParser(topic))
    .option('--search <words>', 'only those with these words in title, authors, question, method or claims, the best match first')
    .option('--json', 'as JSON')
    .action(async ({ topic: wanted = '', search = '', json = false }: { readonly topic?: string; readonly search?: string; readonly json?: boolean }) => {
      const { listedText } = await import('../atlas-list.ts');
      process.stdout.write(`${await listedText({ topic: wanted, search, json })}\n`);
    });
}

function topic(text: string): string {
  if (!(topics as readonly string[]).includes(text)) throw new UsageError(`--topic must be one of ${topics.join(', ')}, got '${text}'`);
  return text;
}

function showing(): Command {
  return new Command('show')
    .description('What an entry asks, how it measures, what its claims are and how they came out.')
    .argument('<entry>', 'TOPIC/ID, or ID where one topic has it')
    .action(async (name: string) => {
      const [loaded] = await loadEntries([entryNamed(name, await names())]);
      const { showText } = await import('../atlas-text.ts');
      process.stdout.write(`${showText(loaded)}\n`);
    });
}

function preset(text: string): PresetName {
  if (text !== 'quick' && text !== 'full') throw new UsageError(`--preset must be quick or full, got '${text}'`);
  return text;
}

function running(): Command {
  return new Command('run')
    .description('Runs entries, judges their claims, and compares them with the stored run. Exit code 1 when a claim fails or a verdict changed.')
    .argument('<entries...>', 'TOPIC/ID, ID, a topic, or all')
    .addOption(new Option('--preset <name>', 'quick or full').argParser(preset).default('quick'))
    .option('--seed <n>', 'seed of everything random; stored runs are of seed 0', integer('seed', 0), 0)
    .option('--out <folder>', 'where results go', RESULTS)
    .option('--workers <n>', 'entries at a time, each on one thread (default: all cores)', integer('workers', 1))
    .option('--twice', 'run each entry twice; one whose results differ fails')
    .option('--controls', 'show controls of claims that hold, too')
    .option('--update', 'store these runs as those to compare with')
    .option('--json', 'print records and changes as JSON on standard output; progress goes to standard error')
    .action(async (wanted: readonly string[], options: AtlasRunOptions) => {
      const { runAtlas } = await import('../atlas-run.ts');
      process.exitCode = await runAtlas(entriesNamed(wanted, await names()), options);
    });
}

function site(): Command {
  return new Command('site')
    .description('Writes the gallery: a folder of pages that opens from disk.')
    .requiredOption('--out <folder>', 'where the pages go')
    .action(async ({ out }: { readonly out: string }) => {
      const folder = resolve(out);
      requireWritable(folder);
      const { writeSite } = await import('../atlas-list.ts');
      process.stdout.write(`${await writeSite(folder)}\n`);
    });
}
