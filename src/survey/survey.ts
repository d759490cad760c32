/** The main job: everything measured of one problem, as one record. @module */
import { key, split as splitKey } from '../util/random/index.ts';
import type { Executor } from '../core/backend.ts';
import type { NDArray } from '../core/ndarray.ts';
import { subset } from '../data/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { densityStage, eigenvaluesStage, gradientStage, layersStage, traceStage } from './curvature-stages.ts';
import { featuresStage } from './features-stage.ts';
import { kernelStage } from './kernel-stage.ts';
import { linesStage, planeStage } from './landscape-stage.ts';
import { sharpnessStage } from './sharpness-stage.ts';
import { weightsStage } from './weights-stage.ts';
import { estimateCosts, measureUnitCosts, type CostEstimate } from './estimate.ts';
import type { AnyPoint, PreparedProblem } from './prepare.ts';
import { presets, type PresetName, type SurveySettings } from './presets.ts';
import { SURVEY_SCHEMA, type CostRecord, type SurveyRecord } from './record.ts';
import type { Stage, StageContext, StageResult } from './stage.ts';
import { qualityStage } from './quality-stage.ts';
import { trainingStage } from './training-stage.ts';

/** All parts, in the order they run; each writes its fields of the record. */
export const stages: readonly Stage[] = [trainingStage, qualityStage, gradientStage, eigenvaluesStage, traceStage, densityStage, layersStage, planeStage, linesStage, weightsStage, featuresStage, sharpnessStage, kernelStage];

/** Parts that can be chosen; training always runs, since the others look at its result. */
export const partNames: readonly string[] = stages.map((stage) => stage.name).filter((name) => name !== trainingStage.name);

/** Names that stand for several parts. */
export const partGroups: Readonly<Record<string, readonly string[]>> = { spectrum: [eigenvaluesStage.name, traceStage.name, densityStage.name] };

/** Progress of a survey. */
export type SurveyEvent =
  | { readonly kind: 'trial' }
  | { readonly kind: 'estimate'; readonly costs: readonly CostEstimate[]; /** Seconds of the same parts under each preset. */ readonly presets: Readonly<Record<PresetName, number>> }
  | { readonly kind: 'start'; readonly name: string; readonly title: string }
  | { readonly kind: 'progress'; readonly name: string; readonly done: number; readonly total: number; readonly note?: string }
  | { readonly kind: 'end'; readonly name: string; readonly seconds: number; readonly record: SurveyRecord; readonly failure?: string; readonly omitted?: string };

/** How a survey runs; `settings` is usually one of `presets`, and all randomness comes from `seed`. */
export interface SurveyOptions {
  readonly settings: SurveySettings;
  readonly seed: number;
  /** Names of the parts to run, or of groups of them; default: those of the settings. */
  readonly only?: readonly string[];
  /** Measures this point instead of training. */
  readonly start?: AnyPoint;
  /** Whether a trial tells beforehand what the survey will cost. Default true. */
  readonly estimate?: boolean;
  /** Called with the point that is measured: the given one, or where training ended. */
  readonly onPoint?: (point: AnyPoint) => void;
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
  const chosen = chooseStages(options);
  const context = contextOf(prepared, options);
  let record = emptyRecord(prepared, context, options);
  if (options.estimate !== false) await announceCosts(chosen, context, options);
  if (options.start) options.onPoint?.(options.start);
  for (const stage of chosen) {
    if (options.signal?.aborted === true) return { ...record, complete: false };
    options.onEvent?.({ kind: 'start', name: stage.name, title: stage.title });
    const start = performance.now();
    const result = await attempt(stage, context, options);
    const seconds = (performance.now() - start) / 1000;
    record = extend(record, stage, result, seconds);
    const { failure, omitted } = result;
    options.onEvent?.({ kind: 'end', name: stage.name, seconds, record, ...(failure !== undefined && { failure }), ...(omitted !== undefined && { omitted }) });
    if (stage === trainingStage) options.onPoint?.(context.point);
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

function extend(record: SurveyRecord, stage: Stage, { products = 0, failure, omitted, ...fields }: StageResult, seconds: number): SurveyRecord {
  const cost: CostRecord = { name: stage.name, seconds, products, ...(omitted !== undefined && { omitted }) };
  const failures = failure === undefined ? record.failures : [...record.failures, { name: stage.name, message: failure }];
  return { ...record, ...fields, costs: [...record.costs, cost], failures };
}

function chooseStages({ settings, only: named = settings.parts, start }: SurveyOptions): readonly Stage[] {
  const only = named.flatMap((name) => (Object.hasOwn(partGroups, name) ? partGroups[name] : [name]));
  const unknown = only.find((name) => !partNames.includes(name));
  if (unknown !== undefined) throw new ArgumentError({ operation: 'survey', required: `only must name parts among ${[...partNames, ...Object.keys(partGroups)].join(', ')}`, received: `'${unknown}'` });
  // Lines lie along the axes that the eigenvalues bring, as may the plane.
  const needsAxes = only.includes(linesStage.name) || (only.includes(planeStage.name) && settings.planeAxes === 'hessian');
  const wanted = needsAxes ? [...only, eigenvaluesStage.name] : only;
  return stages.filter((stage) => (stage === trainingStage ? start === undefined : wanted.includes(stage.name)));
}

/** A trial of the work to come, and what follows from it for the parts chosen and for each preset. */
async function announceCosts(chosen: readonly Stage[], context: StageContext, options: SurveyOptions): Promise<void> {
  options.onEvent?.({ kind: 'trial' });
  const units = await measureUnitCosts(context);
  const total = (settings: SurveySettings): number => {
    const itsStages = chooseStages({ ...options, settings });
    return estimateCosts(itsStages, context, units, settings).reduce((sum, { seconds }) => sum + seconds, 0);
  };
  const names = Object.keys(presets) as PresetName[];
  options.onEvent?.({ kind: 'estimate', costs: estimateCosts(chosen, context, units), presets: Object.fromEntries(names.map((name) => [name, total(presets[name])])) as Record<PresetName, number> });
}

function contextOf(prepared: PreparedProblem, { settings, seed, executor, signal, start: given }: SurveyOptions): StageContext {
  const { train, test } = prepared.problem;
  const start = given ?? prepared.problem.model.init(splitKey(key(seed), 'init'));
  return {
    ...prepared, settings, seed, executor, signal,
    sample: subset(train, Math.min(settings.samples, train.size), seed),
    ...(test && { testSample: subset(test, Math.min(settings.testSamples, test.size), seed) }),
    point: { params: start.params, state: start.state }, isTrained: given === undefined, topDirections: [], layerTraces: new Map(), layerTops: new Map(),
  };
}

function emptyRecord({ problem, dataset, lossName, batchNorm = 'eval' }: PreparedProblem, { point, sample }: StageContext, { provenance = {} }: SurveyOptions): SurveyRecord {
  return {
    schema: SURVEY_SCHEMA, provenance,
    problem: {
      name: problem.name, model: problem.model.name, loss: lossName, data: dataset.name, licence: dataset.licence,
      parameters: leaves<NDArray>(point.params).reduce((sum, leaf) => sum + leaf.size, 0),
      trainExamples: problem.train.size, testExamples: problem.test?.size ?? 0, samples: sample.size, ...(dataset.classes && { classes: dataset.classes }),
      batchNorm: leaves(point.state).length > 0 ? batchNorm : 'absent',
    },
    complete: false, costs: [], failures: [],
  };
}
