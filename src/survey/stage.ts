/** The parts of a survey: what they share. @module */
import type { Executor } from '../core/backend.ts';
import type { Split } from '../data/index.ts';
import type { Measurement } from '../problem/index.ts';
import type { AnyPoint, PreparedProblem } from './prepare.ts';
import type { SurveySettings } from './presets.ts';
import type { SurveyRecord } from './record.ts';

/** What a part works with; `point` is where training ended. */
export interface StageContext extends PreparedProblem {
  readonly settings: SurveySettings;
  readonly seed: number;
  readonly executor?: Executor;
  readonly signal?: AbortSignal;
  /** Training examples that curvature and landscape are measured on. */
  readonly sample: Split;
  readonly testSample?: Split;
  point: AnyPoint;
  /** By layer, once measured. */
  layerTraces: Map<string, Measurement>;
  readonly layerTops: Map<string, Measurement>;
  /** Unit eigenvectors of the largest eigenvalues, once measured. */
  topDirections: { readonly value: number; readonly vector: Float64Array }[];
}

/** Fields of the record that a part fills, the products it took, and why it could not do all of its work. */
export type StageResult = Partial<SurveyRecord> & { readonly products?: number; readonly failure?: string };

/** One part of the survey. */
export interface Stage {
  readonly name: string;
  /** What it does, for the progress line. */
  readonly title: string;
  /** `report(done, total, note)` is called as often as there is news. */
  run(context: StageContext, report: (done: number, total: number, note?: string) => void): Promise<StageResult>;
}
