/** `thalweg spectrum`, `plane`, `line`, `sharpness`, `kernel`: one instrument each, with its own options. @module */
import { Command } from 'commander';
import { planeAxes, type SurveySettings } from '../../survey/index.ts';
import { UsageError } from '../exit.ts';
import { runJob } from '../measure.ts';
import { addProblemOptions, integer, positive, settingsOf, type ProblemOptions } from '../options.ts';

/** An option that sets a size: `--top <n>`. */
interface Setting {
  readonly flags: string;
  readonly help: string;
  readonly parse: (text: string) => number | string;
  readonly field: keyof SurveySettings;
}

/** A command that measures some parts of a survey. */
interface Instrument {
  readonly name: string;
  readonly description: string;
  readonly parts: readonly string[];
  readonly settings: readonly Setting[];
}

function axes(text: string): string {
  if (!(planeAxes as readonly string[]).includes(text)) throw new UsageError(`--axes must be one of ${planeAxes.join(', ')}, got '${text}'`);
  return text;
}

const setting = (flags: string, help: string, field: keyof SurveySettings, least = 1): Setting => ({ flags, help, field, parse: integer(/^--([\w-]+)/.exec(flags)![1], least) });
const measure = (flags: string, help: string, field: keyof SurveySettings): Setting => ({ flags, help, field, parse: positive(/^--([\w-]+)/.exec(flags)![1]) });

const instruments: readonly Instrument[] = [
  {
    name: 'spectrum', description: 'Eigenvalues of the Hessian with residual bounds, its trace, spectral density and the share of each layer.',
    parts: ['eigenvalues', 'trace', 'density', 'layers'],
    settings: [
      setting('--top <n>', 'how many of the largest eigenvalues', 'eigenvalues'), measure('--tolerance <x>', 'residual norm relative to the eigenvalue', 'tolerance'),
      setting('--max-products <n>', 'most Hessian-vector products spent on eigenvalues', 'maxProducts'), setting('--probes <n>', 'probes of the density', 'densityProbes', 2),
      setting('--steps <n>', 'Lanczos steps of a probe', 'densitySteps', 2), setting('--trace-probes <n>', 'probes of the trace', 'traceProbes', 2),
    ],
  },
  {
    name: 'plane', description: 'Training and test loss on a plane through the parameters.', parts: ['plane'],
    settings: [
      setting('--points <n>', 'points along each axis; odd, so that the middle is the parameters', 'planePoints', 3), measure('--radius <x>', 'half the width, in units of the axes', 'planeRadius'),
      { flags: '--axes <kind>', help: `what spans it: ${planeAxes.join(', ')}`, field: 'planeAxes', parse: axes },
    ],
  },
  {
    name: 'line', description: "Training and test loss along the Hessian's top axes.", parts: ['lines'],
    settings: [setting('--points <n>', 'points of a line; odd', 'linePoints', 3)],
  },
  {
    name: 'sharpness', description: 'Sharpness measures of the literature: sharpness-aware, adaptive, epsilon-sharpness, Fisher-Rao norm, PAC-Bayes flatness.', parts: ['eigenvalues', 'trace', 'sharpness'],
    settings: [measure('--radius <rho>', 'radius of the balls in parameter space', 'sharpnessRadius'), setting('--ascent-steps <n>', 'steps of the search for the worst point', 'sharpnessSteps')],
  },
  {
    name: 'kernel', description: 'Empirical neural tangent kernel: spectrum, alignment with the targets, largest stable learning rate.', parts: ['kernel'],
    settings: [setting('--examples <n>', 'training examples whose kernel is formed', 'kernelExamples', 2)],
  },
];

const camel = (flags: string): string => /^--([\w-]+)/.exec(flags)![1].replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function instrumentCommand({ name, description, parts, settings }: Instrument): Command {
  const command = addProblemOptions(new Command(name).description(`${description} Trains the model first, or takes checkpoints.`), `thalweg-out/${name}`);
  for (const { flags, help, parse } of settings) command.option(flags, `${help} (default: that of the preset)`, parse);
  return command.action((model: string | undefined, options: ProblemOptions & Readonly<Record<string, unknown>>) => {
    const changed = settings.flatMap(({ flags, field }) => { const value = options[camel(flags)]; return value === undefined ? [] : [[field, value] as const]; });
    return runJob({ ...options, ...(model !== undefined && { model }) }, { name, only: parts, settings: { ...settingsOf(options), ...Object.fromEntries(changed) } });
  });
}

/** The commands. */
export const instrumentCommands = (): Command[] => instruments.map(instrumentCommand);
