#!/usr/bin/env node
/** The `thalweg` command. @module */
import { Command, CommanderError } from 'commander';
import { ArgumentError, DataError } from '../util/errors.ts';
import { atlasCommand } from './commands/atlas.ts';
import { connectCommand } from './commands/connect.ts';
import { exportCommand } from './commands/export.ts';
import { inspectCommand } from './commands/inspect.ts';
import { instrumentCommands } from './commands/instruments.ts';
import { listCommand } from './commands/list.ts';
import { surveyCommand } from './commands/survey.ts';
import { trainCommand } from './commands/train.ts';
import { weightsCommand } from './commands/weights.ts';
import { EXIT, UsageError } from './exit.ts';
import { VERSION } from '../util/version.ts';

/** One line on standard error, whatever the message. */
const complain = (message: string): void => { process.stderr.write(`thalweg: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`); };

const program = new Command('thalweg')
  .description('An instrument for loss landscapes and gradient dynamics.')
  .version(VERSION)
  .addCommand(surveyCommand())
  .addCommand(trainCommand())
  .addCommand(inspectCommand())
  .addCommand(exportCommand())
  .addCommand(weightsCommand())
  .addCommand(listCommand())
  .addCommand(atlasCommand());
for (const command of [...instrumentCommands(), connectCommand()]) program.addCommand(command);

/** A command's mistakes are one line that names it, those of its subcommands too. */
function mend(command: Command, name: string): void {
  command.exitOverride().configureOutput({ outputError: (text) => complain(`${text.replace(/^error: /, '').trim()} (${name} --help shows what there is)`) });
  for (const child of command.commands) mend(child, `${name} ${child.name()}`);
}
mend(program, 'thalweg');

/** Wrong options and unusable files are one line and exit code 2; a defect keeps its stack. */
async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else if (error instanceof UsageError || error instanceof ArgumentError || error instanceof DataError) {
      complain(error.message);
      process.exitCode = EXIT.usage;
    } else {
      process.stderr.write(`thalweg: unexpected failure, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = EXIT.failure;
    }
  }
}

await main();
