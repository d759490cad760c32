/** Adaptive sharpness-aware minimisation (Kwon et al. 2021, arXiv 2102.11600). @module */
import type { Tensor } from '../core/tensor.ts';
import { abs, add, mul } from '../ops/index.ts';
import { leavesWithPaths, unflatten } from '../tree/index.ts';
import { nonNegative, option } from '../util/options.ts';
import { wrapperEntry } from './entry.ts';
import { globalNorm } from './norms.ts';
import type { Optimizer, Scalar, UpdateContext } from './optimizer.ts';
import { atAscent, stepped } from './sam.ts';
import { requireScalar } from './scalar.ts';
import { matricesOnly, type LeafPredicate } from './selection.ts';

/** Options of `asam`. */
export interface AsamOptions {
  /** Radius of the neighbourhood in the scaled coordinates. Default 0.5. */
  readonly rho?: Scalar;
  /** Added to the scale |w|. Default 0.01. */
  readonly eta?: Scalar;
  /** The leaves that are scaled; the scale of others is 1. Default: those of at least two axes (the authors' code: all but biases). */
  readonly scaled?: LeafPredicate;
}

/**
 * Wraps an optimizer: it is given the gradient at `w + rho T^2 g / |T g|` with T = |w| + eta element by element, so that the
 * neighbourhood does not depend on how the layers share their scale (Kwon et al. 2021, algorithm 1 and equation 6). Two gradients a step.
 * Reports `sharpness`, the loss there minus the loss at w.
 *
 * @throws ArgumentError when an option is negative.
 */
export function asam(base: Optimizer, { rho = 0.5, eta = 0.01, scaled = matricesOnly }: AsamOptions = {}): Optimizer {
  requireScalar('asam', 'rho', rho, 0);
  requireScalar('asam', 'eta', eta, 0);
  return atAscent('asam', base, <P>({ params }: UpdateContext<P>, gradient: P) => {
    const places = leavesWithPaths(params) as [string, Tensor][];
    const scales = places.map(([path, leaf]) => (scaled(path, leaf) ? add(abs(leaf), eta) : undefined));
    const times = (tree: P): P => unflatten(tree, (leavesWithPaths(tree) as [string, Tensor][]).map(([, leaf], i) => (scales[i] === undefined ? leaf : mul(scales[i], leaf)))) as P;
    const once = times(gradient);
    return stepped(params, times(once), rho, globalNorm(once));
  });
}

/** The entry of the registry. */
export const asamEntry = wrapperEntry({
  description: 'adaptive sharpness-aware minimisation around another optimizer: scaled by the weights (Kwon et al. 2021)',
  rate: 0.1,
  wraps: 'sgd',
  options: { rho: option(nonNegative, 'distance uphill, in units of the weights', 0.5), eta: option(nonNegative, 'added to the scale |w|', 0.01) },
  make: (values, base) => asam(base, values),
});
