/** Losses: from outputs and targets to one number for each example. @module */
export { accuracy, correct } from './accuracy.ts';
export { binaryCrossEntropy } from './binary-cross-entropy.ts';
export { crossEntropy, type CrossEntropyOptions } from './cross-entropy.ts';
export { hinge, type HingeOptions } from './hinge.ts';
export { meanSquaredError, type MeanSquaredErrorOptions } from './mean-squared-error.ts';
export { IGNORED_TOKEN, nextToken } from './next-token.ts';
export { squaredError } from './squared-error.ts';
export { lossDescriptions, lossNamed, lossNameOf, losses, type Loss, type LossName } from './registry.ts';
