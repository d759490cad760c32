#!/usr/bin/env node
/** The `thalweg` command. @module */
import { Command, CommanderError } from 'commander';
import { ArgumentError, DataError } from '../util/errors.ts';
import { surveyCommand } from './commands/survey.ts';
import { EXIT, UsageError } from './exit.ts';
import { VERSION } from './version.ts';

const program = new Command('thalweg')
  .description('An instrument for loss landscapes and gradient dynamics.')
  .version(VERSION)
  .showHelpAfterError('(thalweg --help shows the commands)')
  .addCommand(surveyCommand());

/** Wrong options and unusable files are one line and exit code 2; a defect keeps its stack. */
async function main(): Promise<void> {
  program.exitOverride();
  program.commands.forEach((command) => command.exitOverride());
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else if (error instanceof UsageError || error instanceof ArgumentError || error instanceof DataError) {
      process.stderr.write(`thalweg: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
      process.exitCode = EXIT.usage;
    } else {
      process.stderr.write(`thalweg: unexpected failure, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = EXIT.failure;
    }
  }
}

await main();
