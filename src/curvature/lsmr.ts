/** Least squares with rectangular maps, by products with the map and its transpose. @module */
import { addScaled, dot, norm, scaleBy } from './basis.ts';
import { meter } from './estimator.ts';
import { requireSolveOptions, type SolveOptions } from './conjugate-gradient.ts';
import { requireRight, residualsOf, solutionOf, type LinearSolution, type SolveStop } from './inverse-solution.ts';
import type { LinearMap } from './operator.ts';
import type { Cost } from '../problem/index.ts';

/** The solution of one least-squares problem. */
export interface LeastSquaresSolution extends LinearSolution {
  /** |A'(b - A x) - damping^2 x|, by products with the solution: zero at the minimum. */
  readonly normalResidual: number;
}

/** Solutions of least-squares problems with one map. */
export interface LeastSquaresSolutions {
  readonly solutions: readonly LeastSquaresSolution[];
  readonly cost: Cost;
}

/** One right-hand side: the bidiagonalisation and the two rotations of Fong and Saunders, with their names for the scalars. */
interface Track {
  readonly right: Float64Array;
  readonly x: Float64Array;
  readonly h: Float64Array;
  readonly hBar: Float64Array;
  u: Float64Array;
  v: Float64Array;
  alpha: number;
  beta: number;
  alphaBar: number;
  zetaBar: number;
  rho: number;
  rhoBar: number;
  cBar: number;
  sBar: number;
  /** Estimates of |r| of the damped problem, and of |A|_F^2. */
  betaDoubleDot: number;
  betaDot: number;
  rhoDotOld: number;
  tauTildeOld: number;
  thetaTilde: number;
  zeta: number;
  d: number;
  frobenius: number;
  iterations: number;
  stopped: SolveStop | undefined;
}

/**
 * The minimum of |A x - b|^2 + damping^2 |x|^2 for each right-hand side [k][rows], by LSMR (Fong and Saunders 2011): minimum
 * residual on the normal equations, so that |A' r| falls monotonically. The smallest such x where several are. Stops when
 * |r| <= tolerance |b| (of the damped system) or |A' r| <= tolerance |A| |r|, by the recurrence; both are measured at the end,
 * and `stagnated` says that neither holds there.
 * Cost: 2 products an iteration (one of the transpose), and 2 more, a right-hand side.
 *
 * @throws ShapeError when sizes do not fit; ArgumentError when the map has no product of its transpose.
 */
export async function lsmr(map: LinearMap, right: readonly Float64Array[], options: SolveOptions = {}): Promise<LeastSquaresSolutions> {
  requireRight('lsmr', map, right);
  const { tolerance, damping, maxIterations } = requireSolveOptions('lsmr', options);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const measure = meter(map);
  const tracks = await begin(map, right);
  for (;;) {
    const active = tracks.filter(({ stopped }) => stopped === undefined);
    if (active.length === 0) break;
    if (signal?.aborted === true || active[0].iterations >= maxIterations) {
      active.forEach((track) => { track.stopped = signal?.aborted === true ? 'aborted' : 'budget'; });
      break;
    }
    await bidiagonalise(map, active);
    active.forEach((track) => { advance(track, damping, tolerance); });
    onProgress?.({ done: measure().products, total: 2 * maxIterations * right.length, unit: 'products' });
  }
  return { solutions: await measured(map, tracks, damping, tolerance), cost: measure() };
}

function normalise(vector: Float64Array): number {
  const length = norm(vector);
  if (length > 0) scaleBy(vector, 1 / length);
  return length;
}

async function begin(map: LinearMap, right: readonly Float64Array[]): Promise<Track[]> {
  const us = right.map((b) => b.slice());
  const betas = us.map(normalise);
  const vs = (await map.multiplyTransposed(us)).map((v) => v.slice());
  return right.map((b, i): Track => {
    const [u, v, beta] = [us[i], vs[i], betas[i]];
    const alpha = normalise(v);
    return {
      right: b, u, v, alpha, beta, x: new Float64Array(map.columns), h: v.slice(), hBar: new Float64Array(map.columns),
      alphaBar: alpha, zetaBar: alpha * beta, rho: 1, rhoBar: 1, cBar: 1, sBar: 0,
      betaDoubleDot: beta, betaDot: 0, rhoDotOld: 1, tauTildeOld: 0, thetaTilde: 0, zeta: 0, d: 0, frobenius: alpha ** 2, iterations: 0,
      // b = 0, or b orthogonal to the range of A: zero is the solution.
      stopped: alpha * beta === 0 ? 'converged' : undefined,
    };
  });
}

/** beta u <- A v - alpha u; alpha v <- A' u - beta v (Golub and Kahan). */
async function bidiagonalise(map: LinearMap, tracks: readonly Track[]): Promise<void> {
  const images = await map.multiply(tracks.map(({ v }) => v));
  tracks.forEach((track, i) => {
    const u = images[i].slice();
    addScaled(u, -track.alpha, track.u);
    track.u = u;
    track.beta = normalise(u);
  });
  const back = await map.multiplyTransposed(tracks.map(({ u }) => u));
  tracks.forEach((track, i) => {
    const v = back[i].slice();
    addScaled(v, -track.beta, track.v);
    track.v = v;
    track.alpha = normalise(v);
    track.iterations++;
  });
}

function advance(track: Track, damping: number, tolerance: number): void {
  const { alpha, beta } = track;
  const alphaHat = Math.hypot(track.alphaBar, damping);
  const [cHat, sHat] = [track.alphaBar / alphaHat, damping / alphaHat];
  const rhoOld = track.rho;
  track.rho = Math.hypot(alphaHat, beta);
  const [c, s] = [alphaHat / track.rho, beta / track.rho];
  const thetaNew = s * alpha;
  track.alphaBar = c * alpha;
  const rhoBarOld = track.rhoBar;
  const zetaOld = track.zeta;
  const thetaBar = track.sBar * track.rho;
  const rhoTemp = track.cBar * track.rho;
  track.rhoBar = Math.hypot(rhoTemp, thetaNew);
  track.cBar = rhoTemp / track.rhoBar;
  track.sBar = thetaNew / track.rhoBar;
  track.zeta = track.cBar * track.zetaBar;
  track.zetaBar = -track.sBar * track.zetaBar;
  scaleBy(track.hBar, -(thetaBar * track.rho) / (rhoOld * rhoBarOld));
  addScaled(track.hBar, 1, track.h);
  addScaled(track.x, track.zeta / (track.rho * track.rhoBar), track.hBar);
  scaleBy(track.h, -thetaNew / track.rho);
  addScaled(track.h, 1, track.v);
  const residual = estimateResidual(track, { cHat, sHat, c, s, thetaBar, zetaOld });
  track.frobenius += beta ** 2;
  const size = Math.sqrt(track.frobenius);
  track.frobenius += alpha ** 2;
  const limit = Math.max(tolerance, Number.EPSILON);
  if (residual <= limit * norm(track.right) || Math.abs(track.zetaBar) <= limit * size * residual || alpha === 0) track.stopped = 'converged';
}

/** |r| of the damped problem (section 5.1 of the paper). */
function estimateResidual(track: Track, { cHat, sHat, c, s, thetaBar, zetaOld }: Record<'cHat' | 'sHat' | 'c' | 's' | 'thetaBar' | 'zetaOld', number>): number {
  const betaAcute = cHat * track.betaDoubleDot;
  const betaCheck = -sHat * track.betaDoubleDot;
  const betaHat = c * betaAcute;
  track.betaDoubleDot = -s * betaAcute;
  const thetaTildeOld = track.thetaTilde;
  const rhoTildeOld = Math.hypot(track.rhoDotOld, thetaBar);
  const [cTildeOld, sTildeOld] = [track.rhoDotOld / rhoTildeOld, thetaBar / rhoTildeOld];
  track.thetaTilde = sTildeOld * track.rhoBar;
  track.rhoDotOld = cTildeOld * track.rhoBar;
  track.betaDot = -sTildeOld * track.betaDot + cTildeOld * betaHat;
  track.tauTildeOld = (zetaOld - thetaTildeOld * track.tauTildeOld) / rhoTildeOld;
  const tauDot = (track.zeta - track.thetaTilde * track.tauTildeOld) / track.rhoDotOld;
  track.d += betaCheck ** 2;
  return Math.sqrt(track.d + (track.betaDot - tauDot) ** 2 + track.betaDoubleDot ** 2);
}

/** Above the tolerance by more than this, a measured residual contradicts the recurrence. */
const SLACK = 2;

async function measured(map: LinearMap, tracks: readonly Track[], damping: number, tolerance: number): Promise<LeastSquaresSolution[]> {
  const residuals = await residualsOf(map, tracks.map(({ x }) => x), tracks.map(({ right }) => right));
  const normals = await map.multiplyTransposed(residuals);
  return tracks.map((track, i) => {
    const { x, right, iterations, stopped = 'budget', frobenius } = track;
    const normal = normals[i].slice();
    if (damping !== 0) addScaled(normal, -(damping ** 2), x);
    const normalResidual = norm(normal);
    const whole = Math.sqrt(dot(residuals[i], residuals[i]) + damping ** 2 * dot(x, x));
    const holds = whole <= SLACK * tolerance * norm(right) || normalResidual <= SLACK * Math.max(tolerance, 16 * Number.EPSILON) * Math.sqrt(frobenius) * whole;
    return { ...solutionOf(x, residuals[i], right, iterations, stopped === 'converged' && !holds ? 'stagnated' : stopped), normalResidual };
  });
}
