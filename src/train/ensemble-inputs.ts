/** What the steps of an ensemble are given: what replicas share once, what differs stacked along a first axis. @module */
import { NDArray, scalar, toDtype } from '../core/ndarray.ts';
import { stacked, type HostInput, type StepInputs } from './inputs.ts';

/** The inputs of one step: together they make each replica's. */
export interface EnsembleInput<P> {
  readonly shared: Partial<HostInput<P>>;
  /** Leaves [replicas, ...]. */
  readonly own: Partial<HostInput<P>>;
}

/** The inputs of the steps of some replicas. */
export interface EnsembleInputs<P> {
  /** Rates of each replica. */
  at(step: number, rates: readonly number[]): EnsembleInput<P>;
  /** Those of one replica alone, as `train` would make them. */
  of(replica: number, step: number, rate: number): HostInput<P>;
}

export interface EnsembleInputSettings<P> {
  /** Seed of each replica's batches and other random numbers. */
  readonly seeds: readonly number[];
  /** Whether rates may differ. */
  readonly ownRates: boolean;
  readonly dtype: 'float32' | 'float64';
  readonly inputsOf: (seed: number) => StepInputs<P>;
}

/** Replicas of one seed share batches, noise and draws. */
export function ensembleInputs<P>({ seeds, ownRates, dtype, inputsOf }: EnsembleInputSettings<P>): EnsembleInputs<P> {
  const streams = new Map(seeds.map((seed) => [seed, inputsOf(seed)]));
  return {
    at(step, rates) {
      const drawn = new Map([...streams].map(([seed, stream]) => [seed, stream.at(step, rates[0])]));
      const { step: count, learningRate, ...random } = drawn.get(seeds[0])!;
      const rate = ownRates ? toDtype(new NDArray(Float64Array.from(rates), [rates.length], 'float64'), dtype) : learningRate;
      const isShared = streams.size === 1;
      return {
        shared: { step: count, ...(!ownRates && { learningRate: rate }), ...(isShared && random) },
        own: { ...(ownRates && { learningRate: rate }), ...(!isShared && stacked(seeds.map((seed) => {
          const { step: _step, learningRate: _rate, ...own } = drawn.get(seed)!;
          return own;
        }))) },
      };
    },
    of: (replica, step, rate) => ({ ...streams.get(seeds[replica])!.at(step, rate), learningRate: scalar(rate, dtype) }),
  };
}
