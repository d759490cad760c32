/** Features of a data set under a model, collected on the host. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Split } from '../../data/index.ts';
import { chunkedSum, examplesOf, ParameterSpace, pointOf, predict, type ChunkOptions, type Examples, type Point, type PointTensors, type Problem } from '../../problem/index.ts';
import { asVectors, penultimate } from './penultimate.ts';

/** Features of examples with what the model makes of them. */
export interface FeatureSet {
  /** [examples, size], row-major. */
  readonly features: Float64Array;
  readonly examples: number;
  readonly size: number;
  /** Labels where the targets are labels. */
  readonly labels?: Int32Array;
  /** The class of the largest output, where outputs are [batch, classes > 1]. */
  readonly predicted?: Int32Array;
  /** Weights of the last linear map, [classes, size], where features are what it reads. */
  readonly classifier?: Float64Array;
}

/** Which examples, and what counts as their features. */
export interface FeatureOptions<P, State> extends ChunkOptions {
  /** Default: the training split. */
  readonly split?: Split;
  /** Features of a batch, [batch, ...], as a traced function. Default: what the model's last product with a parameter reads. */
  readonly features?: (params: P, inputs: Tensor, state: State) => Tensor;
}

interface Collected<A = Tensor> {
  readonly features: A;
  readonly outputs: A;
  readonly classifier?: A;
}

/** Collects the features of the same examples at many points; keeps its compiled programs. */
export interface FeatureCollector<P, State> {
  /** Points must have the structure and types of the first one. */
  collect(point: Point<P, State>): Promise<FeatureSet>;
  dispose(): Promise<void>;
}

/**
 * Prepares `collectFeatures` for points like `like`: along a training run.
 * @throws ArgumentError (when it collects) as `collectFeatures`.
 */
export function featureCollector<P, State>(problem: Problem<P, State>, like: Point<P, State>, options: FeatureOptions<P, State> = {}): FeatureCollector<P, State> {
  const { split = problem.train, features: chosen, ...chunking } = options;
  const collected = (_: Record<string, never>, { inputs }: Examples, { params, state }: PointTensors<P, State>): Collected => {
    const outputs = predict(problem, params, state, inputs);
    if (chosen !== undefined) return { features: asVectors(chosen(params, inputs, state)), outputs };
    const { features, classifier } = penultimate(params, inputs, outputs);
    return { features: asVectors(features), outputs, ...(classifier && { classifier }) };
  };
  const sums = chunkedSum<Record<string, never>, Examples, [PointTensors<P, State>], Collected>(
    collected, {}, examplesOf(split, new ParameterSpace(like.params).dtype), { ...chunking, bind: false, name: `features of ${problem.name}` },
  );
  const labelled = split.targets.dtype === 'int32' && split.targets.shape.length === 1;
  return {
    async collect(point) {
      let all: Float64Array | undefined;
      let size = 0;
      let classifier: Float64Array | undefined;
      const predicted = new Int32Array(split.size);
      let isClassifier = labelled;
      await sums.each([pointOf(point) as never], (part, { start }) => {
        const { features, outputs, classifier: weights } = part as unknown as Collected<NDArray>;
        size = features.shape[1];
        all ??= new Float64Array(split.size * size);
        all.set(features.data, start * size);
        classifier ??= weights && Float64Array.from(weights.data);
        if (outputs.shape.length === 2 && outputs.shape[1] > 1) predicted.set(largestOutputs(outputs), start);
        else isClassifier = false;
      });
      return {
        features: all ?? new Float64Array(0), examples: split.size, size, ...(labelled && { labels: split.targets.data as Int32Array }),
        ...(isClassifier && { predicted }), ...(classifier && { classifier }),
      };
    },
    dispose: () => sums.dispose(),
  };
}

/**
 * Runs the model in eval mode over a split and keeps the features of every example: 8 bytes a number on the host.
 * @throws ArgumentError when no penultimate layer is found and none is given.
 */
export async function collectFeatures<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: FeatureOptions<P, State> = {}): Promise<FeatureSet> {
  const collector = featureCollector(problem, point, options);
  try {
    return await collector.collect(point);
  } finally {
    await collector.dispose();
  }
}

function largestOutputs({ data, shape: [rows, columns] }: NDArray): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => {
    let best = 0;
    for (let j = 1; j < columns; j++) if (data[i * columns + j] > data[i * columns + best]) best = j;
    return best;
  });
}
