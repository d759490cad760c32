/** Checks for functions, operators and estimators of one's own: the ones Thalweg tests itself with. @module */
export { allClose, requireClose, type Tolerances } from './close.ts';
export { checkBatch, type BatchCheckOptions } from './batching.ts';
export { CheckError } from './check-error.ts';
export { checkConvergence, type Convergence, type ConvergenceOptions } from './convergence.ts';
export { checkGrads, type GradientCheckOptions, type GradientMode } from './gradients.ts';
export { denseMatrix } from './dense.ts';
export { evaluateReference } from './evaluate.ts';
export { referenceExecutor } from '../runtime/reference.ts';
