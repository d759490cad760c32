/** `thalweg survey`: train, measure, report. @module */
import { Command } from 'commander';
import { partNames } from '../../survey/index.ts';
import { UsageError } from '../exit.ts';
import { runJob } from '../measure.ts';
import { addProblemOptions, settingsOf, type ProblemOptions } from '../options.ts';

interface Options extends ProblemOptions {
  readonly only?: readonly string[];
}

function parts(text: string): string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const unknown = names.find((name) => !partNames.includes(name));
  if (unknown !== undefined || names.length === 0) throw new UsageError(`--only must list parts among ${partNames.join(', ')}, got '${text}'`);
  return names;
}

/** The command with its options. */
export function surveyCommand(): Command {
  const command = new Command('survey')
    .description('Trains a model, or takes checkpoints, and measures the terrain: Hessian spectrum, sharpness, noise scale, loss plane and lines, weights and features. Writes report.html, survey.json, figures and the trained model.');
  return addProblemOptions(command, 'thalweg-out/survey')
    .option('--only <parts>', `measure only these, separated by commas: ${partNames.join(', ')}`, parts)
    .action((options: Options) => runJob(options, { name: 'survey', settings: settingsOf(options), ...(options.only && { only: options.only }) }));
}
