/** Where gradient descent becomes unstable: what sharpness is compared with while training. @module */
import { optimizers, type OptimizerEntry } from '../optim/index.ts';
import { parseOptions, type DescribedOptions } from '../util/options.ts';

/** On a quadratic of sharpness above `factor / learningRate` the method diverges. */
export interface Stability {
  /** Of which matrix the largest eigenvalue is meant: the Hessian, or the Hessian preconditioned by the optimizer. */
  readonly matrix: 'H' | 'P^-1 H';
  readonly factor: number;
  /** The threshold in words: `2 (1 + beta) / learning rate`. */
  readonly formula: string;
}

type Rule = (option: (name: string) => unknown) => Omit<Stability, 'matrix'>;
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Polyak's momentum: 2 (1 + beta); Nesterov's: 2 (1 + beta) / (1 + 2 beta) (Cohen et al. 2021, section 2 and appendix B). */
const momentum: Rule = (option) => {
  const beta = number(option('momentum'));
  if (option('nesterov') === true && beta > 0) return { factor: (2 * (1 + beta)) / (1 + 2 * beta), formula: '2 (1 + β) / ((1 + 2β) × learning rate)' };
  return { factor: 2 * (1 + beta), formula: beta === 0 ? '2 / learning rate' : '2 (1 + β) / learning rate' };
};

/** An exponential average of gradients in place of a sum: 2 (1 + beta1) / (1 - beta1) (Cohen et al. 2022, proposition 1). */
const averaged: Rule = (option) => {
  const beta = number(option('beta1'));
  return { factor: (2 * (1 + beta)) / (1 - beta), formula: '2 (1 + β₁) / ((1 − β₁) × learning rate)' };
};

/** The methods that a threshold is known for. */
const rules: Readonly<Record<string, readonly [matrix: Stability['matrix'], rule: Rule]>> = {
  sgd: ['H', momentum], adam: ['P^-1 H', averaged], adamw: ['P^-1 H', averaged], amsgrad: ['P^-1 H', averaged], adabelief: ['P^-1 H', averaged], yogi: ['P^-1 H', averaged],
  rmsprop: ['P^-1 H', momentum], adagrad: ['P^-1 H', momentum],
};

/**
 * The threshold of an optimizer from its text; undefined where none is known, as for what wraps another.
 *
 * Cohen, Kaur, Li, Kolter, Talwalkar, "Gradient descent on neural networks typically occurs at the edge of stability", 2021; Cohen et al.,
 * "Adaptive gradient methods at the edge of stability", 2022.
 */
export function stabilityOf(text: string): Stability | undefined {
  const [name] = text.split(':', 1);
  const entries: Readonly<Record<string, OptimizerEntry>> = optimizers;
  if (!Object.hasOwn(rules, name) || !Object.hasOwn(entries, name) || /\+[a-z]/i.test(text)) return undefined;
  const [matrix, rule] = rules[name];
  const { options }: { options: DescribedOptions } = entries[name];
  const values: Readonly<Record<string, unknown>> = parseOptions(`optimizer ${name}`, text.slice(name.length + 1), options);
  return { matrix, ...rule((option) => values[option] ?? (Object.hasOwn(options, option) ? options[option].default : undefined)) };
}
