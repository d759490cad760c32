/** What a survey will cost, measured on a small share of its work before it starts. @module */
import { hessian } from '../curvature/index.ts';
import { randomPlane, sampleLandscape } from '../landscape/index.ts';
import { symmetricEigenvalues } from '../linalg/index.ts';
import { sgd } from '../optim/index.ts';
import { subset } from '../data/index.ts';
import { train } from '../train/index.ts';
import { key, normal } from '../util/random/index.ts';
import type { SurveySettings } from './presets.ts';
import type { Stage, StageContext, Work } from './stage.ts';

/** Seconds of one unit of each kind of work. */
export type UnitCosts = Readonly<Record<keyof Work, number>>;

/** A part of a survey and what it will take. */
export interface CostEstimate {
  readonly name: string;
  /** Seconds, to a factor of about two: searches end when they have converged. */
  readonly seconds: number;
  /** Products with the Hessian, to the same accuracy. */
  readonly products: number;
}

/** Examples of the first trial. */
const TRIAL_EXAMPLES = 500;
/** Seconds that a product may take on the whole sample for the trial to be made there: small samples are dearer an example. */
const AFFORDABLE = 0.5;
const TRIAL_STEPS = 24;
const TRIAL_POINTS = 16;
const TRIAL_PRODUCTS = 3;

/** Rows of the matrix whose decomposition is timed. */
const TRIAL_ROWS = 192;

/** Times a few training steps, Hessian products, landscape points at the initial parameters, and a decomposition. Takes a second or two on small models. */
export async function measureUnitCosts(context: StageContext): Promise<UnitCosts> {
  const { sample, testSample, executor } = context;
  const small = subset(sample, Math.min(TRIAL_EXAMPLES, sample.size));
  const cold = await timeProduct({ ...context, sample: small });
  // The first program of a process is compiled by code that is itself not compiled yet: several times dearer than the next.
  const first = cold.product <= AFFORDABLE ? await timeProduct({ ...context, sample: small }) : cold;
  const isAffordable = (first.product * sample.size) / small.size <= AFFORDABLE;
  const trial = isAffordable ? sample : small;
  const step = await timeStep(context);
  const { product } = isAffordable && small.size < sample.size ? await timeProduct(context) : first;
  const point = await timePoint({ ...context, sample: trial, executor });
  return {
    steps: step, products: (product * sample.size) / trial.size, points: (point * sample.size) / trial.size,
    testPoints: (point * (testSample?.size ?? 0)) / trial.size, multiplications: timeDecomposition(), programs: first.compilation,
  };
}

async function timeStep({ problem, settings, seed, executor }: StageContext): Promise<number> {
  const batchSize = Math.min(settings.batchSize, problem.train.size);
  const few = { ...problem, train: subset(problem.train, Math.min(problem.train.size, batchSize * TRIAL_STEPS)) };
  const times: number[] = [];
  // A rate of nearly zero: a trial must not diverge.
  await train(few, { optimizer: sgd({ momentum: settings.momentum }), schedule: 1e-12, steps: TRIAL_STEPS, batchSize, seed, executor, stepsPerCall: 1, onEvent: ({ type }) => { if (type === 'step') times.push(performance.now()); } });
  return medianGap(times);
}

/** Seconds of a product, and of what its first one takes besides. */
async function timeProduct({ problem, point, sample, executor }: StageContext): Promise<{ product: number; compilation: number }> {
  const start = performance.now();
  const operator = hessian(problem, point, { data: sample, executor });
  try {
    const vector = Float64Array.from(normal(key(0), operator.size));
    const times: number[] = [];
    for (let i = 0; i <= TRIAL_PRODUCTS; i++) {
      await operator.multiply([vector]);
      times.push(performance.now());
    }
    const product = medianGap(times);
    return { product, compilation: Math.max(0, (times[0] - start) / 1000 - product) };
  } finally {
    await operator.dispose();
  }
}

async function timePoint({ problem, point, seed, sample, executor }: StageContext): Promise<number> {
  const times: number[] = [];
  const reached: number[] = [];
  const grid = Array.from({ length: TRIAL_POINTS }, (_, i) => [i / TRIAL_POINTS, 0]);
  await sampleLandscape(problem, point, randomPlane(point.params, seed), grid, sample, { executor, onProgress: (done) => { times.push(performance.now()); reached.push(done); } });
  // News comes for several points at once.
  return (medianGap(times) * Math.max(1, reached.length - 1)) / Math.max(1, reached[reached.length - 1] - reached[0]);
}

/** Seconds of a multiplication in a decomposition: the second of two, since the first is compiled meanwhile. */
function timeDecomposition(): number {
  const matrix = Float64Array.from(normal(key(0), TRIAL_ROWS ** 2));
  const times = [performance.now()];
  for (let i = 0; i < 2; i++) {
    symmetricEigenvalues(matrix, TRIAL_ROWS);
    times.push(performance.now());
  }
  return (times[2] - times[1]) / 1000 / ((4 / 3) * TRIAL_ROWS ** 3);
}

/** Median time between neighbours, in seconds; the first gaps hold compilation and are few enough to fall outside it. */
function medianGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, i) => (time - times[i]) / 1000).sort((a, b) => a - b);
  return gaps.length === 0 ? 0 : gaps[Math.floor(gaps.length / 2)];
}

/** Costs of parts under settings, from the costs of units measured for a context. */
export function estimateCosts(stages: readonly Stage[], context: StageContext, units: UnitCosts, settings: SurveySettings = context.settings): CostEstimate[] {
  // Other settings look at other numbers of examples.
  const { train: { size }, test } = context.problem;
  const examples = Math.min(settings.samples, size) / context.sample.size;
  const testExamples = context.testSample ? Math.min(settings.testSamples, test?.size ?? 0) / context.testSample.size : 0;
  const scaled: UnitCosts = { ...units, products: units.products * examples, points: units.points * examples, testPoints: units.testPoints * testExamples };
  return stages.map(({ name, work }) => {
    const needed = work({ ...context, settings });
    const seconds = (Object.keys(needed) as (keyof Work)[]).reduce((sum, unit) => sum + (needed[unit] ?? 0) * scaled[unit], 0);
    return { name, seconds, products: Math.round(needed.products ?? 0) };
  });
}
