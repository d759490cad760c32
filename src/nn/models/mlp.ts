/** Fully connected networks. @module */
import { ArgumentError } from '../../util/errors.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import { named, sequential } from '../composite.ts';
import { dense, type DenseParameters, type WeightOnly } from '../dense.ts';
import { examplesShaped } from '../examples.ts';
import type { Layer } from '../model.ts';
import type { WeightOptions } from '../weights.ts';

export interface MlpOptions extends WeightOptions {
  /** Inputs, hidden widths, outputs: [784, 128, 64, 10]. */
  readonly sizes: readonly number[];
  /** Between layers. Default tanh. */
  readonly activation?: ActivationName;
  /** Default true. */
  readonly bias?: boolean;
}

/** `layers.0.weight` [inputs, outputs], `layers.0.bias` [outputs], and so on. */
export type MlpParameters<Dense = DenseParameters> = { layers: Dense[] };

/** Dense layers with an activation between them: [batch, ...] of `sizes[0]` features to [batch, sizes.at(-1)]. */
export function mlp(options: MlpOptions & { readonly bias: false }): Layer<MlpParameters<WeightOnly>>;
export function mlp(options: MlpOptions): Layer<MlpParameters>;
export function mlp({ sizes, activation = 'tanh', ...options }: MlpOptions): Layer<MlpParameters<WeightOnly>> {
  if (sizes.length < 2) throw new ArgumentError({ operation: 'mlp', required: 'sizes must hold at least inputs and outputs', received: `[${sizes.join(',')}]` });
  const { apply } = activationOf('mlp', activation);
  const last = sizes.length - 2;
  const steps = sizes.slice(1).flatMap((outputs, i) => {
    const layer: Layer<WeightOnly> = dense({ ...options, inputs: sizes[i], outputs, activation: i === last ? 'identity' : activation });
    return i === last ? [layer] : [layer, apply];
  });
  return named({ shape: examplesShaped('mlp', [sizes[0]]), layers: sequential(...steps) }, `mlp ${sizes.join('-')} ${activation}`);
}
