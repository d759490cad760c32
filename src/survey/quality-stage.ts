/** How good the trained model is. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { argmax, matmul, oneHot, transpose } from '../ops/index.ts';
import { chunkedSum, evaluator, examplesOf, ParameterSpace, pointOf, predict, type Evaluation, type Examples, type PointTensors } from '../problem/index.ts';
import type { Stage, StageContext } from './stage.ts';

/** Loss and accuracy of the trained model over both splits, and the confusion matrix. */
export const qualityStage: Stage = {
  name: 'quality',
  title: 'loss, accuracy and confusion of the trained model',
  work: ({ problem, sample }) => ({ points: (problem.train.size + 2 * (problem.test?.size ?? 0)) / sample.size, programs: 1 }),
  async run(context) {
    const { train, test } = context.problem;
    const onTrain = await evaluation(context, train);
    const onTest = test && await evaluation(context, test);
    return {
      ...(!Number.isFinite(onTrain.loss.value) && { failure: `the training loss of the trained model is ${onTrain.loss.value}: the last step of training diverged` }),
      quality: {
        trainLoss: onTrain.loss, ...(onTrain.accuracy && { trainAccuracy: onTrain.accuracy }),
        ...(onTest && { testLoss: onTest.loss }), ...(onTest?.accuracy && { testAccuracy: onTest.accuracy, confusion: await confusion(context, test!) }),
      },
    };
  },
};

async function evaluation({ problem, point, executor }: StageContext, split: Split): Promise<Evaluation> {
  const prepared = evaluator(problem, split, { executor });
  try { return await prepared.evaluate(point); } finally { await prepared.dispose(); }
}

/** counts[true label][predicted label], a sum over examples of products of one-hot vectors. */
async function confusion({ problem, point, executor, dataset }: StageContext, split: Split): Promise<number[][]> {
  const classes = dataset.classes!.length;
  const counts = chunkedSum<PointTensors<unknown, unknown>, Examples, [], Tensor>(({ params, state }, { inputs, targets }) => {
    const predicted = argmax(predict(problem, params, state, inputs), -1);
    return matmul(transpose(oneHot(targets, classes)), oneHot(predicted, classes));
  }, pointOf(point), examplesOf(split, new ParameterSpace(point.params).dtype), { executor, bind: false, name: 'confusion matrix' });
  try {
    const { data } = await counts.evaluate() as NDArray;
    return Array.from({ length: classes }, (_, label) => Array.from(data.subarray(label * classes, (label + 1) * classes)));
  } finally {
    await counts.dispose();
  }
}
