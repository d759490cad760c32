/** A training run as it is asked for in words, and what `train` is given for it. @module */
import { subset, type Dataset } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { optimizerNamed, optimizers, scheduleNamed, type OptimizerEntry } from '../optim/index.ts';
import type { ImportedModel } from '../interop/index.ts';
import type { LossFunction } from '../problem/index.ts';
import { probeNamed, type TrainOptions } from '../train/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { prepareImported } from './imported.ts';
import { prepareProblem, type NamedLoss, type AnyProblem, type PreparedProblem } from './prepare.ts';
import { stabilityOf, type Stability } from './stability.ts';

/** How the file of a model is read, in the words of `importOnnx`. */
export interface ModelFileSettings {
  /** SHA-256 of the file: a run does not go on with another. */
  readonly sha256?: string;
  readonly input?: string;
  readonly output?: string;
  readonly target?: string;
  readonly params?: readonly string[];
  readonly bn?: 'eval' | 'batch' | 'recompute';
  readonly values?: Readonly<Record<string, number>>;
  readonly dimensions?: Readonly<Record<string, number>>;
  readonly tied?: Readonly<Record<string, string>>;
}

/** What a run is asked for; texts as the command line has them. */
export interface RunSettings extends ModelFileSettings {
  /** As `parseModel` takes it, or the path of a model's file. */
  readonly model: string;
  /** Default: cross-entropy, or mean-squared-error for regression. */
  readonly loss?: string;
  readonly optimizer: string;
  /** The largest rate; default: the usual one of the optimizer. */
  readonly learningRate?: number;
  readonly schedule: string;
  /** Default: 128, or all examples where there are fewer. */
  readonly batchSize?: number | 'full';
  /** Training examples, a choice in which every label keeps its share, the same for every seed. Default: all. */
  readonly subset?: number;
  /** At most one of `steps` and `epochs`. Default: five epochs and at least 500 steps; full batch, 2,000 steps. */
  readonly steps?: number;
  readonly epochs?: number;
  readonly seed: number;
  /** Besides loss and accuracy on the test split, which are measured once an epoch unless they are named here. */
  readonly probes: readonly string[];
  readonly labelSmoothing?: number;
  /** Parameter alpha of the distribution that mixing shares are drawn from. */
  readonly mixup?: number;
  /** Largest norm of the gradient. */
  readonly clip?: number;
  /** `ema:decay=0.99` or `swa`: what is evaluated and kept is an average of the parameters. */
  readonly average?: string;
  readonly microBatch?: number | 'auto';
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the structure is known when the model's name is parsed, at run time
type AnyTrainOptions = TrainOptions<any, any>;

/** The same with every default filled in: what it takes to go on later. */
export type ResolvedSettings = RunSettings & Required<Pick<RunSettings, 'learningRate' | 'batchSize' | 'steps'>>;

/** A run that is ready to start. */
export interface PreparedRun {
  readonly prepared: PreparedProblem;
  readonly options: AnyTrainOptions;
  readonly settings: ResolvedSettings;
  readonly stepsPerEpoch: number;
  /** The text that names the optimizer with all that wraps it. */
  readonly optimizer: string;
  /** What sharpness is compared with. */
  readonly stability: Stability | undefined;
}

const BATCH = 128;
const EPOCHS = 5;
const LEAST_STEPS = 500;
const FULL_STEPS = 2000;
/** Most evaluations of a run, where its epochs are short. */
const EVALUATIONS = 100;
/** The choice of a subset does not depend on the run's seed: runs from different seeds see the same data. */
const SUBSET_SEED = 0;

/**
 * Everything that `train` takes, from words; `loss` is one of the user's own, in the place of a name; `imported` the model of the file that
 * the settings name, from whose weights the run starts.
 * @throws ArgumentError naming the part that is wrong.
 */
export function prepareRun(given: RunSettings, dataset: Dataset, loss?: NamedLoss, imported?: ImportedModel): PreparedRun {
  const data = fewer(dataset, given.subset);
  const prepared = smoothed(imported === undefined ? prepareProblem(given.model, data, loss ?? given.loss) : problemOfFile(given, imported, data, loss), given.labelSmoothing);
  const { settings, stepsPerEpoch } = resolved(given, prepared);
  const { seed, steps, batchSize, learningRate, labelSmoothing = 0, mixup, microBatch, average, clip } = settings;
  const optimizer = [average && averaging(average), clip === undefined ? undefined : `clip-by-global-norm:maximum=${clip}`, settings.optimizer].filter((part) => part !== undefined).join('+');
  return {
    prepared, settings, stepsPerEpoch, optimizer, stability: stabilityOf(settings.optimizer),
    options: {
      optimizer: optimizerNamed(optimizer), schedule: scheduleNamed(settings.schedule, { rate: learningRate, steps }), steps, batchSize, seed,
      probes: settings.probes.map((text) => probeNamed(text)), labels: labelsOf(settings, prepared.lossName),
      ...(mixup !== undefined && { mixup: { alpha: mixup } }), ...(microBatch !== undefined && { microBatch }), ...(labelSmoothing > 0 && { distribution: 'softmax' as const }),
    },
  };
}

/** The last part of a path. */
const fileName = (path: string): string => path.split(/[\\/]/).at(-1)!;

/** A model from a file, called by the name of the file: a run may go on where the file lies elsewhere. */
function problemOfFile({ model, loss: name, bn }: RunSettings, imported: ImportedModel, dataset: Dataset, loss: NamedLoss | undefined): PreparedProblem {
  const chosen = loss ?? name;
  return prepareImported({ ...imported, model: { ...imported.model, name: fileName(model) } }, dataset, { name: fileName(model), ...(chosen !== undefined && { loss: chosen }), ...(bn !== undefined && { batchNorm: bn === 'recompute' ? 'recomputed' : bn }) });
}

const AVERAGES: Readonly<Record<string, string>> = { ema: 'exponential-average', swa: 'weight-average' };

/** The registered name of an average with its options. */
function averaging(text: string): string {
  const [name] = text.split(':', 1);
  if (!Object.hasOwn(AVERAGES, name)) throw new ArgumentError({ operation: 'run', required: `the average must start with ${Object.keys(AVERAGES).join(' or ')}`, received: `'${text}'`, remedy: 'ema:decay=0.999' });
  return AVERAGES[name] + text.slice(name.length);
}

/** What the configuration of a run must say besides what `train` sees. */
const labelsOf = ({ model, sha256, labelSmoothing }: RunSettings, loss: string): Record<string, string> => ({ model: sha256 === undefined ? model : `file with SHA-256 ${sha256}`, loss, ...(labelSmoothing !== undefined && { 'label smoothing': String(labelSmoothing) }) });

function fewer(dataset: Dataset, count: number | undefined): Dataset {
  if (count === undefined) return dataset;
  requireInteger('run', 'subset', count, 1, dataset.train.size);
  return { ...dataset, train: subset(dataset.train, count, SUBSET_SEED) };
}

/** Label smoothing belongs to the loss, wherever it is evaluated. */
function smoothed({ problem, ...rest }: PreparedProblem, labelSmoothing = 0): PreparedProblem {
  requireNumber('run', 'labelSmoothing', labelSmoothing, 0, 1);
  if (labelSmoothing === 0) return { problem, ...rest };
  if (rest.lossName !== 'cross-entropy') throw new ArgumentError({ operation: 'run', required: 'label smoothing needs the loss cross-entropy', received: rest.lossName });
  const loss: LossFunction = (outputs, targets) => crossEntropy(outputs, targets, { labelSmoothing });
  return { problem: { ...problem, loss } as AnyProblem, ...rest };
}

/** Fills in what was not said. */
function resolved(given: RunSettings, prepared: PreparedProblem): { settings: ResolvedSettings; stepsPerEpoch: number } {
  const { epochs, ...settings } = given;
  if (settings.steps !== undefined && epochs !== undefined) throw new ArgumentError({ operation: 'run', required: 'one of steps and epochs may be given', received: 'both' });
  const { train: { size } } = prepared.problem;
  const { batchSize = Math.min(BATCH, size), learningRate = usualRate(settings.optimizer) } = settings;
  const examples = batchSize === 'full' ? size : batchSize;
  if (examples > size) throw new ArgumentError({ operation: 'run', required: `the batch must have at most the ${size} training examples`, received: String(batchSize), remedy: 'full' });
  const stepsPerEpoch = Math.floor(size / examples);
  const usual = examples === size ? FULL_STEPS : Math.max(LEAST_STEPS, EPOCHS * stepsPerEpoch);
  const steps = settings.steps ?? (epochs === undefined ? usual : epochs * stepsPerEpoch);
  return { settings: { ...settings, batchSize, learningRate, steps, probes: withEvaluations(settings.probes, prepared, Math.max(stepsPerEpoch, Math.ceil(steps / EVALUATIONS))) }, stepsPerEpoch };
}

/** Of the innermost optimizer. */
function usualRate(text: string): number {
  const name = text.split(/\+(?=[a-z])/i).at(-1)!.split(':', 1)[0];
  const entries: Readonly<Record<string, OptimizerEntry>> = optimizers;
  // An unknown name is refused where the optimizer is made.
  return Object.hasOwn(entries, name) ? entries[name].rate : 0.1;
}

/** The probes asked for, and before them those of the test split. */
function withEvaluations(texts: readonly string[], { dataset, problem }: PreparedProblem, every: number): string[] {
  const named = new Set(texts.map((text) => text.split(':', 1)[0]));
  const split = problem.test === undefined ? 'train' : 'test';
  const usual = [...(named.has('loss') ? [] : ['loss']), ...(named.has('accuracy') || dataset.kind === 'regression' ? [] : ['accuracy'])];
  return [...usual.map((name) => `${name}:every=${every},split=${split}`), ...texts];
}
