/** The best learning rate and batch size of pretraining as power laws (Li et al. 2025, arXiv 2503.04715). @module */
import { requireNumber } from '../util/require.ts';

/** What a run is trained with. */
export interface StepLawSettings {
  /** Peak learning rate of AdamW, with linear warm-up and a cosine to a fixed small end. */
  readonly learningRate: number;
  /** Tokens a step: sequences a step times their length. */
  readonly batchTokens: number;
}

/**
 * lr = 1.79 N^-0.713 D^0.307 and B = 0.58 D^0.571 of N non-embedding parameters and D training tokens, as fitted to the grids of 3700
 * language models of up to a billion parameters (Li et al. 2025, "Step Law"). Far outside of that range only the form of the law can be expected.
 *
 * @throws ArgumentError when a number is not positive.
 */
export function stepLaw({ parameters, tokens }: { readonly parameters: number; readonly tokens: number }): StepLawSettings {
  requireNumber('stepLaw', 'parameters', parameters, 1);
  requireNumber('stepLaw', 'tokens', tokens, 1);
  return {
    learningRate: stepLawExponents.prefactor * parameters ** stepLawExponents.parameters * tokens ** stepLawExponents.tokens,
    batchTokens: stepLawExponents.batchPrefactor * tokens ** stepLawExponents.batchTokens,
  };
}

/** The constants of `stepLaw`, for comparison with exponents found elsewhere. */
export const stepLawExponents = { prefactor: 1.79, parameters: -0.713, tokens: 0.307, batchPrefactor: 0.58, batchTokens: 0.571 } as const;
