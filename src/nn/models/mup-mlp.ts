/** Fully connected networks of any width whose best learning rate is meant to be the same. @module */
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import type { Tensor } from '../../core/tensor.ts';
import { mul } from '../../ops/index.ts';
import { activationOf, type ActivationName } from '../activations.ts';
import { named, sequential } from '../composite.ts';
import { dense, type WeightOnly } from '../dense.ts';
import { examplesShaped } from '../examples.ts';
import type { Layer } from '../model.ts';
import type { MlpParameters } from './mlp.ts';

/** Options of `mupMlp`. */
export interface MupMlpOptions {
  readonly inputs: number;
  /** Units of each hidden layer. */
  readonly width: number;
  /** Hidden layers. Default 2. */
  readonly depth?: number;
  readonly outputs: number;
  /** After each hidden layer. Default relu. */
  readonly activation?: ActivationName;
  /** `mup` (default): gamma = sqrt(width). `ntk`: gamma = 1. */
  readonly parametrization?: 'mup' | 'ntk';
}

/** A model that says how its learning rate goes with its width. */
export interface MupMlp extends Layer<MlpParameters<WeightOnly>> {
  /** gamma, the divisor of the outputs. */
  readonly gamma: number;
  /** gamma^2, the factor of the learning rate of (stochastic) gradient descent, the same for all layers. */
  readonly rateFactor: number;
}

/**
 * A perceptron without biases, all weights drawn from N(0, 1), with n = `width`:
 * h_1 = a(x W_1 / sqrt(d)), h_l = a(h_{l-1} W_l / sqrt(n)), f = h_L W_{L+1} / (gamma sqrt(n)). Trained with the learning rate eta gamma^2,
 * a step changes f by an amount that does not depend on n. With gamma = sqrt(n), the maximal update parametrisation, the hidden
 * features change by as much at every width; with gamma = 1, the NTK parametrisation, by O(1 / sqrt(n)), and the limit is a linear model
 * (Yang & Hu 2021, arXiv 2011.14522, whose abc-parametrisations these two are up to a symmetry; in this form Noci et al. 2024, arXiv
 * 2402.17457). Parameters as in `mlp`: `layers.0.weight` [inputs, width] and so on.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function mupMlp({ inputs, width, depth = 2, outputs, activation = 'relu', parametrization = 'mup' }: MupMlpOptions): MupMlp {
  requireInteger('mupMlp', 'width', width, 1);
  requireInteger('mupMlp', 'depth', depth, 1);
  if (parametrization !== 'mup' && parametrization !== 'ntk') {
    throw new ArgumentError({ operation: 'mupMlp', required: "parametrization must be 'mup' or 'ntk'", received: `'${String(parametrization)}'` });
  }
  const { apply } = activationOf('mupMlp', activation);
  const gamma = parametrization === 'mup' ? Math.sqrt(width) : 1;
  const layer = (from: number, to: number): Layer<WeightOnly> => dense({ inputs: from, outputs: to, bias: false, parametrization: 'ntk', weightScale: 1 });
  const hidden = Array.from({ length: depth }, (_, l) => [layer(l === 0 ? inputs : width, width), apply]).flat();
  const readout = gamma === 1 ? [] : [(x: Tensor): Tensor => mul(x, 1 / gamma)];
  const steps = [...hidden, layer(width, outputs), ...readout];
  const name = `${parametrization} mlp ${inputs}-${Array<number>(depth).fill(width).join('-')}-${outputs} ${activation}`;
  return { ...named({ shape: examplesShaped('mupMlp', [inputs]), layers: sequential(...steps) }, name) as unknown as Layer<MlpParameters<WeightOnly>>, gamma, rateFactor: gamma * gamma };
}
