/** Residual networks for small images: ResNet-20 and its family. @module */
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import type { Tensor } from '../../core/tensor.ts';
import { pad, slice } from '../../ops/index.ts';
import { split } from '../../util/random/index.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import type { BatchNormOptions, BatchStatistics } from '../batch-norm.ts';
import { named, residual, sequential } from '../composite.ts';
import { dense, type DenseParameters, type WeightOnly } from '../dense.ts';
import { examplesShaped } from '../examples.ts';
import type { Layer } from '../model.ts';
import type { ScaleAndBias } from '../normalization.ts';
import { normalizedConv } from '../normalized-conv.ts';
import { globalAveragePooling } from '../pooling.ts';
import type { WeightOptions } from '../weights.ts';

/** Options of `resnet`: the networks for small images of He et al. (2015), section 4.2. */
export interface ResnetOptions extends WeightOptions {
  /** [channels, height, width]. Default [1, 28, 28]. */
  readonly inputShape?: readonly [number, number, number];
  /** Default 10. */
  readonly classes?: number;
  /** Layers with weights: 6 n + 2 for n blocks in each of the three stages. Default 20. */
  readonly depth?: number;
  /** Channels of the first stage; the next two have twice and four times as many. Default 16. */
  readonly width?: number;
  /** Default relu. */
  readonly activation?: ActivationName;
  readonly batchNorm?: BatchNormOptions;
}

type BlockParameters = { conv1: WeightOnly; norm1: ScaleAndBias; conv2: WeightOnly; norm2: ScaleAndBias };
type BlockState = { norm1: BatchStatistics; norm2: BatchStatistics };
/** `stem.conv.weight` [out, in, 3, 3], `stages.S.B.conv1.weight`, `stages.S.B.norm1.scale`, ..., `head.weight` [in, classes]. */
export type ResnetParameters = { stem: { conv: WeightOnly; norm: ScaleAndBias }; stages: BlockParameters[][]; head: DenseParameters };
/** Running statistics under the same names: `stem.norm.mean`, `stages.S.B.norm1.variance`, ... */
export type ResnetState = { stem: { norm: BatchStatistics }; stages: BlockState[][] };

/** Every `stride`th row and column, with channels of zeros before and after: a shortcut without parameters (option A). */
const shortcut = (stride: number, added: number) => (x: Tensor): Tensor => {
  if (stride === 1 && added === 0) return x;
  const kept = slice(x, [0, 0, 0, 0], x.shape, [1, 1, stride, stride]);
  const before = Math.floor(added / 2);
  return pad(kept, [0, before, 0, 0], [0, added - before, 0, 0]);
};

type NormalizedConv = ReturnType<typeof normalizedConv>;

/** Two normalised convolutions with an activation between them; their trees side by side as conv1, norm1, conv2, norm2. */
function normalizedPair(first: NormalizedConv, activation: (x: Tensor) => Tensor, second: NormalizedConv): Layer<BlockParameters, BlockState> {
  return {
    name: `${first.name}, ${second.name}`,
    init(key) {
      const [one, two] = [first.init(split(key, 1)), second.init(split(key, 2))];
      return {
        params: { conv1: one.params.conv, norm1: one.params.norm, conv2: two.params.conv, norm2: two.params.norm },
        state: { norm1: one.state.norm, norm2: two.state.norm },
      };
    },
    apply({ conv1, norm1, conv2, norm2 }, x, { mode, state }) {
      const one = first.apply({ conv: conv1, norm: norm1 }, x, { mode, state: { norm: state.norm1 } });
      const two = second.apply({ conv: conv2, norm: norm2 }, activation(one.outputs), { mode, state: { norm: state.norm2 } });
      return { outputs: two.outputs, state: { norm1: one.state.norm, norm2: two.state.norm } };
    },
    outputShape: (inputShape) => second.outputShape(first.outputShape(inputShape)),
  };
}

/**
 * A 3x3 convolution, three stages of residual blocks of two 3x3 convolutions with batch norm (the second and third stage
 * halve the image and double the channels), the mean over space and a dense layer (He et al. 2015, section 4.2).
 * @throws ArgumentError when depth is not 6 n + 2.
 */
export function resnet({ inputShape = [1, 28, 28], classes = 10, depth = 20, width = 16, activation = 'relu', batchNorm, ...weights }: ResnetOptions = {}): Layer<ResnetParameters, ResnetState> {
  requireInteger('resnet', 'width', width, 1);
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) throw new ArgumentError({ operation: 'resnet', required: 'depth must be 6 n + 2 for a number n of blocks in a stage', received: String(depth), remedy: '8, 14, 20, 32, 44, 56 or 110' });
  const { apply } = activationOf('resnet', activation);
  const layer = (inputs: number, outputs: number, strides: number): NormalizedConv =>
    normalizedConv({ ...weights, inputs, outputs, window: [3, 3], strides, padding: [[1, 1], [1, 1]], activation, batchNorm });

  const block = (inputs: number, outputs: number, stride: number): Layer<BlockParameters, BlockState> =>
    residual(normalizedPair(layer(inputs, outputs, stride), apply, layer(outputs, outputs, 1)), shortcut(stride, outputs - inputs));
  const stage = (inputs: number, outputs: number, stride: number): Layer<BlockParameters[], BlockState[]> =>
    sequential(...Array.from({ length: blocks }, (_, i) => (i === 0 ? block(inputs, outputs, stride) : block(outputs, outputs, 1))).flatMap((layer) => [layer, apply]));

  return named({
    shape: examplesShaped('resnet', inputShape),
    stem: layer(inputShape[0], width, 1),
    activation: apply,
    stages: sequential(stage(width, width, 1), stage(width, 2 * width, 2), stage(2 * width, 4 * width, 2)) as Layer<BlockParameters[][], BlockState[][]>,
    pool: globalAveragePooling,
    head: dense({ ...weights, inputs: 4 * width, outputs: classes }),
  }, `resnet-${depth} width ${width}`);
}
