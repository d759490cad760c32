/** What the layers of a model read and what it puts out, as matrices with a row an example. @module */
import { Graph, dependents, inline, nodesOf } from '../../core/graph.ts';
import { NDArray, sizeOf } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Split } from '../../data/index.ts';
import { chunkedSum, examplesOf, layerOf, ParameterSpace, type ChunkOptions, type Point, type Problem } from '../../problem/index.ts';
import { reshape } from '../../ops/index.ts';
import { traceModel, type TracedModel } from './derive-permutations.ts';
import { leavesOf } from './permutation-spec.ts';

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
  const { dtype } = new ParameterSpace(point.params);
  const { inputs } = examplesOf(split, dtype);
  const places = placesOf(traceModel(problem.model as never, point, { shape: [1, ...inputs.shape.slice(1)], dtype: inputs.dtype }));
  const read = (parameters: Tensor[], batch: { inputs: Tensor }): Tensor[] => {
    const traced = traceModel(problem.model as never, point, batch.inputs);
    const values = inline(new Graph(traced.graph.inputs, placesOf(traced).map(({ tensor }) => tensor)), [...parameters, batch.inputs]);
    return values.map((value) => reshape(value, [batch.inputs.shape[0], -1]));
  };
  const rows = places.map(({ name, tensor }) => {
    const features = sizeOf(tensor.shape);
    return { name, features, examples: split.size, values: new Float64Array(split.size * features) };
  });
  const total = chunkedSum<Tensor[], { inputs: Tensor }, [], Tensor[]>(read, leavesOf(point).map(({ value }) => value) as never, { inputs } as never, { ...options, bind: false, name: `representations of ${problem.name}` });
  try {
    await total.each([], (part, { start }) => (part as unknown as NDArray[]).forEach(({ data }, i) => rows[i].values.set(data, start * rows[i].features)));
    return rows;
  } finally {
    await total.dispose();
  }
}

/** Tensors with examples along axis 0, at the places of `representations`. */
function placesOf({ graph, leaves, data }: TracedModel): { name: string; tensor: Tensor }[] {
  const { depends } = dependents([data], graph.outputs);
  const paths = new Map(leaves.map(({ path, tensor }) => [tensor, path]));
  const places = new Map<Tensor, string>();
  for (const { primitive, inputs } of graph.nodes) {
    if (primitive.name !== 'dot' && primitive.name !== 'conv') continue;
    const [read, weight] = depends(inputs[0]) ? inputs : [inputs[1], inputs[0]];
    if (!depends(read) || depends(weight) || !dependsOnAny(read, paths) || read.shape[0] !== data.shape[0]) continue;
    const path = parametersOf(weight, paths)[0];
    if (path !== undefined && !places.has(read)) places.set(read, `before ${layerOf(path).replace(/^params\./, '')}`);
  }
  return [...[...places].map(([tensor, name]) => ({ tensor, name })), { name: 'outputs', tensor: graph.outputs[0] }];
}

/** Leaves that a value is computed from, in the order of the tree. */
function parametersOf(tensor: Tensor, paths: ReadonlyMap<Tensor, string>): string[] {
  const reached = new Set([tensor, ...nodesOf([tensor]).flatMap(({ inputs }) => inputs)]);
  return [...paths].filter(([leaf]) => reached.has(leaf)).map(([, path]) => path);
}

const dependsOnAny = (tensor: Tensor, paths: ReadonlyMap<Tensor, string>): boolean => parametersOf(tensor, paths).length > 0;
