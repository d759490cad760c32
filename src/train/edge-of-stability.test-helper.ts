/** Small problems on which full-batch methods reach the edge of stability within seconds, and how closely they stay there. */
import type { Problem } from '../problem/index.ts';
import { gaussianClusters, type Split } from '../data/index.ts';
import { meanSquaredError } from '../losses/index.ts';
import { mlp, type MlpParameters } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';
import type { BesideProbe } from './probe.ts';
import { train } from './train.ts';

/** A tanh network with mean squared error, so that the loss is as close to quadratic as a network's gets. */
export const tanhNetwork = (name: string, data: Split, sizes: readonly number[]): Problem<MlpParameters> =>
  ({ name, model: mlp({ sizes, activation: 'tanh' }), loss: (outputs, targets) => meanSquaredError(outputs, targets), train: data });

/** Four classes of 50 that overlap: hard to fit, so that sharpness keeps rising for thousands of steps. */
export const clusters = (): Problem<MlpParameters> => tanhNetwork('clusters', gaussianClusters({ samples: 200, classes: 4, dimension: 4, separation: 1 }).train, [4, 32, 32, 4]);

/** A run seen through a sharpness probe. */
export interface SharpnessCourse {
  readonly steps: readonly number[];
  /** Sharpness at each of these steps, in units of the limit. */
  readonly ratios: readonly number[];
  readonly losses: readonly number[];
  /** Steps from `from` on at which the loss rose. */
  rises(from?: number): number;
  /** Mean, least and largest ratio from step `from` on. */
  late(from: number): { readonly mean: number; readonly least: number; readonly most: number };
}

/** Trains full-batch, and compares the probe's column with `limit`. */
export async function courseOf(problem: Problem<MlpParameters>, optimizer: Optimizer, rate: number, steps: number, limit: number, probe: BesideProbe): Promise<SharpnessCourse> {
  const run = await train(problem, { optimizer, schedule: rate, steps, batchSize: 'full', seed: 0, probes: [probe] });
  if (run.end.reason !== 'finished') throw new Error(`the run ended: ${run.end.reason}`);
  const series = run.table.series(probe.name);
  const ratios = series.values.map((value) => value / limit);
  const { losses } = run;
  return {
    steps: series.steps, ratios, losses,
    rises: (from = 0) => losses.filter((loss, i) => i > from && loss > losses[i - 1]).length,
    late(from) {
      const values = ratios.filter((_, i) => series.steps[i] >= from);
      return { mean: values.reduce((sum, x) => sum + x, 0) / values.length, least: Math.min(...values), most: Math.max(...values) };
    },
  };
}
