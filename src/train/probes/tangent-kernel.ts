/** How the tangent kernel moves, and what it knows of the targets. @module */
import { NDArray } from '../../core/ndarray.ts';
import type { Split } from '../../data/index.ts';
import { kernelDistance, ntkEvaluator, targetAlignment } from '../../kernels/index.ts';
import type { Measurement } from '../../problem/index.ts';
import type { BesideProbe, PreparedProbe, ProbeSetting } from '../probe.ts';
import { evaluatedOf, type ExampleOptions } from './points.ts';

export interface TangentKernelOptions extends ExampleOptions {
  /** Default 100. */
  readonly every?: number | undefined;
}

/** Targets as rows: labels [n] as one-hot ones. */
function rowsOf({ targets, size }: Split): Float64Array {
  if (targets.dtype !== 'int32') return Float64Array.from(targets.data);
  const labels = targets.data as Int32Array;
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const each = labels.length / size;
  const rows = new Float64Array(labels.length * classes);
  for (let i = 0; i < size; i++) for (let t = 0; t < each; t++) rows[(i * each + t) * classes + labels[i * each + t]] = 1;
  return rows;
}

const unknown: Measurement = { value: NaN, error: NaN, kind: 'rounding' };

/**
 * The empirical tangent kernel, its mean over outputs, between the first `samples` (default 100) examples: its cosine distance from the
 * kernel at the start of the run (`distance`; Fort et al. 2020) and, by steps, from that of the last measurement (`velocity`; NaN at the
 * first), and its alignment with the kernel of the targets, centred (`alignment`, CKA). Errors: rounding of the entries.
 */
export const tangentKernel = ({ every = 100, samples = 100, ...examples }: TangentKernelOptions = {}): BesideProbe => ({
  where: 'beside', name: 'tangent-kernel', every,
  prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> {
    const { problem, executor, split } = evaluatedOf(setting, { samples, ...examples });
    const evaluator = ntkEvaluator(problem, setting.start, split.inputs, undefined, { ...(executor && { executor }), ...(setting.signal && { signal: setting.signal }) });
    const targets = rowsOf(split);
    let first: Float64Array | undefined;
    let last: { readonly kernel: Float64Array; readonly step: number } | undefined;
    return {
      async measure(moment) {
        first ??= (await evaluator.evaluate(setting.start)).values;
        const { values, rounding, seconds } = await evaluator.evaluate(moment);
        const steps = last === undefined ? 0 : moment.step - last.step;
        const moved = steps > 0 ? kernelDistance(last!.kernel, values, { rounding }) : unknown;
        last = { kernel: values, step: moment.step };
        return {
          velocity: { ...moved, value: moved.value / steps, error: moved.error / steps, cost: { products: 0, seconds } },
          distance: kernelDistance(first, values, { rounding }), alignment: targetAlignment(values, targets, { centred: true, rounding }),
        };
      },
      save() {
        if (last === undefined) return {} as Record<string, NDArray>;
        return { kernel: new NDArray(last.kernel, [last.kernel.length], 'float64'), step: new NDArray(Float64Array.of(last.step), [], 'float64') };
      },
      restore({ kernel, step }) { last = kernel && step ? { kernel: Float64Array.from(kernel.data), step: step.item() } : undefined; },
      dispose: () => evaluator.dispose(),
    };
  },
});
