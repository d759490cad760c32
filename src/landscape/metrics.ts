/** What is measured at a cell of a landscape. @module */
import { requireInteger } from '../util/require.ts';
import type { Tensor } from '../core/tensor.ts';
import { correctness, type ErrorKind } from '../problem/index.ts';

/** The mean over the examples of any number an example has. Error: the standard error of that mean. */
export interface ExampleMetric {
  readonly kind: 'examples';
  readonly name: string;
  /** One number an example, [batch], of the model's outputs, the targets and the losses; null where it is not defined for such outputs and targets. */
  readonly each: (outputs: Tensor, targets: Tensor, losses: Tensor) => Tensor | null;
}

/** The Euclidean norm of the mean loss's gradient with respect to all parameters. Error: an estimate of the rounding. */
export interface GradientMetric {
  readonly kind: 'gradient';
  readonly name: string;
}

/** An end of the spectrum of the mean loss's Hessian, by a few Lanczos steps a cell. Error: the residual bound. */
export interface CurvatureMetric {
  readonly kind: 'curvature';
  readonly name: string;
  readonly end: 'largest' | 'smallest';
  /** Most products with the Hessian a cell; what has not converged by then has a wide bound. */
  readonly products: number;
  /** Residual, relative to the eigenvalue, at which a cell is done. */
  readonly tolerance: number;
}

/** Anything that can be measured at a cell. */
export type LandscapeMetric = ExampleMetric | GradientMetric | CurvatureMetric;

/** Any function of outputs and targets, averaged over the examples. It is traced: written in `thalweg/ops`. */
export const exampleMetric = (name: string, each: ExampleMetric['each']): ExampleMetric => ({ kind: 'examples', name, each });

/** The problem's loss. */
export const lossMetric: ExampleMetric = exampleMetric('loss', (_, __, losses) => losses);
/** The share of examples whose largest output is at the label; left out where targets are not labels. */
export const accuracyMetric: ExampleMetric = exampleMetric('accuracy', (outputs, targets) => correctness(outputs, targets));
/** The norm of the gradient. It costs a backward pass a cell. */
export const gradientNormMetric: GradientMetric = { kind: 'gradient', name: 'gradient norm' };

/**
 * The largest (most positive) or smallest (most negative) Hessian eigenvalue at each cell. A cell costs up to `products` Hessian-vector
 * products (default 20), stopped early at a relative residual of `tolerance` (default 0.01).
 */
export function eigenvalueMetric(end: 'largest' | 'smallest', { products = 20, tolerance = 0.01 }: { readonly products?: number; readonly tolerance?: number } = {}): CurvatureMetric {
  requireInteger('eigenvalueMetric', 'products', products, 2);
  return { kind: 'curvature', name: `${end} eigenvalue`, end, products, tolerance };
}

/** What a metric's error is. */
export const errorKindOf = ({ kind }: LandscapeMetric): ErrorKind => ({ examples: 'standard error', gradient: 'rounding', curvature: 'bound' } as const)[kind];
