/** What a survey will cost, measured on a small share of its work before it starts. @module */
import { hessian } from '../curvature/index.ts';
import { randomPlane, sampleLandscape } from '../landscape/index.ts';
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

/** Times a few training steps, Hessian products and landscape points at the initial parameters. Takes a second or two on small models. */
export async function measureUnitCosts(context: StageContext): Promise<UnitCosts> {
  const { sample, testSample, executor } = context;
  const small = subset(sample, Math.min(TRIAL_EXAMPLES, sample.size));
  const first = await timeProduct({ ...context, sample: small });
  const isAffordable = (first * sample.size) / small.size <= AFFORDABLE;
  const trial = isAffordable ? sample : small;
  const step = await timeStep(context);
  const product = isAffordable && small.size < sample.size ? await timeProduct(context) : first;
  const point = await timePoint({ ...context, sample: trial, executor });
  return {
    steps: step, products: (product * sample.size) / trial.size, points: (point * sample.size) / trial.size,
    testPoints: (point * (testSample?.size ?? 0)) / trial.size,
  };
}

async function timeStep({ problem, settings, seed, executor }: StageContext): Promise<number> {
  const batchSize = Math.min(settings.batchSize, problem.train.size);
  const few = { ...problem, train: subset(problem.train, Math.min(problem.train.size, batchSize * TRIAL_STEPS)) };
  const times: number[] = [];
  // A rate of nearly zero: a trial must not diverge.
  await train(few, { optimizer: sgd({ momentum: settings.momentum }), learningRate: () => 1e-12, epochs: Math.ceil((TRIAL_STEPS * batchSize) / few.train.size), batchSize, seed, executor, onStep: () => { times.push(performance.now()); } });
  return medianGap(times);
}

async function timeProduct({ problem, point, sample, executor }: StageContext): Promise<number> {
  const operator = hessian(problem, point, { data: sample, executor });
  try {
    const vector = Float64Array.from(normal(key(0), operator.size));
    const times: number[] = [];
    for (let i = 0; i <= TRIAL_PRODUCTS; i++) {
      await operator.multiply([vector]);
      times.push(performance.now());
    }
    return medianGap(times);
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
