/** Dual activations: expectations of a nonlinearity and of its derivative over a pair of Gaussians. @module */
import { tridiagonalEigenEnds } from '../../linalg/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import { entriesOf, placesOf, type InfiniteLayer, type Kernels } from './layer.ts';

/**
 * With (u, v) Gaussian of covariance [[k11, k12], [k12, k22]]: `value` is E f(u) f(v), `slope` is E f'(u) f'(v), which is
 * also the derivative of `value` by k12.
 */
export interface DualActivation {
  readonly name: string;
  value(k12: number, k11: number, k22: number): number;
  slope(k12: number, k11: number, k22: number): number;
}

/** A nonlinearity, elementwise: NNGP -> value, NTK -> NTK x slope. @throws ArgumentError when what comes in is not Gaussian. */
export function infiniteActivation(dual: DualActivation): InfiniteLayer {
  return {
    name: dual.name, correlates: false,
    apply(kernels, tape) {
      if (!kernels.gaussian) {
        throw new ArgumentError({ operation: dual.name, required: 'a nonlinearity must follow a layer with weights, whose outputs are Gaussian', received: 'the input, another nonlinearity or a flattening', remedy: 'put infiniteDense or infiniteConv before it' });
      }
      const [first, others] = tape.variances(kernels);
      return { ...elementwise(kernels, first, others, dual), gaussian: false };
    },
  };
}

function elementwise(kernels: Kernels, first: Float64Array, others: Float64Array, dual: DualActivation): Kernels {
  const places = placesOf(kernels);
  const entries = entriesOf(kernels);
  const full = kernels.places === 'full';
  const nngp = new Float64Array(kernels.nngp.length);
  const ntk = kernels.ntk && new Float64Array(kernels.ntk.length);
  for (let pair = 0, at = 0; pair < kernels.count; pair++) {
    for (let entry = 0; entry < entries; entry++, at++) {
      const k11 = first[full ? Math.floor(entry / places) : entry];
      const k22 = others[pair * places + (full ? entry % places : entry)];
      const k12 = kernels.nngp[at];
      nngp[at] = dual.value(k12, k11, k22);
      if (ntk !== null) ntk[at] = kernels.ntk![at] === 0 ? 0 : kernels.ntk![at] * dual.slope(k12, k11, k22);
    }
  }
  return { ...kernels, nngp, ntk };
}

/** k11 k22 - k12^2, which rounding may make slightly negative. */
const determinant = (k12: number, k11: number, k22: number): number => Math.max(0, k11 * k22 - k12 * k12);

/**
 * negative x for x < 0, positive x for x > 0: the arc-cosine kernel of order 1 (Cho and Saul 2009; Tsuchida et al. 2018 for
 * two slopes).
 */
export function piecewiseLinear(negative: number, positive: number, name = `piecewise linear ${negative}, ${positive}`): DualActivation {
  const factor = (positive - negative) ** 2 / (2 * Math.PI);
  const half = (negative ** 2 + positive ** 2) / 2;
  // At the origin the angle is not determined; pi/2 is what independent values would have.
  const angle = (root: number, k12: number): number => (root === 0 && k12 === 0 ? Math.PI / 2 : Math.atan2(root, k12));
  return {
    name,
    value(k12, k11, k22) {
      const root = Math.sqrt(determinant(k12, k11, k22));
      return factor * root + (half - factor * angle(root, k12)) * k12;
    },
    slope: (k12, k11, k22) => half - factor * angle(Math.sqrt(determinant(k12, k11, k22)), k12),
  };
}

/** erf(x) (Williams 1996). */
export const dualErf: DualActivation = {
  name: 'erf',
  value: (k12, k11, k22) => (2 / Math.PI) * Math.atan2(2 * k12, Math.sqrt(Math.max(0, (1 + 2 * k11) * (1 + 2 * k22) - 4 * k12 * k12))),
  slope: (k12, k11, k22) => 4 / (Math.PI * Math.sqrt((1 + 2 * k11) * (1 + 2 * k22) - 4 * k12 * k12)),
};

/** x Phi(x), the exact GELU (Tsuchida et al. 2020). */
export const dualGelu: DualActivation = {
  name: 'gelu',
  value(k12, k11, k22) {
    const plus = (1 + k11) * (1 + k22);
    const square = plus - k12 * k12;
    const root = Math.sqrt(square);
    return ((k12 * k12 + k11 * k22 * square) / (plus * root) + k12 * Math.atan2(k12, root)) / (2 * Math.PI) + k12 / 4;
  },
  slope(k12, k11, k22) {
    const plus = (1 + k11) * (1 + k22);
    const square = plus - k12 * k12;
    const root = Math.sqrt(square);
    const first = ((1 / square + (1 - k11 * k22) / plus + 1) * k12) / (root * 2 * Math.PI);
    return first + 0.25 + Math.atan2(k12, root) / (2 * Math.PI);
  },
};

/** amplitude sin(frequency x + phase); with sqrt 2, sqrt(2 gamma) and pi / 4 its NNGP is the Gaussian kernel (Rahimi and Recht 2007). */
export function dualSine({ amplitude = 1, frequency = 1, phase = 0 }: { readonly amplitude?: number; readonly frequency?: number; readonly phase?: number } = {}): DualActivation {
  const half = amplitude ** 2 / 2;
  const square = frequency ** 2;
  const twice = Math.cos(2 * phase);
  const same = (k12: number, k11: number, k22: number): number => Math.exp(square * (k12 - (k11 + k22) / 2));
  const opposite = (k12: number, k11: number, k22: number): number => Math.exp(square * (-k12 - (k11 + k22) / 2)) * twice;
  return {
    name: 'sine',
    value: (k12, k11, k22) => half * (same(k12, k11, k22) - opposite(k12, k11, k22)),
    slope: (k12, k11, k22) => half * square * (same(k12, k11, k22) + opposite(k12, k11, k22)),
  };
}

/** amplitude exp(rate x): a log-normal product. */
export function dualExponential({ amplitude = 1, rate = 1 }: { readonly amplitude?: number; readonly rate?: number } = {}): DualActivation {
  const value = (k12: number, k11: number, k22: number): number => amplitude ** 2 * Math.exp(rate ** 2 * ((k11 + k22) / 2 + k12));
  return { name: 'exponential', value, slope: (k12, k11, k22) => rate ** 2 * value(k12, k11, k22) };
}

/** The function that does nothing. */
export const dualIdentity: DualActivation = { name: 'identity', value: (k12) => k12, slope: () => 1 };

/** Nodes and weights of Gauss-Hermite quadrature for exp(-x^2), by the eigenvalues of the Jacobi matrix (Golub and Welsch 1969). */
export function gaussHermite(degree: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  requireInteger('gaussHermite', 'degree', degree, 1);
  const { values, first } = tridiagonalEigenEnds(new Float64Array(degree), Float64Array.from({ length: degree - 1 }, (_, i) => Math.sqrt((i + 1) / 2)));
  return { nodes: values, weights: first.map((x) => Math.sqrt(Math.PI) * x * x) };
}

/**
 * Any function with its derivative, by Gauss-Hermite quadrature of `degree` x `degree` points (default 50). Exact for
 * polynomials of a degree below `degree`; slow to converge where the function or its derivative jumps.
 */
export function dualQuadrature(name: string, f: (x: number) => number, derivative: (x: number) => number, degree = 50): DualActivation {
  const { nodes, weights } = gaussHermite(degree);
  const integrate = (g: (x: number) => number) => (k12: number, k11: number, k22: number): number => {
    const along = k11 > 0 ? k12 * Math.sqrt(2 / k11) : 0;
    const across = Math.sqrt(2 * Math.max(0, k22 - (k11 > 0 ? (k12 * k12) / k11 : 0)));
    let total = 0;
    for (let i = 0; i < degree; i++) {
      let inner = 0;
      for (let j = 0; j < degree; j++) inner += weights[j] * g(along * nodes[i] + across * nodes[j]);
      total += weights[i] * g(Math.sqrt(2 * k11) * nodes[i]) * inner;
    }
    return total / Math.PI;
  };
  return { name, value: integrate(f), slope: integrate(derivative) };
}

/** max(x, 0). */
export const infiniteRelu = (): InfiniteLayer => infiniteActivation(piecewiseLinear(0, 1, 'relu'));
/** x for x > 0, slope x below. */
export const infiniteLeakyRelu = (slope: number): InfiniteLayer => infiniteActivation(piecewiseLinear(slope, 1, 'leaky relu'));
/** |x|. */
export const infiniteAbs = (): InfiniteLayer => infiniteActivation(piecewiseLinear(-1, 1, 'abs'));
/** The error function. */
export const infiniteErf = (): InfiniteLayer => infiniteActivation(dualErf);
/** x Phi(x), not its approximation by tanh. */
export const infiniteGelu = (): InfiniteLayer => infiniteActivation(dualGelu);
/** amplitude sin(frequency x + phase). */
export const infiniteSine = (options: { readonly amplitude?: number; readonly frequency?: number; readonly phase?: number } = {}): InfiniteLayer => infiniteActivation(dualSine(options));
/** amplitude cos(frequency x + phase). */
export const infiniteCosine = ({ phase = 0, ...options }: { readonly amplitude?: number; readonly frequency?: number; readonly phase?: number } = {}): InfiniteLayer =>
  infiniteActivation({ ...dualSine({ ...options, phase: phase + Math.PI / 2 }), name: 'cosine' });
/** amplitude exp(rate x). */
export const infiniteExponential = (options: { readonly amplitude?: number; readonly rate?: number } = {}): InfiniteLayer => infiniteActivation(dualExponential(options));
/** No nonlinearity. */
export const infiniteIdentity = (): InfiniteLayer => ({ name: 'identity', correlates: false, apply: (kernels) => kernels });
