/** The main job: everything measured of one problem. @module */
export { surveyFigures, type SurveyFigure } from './figures.ts';
export { connect, connectFigures, connectReport, connectRows, trainPoints, type ConnectOptions, type SeededPoint } from './connect.ts';
export { COMPARISON_SCHEMA, comparisonReport, type ComparisonRecord, type NamedRecord } from './compare.ts';
export { checkpointLines, type CheckpointLine, type LineLosses } from './checkpoint-lines.ts';
export { checkpointOf, exampleOf, pointFromCheckpoint, pointFromFile } from './checkpoint.ts';
export type { CostEstimate } from './estimate.ts';
export { matchCheckpoint, matchedArrays, type CheckpointMatching, type MatchedArray } from './checkpoint-matching.ts';
export { prepareImported, settledPoint, type ImportedProblemOptions } from './imported.ts';
export { prepareProblem, problemOfModel, type AnyPoint, type AnyProblem, type NamedLoss, type PreparedProblem } from './prepare.ts';
export { planeAxes, presets, type PlaneAxes, type PresetName, type SurveySettings } from './presets.ts';
export {
  SURVEY_SCHEMA, type CostRecord, type DensityRecord, type FeaturesRecord, type KernelRecord, type SharpnessRecord, type WeightLayerRecord, type WeightsRecord, type DivergenceRecord, type EigenvaluesRecord, type LayerRecord, type LineRecord, type LossGridRecord, type PlaneRecord,
  type QualityRecord, type Series, type SurveyRecord, type TrainingRecord,
} from './record.ts';
export { surveyReport, surveySummary } from './report.ts';
export { partGroups, partNames, survey, type SurveyEvent, type SurveyOptions } from './survey.ts';
export { prepareRun, type ModelFileSettings, type PreparedRun, type ResolvedSettings, type RunSettings } from './run-settings.ts';
export { RUN_SCHEMA, runRecord, type AnyTrainingRun, type RunColumn, type RunRecord } from './run-record.ts';
export { runFigures } from './run-figures.ts';
export { runReport, runSummary } from './run-report.ts';
export { stabilityOf, type Stability } from './stability.ts';
export { modelZoo, type ModelZoo, type ModelZooOptions, type ZooRow, type ZooRuns } from './model-zoo.ts';
