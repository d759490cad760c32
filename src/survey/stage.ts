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
  /** Whether the point was trained here, from the model's initial parameters. */
  readonly isTrained: boolean;
  /** By layer, once measured. */
  layerTraces: Map<string, Measurement>;
  readonly layerTops: Map<string, Measurement>;
  /** Unit eigenvectors of the largest eigenvalues, once measured. */
  topDirections: { readonly value: number; readonly vector: Float64Array }[];
}

/** Fields of the record that a part fills, the products it took, why it could not do all of its work, and why there was none for it here. */
export type StageResult = Partial<SurveyRecord> & { readonly products?: number; readonly failure?: string; readonly omitted?: string };

/** What a part will do, counted in units whose cost can be measured beforehand. */
export interface Work {
  /** Training steps. */
  readonly steps?: number;
  /** Products with the Hessian over the sample; a gradient counts as half of one. */
  readonly products?: number;
  /** Evaluations of the loss over the sample. */
  readonly points?: number;
  /** Evaluations of the loss over the test sample. */
  readonly testPoints?: number;
  /** Multiplications of matrix decompositions on the host. */
  readonly multiplications?: number;
  /** Programs that are compiled, each taken to be as dear as a Hessian product's. */
  readonly programs?: number;
}

/** One part of the survey. */
export interface Stage {
  readonly name: string;
  /** What it does, for the progress line. */
  readonly title: string;
  /** What it is expected to do. */
  work(context: StageContext): Work;
  /** `report(done, total, note)` is called as often as there is news. */
  run(context: StageContext, report: (done: number, total: number, note?: string) => void): Promise<StageResult>;
}
