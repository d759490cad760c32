/** Spectral densities as PyHessian and as Papyan (in curvlinops) compute them, step by step, for comparison with their results. @module */
import { estimated } from '../problem/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { addScaled, dot, norm, scaleBy } from './basis.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { meter, probeVector } from './estimator.ts';
import { equidistant, gaussianMixture } from './kernel-density.ts';
import { requireSymmetric, type LinearOperator } from './operator.ts';
import type { DensityOptions, SpectralDensity } from './spectral-density.ts';
import { requireInvariants, ruleOf, type Quadrature } from './spectral-quadrature.ts';

/** Whose density: our own, or a peer's step by step. */
export type DensityStyle = 'thalweg' | 'pyhessian' | 'papyan';

type Drawn = Omit<SpectralDensity, 'trace' | 'negative'>;

function requireOptions(style: DensityStyle, options: DensityOptions, without: readonly (keyof DensityOptions)[], scales: readonly string[]): void {
  const odd = without.find((name) => options[name] !== undefined);
  if (odd !== undefined) throw new ArgumentError({ operation: 'spectralDensity', required: `style '${style}' must come without ${without.join(', ')}`, received: odd, remedy: "style 'thalweg', which has it" });
  if (!scales.includes(options.scale ?? 'linear')) throw new ArgumentError({ operation: 'spectralDensity', required: `scale must be ${scales.map((s) => `'${s}'`).join(' or ')} in style '${style}'`, received: `'${options.scale}'`, remedy: "style 'thalweg', which has all" });
}

/** One Lanczos run: a number of steps from a start. */
type Lanczos = (operator: LinearOperator, start: Float64Array, steps: number, after: () => void) => Promise<{ diagonal: Float64Array; coupling: Float64Array }>;

async function runs(operator: LinearOperator, options: DensityOptions, settings: { steps: number; probes: number; start: (probe: number) => Float64Array; lanczos: Lanczos }): Promise<{ probes: Quadrature[]; stopped: Drawn['stopped'] }> {
  const { steps, probes: count, start, lanczos } = settings;
  requireSymmetric('spectralDensity', operator);
  options.signal?.throwIfAborted();
  const probes: Quadrature[] = [];
  let products = 0;
  const after = (): void => options.onProgress?.({ done: ++products, total: count * steps, unit: 'products' });
  // Probes are as short as the peers': a signal is heeded between them.
  while (probes.length < count && (probes.length === 0 || options.signal?.aborted !== true)) {
    const { diagonal, coupling } = await lanczos(operator, start(probes.length), steps, after);
    const rule = ruleOf(diagonal, coupling.subarray(0, steps - 1));
    requireInvariants('spectralDensity', rule, diagonal[0]);
    probes.push({ ...rule, firstMoment: diagonal[0], diagonal, coupling, exact: false });
  }
  return { probes, stopped: probes.length < count ? 'aborted' : 'converged' };
}

/** PyHessian's `normalization`: the sum keeps zero vectors from becoming NaN, and other norms from being one. */
const almostUnit = (vector: Float64Array): void => scaleBy(vector, 1 / (norm(vector) + 1e-6));

/**
 * PyHessian's `density`: each vector is the residual made orthogonal to all earlier ones one after another, once, and divided by
 * its norm + 1e-6; the couplings are the residual's norms before that. Runs its number of steps whatever comes.
 */
const pyhessianLanczos: Lanczos = async (operator, start, steps, after) => {
  const [diagonal, coupling] = [new Float64Array(steps), new Float64Array(steps)];
  const basis = [start];
  for (let step = 0; step < steps; step++) {
    const [image] = await operator.multiply([basis[step]]);
    diagonal[step] = dot(image, basis[step]);
    addScaled(image, -diagonal[step], basis[step]);
    if (step > 0) addScaled(image, -coupling[step - 1], basis[step - 1]);
    coupling[step] = norm(image);
    for (const vector of basis) addScaled(image, -dot(image, vector), vector);
    almostUnit(image);
    basis.push(image);
    after();
  }
  return { diagonal, coupling };
};

const PYHESSIAN_POINTS = 10_000;
const PYHESSIAN_OVERHEAD = 0.01;
const PYHESSIAN_VARIANCE = 1e-5;

/** PyHessian's `density_generate`: grid, kernel variance and density of each run before the common normalisation by sum times step. */
export function pyhessianKernels(rules: readonly Pick<Quadrature, 'nodes' | 'weights'>[]): { grid: Float64Array; variance: number; curves: Float64Array[]; normalisation: number } {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const high = mean(rules.map(({ nodes }) => nodes.reduce((a, b) => Math.max(a, b)))) + PYHESSIAN_OVERHEAD;
  const low = mean(rules.map(({ nodes }) => nodes.reduce((a, b) => Math.min(a, b)))) - PYHESSIAN_OVERHEAD;
  const grid = equidistant(low, high, PYHESSIAN_POINTS);
  const variance = PYHESSIAN_VARIANCE * Math.max(1, high - low);
  const curves = rules.map(({ nodes, weights }) => gaussianMixture(grid, nodes, weights, Math.sqrt(variance)));
  const total = curves.reduce((sum, curve) => sum + curve.reduce((a, b) => a + b, 0), 0) / curves.length;
  return { grid, variance, curves, normalisation: total * (grid[1] - grid[0]) };
}

/** The density of `pyhessian.density` (100 steps, one run of signs) drawn by its `density_plot.py`. */
export async function pyhessianDensity(operator: LinearOperator, options: DensityOptions): Promise<Drawn> {
  requireOptions('pyhessian', options, ['width', 'grid', 'kappa', 'epsilon', 'boundaries'], ['linear']);
  const measure = meter(operator);
  const steps = requireInteger('spectralDensity', 'steps', options.steps ?? 100, 1);
  const start = (probe: number): Float64Array => {
    const vector = probeVector(options, probe, operator.size);
    almostUnit(vector);
    return vector;
  };
  const { probes, stopped } = await runs(operator, options, { steps, probes: requireInteger('spectralDensity', 'probes', options.probes ?? 1, 1), start, lanczos: pyhessianLanczos });
  const { grid, variance, curves, normalisation } = pyhessianKernels(probes);
  const width = Math.sqrt(variance);
  const step = grid[1] - grid[0];
  const warnings = width < step ? [`the kernel (standard deviation ${width}) is narrower than a step of PyHessian's grid (${step}): peaks between grid points are lost, others too high; style 'thalweg' has no such limit`] : [];
  if (steps > operator.size) warnings.push(`${steps} steps on an operator of size ${operator.size}: PyHessian goes on past the end, which adds nodes of no weight near zero`);
  return { ...joined(curves, 1 / normalisation), grid, coordinate: grid, width, scale: 'linear', style: 'pyhessian', warnings, probes, stopped, cost: measure() };
}

/** Papyan's `fast_lanczos`: no reorthogonalisation, so large eigenvalues come several times; their weights add up to the right ones. */
const fastLanczos: Lanczos = async (operator, start, steps, after) => {
  const [diagonal, coupling] = [new Float64Array(steps), new Float64Array(steps)];
  let before: Float64Array | undefined;
  let vector = start;
  for (let step = 0; step < steps; step++) {
    const [image] = await operator.multiply([vector]);
    if (before) addScaled(image, -coupling[step - 1], before);
    diagonal[step] = dot(image, vector);
    addScaled(image, -diagonal[step], vector);
    coupling[step] = norm(image);
    after();
    if (step + 1 === steps) break;
    if (coupling[step] === 0) throw new ArgumentError({ operation: 'spectralDensity', required: `steps must be at most ${step + 1}, after which Papyan's Lanczos iteration divides by zero`, received: String(steps), remedy: "style 'thalweg', which stops there" });
    scaleBy(image, 1 / coupling[step]);
    before = vector;
    vector = image;
  }
  return { diagonal, coupling };
};

const PAPYAN_POINTS = 1024;
const PAPYAN_MARGIN = 0.05;
const PAPYAN_EPSILON = 1e-5;

/** What `lanczos_approximate_spectrum_from_iter` and its logarithmic sister draw of one quadrature. */
export function papyanKernels({ nodes, weights }: Pick<Quadrature, 'nodes' | 'weights'>, boundaries: readonly [number, number], settings: { scale: 'linear' | 'log'; kappa: number; epsilon: number }): { grid: Float64Array; density: Float64Array; width: number } {
  const { scale, kappa, epsilon } = settings;
  const of = scale === 'log' ? (x: number): number => Math.log(Math.abs(x) + epsilon) : (x: number): number => x;
  const [least, most] = scale === 'log' ? boundaries.map((x) => Math.log(x + epsilon)) : boundaries;
  const padding = PAPYAN_MARGIN * (most - least);
  const [low, high] = [least - padding, most + padding];
  const [centre, half] = [(high + low) / 2, (high - low) / 2];
  const unit = equidistant(-1, 1, PAPYAN_POINTS);
  const deviation = 2 / (nodes.length - 1) / Math.sqrt(8 * Math.log(kappa));
  const curve = gaussianMixture(unit, nodes.map((x) => (of(x) - centre) / half), weights, deviation);
  const grid = scale === 'log' ? unit.map((t) => Math.exp(t * half + centre)) : equidistant(low, high, PAPYAN_POINTS);
  return { grid, density: curve.map((y, i) => y / (scale === 'log' ? half * grid[i] : half)), width: deviation * half };
}

/** curvlinops' `lanczos_approximate_spectrum` and `lanczos_approximate_log_spectrum` (Papyan 2020, algorithms 2 and section C.7). */
export async function papyanDensity(operator: LinearOperator, options: DensityOptions): Promise<Drawn> {
  requireOptions('papyan', options, ['width', 'grid'], ['linear', 'log']);
  const scale = options.scale === 'log' ? 'log' : 'linear';
  const measure = meter(operator);
  const steps = requireInteger('spectralDensity', 'steps', options.steps ?? Math.min(128, operator.size), 2);
  const start = (probe: number): Float64Array => {
    const vector = probeVector(options, probe, operator.size, 'normal');
    scaleBy(vector, 1 / norm(vector));
    return vector;
  };
  const { probes, stopped } = await runs(operator, options, { steps, probes: requireInteger('spectralDensity', 'probes', options.probes ?? 1, 1), start, lanczos: fastLanczos });
  const { boundaries, warnings } = await boundariesOf(operator, scale, options, probes);
  const settings = { scale, kappa: options.kappa ?? (scale === 'log' ? 1.04 : 3), epsilon: options.epsilon ?? PAPYAN_EPSILON } as const;
  const drawn = probes.map((probe) => papyanKernels(probe, boundaries, settings));
  const { grid, width } = drawn[0];
  return {
    ...joined(drawn.map(({ density }) => density), 1), grid, coordinate: scale === 'log' ? grid.map(Math.log) : grid, width, scale, style: 'papyan',
    warnings: [...warnings, 'Lanczos without reorthogonalisation: nodes are no eigenvalue counts, large eigenvalues may come several times'], probes, stopped, cost: measure(),
  };
}

/** The ends of the spectrum to 1 %, as `eigsh` is asked for them. */
async function boundariesOf(operator: LinearOperator, scale: 'linear' | 'log', options: DensityOptions, probes: readonly Quadrature[]): Promise<{ boundaries: readonly [number, number]; warnings: readonly string[] }> {
  if (options.boundaries) return { boundaries: options.boundaries, warnings: [] };
  const search = { ...(options.key && { key: options.key }), ...(options.signal && { signal: options.signal }), tolerance: 1e-2 };
  if (scale === 'linear') {
    const { largest, smallest } = await topEigenpairs(operator, { ...search, largest: 1, smallest: 1 });
    return { boundaries: [smallest[0].value, largest[0].value], warnings: [] };
  }
  const { magnitude } = await topEigenpairs(operator, { ...search, magnitude: 1 });
  const least = probes.reduce((small, { nodes }) => nodes.reduce((a, x) => Math.min(a, Math.abs(x)), small), Infinity);
  return { boundaries: [least, Math.abs(magnitude[0].value)], warnings: [`the lower end ${least} is the smallest absolute Ritz value: curvlinops asks eigsh for the smallest eigenvalue, which without inverses seldom converges; give \`boundaries\` to repeat its picture`] };
}

/** Mean of the curves times `factor`, with the spread across probes. Papers and programs state no quadrature error: NaN. */
function joined(curves: readonly Float64Array[], factor: number): Pick<SpectralDensity, 'density' | 'standardError' | 'quadratureError'> {
  const points = Array.from(curves[0], (_, i) => estimated(curves.map((curve) => curve[i] * factor)));
  return { density: Float64Array.from(points, ({ value }) => value), standardError: Float64Array.from(points, ({ error }) => error), quadratureError: new Float64Array(points.length).fill(NaN) };
}
