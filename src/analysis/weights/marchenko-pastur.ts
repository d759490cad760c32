/** The Marchenko-Pastur law fitted to the bulk of a spectrum: what of it looks like noise. @module */

/** The bulk of a spectrum. */
export interface MarchenkoPasturFit {
  /** Standard deviation of the bulk relative to that of all entries: 1 for pure noise. */
  readonly sigma: number;
  /** The same from the median eigenvalue, which a few spikes do not move: where both disagree, neither is to be trusted. */
  readonly sigmaOfMedian: number;
  /** Edges of the bulk, in units of the eigenvalues. */
  readonly lower: number;
  readonly upper: number;
  /** How far beyond the upper edge the largest eigenvalue of noise fluctuates. */
  readonly margin: number;
  /** Eigenvalues above upper + margin. */
  readonly spikes: number;
  /** upper / largest eigenvalue: near 1 for noise, small where a few directions carry the matrix. */
  readonly softRank: number;
  /** Kolmogorov-Smirnov distance between the eigenvalues up to the edge and the law. */
  readonly distance: number;
}

/** The kernel of the density estimate: a triangle of this half width, where the mean eigenvalue is 1. */
const BANDWIDTH = 0.1;
const GRID = 1000;
const BEYOND = 0.5;
const SIGMA_STEP = 0.005;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Fits the bulk of ascending `eigenvalues` of matrices [rows, columns], rows >= columns, as WeightWatcher does: eigenvalues are scaled to mean 1, and sigma in
 * (0, 1] minimises the squared difference between the law of ratio Q = rows / columns and a kernel density estimate. The upper
 * edge is (sigma (1 + 1/sqrt Q))^2, the margin sqrt(TW) with TW = Q^(-1/2) upper^(2/3) columns^(-2/3). Square matrices are fitted by the quarter circle of their
 * singular values. Undefined when no sigma puts the peak of the density inside the bulk. Eigenvalues repel each other, so no sampling error is stated.
 */
export function fitMarchenkoPastur(eigenvalues: ArrayLike<number>, rows: number, columns: number): MarchenkoPasturFit | undefined {
  const n = eigenvalues.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += eigenvalues[i];
  if (!(total > 0)) return undefined;
  const unit = total / n;
  const ratio = rows / columns;
  const scaled = Float64Array.from(eigenvalues, (x) => x / unit);
  const square = rows === columns;
  const sample = square ? scaled.map(Math.sqrt) : scaled;
  const sigma = fitSigma(sample, ratio, square);
  if (sigma === undefined) return undefined;
  const [lower, upper] = edges(ratio, sigma);
  const margin = Math.sqrt(ratio ** -0.5 * upper ** (2 / 3) * columns ** (-2 / 3));
  let spikes = 0;
  for (let i = n - 1; i >= 0 && scaled[i] > upper + margin; i--) spikes++;
  return {
    sigma, sigmaOfMedian: Math.sqrt(scaled[n >> 1] / quantileOfLaw(ratio, 0.5)), lower: lower * unit, upper: upper * unit, margin: margin * unit,
    spikes, softRank: upper / scaled[n - 1], distance: bulkDistance(scaled, ratio, sigma),
  };
}

const edges = (ratio: number, sigma: number): [number, number] => [(sigma * (1 - 1 / Math.sqrt(ratio))) ** 2, (sigma * (1 + 1 / Math.sqrt(ratio))) ** 2];

/** Density of the eigenvalues, or of the singular values of square matrices (the quarter circle). */
export function marchenkoPasturDensity(x: number, ratio: number, sigma: number, square: boolean): number {
  if (square) return x > 2 * sigma ? 0 : Math.sqrt(Math.max(0, 4 * sigma ** 2 - x * x)) / (Math.PI * sigma ** 2);
  const [low, high] = edges(ratio, sigma);
  return x <= low || x >= high ? 0 : (ratio / (2 * Math.PI * sigma ** 2 * x)) * Math.sqrt((high - x) * (x - low));
}

function fitSigma(sample: Float64Array, ratio: number, square: boolean): number | undefined {
  const largest = sample[sample.length - 1] + BEYOND;
  // A thousand points as WeightWatcher has, more where a long tail would leave less than ten to a kernel.
  const points = Math.min(200_000, Math.max(GRID, Math.ceil((10 * largest) / BANDWIDTH)));
  const step = largest / (points - 1);
  const density = kernelDensity(sample, points, step);
  const peak = density.indexOf(density.reduce((a, b) => Math.max(a, b), 0)) * step;
  // Beyond the law's edge the residual is the density's own square.
  const squaresFrom = new Float64Array(points + 1);
  for (let i = points - 1; i >= 0; i--) squaresFrom[i] = squaresFrom[i + 1] + density[i] ** 2;
  const residual = (sigma: number): number => {
    const [low, high] = edges(ratio, sigma);
    if (!square && (high > largest || low > peak)) return Infinity;
    const inside = Math.min(points, Math.ceil((square ? 2 * sigma : high) / step) + 1);
    let sum = squaresFrom[inside];
    for (let i = 0; i < inside; i++) sum += (marchenkoPasturDensity(i * step, ratio, sigma, square) - density[i]) ** 2;
    return sum;
  };
  let best = NaN;
  let least = Infinity;
  for (let sigma = SIGMA_STEP; sigma <= 1 + 1e-9; sigma += SIGMA_STEP) {
    const here = residual(sigma);
    if (here < least) [best, least] = [sigma, here];
  }
  return least === Infinity ? undefined : refine(residual, best);
}

/** The minimum near a point of the grid. */
function refine(residual: (sigma: number) => number, start: number): number {
  let low = start - SIGMA_STEP;
  let high = Math.min(1, start + SIGMA_STEP);
  while (high - low > 1e-6) {
    const left = high - GOLDEN * (high - low);
    const right = low + GOLDEN * (high - low);
    if (residual(left) <= residual(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}

/** Triangular kernels of half width BANDWIDTH on the points i step. */
function kernelDensity(sample: Float64Array, points: number, step: number): Float64Array {
  const density = new Float64Array(points);
  for (const x of sample) {
    const last = Math.min(points - 1, Math.floor((x + BANDWIDTH) / step));
    for (let i = Math.max(0, Math.ceil((x - BANDWIDTH) / step)); i <= last; i++) {
      density[i] += Math.max(0, 1 - Math.abs(i * step - x) / BANDWIDTH) / (BANDWIDTH * sample.length);
    }
  }
  return density;
}

const STEPS = 2000;

/** The distribution function at sigma = 1 on points between the edges, denser near them, where the density has roots. */
function lawTable(ratio: number): { x: Float64Array; probability: Float64Array } {
  const [low, high] = edges(ratio, 1);
  const x = Float64Array.from({ length: STEPS + 1 }, (_, i) => low + (high - low) * Math.sin((Math.PI * i) / (2 * STEPS)) ** 2);
  const probability = new Float64Array(STEPS + 1);
  // In the angle the integrand is smooth, also for square matrices, where the density itself is infinite at 0.
  const integrand = (angle: number): number => {
    const at = low + (high - low) * Math.sin(angle) ** 2;
    const root = (high - low) * Math.sin(angle) * Math.cos(angle);
    return at === 0 ? ((ratio / (2 * Math.PI)) * 2 * (high - low)) : (ratio / (2 * Math.PI * at)) * root * 2 * root;
  };
  const width = Math.PI / (2 * STEPS);
  for (let i = 0; i < STEPS; i++) probability[i + 1] = probability[i] + (width / 6) * (integrand(i * width) + 4 * integrand((i + 0.5) * width) + integrand((i + 1) * width));
  return { x, probability };
}

/** The quantile at sigma = 1. */
function quantileOfLaw(ratio: number, q: number): number {
  const { x, probability } = lawTable(ratio);
  const i = probability.findIndex((p) => p >= q);
  return x[i - 1] + ((q - probability[i - 1]) / (probability[i] - probability[i - 1])) * (x[i] - x[i - 1]);
}

function bulkDistance(scaled: Float64Array, ratio: number, sigma: number): number {
  const { x, probability } = lawTable(ratio);
  const bulk = scaled.filter((value) => value <= edges(ratio, sigma)[1]);
  let distance = 0;
  let i = 0;
  bulk.forEach((value, k) => {
    const at = value / sigma ** 2;
    while (i < STEPS - 1 && x[i + 1] < at) i++;
    const share = Math.min(1, Math.max(0, (at - x[i]) / (x[i + 1] - x[i])));
    const expected = at <= x[0] ? 0 : probability[i] + share * (probability[i + 1] - probability[i]);
    distance = Math.max(distance, Math.abs(expected - k / bulk.length), Math.abs(expected - (k + 1) / bulk.length));
  });
  return distance;
}
