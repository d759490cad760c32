/** Rates at which every optimizer of the registry gets somewhere: what the tests of all of them share. */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { updateContext } from './context.ts';
import type { OptimizerEntry } from './entry.ts';
import type { Optimizer } from './optimizer.ts';
import { optimizerNamed, optimizers } from './registry.ts';

/** A run: the optimizer as the command line names it, the first rate (it falls to zero in a line), the steps. */
export interface Trial {
  readonly optimizer: string;
  readonly rate: number;
  readonly steps?: number;
  /** The same rate at all steps. */
  readonly constant?: true;
  /** Largest distance of a parameter from the optimum at the end; default 0.01, of Rosenbrock's valley 0.1. */
  readonly within?: number;
}

export interface Row {
  /** A convex quadratic with curvatures from 1 to 20; 200 steps. Absent where a model is needed. */
  readonly quadratic?: Trial;
  /** Rosenbrock's valley from (-1.2, 1); 1000 steps. */
  readonly rosenbrock?: Trial;
  /** A small network on three classes; 60 steps of 32 examples. */
  readonly network: Trial;
}

const row = (quadratic: Trial, rosenbrock: Trial, network: Trial): Row => ({ quadratic, rosenbrock, network });
const at = (optimizer: string, rate: number, more: Omit<Trial, 'optimizer' | 'rate'> = {}): Trial => ({ optimizer, rate, ...more });

/** By name. What wraps another is tried around Adam where the valley is concerned, in which plain gradient descent takes thousands of steps. */
export const rows: Readonly<Record<string, Row>> = {
  adabelief: row(at('adabelief', 0.3), at('adabelief', 0.3), at('adabelief', 0.03)),
  adadelta: row(at('adadelta:epsilon=0.01', 1), at('adadelta:epsilon=0.01', 0.006, { steps: 6000 }), at('adadelta:epsilon=0.001', 1)),
  adafactor: row(at('adafactor', 0.3), at('adafactor:beta1=0.9', 0.1), at('adafactor', 0.1)),
  adagrad: row(at('adagrad', 1), at('adagrad', 1, { steps: 4000, constant: true }), at('adagrad', 0.1)),
  adam: row(at('adam', 0.3), at('adam', 0.3), at('adam', 0.03)),
  adamw: row(at('adamw:weightDecay=1e-3', 0.3), at('adamw:weightDecay=1e-4', 0.3), at('adamw', 0.03)),
  'adaptive-gradient-clipping': row(at('adaptive-gradient-clipping', 3), at('adaptive-gradient-clipping+adam', 0.03), at('adaptive-gradient-clipping+adam', 0.03)),
  amsgrad: row(at('amsgrad', 0.3), at('amsgrad', 0.3), at('amsgrad', 0.03)),
  asam: row(at('asam', 0.1), at('asam:rho=0.001+adam', 0.3), at('asam', 0.3)),
  'clip-by-global-norm': row(at('clip-by-global-norm', 0.3), at('clip-by-global-norm+adam', 0.03), at('clip-by-global-norm', 0.3)),
  'clip-by-norm': row(at('clip-by-norm', 0.3), at('clip-by-norm+adam', 0.03), at('clip-by-norm', 0.3)),
  'clip-by-value': row(at('clip-by-value', 0.3), at('clip-by-value+adam', 0.03), at('clip-by-value', 0.3)),
  'exponential-average': row(at('exponential-average:decay=0.9', 0.09), at('exponential-average:decay=0.9+adam', 0.3), at('exponential-average:decay=0.9', 0.3)),
  'gauss-newton-cg': { network: at('gauss-newton-cg', 1, { constant: true }) },
  'gradient-noise': row(at('gradient-noise', 0.09), at('gradient-noise+adam', 0.1, { steps: 2000 }), at('gradient-noise', 0.3)),
  kfac: { network: at('kfac:momentum=0', 0.3) },
  lamb: row(at('lamb', 0.03), at('lamb:beta2=0.9', 0.1), at('lamb', 0.03)),
  langevin: row(at('langevin:temperature=1e-8', 0.09), at('langevin:temperature=1e-8', 0.002, { steps: 6000 }), at('langevin', 0.3)),
  lars: row(at('lars:coefficient=0.1', 0.1), at('lars:coefficient=0.1', 0.03, { steps: 2000 }), at('lars:coefficient=0.1', 0.3)),
  lbfgs: row(at('lbfgs', 1, { constant: true, steps: 30 }), at('lbfgs', 1, { constant: true, steps: 60 }), at('lbfgs', 1, { constant: true })),
  lion: row(at('lion', 0.1), at('lion', 0.03), at('lion', 0.01)),
  lookahead: row(at('lookahead', 0.3), at('lookahead', 0.3, { steps: 2000 }), at('lookahead', 0.05)),
  muon: row(at('muon', 0.1), at('muon', 0.3), at('muon', 0.03)),
  nadam: row(at('nadam', 0.3), at('nadam', 0.1, { steps: 2000 }), at('nadam', 0.03)),
  'natural-gradient': { network: at('natural-gradient:damping=0.1', 0.5) },
  'newton-cg': row(at('newton-cg', 1, { constant: true, steps: 20 }), at('newton-cg', 1, { constant: true, steps: 60 }), at('newton-cg', 1, { constant: true })),
  // Its first steps are those of momentum alone, at a rate meant for Adam: in the valley, where gradients are in the hundreds, it must be clipped.
  radam: row(at('radam:beta2=0.9', 0.1), at('clip-by-global-norm+radam', 0.03), at('radam', 0.2)),
  rmsprop: row(at('rmsprop', 0.1), at('rmsprop:momentum=0.9', 0.01), at('rmsprop', 0.01)),
  sam: row(at('sam', 0.09), at('sam:rho=0.001+adam', 0.3), at('sam', 0.3)),
  'schedule-free-adamw': row(at('schedule-free-adamw', 1), at('schedule-free-adamw', 1), at('schedule-free-adamw', 0.03, { constant: true })),
  'schedule-free-sgd': row(at('schedule-free-sgd', 1), at('clip-by-global-norm+schedule-free-sgd', 0.1, { constant: true }), at('schedule-free-sgd', 0.5, { constant: true })),
  sgd: row(at('sgd', 0.09), at('sgd:momentum=0.9', 0.002), at('sgd:momentum=0.9', 0.05)),
  shampoo: row(at('shampoo', 0.3), at('shampoo:decay=0.95,grafting=rmsprop', 0.03), at('shampoo', 0.1)),
  soap: row(at('soap', 0.3), at('soap', 0.1), at('soap', 0.03)),
  sophia: row(at('sophia:beta1=0.9', 0.05), at('sophia', 0.1), at('sophia', 0.03)),
  'weight-average': row(at('weight-average:start=100', 0.09), at('weight-average:start=1500+adam', 0.3), at('weight-average', 0.3)),
  yogi: row(at('yogi', 0.3), at('yogi', 0.3), at('yogi', 0.03)),
};

export const entries = Object.entries<OptimizerEntry>(optimizers);

/** Entries that work on any loss. */
export const modelFree = entries.filter(([name]) => rows[name]?.quadratic !== undefined);

/** An entry's optimizer; what wraps another, around the one its entry names. Options may be tensors. */
export const made = (entry: OptimizerEntry, values: Readonly<Record<string, unknown>> = {}): Optimizer =>
  entry.make(values as never, entry.wraps === undefined ? undefined : optimizerNamed(entry.wraps));

export const scheduled = ({ rate, constant }: Trial, steps: number): ((step: number) => number) => (step) => (constant ? rate : rate * (1 - step / steps));

/** A step as one function of tensors: what is compiled, or mapped over replicas. */
export interface Stepped<P> {
  readonly params: P;
  readonly state: unknown;
  readonly step: Tensor;
  readonly learningRate: Tensor;
  readonly normal: P;
}

/** The update of an optimizer on a loss, traced. */
export function updateOn<P>(optimizer: Optimizer, loss: (params: P) => Tensor, { params, state, step, learningRate, normal }: Stepped<P>): { readonly params: P; readonly state: unknown } {
  const { params: next, state: memory } = optimizer.update(updateContext<P>({ params, step, learningRate, lossAt: loss, normal: () => normal }), state);
  return { params: next, state: memory };
}

export const distances = (values: NDArray, optimum: readonly number[]): number[] => optimum.map((wanted, i) => Math.abs(values.data[i] - wanted));
