/** Whether confidence means what it says, watched. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { correct } from '../../losses/index.ts';
import { exp, max } from '../../ops/index.ts';
import { jackknifed, predict, type Measurement } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import type { BesideProbe } from '../probe.ts';
import { answered, type EvaluationOptions } from './evaluation.ts';
import { evaluatedOf, movingSums } from './points.ts';
import { logProbabilities } from './predictions.ts';

export interface CalibrationOptions extends Omit<EvaluationOptions, 'split'> {
  /** Default: `test` where there is one. */
  readonly split?: 'train' | 'test' | undefined;
  /** Bins of equal width in (0, 1]. Default 15. */
  readonly bins?: number | undefined;
}

/** One group of examples: sums of confidence and of right answers, and counts, by bin. */
interface Binned {
  readonly confidence: Float64Array;
  readonly right: Float64Array;
  readonly count: Float64Array;
}

const GROUPS = 10;

/** sum over bins of |right answers - confidence| / examples. */
function calibrationError(groups: readonly Binned[]): number {
  const bins = groups[0].count.length;
  let [gap, examples] = [0, 0];
  for (let b = 0; b < bins; b++) {
    gap += Math.abs(groups.reduce((sum, { right, confidence }) => sum + right[b] - confidence[b], 0));
    examples += groups.reduce((sum, { count }) => sum + count[b], 0);
  }
  return gap / examples;
}

const overconfidence = (groups: readonly Binned[]): number => {
  const total = (pick: (group: Binned) => Float64Array): number => groups.reduce((sum, group) => sum + pick(group).reduce((a, b) => a + b, 0), 0);
  return (total(({ confidence }) => confidence) - total(({ right }) => right)) / total(({ count }) => count);
};

/** The plain value with the jackknife's standard error over groups. */
const measured = (groups: readonly Binned[], statistic: (groups: readonly Binned[]) => number): Measurement => ({ ...jackknifed(groups, statistic), value: statistic(groups) });

/** Interleaved groups of examples from confidences of (0, 1] and right answers. */
export function binned(confidence: ArrayLike<number>, right: ArrayLike<number>, bins: number): Binned[] {
  const groups = Array.from({ length: Math.min(GROUPS, confidence.length) }, (): Binned => ({ confidence: new Float64Array(bins), right: new Float64Array(bins), count: new Float64Array(bins) }));
  for (let i = 0; i < confidence.length; i++) {
    const group = groups[i % groups.length];
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence[i] * bins) - 1));
    group.confidence[bin] += confidence[i];
    group.right[bin] += right[i];
    group.count[bin]++;
  }
  return groups;
}

/**
 * Expected calibration error of the largest probability (``; Guo et al. 2017, 15 bins) and mean confidence less accuracy
 * (`overconfidence`) over the first `samples` examples of the test split. Standard errors by the jackknife over 10 groups.
 * @throws ArgumentError (when it measures) unless targets are one label an example.
 */
export const calibration = ({ every = 100, samples, split = 'test', bins = 15, at = 'answer' }: CalibrationOptions = {}): BesideProbe => ({
  where: 'beside', name: 'calibration', every,
  prepare(setting) {
    const evaluated = evaluatedOf(setting, { samples, split });
    const { targets, size } = evaluated.split;
    if (targets.size !== size) throw new ArgumentError({ operation: 'calibration', required: 'there must be one label an example', received: String(targets) });
    const answers = movingSums('calibration', evaluated, ({ params, state }, batch) => {
      const outputs = predict(setting.problem, params, state, batch.inputs);
      return { confidence: exp(max(logProbabilities('calibration', outputs), 1)), right: correct(outputs, batch.targets) } satisfies Record<string, Tensor>;
    });
    return {
      async measure(moment) {
        const start = performance.now();
        const [confidence, right] = [new Float64Array(size), new Float64Array(size)];
        await answers.each(answered(moment, at), (part, from) => {
          const { confidence: c, right: r } = part as unknown as Record<string, NDArray>;
          confidence.set(c.data, from);
          right.set(r.data, from);
        });
        const groups = binned(confidence, right, bins);
        return { '': { ...measured(groups, calibrationError), cost: { products: 0, seconds: (performance.now() - start) / 1000 } }, overconfidence: measured(groups, overconfidence) };
      },
      dispose: () => answers.dispose(),
    };
  },
});
