/** Problems, points in their parameter space, sums over their data, and numbers with errors. @module */
export type { LossFunction, Point, Problem } from './problem.ts';
export { bounded, estimated, interval, jackknifed, rounded, type Cost, type ErrorKind, type Measurement } from './measurement.ts';
export { layerOf, ParameterSpace, type Group, type ParameterFilter, type ParameterRange } from './parameter-space.ts';
export { chunkedSum, type ChunkCost, type ChunkedSum, type ChunkedSumOptions, type ChunkOptions, type ChunkRange, type SumFunction } from './chunked.ts';
export { correctness, examplesOf, losses, lossSum, meanOf, moments, pointOf, predict, type Examples, type Moments, type PointTensors } from './objective.ts';
export { evaluate, evaluateGradient, evaluator, gradientSum, type Evaluation, type Evaluator, type Gradient, type GradientOptions } from './evaluate.ts';
export { freshStatistics, meanState, recalibrate, recalibrator, usualBatch, type RecalibrationOptions, type Recalibrator } from './batch-statistics.ts';
export { withLabelSmoothing } from './label-smoothing.ts';
export { distillation, type DistillationOptions } from './distillation.ts';
