/** Trains the model. @module */
import { evaluator } from '../problem/index.ts';
import { cosineSchedule, sgd } from '../optim/index.ts';
import { train, type BesideProbe, type Measured, type TrainingRun } from '../train/index.ts';
import type { SurveySettings } from './presets.ts';
import type { Series, TrainingRecord } from './record.ts';
import type { Stage } from './stage.ts';

/** Steps over which the learning rate rises to its peak; a tenth of the run where that is less. */
const WARMUP = 50;

/** Training by SGD with momentum under a cosine schedule; the test split is evaluated after each epoch. */
export const trainingStage: Stage = {
  name: 'training',
  title: 'training by SGD with momentum',
  work: ({ problem, settings: { epochs, batchSize } }) => ({ steps: epochs * Math.max(1, Math.floor(problem.train.size / batchSize)), programs: 1 }),
  async run(context, report) {
    const { problem, seed, executor, signal } = context;
    const settings = { ...context.settings, batchSize: Math.min(context.settings.batchSize, problem.train.size) };
    const { epochs, batchSize, momentum, learningRate } = settings;
    const steps = epochs * Math.floor(problem.train.size / batchSize);
    const optimizer = sgd({ momentum });
    const run = await train(problem, {
      optimizer, schedule: cosineSchedule({ rate: learningRate, steps, warmup: Math.min(WARMUP, Math.floor(steps / 10)) }), epochs, batchSize, seed, executor, signal,
      probes: problem.test ? [testQuality(steps / epochs)] : [],
      onEvent: (event) => { if (event.type === 'step') report(event.step, steps, `loss ${event.loss.toFixed(4)}`); },
    });
    context.point = { params: run.params, state: run.state };
    const training = trainingRecord(optimizer.name, settings, run);
    return { training, ...(training.divergence && { failure: `diverged at step ${training.divergence.step}: ${training.divergence.message}` }) };
  },
};

/** Loss and accuracy on the test split after each epoch; one evaluation gives both. */
const testQuality = (every: number): BesideProbe => ({
  where: 'beside', name: 'test', every,
  prepare({ problem, executor }) {
    const test = evaluator(problem, problem.test!, { executor });
    return {
      measure: async ({ step, params, state }): Promise<Measured> => (step === 0 ? {} : { ...await test.evaluate({ params, state }) }),
      dispose: () => test.dispose(),
    };
  },
});

function trainingRecord(optimizer: string, { epochs, batchSize, learningRate }: SurveySettings, { losses, table, end }: TrainingRun<unknown, unknown>): TrainingRecord {
  const seriesOf = (name: 'loss' | 'accuracy'): Series | undefined => {
    const series = table.series(`test.${name}`);
    return series.steps.length === 0 ? undefined : series;
  };
  const [testLoss, testAccuracy] = [seriesOf('loss'), seriesOf('accuracy')];
  return {
    optimizer, epochs, steps: losses.length, batchSize, learningRate: `cosine from ${learningRate}`, end: end.reason,
    ...(end.reason === 'diverged' && { divergence: { step: end.step, loss: String(end.loss), message: end.message } }),
    batchLoss: { steps: losses.map((_, i) => i + 1), values: losses }, ...(testLoss && { testLoss }), ...(testAccuracy && { testAccuracy }),
  };
}
