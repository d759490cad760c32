/** Optimizers and learning-rate schedules. @module */
export type { Optimizer, Schedule, UpdateContext } from './optimizer.ts';
export { constantRate, cosineRate } from './schedules.ts';
export { sgd, type SgdOptions, type SgdState } from './sgd.ts';
