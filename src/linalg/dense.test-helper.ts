/** Plain products of small row-major matrices, for the tests of this folder. @module */

/** [m, k] times [k, n]. */
export function multiply(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) out[i * n + j] += a[i * k + l] * b[l * n + j];
  return out;
}

/** [m, n] to [n, m]. */
export function transpose(a: Float64Array, m: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => a[(at % m) * n + Math.floor(at / m)]);
}

export const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
export const subtract = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]);
export const frobenius = (a: Float64Array): number => Math.hypot(...a);
