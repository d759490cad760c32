/** Curvature: linear operators over a problem's parameters, and estimators that work on any operator. @module */
export { denseMatrix, diagonalOperator, linearOperator, matrixOperator, type LinearOperator, type OperatorParts } from './operator.ts';
export { problemOperator, type CurvatureOptions, type CurvatureProduct, type ProductContext } from './problem-operator.ts';
export { hessian } from './hessian.ts';
export { ggn } from './ggn.ts';
export { empiricalFisher } from './empirical-fisher.ts';
export type { EstimatorOptions, Progress } from './estimator.ts';
export { topEigenpairs, type Eigenpair, type Eigenpairs, type EigenOptions } from './eigenpairs.ts';
export { spectralDensity, type DensityOptions, type Quadrature, type SpectralDensity } from './spectral-density.ts';
export { gaussianMixture, kernelWidth, linearGrid } from './kernel-density.ts';
export { hutchinsonTrace, hutchPlusPlus, type TraceEstimate, type TraceOptions } from './trace.ts';
export { gradientNoise, noiseStatistics, type GradientNoise, type GradientNoiseOptions } from './gradient-noise.ts';
