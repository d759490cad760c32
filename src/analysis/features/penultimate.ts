/** The features that a model's last linear map reads, found in its trace. @module */
import { nodesOf } from '../../core/graph.ts';
import type { Node, Tensor } from '../../core/tensor.ts';
import { reshape, transpose } from '../../ops/index.ts';
import { leaves } from '../../tree/index.ts';
import { ArgumentError } from '../../util/errors.ts';

/** Inside a traced function: features with the linear map that follows. */
export interface PenultimateFeatures {
  /** [batch, ...] */
  readonly features: Tensor;
  /** The map's weights [classes, features]; null where features are not one vector an example. */
  readonly classifier: Tensor | null;
}

interface DotParams {
  readonly contract: readonly [readonly number[], readonly number[]];
  readonly batch: readonly [readonly number[], readonly number[]];
}

/**
 * What enters the last product with a parameter on the way to `outputs`: the penultimate layer of a classifier. `params` is the tree that the model was
 * applied to, `inputs` its input, all of the running trace.
 * @throws ArgumentError when no product has parameters on one side and the input's influence on the other.
 */
export function penultimate(params: unknown, inputs: Tensor, outputs: Tensor): PenultimateFeatures {
  const ofParameters = new Set<Tensor>(leaves<Tensor>(params));
  const ofInputs = new Set<Tensor>([inputs]);
  let last: { readonly node: Node; readonly side: 0 | 1 } | undefined;
  for (const node of nodesOf([outputs])) {
    const reads = (marked: ReadonlySet<Tensor>): boolean => node.inputs.some((input) => marked.has(input));
    const mark = (marked: Set<Tensor>): void => { if (reads(marked)) node.outputs.forEach((output) => marked.add(output)); };
    if (node.primitive.name === 'dot') {
      for (const side of [0, 1] as const) {
        const [features, weights] = [node.inputs[side], node.inputs[1 - side]];
        // The weights may pass through operations of their own (a scale, a transposition), but do not see the input.
        if (ofInputs.has(features) && ofParameters.has(weights) && !ofInputs.has(weights)) last = { node, side };
      }
    }
    mark(ofParameters);
    mark(ofInputs);
  }
  if (last === undefined) {
    throw new ArgumentError({
      operation: 'penultimate', required: 'the model must end in a product with a parameter', received: 'none in its trace', remedy: 'pass features: (params, inputs, state) => tensor',
    });
  }
  const { node, side } = last;
  const features = node.inputs[side];
  const weights = node.inputs[1 - side];
  const { contract, batch } = node.params as DotParams;
  const isVector = features.rank === 2 && weights.rank === 2 && batch[0].length === 0 && contract[side].length === 1 && contract[side][0] === 1;
  return { features, classifier: isVector ? (contract[1 - side][0] === 1 ? weights : transpose(weights)) : null };
}

/** Features as one vector an example, [batch, size]. */
export const asVectors = (features: Tensor): Tensor => (features.rank === 2 ? features : reshape(features, [features.shape[0], features.shape.slice(1).reduce((a, b) => a * b, 1)]));
