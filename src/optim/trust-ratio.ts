/** The trust ratio of a layer: how long its parameters are, in units of its direction (You et al. 2017, 2020). @module */
import type { Tensor } from '../core/tensor.ts';
import { add, div, equal, mean, min, mul, norm, onesLike, or, stack, where } from '../ops/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import type { Scalar, UpdateRule } from './optimizer.ts';
import { requireScalar } from './scalar.ts';

export interface TrustRatioOptions {
  /** Factor of the ratio. Default 1. */
  readonly coefficient?: Scalar;
  /** Added to the norm of the direction. Default 0. */
  readonly epsilon?: Scalar;
}

/** `parameters / direction`, or one where either is zero: a layer that starts at zero must be able to leave it. */
export function safeRatio(parameters: Tensor, direction: Tensor): Tensor {
  const one = onesLike(direction);
  return where(or(equal(parameters, 0), equal(direction, 0)), one, div(parameters, where(equal(direction, 0), one, direction)));
}

/** Trust ratio of each leaf, []: `coefficient |p| / (|d| + epsilon)`, or one where p or d is zero. */
export const trustRatios = (directions: unknown, params: unknown, { coefficient = 1, epsilon = 0 }: TrustRatioOptions = {}): unknown =>
  mapTree((d: Tensor, p: Tensor) => {
    const length = norm(d);
    return safeRatio(mul(coefficient, norm(p)), where(equal(length, 0), 0, add(length, epsilon)));
  }, directions, params);

/** Each leaf times the scalar of that leaf. */
export const scaledLeaves = <P>(tree: unknown, scalars: unknown): P => mapTree((x: Tensor, s: Tensor) => mul(s, x), tree, scalars) as P;

/** What a run records of the ratios: their mean over the leaves and the smallest. */
export function ratioReport(ratios: unknown): Record<string, Tensor> {
  const all = stack(leaves<Tensor>(ratios));
  return { trustRatio: mean(all), smallestTrustRatio: min(all) };
}

/**
 * Scales each leaf's direction d to `coefficient |p| d / (|d| + epsilon)`, its parameters p: every layer moves by the same share of its length
 * (optax's `scale_by_trust_ratio`). See `lamb` and `lars` for the methods.
 *
 * @throws ArgumentError when an option is out of range.
 */
export function scaleByTrustRatio(options: TrustRatioOptions = {}): UpdateRule<Record<string, never>> {
  requireScalar('scaleByTrustRatio', 'coefficient', options.coefficient ?? 1, 0);
  requireScalar('scaleByTrustRatio', 'epsilon', options.epsilon ?? 0, 0);
  return {
    name: 'trust ratio',
    init: () => ({}),
    update<P>(direction: P, state: Record<string, never>, { params }: { readonly params: P }) {
      const ratios = trustRatios(direction, params, options);
      return { direction: scaledLeaves<P>(direction, ratios), state, report: ratioReport(ratios) };
    },
  };
}
