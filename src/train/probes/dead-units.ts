/** Units that no example wakes, watched. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { abs, sum } from '../../ops/index.ts';
import { rounded, type Measurement } from '../../problem/index.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from '../probe.ts';
import { layerValues } from './hidden-units.ts';
import { evaluatedOf, movingSums, type ExampleOptions } from './points.ts';

export interface DeadUnitsOptions extends ExampleOptions {
  /** Default 100. */
  readonly every?: number | undefined;
  /** A unit is dead when its mean |activation| is at most this part of its layer's mean. Default 0: never anything but zero. */
  readonly threshold?: number | undefined;
}

/** Sum of |units| over examples and positions, by unit: channels of images are axis 1, elsewhere units are the last axis. */
function byUnit(units: Tensor): Tensor {
  const axis = units.rank === 4 ? 1 : units.rank - 1;
  return sum(abs(units), units.shape.map((_, i) => i).filter((i) => i !== axis));
}

/**
 * Share of units, of all layers with a nonlinearity (``) and of each (by name), whose mean |activation| over the first `samples` (default
 * 1,000) examples is at most `threshold` times their layer's (Sokar et al. 2023). A count on these examples: others may wake a unit.
 */
export const deadUnits = ({ every = 100, threshold = 0, samples = 1000, ...examples }: DeadUnitsOptions = {}): BesideProbe => ({
  where: 'beside', name: 'dead-units', every,
  prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> {
    const sums = movingSums('unit activity', evaluatedOf(setting, { samples, ...examples }), (point, { inputs }) =>
      Object.fromEntries(layerValues(setting.problem, point, inputs).filter(({ isActivated }) => isActivated).map(({ layer, units }): [string, Tensor] => [layer, byUnit(units)])));
    const measureAll = async (moments: readonly Moment<P, State>[]): Promise<Measured[]> => (await sums.atAll(moments)).map((layers) => {
      const out: Record<string, Measurement> = {};
      let [dead, all] = [0, 0];
      for (const [layer, { data }] of Object.entries(layers as unknown as Record<string, NDArray>)) {
        const total = (data as Float64Array).reduce((a, b) => a + b, 0);
        const asleep = (data as Float64Array).filter((x) => x <= (threshold * total) / data.length).length;
        out[layer] = rounded(asleep / data.length, 0);
        dead += asleep;
        all += data.length;
      }
      return { '': rounded(dead / all, 0), ...out };
    });
    return { measure: async (moment) => (await measureAll([moment]))[0], measureAll, dispose: () => sums.dispose() };
  },
});
