/** Statistics of each layer's activations, watched. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { abs, convert, less, mean, mul, square, sum } from '../../ops/index.ts';
import { meanOf, type Measurement } from '../../problem/index.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from '../probe.ts';
import { layerValues, slopes } from './hidden-units.ts';
import { evaluatedOf, movingSums, type ExampleOptions } from './points.ts';

export interface ActivationsOptions extends ExampleOptions {
  /** Default 100. */
  readonly every?: number | undefined;
  /** A unit is saturated where its nonlinearity's slope is below this in absolute value. Default 0.05: |tanh| above 0.975. */
  readonly slope?: number | undefined;
}

/** Sums over examples of an example's mean activation m, its mean square q, products of these, and of its saturated share s. */
interface LayerSums<A = Tensor> {
  readonly m: A;
  readonly mm: A;
  readonly q: A;
  readonly qq: A;
  readonly mq: A;
  readonly s?: A;
  readonly ss?: A;
}

function layerSums(units: Tensor, saturated: Tensor | undefined): LayerSums {
  const perExample = (values: Tensor): Tensor => mean(values, values.shape.map((_, axis) => axis).slice(1));
  const [m, q] = [perExample(units), perExample(square(units))];
  const s = saturated && perExample(saturated);
  return { m: sum(m), mm: sum(square(m)), q: sum(q), qq: sum(square(q)), mq: sum(mul(m, q)), ...(s && { s: sum(s), ss: sum(square(s)) }) };
}

/** The standard deviation of all activations, with its standard error to first order: that of (q - 2 mean m) / (2 deviation). */
function deviationOf({ m, mm, q, qq, mq }: LayerSums<number>, n: number): Measurement {
  const centre = m / n;
  const value = Math.sqrt(Math.max(0, q / n - centre * centre));
  const { error } = meanOf({ sum: q - 2 * centre * m, squares: qq - 4 * centre * mq + 4 * centre * centre * mm }, n);
  return { value, error: error / (2 * value), kind: 'standard error', samples: n };
}

/**
 * Mean (`LAYER.mean`), standard deviation (`LAYER.std`) and saturated share (`LAYER.saturation`, where a nonlinearity follows) of each
 * layer's units over the first `samples` (default 500) examples and all units and positions, in eval mode. Standard errors over examples.
 */
export const activations = ({ every = 100, slope = 0.05, samples = 500, ...examples }: ActivationsOptions = {}): BesideProbe => ({
  where: 'beside', name: 'activations', every,
  prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> {
    const evaluated = evaluatedOf(setting, { samples, ...examples });
    const n = evaluated.split.size;
    const sums = movingSums('activations', evaluated, (point, { inputs }) => Object.fromEntries(layerValues(setting.problem, point, inputs).map((values): [string, LayerSums] =>
      [values.layer, layerSums(values.units, values.isActivated ? convert(less(abs(slopes(values)), slope), values.units.dtype) : undefined)])));
    const measureAll = async (moments: readonly Moment<P, State>[]): Promise<Measured[]> => (await sums.atAll(moments)).map((layers) => {
      const out: Record<string, Measurement> = {};
      for (const [layer, arrays] of Object.entries(layers as unknown as Record<string, LayerSums<NDArray>>)) {
        const { s, ss, ...rest } = Object.fromEntries(Object.entries(arrays).map(([name, array]: [string, NDArray]) => [name, array.item()])) as unknown as LayerSums<number>;
        out[`${layer}.mean`] = meanOf({ sum: rest.m, squares: rest.mm }, n);
        out[`${layer}.std`] = deviationOf(rest, n);
        if (s !== undefined && ss !== undefined) out[`${layer}.saturation`] = meanOf({ sum: s, squares: ss }, n);
      }
      return out;
    });
    return { measure: async (moment) => (await measureAll([moment]))[0], measureAll, dispose: () => sums.dispose() };
  },
});
