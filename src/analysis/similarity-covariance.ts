/** Biased linear CKA from covariances of features: linear in the examples, where Gram matrices are quadratic. @module */
import { addScaled } from '../linalg/vector.ts';
import type { FeatureMatrix } from './similarity.ts';

/** Sums over some examples: of products of features, and of features. */
interface Sums {
  readonly examples: number;
  /** X'Y, X'X, Y'Y, row-major. */
  readonly products: readonly [xy: Float64Array, xx: Float64Array, yy: Float64Array];
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * |X'Y|^2 / (|X'X| |Y'Y|) of features centred over the examples (Kornblith et al. 2019, equation 7), over all examples and with each of
 * `blocks` consecutive blocks left out. The same numbers as from Gram matrices, up to rounding.
 */
export function covarianceAlignments(x: FeatureMatrix, y: FeatureMatrix, blocks: number): { readonly all: number; readonly left: readonly number[] } {
  const n = x.examples;
  // Centred once over everything: a large mean that features share would cost digits.
  const [a, b] = [centred(x), centred(y)];
  const parts = Array.from({ length: blocks }, (_, k) => sumsOver(a, b, Math.floor((k * n) / blocks), Math.floor(((k + 1) * n) / blocks)));
  const total = parts.reduce((sum, part) => combined(sum, part, 1));
  return { all: alignmentOf(total), left: parts.map((part) => alignmentOf(combined(total, part, -1))) };
}

function centred({ examples, features, values }: FeatureMatrix): FeatureMatrix {
  const means = new Float64Array(features);
  for (let i = 0; i < values.length; i++) means[i % features] += values[i] / examples;
  return { examples, features, values: values.map((value, i) => value - means[i % features]) };
}

function sumsOver(x: FeatureMatrix, y: FeatureMatrix, from: number, to: number): Sums {
  const [p, q] = [x.features, y.features];
  const products = [new Float64Array(p * q), new Float64Array(p * p), new Float64Array(q * q)] as const;
  const sums = { x: new Float64Array(p), y: new Float64Array(q) };
  const add = (into: Float64Array, rows: Float64Array, row: number, height: number, columns: Float64Array, column: number, width: number): void => {
    for (let f = 0; f < height; f++) if (rows[row + f] !== 0) addScaled(into, f * width, rows[row + f], columns, column, width);
  };
  for (let i = from; i < to; i++) {
    add(products[0], x.values, i * p, p, y.values, i * q, q);
    add(products[1], x.values, i * p, p, x.values, i * p, p);
    add(products[2], y.values, i * q, q, y.values, i * q, q);
    addScaled(sums.x, 0, 1, x.values, i * p, p);
    addScaled(sums.y, 0, 1, y.values, i * q, q);
  }
  return { examples: to - from, products, ...sums };
}

function combined(a: Sums, b: Sums, sign: 1 | -1): Sums {
  const add = (p: Float64Array, q: Float64Array): Float64Array => p.map((value, i) => value + sign * q[i]);
  return {
    examples: a.examples + sign * b.examples, x: add(a.x, b.x), y: add(a.y, b.y),
    products: [add(a.products[0], b.products[0]), add(a.products[1], b.products[1]), add(a.products[2], b.products[2])],
  };
}

function alignmentOf({ examples, products: [xy, xx, yy], x, y }: Sums): number {
  const squares = (products: Float64Array, left: Float64Array, right: Float64Array): number =>
    products.reduce((sum, value, at) => sum + (value - (left[Math.floor(at / right.length)] * right[at % right.length]) / examples) ** 2, 0);
  return squares(xy, x, y) / Math.sqrt(squares(xx, x, x) * squares(yy, y, y));
}
