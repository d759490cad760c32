/** Trains the model. @module */
import { evaluator, type Evaluation } from '../problem/index.ts';
import { cosineRate, sgd } from '../optim/index.ts';
import { train, type TrainingRun } from '../train/index.ts';
import type { SurveySettings } from './presets.ts';
import type { Series, TrainingRecord } from './record.ts';
import type { Stage } from './stage.ts';

/** Steps over which the learning rate rises to its peak; a tenth of the run where that is less. */
const WARMUP = 50;

/** Training by SGD with momentum under a cosine schedule; the test split is evaluated after each epoch. */
export const trainingStage: Stage = {
  name: 'training',
  title: 'training by SGD with momentum',
  work: ({ problem, settings: { epochs, batchSize } }) => ({ steps: epochs * Math.max(1, Math.floor(problem.train.size / batchSize)) }),
  async run(context, report) {
    const { problem, seed, executor, signal } = context;
    const settings = { ...context.settings, batchSize: Math.min(context.settings.batchSize, problem.train.size) };
    const { epochs, batchSize, momentum, learningRate } = settings;
    const steps = epochs * Math.floor(problem.train.size / batchSize);
    const optimizer = sgd({ momentum });
    const test = problem.test && evaluator(problem, problem.test, { executor });
    const history: { step: number; quality: Evaluation }[] = [];
    let done = 0;
    try {
      const run = await train(problem, {
        optimizer, learningRate: cosineRate({ rate: learningRate, steps, warmup: Math.min(WARMUP, Math.floor(steps / 10)) }), epochs, batchSize, seed, executor, signal,
        onStep: ({ step, loss }) => { done = step; report(step, steps, `loss ${loss.toFixed(4)}`); },
        onEpoch: async (_, params, state) => {
          if (test) history.push({ step: done, quality: await test.evaluate({ params, state }) });
        },
      });
      context.point = { params: run.params, state: run.state };
      const training = trainingRecord(optimizer.name, settings, run, history);
      return { training, ...(training.divergence && { failure: `diverged at step ${training.divergence.step}: ${training.divergence.message}` }) };
    } finally {
      await test?.dispose();
    }
  },
};

function trainingRecord(optimizer: string, { epochs, batchSize, learningRate }: SurveySettings, { losses, end }: TrainingRun<unknown, unknown>, history: readonly { step: number; quality: Evaluation }[]): TrainingRecord {
  const seriesOf = (name: 'loss' | 'accuracy'): Series | undefined => {
    const points = history.flatMap(({ step, quality }) => { const measured = quality[name]; return measured ? [{ step, measured }] : []; });
    return points.length === 0 ? undefined : { steps: points.map(({ step }) => step), values: points.map(({ measured }) => measured.value), errors: points.map(({ measured }) => measured.error) };
  };
  const [testLoss, testAccuracy] = [seriesOf('loss'), seriesOf('accuracy')];
  return {
    optimizer, epochs, steps: losses.length, batchSize, learningRate: `cosine from ${learningRate}`, end: end.reason,
    ...(end.reason === 'diverged' && { divergence: { step: end.step, loss: String(end.loss), message: end.message } }),
    batchLoss: { steps: losses.map((_, i) => i + 1), values: losses }, ...(testLoss && { testLoss }), ...(testAccuracy && { testAccuracy }),
  };
}
