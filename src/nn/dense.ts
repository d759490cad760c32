/** Affine maps of the last axis. @module */
import { ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Host } from '../transforms/trees.ts';
import { add, matmul } from '../ops/index.ts';
import type { ActivationName } from './activations.ts';
import type { Layer } from './model.ts';
import { makeWeights, type WeightOptions } from './weights.ts';

/** `weight` [inputs, outputs]; `bias` [outputs] unless the layer was made without. */
export type DenseParameters<Bias extends boolean = true> = Bias extends true ? { weight: Tensor; bias: Tensor } : { weight: Tensor };

export interface DenseOptions<Bias extends boolean = true> extends WeightOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Default true. */
  readonly bias?: Bias;
  /** The activation that follows; it is not applied here, it chooses the default initialiser and gain. Default identity. */
  readonly activation?: ActivationName;
}

/**
 * x W + b over the last axis: [..., inputs] to [..., outputs].
 * @throws ArgumentError on impossible options; ShapeError when an input does not fit.
 */
export function dense<const Bias extends boolean = true>(options: DenseOptions<Bias>): Layer<DenseParameters<Bias>> {
  const inputs = requireInteger('dense', 'inputs', options.inputs, 1);
  const outputs = requireInteger('dense', 'outputs', options.outputs, 1);
  const hasBias = options.bias ?? true;
  const weights = makeWeights('dense', { shape: [inputs, outputs], fanIn: inputs, fanOut: outputs }, options, options.activation);
  const outputShape = (shape: readonly number[]): readonly number[] => {
    if (shape.length > 0 && shape[shape.length - 1] === inputs) return [...shape.slice(0, -1), outputs];
    throw new ShapeError({ operation: 'dense', required: `the last axis of the input must have extent ${inputs}`, received: `[${shape.join(',')}]` });
  };
  return {
    name: `dense ${inputs}-${outputs}`,
    init(key) {
      const params = { weight: weights.drawWeight(key), ...(hasBias && { bias: weights.drawBias(key, outputs) }) };
      return { params: params as Host<DenseParameters<Bias>>, state: {} };
    },
    apply(params, x, { state }) {
      outputShape(x.shape);
      const y = matmul(x, weights.weight(params.weight));
      return { outputs: 'bias' in params ? add(y, weights.bias(params.bias)) : y, state };
    },
    outputShape,
  };
}
