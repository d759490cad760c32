/** Synthetic data of realistic form for the tests of figures: closed forms only, so that snapshots stay equal. @module */
import type { LineProfile } from './line-profiles.ts';
import type { PlaneData } from './plane-contour.ts';
import type { SpectralDensityData } from './spectral-density.ts';
import type { TrainingCurvesData } from './training-curves.ts';
import type { TrainingSeriesData } from './training-series.ts';
import type { WeightSpectrumData } from './weight-spectrum.ts';

/** `count` evenly spaced numbers from `low` to `high`. */
export const linspace = (low: number, high: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

/** A repeatable rough number in -1..1. */
const rough = (i: number): number => { const s = Math.sin(i * 12.9898) * 43758.5453; return 2 * (s - Math.floor(s)) - 1; };

export const exampleEigenvalues = [31.42, 22.7, 18.05, 14.9, 11.3, 9.61, 7.2, 5.84, 3.02, 1.77]
  .map((value, i) => ({ value, bound: 1e-5 * 3 ** i }));

export function exampleDensity(): SpectralDensityData {
  const grid = linspace(-3, 34, 500);
  const gaussian = (x: number, mean: number, deviation: number): number =>
    Math.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
  const density = grid.map((x) => 0.97 * gaussian(x, 0.02, 0.25) + 0.03 * gaussian(x, 0.4, 0.6)
    + exampleEigenvalues.reduce((sum, { value }) => sum + 2e-5 * gaussian(x, value, 0.25), 0));
  return { grid, density, standardError: density.map((d, i) => d * (0.15 + 0.3 * Math.abs(Math.sin(i / 20)))), eigenvalues: exampleEigenvalues };
}

export function examplePlane(count: number): PlaneData {
  const axis = linspace(-1, 1, count);
  const loss = axis.map((b) => axis.map((a) => (a > 0.7 && b > 0.8 ? NaN : 0.05 + 9 * (a * a + 0.5 * a * b + 0.1 * b * b) ** 1.2 + 3 * b * b + 2.4 * Math.abs(a * b) ** 1.5)));
  return { x: axis, y: axis, loss };
}

export function exampleLines(): LineProfile[] {
  const position = linspace(-1, 1, 41);
  return [31.42, 22.7, 18.05].map((curvature, i) => ({
    name: `λ${i + 1} = ${curvature}`, position,
    trainLoss: position.map((t) => 0.031 + 0.5 * curvature * 0.1 * t * t + 0.2 * t ** 3 * (i - 1)),
    testLoss: position.map((t) => 0.092 + 0.5 * curvature * 0.11 * (t - 0.03) ** 2),
    testError: position.map((t) => 0.02 + 0.08 * t * t),
  }));
}

export function exampleTraining(): TrainingCurvesData {
  const steps = Array.from({ length: 2345 }, (_, i) => i + 1);
  const values = steps.map((s) => (0.04 + 2.26 / (1 + s / 40)) * Math.exp(0.5 * rough(s)));
  const epochs = [469, 938, 1407, 1876, 2345];
  return {
    trainLoss: { steps, values },
    testLoss: { steps: epochs, values: [0.21, 0.145, 0.112, 0.098, 0.091], errors: [0.006, 0.005, 0.004, 0.004, 0.004] },
    trainAccuracy: { steps: epochs, values: [0.941, 0.962, 0.974, 0.981, 0.985] },
    testAccuracy: { steps: epochs, values: [0.938, 0.956, 0.966, 0.971, 0.973], errors: [0.0024, 0.0021, 0.0018, 0.0017, 0.0016] },
  };
}

/** Sharpness that rises to the edge of stability and hovers there. */
export function exampleSharpness(): TrainingSeriesData {
  const steps = Array.from({ length: 60 }, (_, i) => 50 * i);
  const values = steps.map((s, i) => (s < 1500 ? 36 + 4 * (s / 1500) ** 2 : 40 + 0.9 * rough(i)));
  return { series: [{ name: 'sharpness', steps, values, errors: values.map((value) => 0.015 * value) }], reference: { name: '2 / learning rate', steps, values: steps.map(() => 40) } };
}

export const exampleCounts = Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_, j) => (
  i === j ? 960 + 11 * i : Math.max(0, Math.round(4 + 7 * rough(17 * i + 3 * j))))));

export const exampleLayers = [
  { name: 'layers.0.weight', trace: { value: 412.4, error: 21.3 }, topEigenvalue: { value: 24.81, error: 0.003 } },
  { name: 'layers.0.bias', trace: { value: 9.21, error: 0.8 }, topEigenvalue: { value: 2.113, error: 1e-4 } },
  { name: 'layers.1.weight', trace: { value: 288.1, error: 14.9 }, topEigenvalue: { value: 17.2, error: 0.02 } },
  { name: 'layers.1.bias', trace: { value: 14.4, error: 1.1 }, topEigenvalue: { value: 3.61, error: 2e-4 } },
  { name: 'layers.2.weight', trace: { value: 95.7, error: 5.5 }, topEigenvalue: { value: 11.04, error: 0.5 } },
  { name: 'layers.2.bias', trace: { value: 3.3, error: 0.2 }, topEigenvalue: { value: 1.07, error: 1e-5 } },
];

export const exampleCosts = [
  { name: 'training', seconds: 9.31, products: 0 }, { name: 'top eigenvalues', seconds: 6.2, products: 120 },
  { name: 'spectral density', seconds: 14.8, products: 800 }, { name: 'trace', seconds: 3.3, products: 200 },
  { name: 'layers', seconds: 5.1, products: 310 }, { name: 'plane', seconds: 8.4, products: 0 }, { name: 'lines', seconds: 0.61, products: 0 },
];

/** A bulk of noise with a tail of exponent 2.5 above it, and the same without the tail. */
export function exampleWeightSpectrum(): WeightSpectrumData {
  const bulk = linspace(0.02, 1, 260).map((x) => x ** 1.5);
  const tail = Array.from({ length: 60 }, (_, k) => (1 - (k + 0.5) / 60) ** (-1 / 1.5));
  return { eigenvalues: [...bulk, ...tail], tail: { alpha: 2.5, error: 0.19, xmin: tail[0], xmax: tail[59] }, bulkEdge: 1.05, randomised: linspace(0.02, 1.2, 320).map((x) => x ** 1.4) };
}
