/** Adam in the maximal update parametrisation (Yang et al. 2022, arXiv 2203.03466). @module */
import type { Tensor } from '../core/tensor.ts';
import { mul } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { scaleByAdam, type ScaleByAdamOptions } from './adam.ts';
import { chain, descend } from './chain.ts';
import { masked } from './masked.ts';
import type { Optimizer, UpdateRule } from './optimizer.ts';
import { chosenPaths, type LeafPredicate } from './selection.ts';

export interface MupAdamOptions extends ScaleByAdamOptions {
  /** Units of the hidden layers of this network. */
  readonly width: number;
  /** Width at which the method is Adam itself; rates are comparable at it. */
  readonly baseWidth: number;
  /** The matrices whose inputs are hidden units. Default: those with `width` rows. */
  readonly fromHidden?: LeafPredicate;
}

/**
 * Adam with the rate of matrices that read hidden units multiplied by baseWidth / width; input weights and biases keep the rate (Yang et al.
 * 2022, table 3, Adam). With hidden weights of variance ~ 1 / width and output weights of variance ~ 1 / width^2 at the start, the network
 * changes by as much in a step at every width, and the best rate is meant to be the same. The state is that of Adam.
 *
 * @throws ArgumentError when an option is out of range; when it is traced, if no matrix reads hidden units.
 */
export function mupAdam({ width, baseWidth, fromHidden, ...options }: MupAdamOptions): Optimizer {
  requireInteger('mupAdam', 'width', width, 1);
  requireInteger('mupAdam', 'baseWidth', baseWidth, 1);
  const chosen: LeafPredicate = fromHidden ?? ((_path, { shape }) => shape.length === 2 && shape[0] === width);
  // Without Adam's preconditioner, which would be wrong by the factor for the chosen leaves.
  const { name, init, update } = chain(scaleByAdam(options), masked(scaled(baseWidth / width), chosen));
  return descend('mup adam', {
    name, update,
    init(params) {
      if (chosenPaths(params, chosen).size > 0) return init(params);
      throw new ArgumentError({ operation: 'mupAdam', required: `some matrix must read hidden units, so have ${width} rows`, received: 'none', remedy: 'pass fromHidden: (path, leaf) => boolean' });
    },
  });
}

/** Directions times a number. */
const scaled = (factor: number): UpdateRule => ({
  name: `times ${factor}`,
  init: () => ({}),
  update: <P>(direction: P, state: unknown) => ({ direction: mapTree((d: Tensor) => mul(d, factor), direction) as P, state }),
});
