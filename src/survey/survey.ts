/** The main job: everything measured of one problem, as one record. @module */
import { key, split as splitKey } from '../util/random/index.ts';
import type { Executor } from '../core/backend.ts';
import type { NDArray } from '../core/ndarray.ts';
import { subset } from '../data/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { densityStage, eigenvaluesStage, gradientStage, layersStage, traceStage } from './curvature-stages.ts';
import { linesStage, planeStage } from './landscape-stage.ts';
import type { PreparedProblem } from './prepare.ts';
import type { SurveySettings } from './presets.ts';
import { SURVEY_SCHEMA, type CostRecord, type SurveyRecord } from './record.ts';
import type { Stage, StageContext, StageResult } from './stage.ts';
import { qualityStage } from './quality-stage.ts';
import { trainingStage } from './training-stage.ts';

/** All parts, in the order they run; each writes its fields of the record. */
export const stages: readonly Stage[] = [trainingStage, qualityStage, gradientStage, eigenvaluesStage, traceStage, densityStage, layersStage, planeStage, linesStage];

/** Parts that can be chosen; training always runs, since the others look at its result. */
export const partNames: readonly string[] = stages.map((stage) => stage.name).filter((name) => name !== trainingStage.name);

/** Progress of a survey. */
export type SurveyEvent =
  | { readonly kind: 'start'; readonly name: string; readonly title: string }
  | { readonly kind: 'progress'; readonly name: string; readonly done: number; readonly total: number; readonly note?: string }
  | { readonly kind: 'end'; readonly name: string; readonly seconds: number; readonly record: SurveyRecord; readonly failure?: string };

/** How a survey runs; `settings` is usually one of `presets`, and all randomness comes from `seed`. */
export interface SurveyOptions {
  readonly settings: SurveySettings;
  readonly seed: number;
  /** Names of the parts to run; default all. */
  readonly only?: readonly string[];
  readonly executor?: Executor;
  /** What the record says of versions, machine and options. */
  readonly provenance?: Readonly<Record<string, string>>;
  /** Interrupts: the part at hand ends early, and the record keeps all that was measured. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SurveyEvent) => void;
}

/**
 * Trains a problem's model and measures the terrain where it ends. A part that fails is reported in the record and does
 * not stop the others, except for training; an interruption keeps what was measured until then.
 *
 * @throws ArgumentError when `only` names no part.
 */
export async function survey(prepared: PreparedProblem, options: SurveyOptions): Promise<SurveyRecord> {
  const chosen = chooseStages(options.only);
  const context = contextOf(prepared, options);
  let record = emptyRecord(prepared, context, options);
  for (const stage of chosen) {
    if (options.signal?.aborted === true) return { ...record, complete: false };
    options.onEvent?.({ kind: 'start', name: stage.name, title: stage.title });
    const start = performance.now();
    const result = await attempt(stage, context, options);
    const seconds = (performance.now() - start) / 1000;
    record = extend(record, stage, result, seconds);
    const { failure } = result;
    options.onEvent?.({ kind: 'end', name: stage.name, seconds, record, ...(failure !== undefined && { failure }) });
    if (stage === trainingStage && failure !== undefined) break;
  }
  return { ...record, complete: options.signal?.aborted !== true && record.failures.length === 0 };
}

async function attempt(stage: Stage, context: StageContext, { onEvent, signal }: SurveyOptions): Promise<StageResult> {
  try {
    return await stage.run(context, (done, total, note) => onEvent?.({ kind: 'progress', name: stage.name, done, total, ...(note !== undefined && { note }) }));
  } catch (error) {
    // Thrown by an estimator that was interrupted before it had anything to return.
    if (signal?.aborted === true && error === signal.reason) return {};
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function extend(record: SurveyRecord, stage: Stage, { products = 0, failure, ...fields }: StageResult, seconds: number): SurveyRecord {
  const cost: CostRecord = { name: stage.name, seconds, products };
  const failures = failure === undefined ? record.failures : [...record.failures, { name: stage.name, message: failure }];
  return { ...record, ...fields, costs: [...record.costs, cost], failures };
}

function chooseStages(only?: readonly string[]): readonly Stage[] {
  if (only === undefined) return stages;
  const unknown = only.find((name) => !partNames.includes(name));
  if (unknown !== undefined) throw new ArgumentError({ operation: 'survey', required: `only must name parts among ${partNames.join(', ')}`, received: `'${unknown}'` });
  // Lines lie along the axes that the eigenvalues bring.
  const wanted = only.includes(linesStage.name) ? [...only, eigenvaluesStage.name] : only;
  return stages.filter((stage) => stage === trainingStage || wanted.includes(stage.name));
}

function contextOf(prepared: PreparedProblem, { settings, seed, executor, signal }: SurveyOptions): StageContext {
  const { train, test } = prepared.problem;
  const start = prepared.problem.model.init(splitKey(key(seed), 'init'));
  return {
    ...prepared, settings, seed, executor, signal,
    sample: subset(train, Math.min(settings.samples, train.size), seed),
    ...(test && { testSample: subset(test, Math.min(settings.testSamples, test.size), seed) }),
    point: { params: start.params, state: start.state }, topDirections: [], layerTraces: new Map(), layerTops: new Map(),
  };
}

function emptyRecord({ problem, dataset, lossName }: PreparedProblem, { point, sample }: StageContext, { provenance = {} }: SurveyOptions): SurveyRecord {
  return {
    schema: SURVEY_SCHEMA, provenance,
    problem: {
      name: problem.name, model: problem.model.name, loss: lossName, data: dataset.name, licence: dataset.licence,
      parameters: leaves<NDArray>(point.params).reduce((sum, leaf) => sum + leaf.size, 0),
      trainExamples: problem.train.size, testExamples: problem.test?.size ?? 0, samples: sample.size, ...(dataset.classes && { classes: dataset.classes }),
    },
    complete: false, costs: [], failures: [],
  };
}
