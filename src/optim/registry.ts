/** Optimizers by name. @module */
import { composed } from './composition.ts';
import type { OptimizerEntry } from './entry.ts';
import type { Optimizer } from './optimizer.ts';
import { adabeliefEntry } from './adabelief.ts';
import { adadeltaEntry } from './adadelta.ts';
import { adafactorEntry } from './adafactor.ts';
import { adagradEntry } from './adagrad.ts';
import { adamEntry } from './adam.ts';
import { adamwEntry } from './adamw.ts';
import { amsgradEntry } from './amsgrad.ts';
import { asamEntry } from './asam.ts';
import { exponentialAverageEntry, stochasticWeightAverageEntry } from './averaging.ts';
import { adaptiveGradientClippingEntry, clipByGlobalNormEntry, clipByNormEntry, clipByValueEntry } from './clipping.ts';
import { gaussNewtonCgEntry } from './gauss-newton-cg.ts';
import { kfacEntry } from './kfac.ts';
import { lambEntry } from './lamb.ts';
import { gradientNoiseEntry, langevinEntry } from './langevin.ts';
import { larsEntry } from './lars.ts';
import { lbfgsEntry } from './lbfgs.ts';
import { lionEntry } from './lion.ts';
import { lookaheadEntry } from './lookahead.ts';
import { muonEntry } from './muon.ts';
import { nadamEntry } from './nadam.ts';
import { naturalGradientEntry } from './natural-gradient.ts';
import { newtonCgEntry } from './newton-cg.ts';
import { radamEntry } from './radam.ts';
import { rmspropEntry } from './rmsprop.ts';
import { samEntry } from './sam.ts';
import { scheduleFreeAdamwEntry, scheduleFreeSgdEntry } from './schedule-free.ts';
import { sgdEntry } from './sgd.ts';
import { shampooEntry } from './shampoo.ts';
import { soapEntry } from './soap.ts';
import { sophiaEntry } from './sophia.ts';
import { yogiEntry } from './yogi.ts';

/** All optimizers, one line each, in alphabetical order. */
export const optimizers = {
  adabelief: adabeliefEntry,
  adadelta: adadeltaEntry,
  adafactor: adafactorEntry,
  adagrad: adagradEntry,
  adam: adamEntry,
  adamw: adamwEntry,
  'adaptive-gradient-clipping': adaptiveGradientClippingEntry,
  amsgrad: amsgradEntry,
  asam: asamEntry,
  'clip-by-global-norm': clipByGlobalNormEntry,
  'clip-by-norm': clipByNormEntry,
  'clip-by-value': clipByValueEntry,
  'exponential-average': exponentialAverageEntry,
  'gauss-newton-cg': gaussNewtonCgEntry,
  'gradient-noise': gradientNoiseEntry,
  kfac: kfacEntry,
  lamb: lambEntry,
  langevin: langevinEntry,
  lars: larsEntry,
  lbfgs: lbfgsEntry,
  lion: lionEntry,
  lookahead: lookaheadEntry,
  muon: muonEntry,
  nadam: nadamEntry,
  'natural-gradient': naturalGradientEntry,
  'newton-cg': newtonCgEntry,
  radam: radamEntry,
  rmsprop: rmspropEntry,
  sam: samEntry,
  'schedule-free-adamw': scheduleFreeAdamwEntry,
  'schedule-free-sgd': scheduleFreeSgdEntry,
  sgd: sgdEntry,
  shampoo: shampooEntry,
  soap: soapEntry,
  sophia: sophiaEntry,
  'weight-average': stochasticWeightAverageEntry,
  yogi: yogiEntry,
} as const satisfies Readonly<Record<string, OptimizerEntry>>;

/** Names that an optimizer's text may start with. */
export type OptimizerName = keyof typeof optimizers;

/**
 * An optimizer from a text: a name and, after a colon, options separated by commas, as `adam:beta1=0.9,epsilon=1e-8`. One that wraps
 * another stands before it with a plus: `sam:rho=0.1+adamw:weightDecay=0.1`; without what it wraps it takes its own.
 *
 * @throws ArgumentError naming the part that is wrong, and the names there are.
 */
export const optimizerNamed = (text: string): Optimizer =>
  composed<OptimizerEntry, Optimizer>('optimizer', optimizers, text, (entry, values, base) => entry.make(values, base));
