/** Options that several optimizers have, as their registry entries list them. @module */
import { flag, fraction, nonNegative, option, type DescribedOption } from '../util/options.ts';

/** beta1 and beta2 of Adam and its kin. */
export const momentOptions = (beta1: number, beta2: number): { readonly beta1: DescribedOption<number>; readonly beta2: DescribedOption<number> } => ({
  beta1: option(fraction, 'decay rate of the mean of gradients, below 1', beta1),
  beta2: option(fraction, 'decay rate of the mean of squares, below 1', beta2),
});
/** Of the velocity that directions are added to. */
export const momentumOption = (standard: number): DescribedOption<number> => option(fraction, 'share of the last velocity that is kept', standard);
export const nesterovOption = option(flag, 'look ahead along the velocity', false);
export const epsilonOption = (standard: number): DescribedOption<number> => option(nonNegative, 'added to the denominator', standard);
export const coupledDecay = option(nonNegative, 'weight decay added to the gradient', 0);
export const decoupledDecay = (standard: number): DescribedOption<number> => option(nonNegative, 'decoupled weight decay: a step shrinks weights by rate * weightDecay', standard);
