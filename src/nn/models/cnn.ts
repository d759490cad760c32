/** A small convolutional network in the manner of LeNet-5. @module */
import type { Tensor } from '../../core/tensor.ts';
import { flatten } from '../../ops/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import { named } from '../composite.ts';
import { conv } from '../conv.ts';
import { dense, type DenseParameters } from '../dense.ts';
import { examplesShaped } from '../examples.ts';
import type { Layer } from '../model.ts';
import { averagePooling } from '../pooling.ts';
import type { WeightOptions } from '../weights.ts';

export interface CnnOptions extends WeightOptions {
  /** [channels, height, width]. Default [1, 28, 28]. */
  readonly inputShape?: readonly [number, number, number];
  /** Default 10. */
  readonly classes?: number;
  /** Channels of the two convolutions. Default [6, 16]. */
  readonly channels?: readonly [number, number];
  /** Widths of the two hidden dense layers. Default [120, 84]. */
  readonly hidden?: readonly [number, number];
  /** Default relu. */
  readonly activation?: ActivationName;
}

/** Each with `weight` and `bias`; convolution kernels are [out, in, height, width]. */
export type CnnParameters = { conv1: DenseParameters; conv2: DenseParameters; dense1: DenseParameters; dense2: DenseParameters; dense3: DenseParameters };

/**
 * Convolution 5x5 with padding 2, mean pooling 2x2, convolution 5x5, mean pooling 2x2, three dense layers, an activation
 * after each but the last (after LeCun et al. 1998).
 */
export function cnn({ inputShape = [1, 28, 28], classes = 10, channels: [first, second] = [6, 16], hidden = [120, 84], activation = 'relu', ...weights }: CnnOptions = {}): Layer<CnnParameters> {
  const { apply } = activationOf('cnn', activation);
  if (inputShape[1] < 12 || inputShape[2] < 12) throw new ArgumentError({ operation: 'cnn', required: 'images must be at least 12 x 12', received: `inputShape [${inputShape.join(',')}]`, remedy: 'mlp' });
  const window = [5, 5];
  const features = {
    shape: examplesShaped('cnn', inputShape),
    conv1: conv({ ...weights, inputs: inputShape[0], outputs: first, window, padding: [[2, 2], [2, 2]], activation }),
    activation1: apply,
    pool1: averagePooling(2),
    conv2: conv({ ...weights, inputs: first, outputs: second, window, activation }),
    activation2: apply,
    pool2: averagePooling(2),
    flatten: (x: Tensor) => flatten(x),
  };
  const [, width] = named(features).outputShape([1, ...inputShape]);
  return named({
    ...features,
    dense1: dense({ ...weights, inputs: width, outputs: hidden[0], activation }),
    activation3: apply,
    dense2: dense({ ...weights, inputs: hidden[0], outputs: hidden[1], activation }),
    activation4: apply,
    dense3: dense({ ...weights, inputs: hidden[1], outputs: classes }),
  }, `cnn ${first}-${second}-${hidden.join('-')}-${classes} ${activation}`);
}
