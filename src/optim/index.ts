/** Optimizers and learning-rate schedules. @module */
export type { Draw, LayerFactors, Optimizer, Scalar, Schedule, ScheduleHistory, UpdateContext, UpdateRule, Updated } from './optimizer.ts';
export { chain, descend } from './chain.ts';
export { updateContext, type ContextParts, type ModelQuantities } from './context.ts';
export { addDecayedWeights } from './weight-decay.ts';
export { constantRate, cosineRate } from './schedules.ts';
export { scaleByMomentum, sgd, type MomentumOptions, type MomentumState, type SgdOptions } from './sgd.ts';
