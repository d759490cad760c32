/** Tangent and covariance kernels: of finite networks at a point, of infinitely wide ones, and what training does by them. @module */
export { empiricalNtk, kernelEntry, ntkEvaluator, type EmpiricalKernel, type EmpiricalNtkOptions, type KernelMatrix, type KernelOptions, type KernelProgress, type NtkEvaluator } from './empirical-ntk.ts';
export { ntkImplementations, type NtkImplementation } from './ntk-programs.ts';
export type { PredictedCost } from './flops.ts';
export type { Network } from './network.ts';
export { infiniteKernel, type InfiniteKernel, type InfiniteKernelOptions } from './infinite/kernel.ts';
export type { InfiniteLayer } from './infinite/layer.ts';
export {
  dualErf, dualExponential, dualGelu, dualIdentity, dualQuadrature, dualSine, gaussHermite, infiniteAbs, infiniteActivation, infiniteCosine, infiniteErf,
  infiniteExponential, infiniteGelu, infiniteIdentity, infiniteLeakyRelu, infiniteRelu, infiniteSine, piecewiseLinear, type DualActivation,
} from './infinite/activations.ts';
export {
  infiniteAveragePooling, infiniteConv, infiniteDense, infiniteDropout, infiniteFlatten, infiniteGlobalAveragePooling, infiniteLayerNorm, infiniteSerial,
  infiniteSum, type InfiniteConvOptions, type InfiniteDenseOptions, type InfiniteWeights,
} from './infinite/layers.ts';
export { infiniteAttention, type AttentionMechanism, type InfiniteAttentionOptions } from './infinite/attention.ts';
export { empiricalNngp } from './empirical-nngp.ts';
export {
  ensemblePosterior, gradientFlow, maximalLearningRate, outputsAsRows, type GradientFlow, type GradientFlowOptions, type KernelSet, type Posterior,
  type PosteriorOptions, type Regularisation, type TrainingKernel,
} from './predictions.ts';
export { gaussianProcess, type GaussianProcessPosterior } from './gaussian-process.ts';
export { taylorExpansion, taylorModel } from './taylor.ts';
export { centredKernel, kernelAlignment, kernelDistance, kernelDrift, kernelVelocity, targetAlignment, type ComparisonOptions, type KernelDrift } from './comparison.ts';
