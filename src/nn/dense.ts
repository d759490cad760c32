/** Affine maps of the last axis. @module */
import { ShapeError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, matmul } from '../ops/index.ts';
import type { ActivationName } from './activations.ts';
import type { Layer } from './model.ts';
import { makeWeights, type WeightOptions } from './weights.ts';

/** `weight` [inputs, outputs], `bias` [outputs]; of a convolution, `weight` [outputs, inputs / groups, ...window]. */
export type DenseParameters = { weight: Tensor; bias: Tensor };
/** The parameters of a layer made with `bias: false`. */
export type WeightOnly = { weight: Tensor };

/** Options of `dense`: lengths of the last axis before and after, and how the weights start. */
export interface DenseOptions extends WeightOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Default true. */
  readonly bias?: boolean;
  /** The activation that follows; it is not applied here, it chooses the default initialiser and gain. Default identity. */
  readonly activation?: ActivationName;
}

/**
 * x W + b over the last axis: [..., inputs] to [..., outputs].
 * @throws ArgumentError on impossible options; ShapeError when an input does not fit.
 */
export function dense(options: DenseOptions & { readonly bias: false }): Layer<WeightOnly>;
export function dense(options: DenseOptions): Layer<DenseParameters>;
export function dense(options: DenseOptions): Layer<WeightOnly> {
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
      return { params: { weight: weights.drawWeight(key), ...(hasBias && { bias: weights.drawBias(key, outputs) }) }, state: {} };
    },
    apply(params, x, { state }) {
      outputShape(x.shape);
      const y = matmul(x, weights.weight(params.weight));
      return { outputs: hasBias ? add(y, weights.bias((params as DenseParameters).bias)) : y, state };
    },
    outputShape,
  };
}
