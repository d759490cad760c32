/** Whether the best learning rate of a small network is that of a large one. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';

/** Final losses of one network over a grid of learning rates. */
export interface RateSweep {
  /** What the network is scaled by: width, depth. */
  readonly size: number;
  /** Positive. */
  readonly rates: readonly number[];
  /** One a rate; what is not finite counts as +Infinity: the run diverged. */
  readonly losses: readonly number[];
}

/** The best rate of one size. */
export interface BestRate {
  readonly size: number;
  readonly rate: number;
  readonly loss: number;
  /** The best rate is the smallest or largest of its grid: the true one may lie beyond. */
  readonly isAtEnd: boolean;
  /** Loss here at the best rate of the smallest size; +Infinity where that diverges. */
  readonly transferred: number;
}

/** How the best rate goes with size. */
export interface LearningRateTransfer {
  /** By increasing size. */
  readonly best: readonly BestRate[];
  /** log2 of the largest of the best rates over the smallest: 0 where they agree. */
  readonly driftOctaves: number;
  /** Whether the best rate never falls as the size grows. */
  readonly isNonDecreasing: boolean;
}

/**
 * The best rate at each size, how far it drifts, and what is lost at each size by taking the smallest one's (`transferred` against
 * `loss`): the question of hyper-parameter transfer (Yang et al. 2022, arXiv 2203.03466). Drifts are known to the spacing of the grid.
 *
 * @throws ArgumentError when there is no sweep, a rate is not positive, a size has no finite loss, or a grid lacks the smallest
 * size's best rate; ShapeError when rates and losses differ in number.
 */
export function learningRateTransfer(sweeps: readonly RateSweep[]): LearningRateTransfer {
  if (sweeps.length === 0) throw new ArgumentError({ operation: 'learningRateTransfer', required: 'there must be at least one sweep', received: 'none' });
  const found = [...sweeps].sort((a, b) => a.size - b.size).map((sweep) => ({ sweep, ...bestOf(sweep) }));
  const [{ rate: carried }] = found;
  const best = found.map(({ sweep, ...rest }) => {
    const at = sweep.rates.indexOf(carried);
    if (at < 0) throw new ArgumentError({ operation: 'learningRateTransfer', required: `the rates of size ${sweep.size} must include ${carried}, the best of the smallest size`, received: sweep.rates.join(', ') });
    return { ...rest, transferred: finiteOr(sweep.losses[at]) };
  });
  const rates = best.map(({ rate }) => rate);
  return { best, driftOctaves: Math.log2(Math.max(...rates) / Math.min(...rates)), isNonDecreasing: rates.every((rate, i) => i === 0 || rate >= rates[i - 1]) };
}

const finiteOr = (loss: number): number => (Number.isFinite(loss) ? loss : Infinity);

function bestOf({ size, rates, losses }: RateSweep): Omit<BestRate, 'transferred'> {
  if (rates.length !== losses.length) throw new ShapeError({ operation: 'learningRateTransfer', required: `size ${size} must have a loss for each of its ${rates.length} rates`, received: String(losses.length) });
  const bad = rates.find((rate) => !(rate > 0 && rate < Infinity));
  if (bad !== undefined) throw new ArgumentError({ operation: 'learningRateTransfer', required: `the rates of size ${size} must be positive`, received: String(bad) });
  const at = losses.reduce((least, loss, i) => (finiteOr(loss) < (least < 0 ? Infinity : losses[least]) ? i : least), -1);
  if (at < 0) throw new ArgumentError({ operation: 'learningRateTransfer', required: `size ${size} must have a finite loss`, received: losses.join(', ') || 'no losses' });
  return { size, rate: rates[at], loss: losses[at], isAtEnd: rates[at] === Math.min(...rates) || rates[at] === Math.max(...rates) };
}
