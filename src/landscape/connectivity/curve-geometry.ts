/** Curves through control points: weights, lengths and speed, without touching the parameters again. @module */
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';

/** `bezier`: sum_k C(n, k) t^k (1 - t)^(n - k) w_k. `polychain`: straight segments through the control points, equal shares of t. */
export type CurveKind = 'bezier' | 'polychain';

/** Weights of the `count` control points at t in [0, 1]; they sum to one. */
export function curveWeights(kind: CurveKind, count: number, t: number): number[] {
  requireCurve(kind, count);
  if (kind === 'bezier') return bernstein(count - 1, t);
  const segment = Math.min(Math.floor(t * (count - 1)), count - 2);
  const part = t * (count - 1) - segment;
  return Array.from({ length: count }, (_, k) => (k === segment ? 1 - part : k === segment + 1 ? part : 0));
}

/** Derivative of the weights with respect to t; of a polychain at a corner, that of the segment after it. */
export function curveWeightDerivatives(kind: CurveKind, count: number, t: number): number[] {
  requireCurve(kind, count);
  const degree = count - 1;
  if (kind === 'bezier') {
    const lower = bernstein(degree - 1, t);
    return Array.from({ length: count }, (_, k) => degree * ((lower[k - 1] ?? 0) - (lower[k] ?? 0)));
  }
  const segment = Math.min(Math.floor(t * degree), degree - 1);
  return Array.from({ length: count }, (_, k) => (k === segment ? -degree : k === segment + 1 ? degree : 0));
}

/** Bernstein polynomials of a degree, by the triangle of de Casteljau, exact at both ends. */
function bernstein(degree: number, t: number): number[] {
  let row = [1];
  for (let d = 0; d < degree; d++) row = Array.from({ length: d + 2 }, (_, k) => (1 - t) * (row[k] ?? 0) + t * (row[k - 1] ?? 0));
  return row;
}

function requireCurve(kind: CurveKind, count: number): void {
  if (kind !== 'bezier' && kind !== 'polychain') throw new ArgumentError({ operation: 'curveWeights', required: "kind must be 'bezier' or 'polychain'", received: `'${String(kind)}'` });
  requireInteger('curveWeights', 'control points', count, 2);
}

/** |d w / d t| from the Gram matrix of the control points' differences to the first. */
export function curveSpeed(kind: CurveKind, gram: Float64Array, t: number): number {
  return quadraticNorm(gram, curveWeightDerivatives(kind, Math.sqrt(gram.length), t));
}

function quadraticNorm(gram: Float64Array, weights: readonly number[]): number {
  const n = weights.length;
  let sum = 0;
  for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) sum += weights[a] * gram[a * n + b] * weights[b];
  return Math.sqrt(Math.max(0, sum));
}

const PANELS = 256;

/** Arc length from 0 to t. A polychain's is exact; a Bezier curve's is by Simpson's rule on 256 panels. */
export function curveLength(kind: CurveKind, gram: Float64Array, t = 1): number {
  const count = Math.sqrt(gram.length);
  if (kind === 'polychain') {
    const reached = t * (count - 1);
    return Array.from({ length: count - 1 }, (_, s) => Math.min(1, Math.max(0, reached - s)) * curveSpeed(kind, gram, s / (count - 1) + 1e-12) / (count - 1)).reduce((a, b) => a + b, 0);
  }
  const h = t / (2 * PANELS);
  let sum = 0;
  for (let i = 0; i <= 2 * PANELS; i++) sum += (i === 0 || i === 2 * PANELS ? 1 : i % 2 === 1 ? 4 : 2) * curveSpeed(kind, gram, i * h);
  return (sum * h) / 3;
}

/** `count` positions t at equal distances along the curve, ends included, by bisection of the arc length. */
export function equalLengthPositions(kind: CurveKind, gram: Float64Array, count: number): number[] {
  const length = curveLength(kind, gram);
  return Array.from({ length: count }, (_, i) => {
    if (i === 0 || i === count - 1 || length === 0) return i / (count - 1);
    let [low, high] = [0, 1];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      if (curveLength(kind, gram, middle) < (length * i) / (count - 1)) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  });
}
