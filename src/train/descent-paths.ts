/** Gradient descent of any traced objective from many starts at once, looked at after chosen numbers of steps. @module */
import type { Executor } from '../core/backend.ts';
import { NDArray, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, convert, less, mul, sub, zeros } from '../ops/index.ts';
import { compile, grad, vmap, whileLoop, type Host } from '../transforms/index.ts';
import { flatten, leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { sliceOf, stacked } from './inputs.ts';

/** One descent: where it starts, what its objective is given, how far it steps. Arrays have the same shapes for all of a call. */
export interface Descent<P, D> {
  readonly start: Host<P>;
  readonly data: Host<D>;
  readonly learningRate: number;
}

/** What one descent passed through, in the order of the steps asked for. */
export interface DescentPath<P> {
  readonly params: readonly Host<P>[];
  readonly losses: readonly number[];
}

/** When the descents are looked at, and how they are run. */
/** Options of `descentPaths`. */
export interface DescentOptions {
  /** Numbers of steps after which the descents are looked at, ascending; 0 is the start. */
  readonly steps: readonly number[];
  readonly executor?: Executor;
  /** Most steps in one call of the backend, between which `onProgress` is waited for. Default 1000. */
  readonly stepsPerCall?: number;
  readonly onProgress?: (done: number) => Promise<void> | void;
}

interface Program<P, D> {
  (params: Host<P>, data: Host<D>, rates: NDArray, count: NDArray): Promise<{ readonly params: Host<P>; readonly losses: NDArray }>;
  dispose(): Promise<void>;
}

/**
 * theta <- theta - eta grad L(theta; data) for each descent, all in one program: `objective` is a scalar of parameters and data, vectorised over the
 * descents, and steps run in a loop of which the length is an argument, so that any spacing of records takes one compilation. For small
 * objectives without a model, examples and batches, and many thousand steps; `train` is for the others. Descents that diverge become NaN.
 *
 * @throws ArgumentError when there is no descent, or steps do not ascend.
 */
export async function descentPaths<P, D>(objective: (params: P, data: D) => Tensor, descents: readonly Descent<P, D>[], { steps, executor, stepsPerCall = 1000, onProgress = () => {} }: DescentOptions): Promise<DescentPath<P>[]> {
  if (descents.length === 0) throw new ArgumentError({ operation: 'descentPaths', required: 'descents must hold at least one', received: 'none' });
  requireInteger('descentPaths', 'stepsPerCall', stepsPerCall, 1);
  steps.forEach((step, i) => requireInteger('descentPaths', `steps[${i}]`, step, i === 0 ? 0 : steps[i - 1] + 1));
  descents.forEach(({ learningRate }, i) => requireNumber('descentPaths', `descents[${i}].learningRate`, learningRate));
  const data = stacked(descents.map((one) => one.data));
  const rates = new NDArray(Float64Array.from(descents, ({ learningRate }) => learningRate), [descents.length], 'float64');
  const program = compile((params: P, given: D, rate: Tensor, count: Tensor) => {
    const descended = (at: P): P => vmap((one: P, its: D, eta: Tensor): P => {
      const gradients = leaves<Tensor>(grad((theta: P) => objective(theta, its))(one));
      const { leaves: values, structure } = flatten<Tensor>(one);
      return structure.rebuild(values.map((value, k) => sub(value, mul(convert(eta, value.dtype), gradients[k])))) as P;
    })(at, given, rate);
    const { at } = whileLoop(({ done }: { done: Tensor; at: P }) => less(done, count), ({ done, at: before }) => ({ done: add(done, 1), at: descended(before) }), { done: zeros([], 'int32'), at: params });
    return { params: at, losses: vmap(objective)(at, given) };
  }, { name: 'descent', ...(executor && { executor }) }) as unknown as Program<P, D>;
  const paths = descents.map(() => ({ params: [] as Host<P>[], losses: [] as number[] }));
  try {
    let params = stacked(descents.map(({ start }) => start));
    let done = 0;
    for (const step of steps) {
      // At least one call for each record: of no step where the start itself is asked for.
      do {
        const count = Math.min(stepsPerCall, step - done);
        const after = await program(params, data, rates, scalar(count, 'int32'));
        params = after.params;
        done += count;
        if (done === step) paths.forEach((path, k) => { path.params.push(sliceOf(after.params, k)); path.losses.push(after.losses.data[k]); });
        await onProgress(done);
      } while (done < step);
    }
  } finally {
    await program.dispose();
  }
  return paths;
}
