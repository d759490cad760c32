/** `thalweg survey`: train, measure, report. @module */
import { Command } from 'commander';
import { partGroups, partNames } from '../../survey/index.ts';
import { UsageError } from '../exit.ts';
import { runJob } from '../measure.ts';
import { addProblemOptions, integer, settingsOf, type ProblemOptions } from '../options.ts';

interface Options extends ProblemOptions {
  readonly only?: readonly string[];
  readonly top?: number;
}

const chosenNames = [...partNames, ...Object.keys(partGroups)];
const groupHelp = Object.entries(partGroups).map(([name, members]) => `${name} (${members.join(', ')} together)`);

function parts(text: string): string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const unknown = names.find((name) => !chosenNames.includes(name));
  if (unknown !== undefined || names.length === 0) throw new UsageError(`--only must list parts among ${chosenNames.join(', ')}, got '${text}'`);
  return names;
}

/** The command with its options. */
export function surveyCommand(): Command {
  const command = new Command('survey')
    .description('Trains a model, or takes checkpoints, and measures the terrain: Hessian spectrum, sharpness, noise scale, loss plane and lines, weights and features. Writes report.html, survey.json, figures and the trained model; of several checkpoints also comparison.html and comparison.json: spectra side by side, and the loss on the lines between them.');
  return addProblemOptions(command, 'thalweg-out/survey')
    .option('--only <parts>', `measure only these, separated by commas: ${[...partNames, ...groupHelp].join(', ')}`, parts)
    .option('--top <n>', 'how many of the largest eigenvalues (default: that of the preset)', integer('top', 1))
    .action((model: string | undefined, options: Options) => runJob({ ...options, ...(model !== undefined && { model }) }, { name: 'survey', settings: { ...settingsOf(options), ...(options.top !== undefined && { eigenvalues: options.top }) }, ...(options.only && { only: options.only }) }));
}
