/** Several budgets from one run: the rate goes down at each of them, and up again (Wen, Li, Wang, Hall, Liang, Ma 2024). @module */
import { ArgumentError } from '../../util/errors.ts';
import { fraction, nonNegative, oneOf, option, positiveIntegers } from '../../util/options.ts';
import { requireInteger, requireNumber } from '../../util/require.ts';
import { scheduleEntry } from '../entry.ts';
import type { Schedule } from '../optimizer.ts';
import { decayShapes, warmupStableDecaySchedule, type DecayShape } from './warmup-stable-decay.ts';
import { sequenceSchedule } from './warmup.ts';

/** Options of `repeatedDecaySchedule`. */
export interface RepeatedDecayScheduleOptions {
  readonly rate: number;
  /** Steps after which a network is wanted, ascending. The last is the length of the run. */
  readonly budgets: readonly number[];
  /** Share of each budget that the decay before it takes. Default 0.1. */
  readonly decay?: number;
  /** How it goes down. Default `inverse-linear`. */
  readonly shape?: DecayShape;
  /** Rate at each budget. Default a tenth of the rate where the shape is `inverse-linear`, else 0. */
  readonly end?: number;
  /** Steps of a linear warm-up from zero. Default 0. */
  readonly warmup?: number;
}

/**
 * WSD-S, warm-up, stable, decay, simplified: at each budget the rate has come down, and the run goes on from there at the full rate. Unlike
 * with side branches, no step is thrown away. @throws ArgumentError when budgets do not ascend or a decay does not fit between two of them.
 */
export function repeatedDecaySchedule({ rate, budgets, decay = 0.1, shape = 'inverse-linear', end, warmup = 0 }: RepeatedDecayScheduleOptions): Schedule {
  const stretches = stretchesOf('repeatedDecaySchedule', budgets, decay);
  return sequenceSchedule(stretches.map(({ from, budget, decayed }, i) => {
    const steps = budget - from;
    if (decayed > steps) throw new ArgumentError({ operation: 'repeatedDecaySchedule', required: `the decay of ${decayed} steps before ${budget} must fit behind ${from}`, received: `${steps} steps` });
    return { steps, schedule: warmupStableDecaySchedule({ rate, steps, warmup: i === 0 ? warmup : 0, decay: decayed, shape, ...(end !== undefined && { end }) }) };
  }));
}

/** A run that ends at one budget by a decay from the main branch. */
export interface DecayBranch {
  readonly budget: number;
  /** Steps of main branch and decay together: below the budget, since the decays before it were paid for. */
  readonly steps: number;
  /** Of them, those of the decay. */
  readonly decay: number;
}

/**
 * What WSD can afford when it must serve several budgets: its main branch never decays, each decay is a side branch whose steps are thrown away
 * afterwards. By the i-th budget B_i all steps taken, side branches included, are B_i: steps_i = B_i - sum_{j < i} decay B_j.
 *
 * @throws ArgumentError when budgets do not ascend, or decays leave nothing for the main branch.
 */
export function decayBranches(budgets: readonly number[], decay = 0.1): DecayBranch[] {
  let paid = 0;
  return stretchesOf('decayBranches', budgets, decay).map(({ budget, decayed }) => {
    const steps = budget - paid;
    if (steps < decayed) throw new ArgumentError({ operation: 'decayBranches', required: `decays before ${budget} must leave its own ${decayed} steps`, received: `${steps}` });
    paid += decayed;
    return { budget, steps, decay: decayed };
  });
}

function stretchesOf(operation: string, budgets: readonly number[], decay: number): { readonly from: number; readonly budget: number; readonly decayed: number }[] {
  if (budgets.length === 0) throw new ArgumentError({ operation, required: 'budgets must have at least one', received: 'none' });
  requireNumber(operation, 'decay', decay, 0, 1);
  budgets.forEach((budget, i) => requireInteger(operation, `budgets[${i}]`, budget, i === 0 ? 1 : budgets[i - 1] + 1));
  return budgets.map((budget, i) => ({ from: i === 0 ? 0 : budgets[i - 1], budget, decayed: Math.round(decay * budget) }));
}

/** The entry of the registry. */
export const repeatedDecayEntry = scheduleEntry({
  description: 'a decay at each of several budgets, the full rate between: WSD-S (Wen et al. 2024)',
  options: {
    budgets: option(positiveIntegers, 'steps after which the rate has come down, joined by dashes; left out, after each third of the run'),
    decay: option(fraction, 'share of each budget that its decay takes', 0.1),
    shape: option(oneOf(decayShapes), 'how it goes down', 'inverse-linear'),
    end: option(nonNegative, 'the rate at each budget; left out, 0, or with inverse-linear a tenth of the rate'),
  },
  make: ({ rate, steps }, { budgets = [...new Set([1, 2, 3].map((third) => Math.ceil((third * steps) / 3)))], ...rest }) => repeatedDecaySchedule({ rate, budgets, ...rest }),
});
