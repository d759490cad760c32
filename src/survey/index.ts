/** The main job: everything measured of one problem. @module */
export { surveyFigures, type SurveyFigure } from './figures.ts';
export { prepareProblem, type AnyProblem, type PreparedProblem } from './prepare.ts';
export { presets, type PresetName, type SurveySettings } from './presets.ts';
export {
  SURVEY_SCHEMA, type CostRecord, type DensityRecord, type DivergenceRecord, type EigenvaluesRecord, type LayerRecord, type LineRecord, type LossGridRecord, type PlaneRecord,
  type QualityRecord, type Series, type SurveyRecord, type TrainingRecord,
} from './record.ts';
export { surveyReport, surveySummary } from './report.ts';
export { partNames, survey, type SurveyEvent, type SurveyOptions } from './survey.ts';
