/** What the layers of a model read and what it puts out, as matrices with a row an example. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { activationsIn } from '../../curvature/activations.ts';
import type { Split } from '../../data/index.ts';
import { chunkedSum, examplesOf, ParameterSpace, pointOf, predict, type ChunkOptions, type Examples, type Point, type PointTensors, type Problem } from '../../problem/index.ts';
import { reshape } from '../../ops/index.ts';

/** The values of one place in a model over a data set. */
export interface Representation {
  /** `before layers.1`: what the layer reads; `outputs`. */
  readonly name: string;
  readonly examples: number;
  /** Length of a row: all axes but the examples', laid end to end. */
  readonly features: number;
  /** [examples, features], row-major. */
  readonly values: Float64Array;
}

/**
 * The inner values of a model over all examples of a split, in evaluation mode: what each product and convolution with
 * parameters reads (after the activation before it), named by the parameters' layer, and the outputs. Values that depend
 * on no parameter, the input itself, are left out.
 */
export async function representations<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, options: ChunkOptions = {}): Promise<Representation[]> {
  const read = ({ params, state }: PointTensors<P, State>, { inputs }: Examples): Record<string, Tensor> =>
    Object.fromEntries(placesOf(params, state, inputs, predict(problem, params, state, inputs)).map(({ name, tensor }) => [name, reshape(tensor, [inputs.shape[0], -1])]));
  const total = chunkedSum<PointTensors<P, State>, Examples, [], Record<string, Tensor>>(
    read, pointOf(point), examplesOf(split, new ParameterSpace(point.params).dtype), { ...options, bind: false, name: `representations of ${problem.name}` },
  );
  const places = new Map<string, Representation>();
  try {
    await total.each([], (part, { start }) => {
      for (const [name, { data, shape: [, features] }] of Object.entries(part as unknown as Record<string, NDArray>)) {
        const place = places.get(name) ?? { name, features, examples: split.size, values: new Float64Array(split.size * features) };
        places.set(name, place);
        place.values.set(data, start * features);
      }
    });
    return [...places.values()];
  } finally {
    await total.dispose();
  }
}

/** What layers read, each value once, and the outputs. */
function placesOf(params: unknown, state: unknown, inputs: Tensor, outputs: Tensor): { name: string; tensor: Tensor }[] {
  const read = activationsIn(params, state, inputs, outputs).filter(({ name, isLearned }) => (name.startsWith('before ') && isLearned) || name === 'outputs');
  return read.filter(({ tensor }, i) => read.findIndex((other) => other.tensor === tensor) === i);
}
