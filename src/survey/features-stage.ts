/** What the model makes of its inputs before the last layer. @module */
import { collectFeatures, featureRank, linearProbe, neuralCollapse } from '../analysis/index.ts';
import type { Stage, StageContext } from './stage.ts';
import type { FeaturesRecord } from './record.ts';

/** Wider features than this take minutes of eigenvalue problems, eleven of their size. */
const WIDEST = 1024;

/** Neural collapse, effective ranks and a linear probe of the penultimate features. */
export const featuresStage: Stage = {
  name: 'features',
  title: 'geometry of the penultimate features',
  work: () => ({ points: 1, testPoints: 1, programs: 1 }),
  async run(context, report) {
    const { problem, point, executor, sample, testSample } = context;
    report(0, 2, 'training examples');
    const train = await collectFeatures(problem, point, { split: sample, executor });
    if (train.size > WIDEST) return { omitted: `penultimate features have ${train.size} numbers, and more than ${WIDEST} take minutes of eigenvalue problems` };
    report(1, 2, 'test examples');
    const test = testSample && await collectFeatures(problem, point, { split: testSample, executor });
    const { rankMe, decay, participationRatio } = featureRank(train);
    const features: FeaturesRecord = { examples: train.examples, size: train.size, rankMe, participationRatio, ...(Number.isFinite(decay.value) && { decay }), ...(isClassified(context, train.labels) && { collapse: neuralCollapse(train), probe: probeOf(train, test) }) };
    return { features };
  },
};

/** Each class needs a few examples for the errors of its mean. */
const LEAST_EXAMPLES = 20;

function isClassified({ dataset }: StageContext, labels: Int32Array | undefined): boolean {
  if (labels === undefined || dataset.classes === undefined) return false;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts.size >= 2 && [...counts.values()].every((count) => count >= LEAST_EXAMPLES);
}

function probeOf(train: Parameters<typeof linearProbe>[0], test: Parameters<typeof linearProbe>[0] | undefined): NonNullable<FeaturesRecord['probe']> {
  const { trainAccuracy, testAccuracy } = linearProbe(train, { ...(test && { test }) });
  const plain = ({ value, error, kind, samples }: typeof trainAccuracy): NonNullable<FeaturesRecord['probe']>['trainAccuracy'] => ({ value, error, kind, ...(samples !== undefined && { samples }) });
  return { trainAccuracy: plain(trainAccuracy), ...(testAccuracy && { testAccuracy: plain(testAccuracy) }) };
}
