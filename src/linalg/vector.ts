/** The two inner loops of the decompositions, on contiguous parts of arrays. @module */

/** Sum of a[i] b[i] over `count` entries; four partial sums, because one waits for its own last addition. */
export function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    s0 += a[aStart + i] * b[bStart + i];
    s1 += a[aStart + i + 1] * b[bStart + i + 1];
    s2 += a[aStart + i + 2] * b[bStart + i + 2];
    s3 += a[aStart + i + 3] * b[bStart + i + 3];
  }
  for (; i < count; i++) s0 += a[aStart + i] * b[bStart + i];
  return s0 + s1 + (s2 + s3);
}

/** y <- y + factor x over `count` entries. */
export function addScaled(y: Float64Array, yStart: number, factor: number, x: Float64Array, xStart: number, count: number): void {
  for (let i = 0; i < count; i++) y[yStart + i] += factor * x[xStart + i];
}
