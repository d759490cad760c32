/** Trains the model and judges the result. @module */
import type { NDArray } from '../core/ndarray.ts';
import { evaluator } from '../problem/index.ts';
import { cosineRate, sgd } from '../optim/index.ts';
import { train } from '../train/index.ts';
import type { Split } from '../data/index.ts';
import { argmax } from '../ops/index.ts';
import { compile } from '../transforms/index.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Series } from './record.ts';
import type { Stage, StageContext, StageResult } from './stage.ts';

/** Training by SGD with momentum under a cosine schedule; the test split is evaluated after each epoch. */
export const trainingStage: Stage = {
  name: 'training',
  title: 'training by SGD with momentum',
  async run(context, report) {
    const { problem, settings, seed, executor, signal } = context;
    const { epochs, batchSize, learningRate, momentum } = settings;
    const size = Math.min(batchSize, problem.train.size);
    const steps = epochs * Math.floor(problem.train.size / size);
    const test = problem.test === undefined ? undefined : evaluator(problem, problem.test, { executor });
    const testLoss: Mutable<Series> = { steps: [], values: [], errors: [] };
    const testAccuracy: Mutable<Series> = { steps: [], values: [], errors: [] };
    const optimizer = sgd({ momentum });
    let done = 0;
    const run = await train(problem, {
      optimizer: optimizer as never, learningRate: cosineRate({ rate: learningRate, steps, warmup: Math.min(50, Math.floor(steps / 10)) }), epochs, batchSize: size, seed, executor, signal,
      onStep: ({ step, loss }) => { done = step; report(step, steps, `loss ${loss.toFixed(4)}`); },
      onEpoch: async (_, params, state) => {
        const quality = await test?.evaluate({ params, state });
        if (quality === undefined) return;
        append(testLoss, done, quality.loss.value, quality.loss.error);
        if (quality.accuracy) append(testAccuracy, done, quality.accuracy.value, quality.accuracy.error);
      },
    });
    await test?.dispose();
    context.point = { params: run.params, state: run.state };
    const end = run.end.reason === 'diverged' ? `diverged: loss ${run.end.loss} at step ${run.end.step}` : run.end.reason;
    return {
      training: {
        optimizer: optimizer.name, epochs, steps: run.losses.length, batchSize: size, learningRate: `cosine from ${learningRate}`, end,
        batchLoss: { steps: run.losses.map((_, i) => i + 1), values: run.losses },
        ...(testLoss.steps.length > 0 && { testLoss }), ...(testAccuracy.steps.length > 0 && { testAccuracy }),
      },
    };
  },
};

type Mutable<T> = { -readonly [K in keyof T]-?: number[] };
function append(series: Mutable<Series>, step: number, value: number, error: number): void {
  series.steps.push(step);
  series.values.push(value);
  series.errors.push(error);
}

/** Loss and accuracy of the trained model over both splits, and the confusion matrix. */
export const qualityStage: Stage = {
  name: 'quality',
  title: 'loss, accuracy and confusion of the trained model',
  async run(context): Promise<StageResult> {
    const { problem, point, executor } = context;
    const measure = async (split: Split) => {
      const prepared = evaluator(problem, split, { executor });
      try { return await prepared.evaluate(point); } finally { await prepared.dispose(); }
    };
    const onTrain = await measure(problem.train);
    const onTest = problem.test && await measure(problem.test);
    return {
      quality: {
        trainLoss: onTrain.loss, ...(onTrain.accuracy && { trainAccuracy: onTrain.accuracy }),
        ...(onTest && { testLoss: onTest.loss }), ...(onTest?.accuracy && { testAccuracy: onTest.accuracy, confusion: await confusion(context, problem.test!) }),
      },
    };
  },
};

/** counts[true label][predicted label] */
async function confusion({ problem, point, executor, dataset }: StageContext, split: Split): Promise<number[][]> {
  const classes = dataset.classes!.length;
  const predict = compile((params: unknown, state: unknown, inputs: Tensor) => argmax(problem.model.apply(params, inputs, { mode: 'eval', state }).outputs, -1),
    { executor, name: 'predictions' }) as unknown as { (params: unknown, state: unknown, inputs: NDArray): Promise<NDArray>; dispose(): Promise<void> };
  const labels = await predict(point.params, point.state, split.inputs);
  await predict.dispose();
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < split.size; i++) counts[split.targets.data[i]][labels.data[i]]++;
  return counts;
}
