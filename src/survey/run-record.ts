/** What a training run was and measured, as plain data: the content of `run.json`. Numbers that are not finite are written as null. @module */
import { ParameterSpace, type ErrorKind } from '../problem/index.ts';
import type { TrainingRun } from '../train/index.ts';
import type { PreparedRun } from './run-settings.ts';
import type { Stability } from './stability.ts';

/** The version of the layout below; raised when a field changes its meaning or goes. */
export const RUN_SCHEMA = 'thalweg-run/1';

/** One column of the table; the lists are equally long. */
export interface RunColumn {
  /** `loss` and `learningRate` of every step, `PROBE` or `PROBE.part`, `optimizer.NAME`. */
  readonly name: string;
  /** What the errors are. */
  readonly kind: ErrorKind;
  /** Steps done before each measurement. */
  readonly steps: readonly number[];
  readonly values: readonly number[];
  readonly errors: readonly number[];
}

/** The record of a run. */
export interface RunRecord {
  readonly schema: typeof RUN_SCHEMA;
  /** What is needed to repeat it. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly complete: boolean;
  readonly problem: {
    readonly name: string;
    readonly model: string;
    readonly loss: string;
    readonly data: string;
    readonly licence: string;
    readonly parameters: number;
    readonly trainExamples: number;
    readonly testExamples: number;
    readonly classes?: readonly string[];
  };
  readonly settings: {
    readonly optimizer: string;
    readonly schedule: string;
    readonly learningRate: number;
    readonly batchSize: number | 'full';
    readonly steps: number;
    readonly stepsPerEpoch: number;
    readonly seed: number;
    readonly probes: readonly string[];
    readonly labelSmoothing?: number;
    readonly mixup?: number;
    readonly microBatch?: number | 'auto';
  };
  readonly end: {
    readonly reason: 'finished' | 'interrupted' | 'diverged';
    /** Steps done. */
    readonly steps: number;
    /** Of a run that diverged: the step, counted from one, whose loss was not finite. */
    readonly step?: number;
    readonly loss?: string;
    readonly message?: string;
  };
  /** What sharpness is compared with; absent where no threshold is known for the optimizer. */
  readonly stability?: Stability;
  /** Of the process that ended the run. */
  readonly costs: readonly { readonly name: string; readonly count: number; readonly seconds: number; readonly products: number }[];
  readonly columns: readonly RunColumn[];
}

/** A run of a model whose trees are not known statically. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the structure is known when the model's name is parsed, at run time
export type AnyTrainingRun = TrainingRun<any, any>;

/** The record of a run that ended. */
export function runRecord({ prepared: { problem, dataset, lossName }, settings, stepsPerEpoch, optimizer, stability }: PreparedRun, run: AnyTrainingRun, provenance: Readonly<Record<string, string>>): RunRecord {
  const { schedule, learningRate, batchSize, steps, seed, probes, labelSmoothing, mixup, microBatch } = settings;
  const { thalweg, runtime, platform, cores, executor, hash, started, ended, resumedAt } = run.provenance;
  return {
    schema: RUN_SCHEMA, complete: run.end.reason === 'finished',
    provenance: {
      thalweg, ...runtime, platform, ...(cores !== undefined && { cores: String(cores) }), backend: executor, seed: String(seed), 'configuration (SHA-256)': hash, started, ended,
      ...(resumedAt && { 'resumed after steps': resumedAt.join(', ') }), ...provenance,
    },
    problem: {
      name: problem.name, model: problem.model.name, loss: lossName, data: dataset.name, licence: dataset.licence, parameters: new ParameterSpace(run.params).size,
      trainExamples: problem.train.size, testExamples: dataset.test.size, ...(dataset.classes && { classes: dataset.classes }),
    },
    settings: {
      optimizer, schedule, learningRate, batchSize, steps, stepsPerEpoch, seed, probes,
      ...(labelSmoothing !== undefined && { labelSmoothing }), ...(mixup !== undefined && { mixup }), ...(microBatch !== undefined && { microBatch }),
    },
    end: { reason: run.end.reason, steps: run.losses.length, ...(run.end.reason === 'diverged' && { step: run.end.step, loss: String(run.end.loss), message: run.end.message }) },
    ...(stability && { stability }),
    costs: run.costs.map(({ name, count, seconds, products }) => ({ name, count, seconds, products })),
    columns: run.table.columns.map((name): RunColumn => {
      const entries = run.table.entries(name);
      return {
        name, kind: entries[entries.length - 1].measurement.kind, steps: entries.map(({ step }) => step),
        values: entries.map(({ measurement }) => measurement.value), errors: entries.map(({ measurement }) => measurement.error),
      };
    }),
  };
}

/** A column by name. */
export const columnOf = (record: RunRecord, name: string): RunColumn | undefined => record.columns.find((column) => column.name === name);
