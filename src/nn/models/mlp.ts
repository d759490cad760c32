/** Fully connected networks. @module */
import { ArgumentError } from '../../util/errors.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import { named, sequential, type Step } from '../composite.ts';
import { dense, type DenseParameters } from '../dense.ts';
import { examplesShaped } from '../examples.ts';
import type { Layer } from '../model.ts';
import type { WeightOptions } from '../weights.ts';

export interface MlpOptions<Bias extends boolean = true> extends WeightOptions {
  /** Inputs, hidden widths, outputs: [784, 128, 64, 10]. */
  readonly sizes: readonly number[];
  /** Between layers. Default tanh. */
  readonly activation?: ActivationName;
  /** Default true. */
  readonly bias?: Bias;
}

/** `layers.0.weight` [inputs, outputs], `layers.0.bias` [outputs], and so on. */
export type MlpParameters<Bias extends boolean = true> = { layers: DenseParameters<Bias>[] };

/** Dense layers with an activation between them: [batch, ...] of `sizes[0]` features to [batch, sizes.at(-1)]. */
export function mlp<const Bias extends boolean = true>({ sizes, activation = 'tanh', ...options }: MlpOptions<Bias>): Layer<MlpParameters<Bias>> {
  if (sizes.length < 2) throw new ArgumentError({ operation: 'mlp', required: 'sizes must hold at least inputs and outputs', received: `[${sizes.join(',')}]` });
  const { apply } = activationOf('mlp', activation);
  const last = sizes.length - 2;
  const steps: (Layer<DenseParameters<Bias>> | typeof apply)[] = sizes.slice(1).flatMap((outputs, i) => {
    const layer = dense<Bias>({ ...options, inputs: sizes[i], outputs, activation: i === last ? 'identity' : activation });
    return i === last ? [layer] : [layer, apply];
  });
  const body: Step = sequential(...steps);
  return named({ shape: examplesShaped('mlp', [sizes[0]]), layers: body }, `mlp ${sizes.join('-')} ${activation}`) as unknown as Layer<MlpParameters<Bias>>;
}
