/** `vmap` against a loop. @module */
import { allocate, NDArray, sizeOf } from '../core/ndarray.ts';
import type { HostArguments } from '../transforms/compile.ts';
import { vmap } from '../transforms/vmap.ts';
import { flatten } from '../tree/tree.ts';
import { requireClose, type Tolerances } from './close.ts';
import { evaluateReference } from './evaluate.ts';

export interface BatchCheckOptions extends Tolerances {
  /** Mapped axis of each argument, as for `vmap`. Default 0 for every argument. */
  readonly inAxes?: number | readonly (number | null)[];
}

/**
 * Checks on the reference interpreter that `vmap(f)(...args)` is `f` applied to each slice, stacked. `args` carry the
 * mapped axes. Default tolerance 1e-11, since a batched product may add in another order.
 * @throws CheckError naming the result and element that differ.
 */
export function checkBatch<Args extends unknown[], Out>(f: (...args: Args) => Out, args: HostArguments<Args>, { inAxes = 0, relative = 1e-11, absolute = 1e-11, scaled = 1e-11 }: BatchCheckOptions = {}): void {
  const whole = evaluateReference(vmap(f, { inAxes }), ...args);
  const axes = args.map((_, i) => (typeof inAxes === 'number' ? inAxes : inAxes[i]));
  const slices = (i: number): unknown[] => args.map((arg, k) => {
    const axis = axes[k];
    if (axis === null) return arg;
    const { leaves, structure } = flatten<NDArray>(arg);
    return structure.rebuild(leaves.map((leaf) => sliceOf(leaf, axis < 0 ? axis + leaf.shape.length : axis, i)));
  });
  const mapped = axes.findIndex((axis) => axis !== null);
  const [first] = flatten<NDArray>(args[mapped]).leaves;
  const axis = axes[mapped]!;
  const size = first.shape[axis < 0 ? axis + first.shape.length : axis];
  const results = Array.from({ length: size }, (_, i) => flatten<NDArray>(evaluateReference(f, ...(slices(i) as HostArguments<Args>))));
  const stacked = results[0].structure.rebuild(results[0].leaves.map((_, k) => stackArrays(results.map((result) => result.leaves[k]))));
  requireClose(whole, stacked, { relative, absolute, scaled }, 'checkBatch: vmap against a loop');
}

/** The slice at `index` of `axis`, without that axis. */
export function sliceOf(a: NDArray, axis: number, index: number): NDArray {
  const inner = sizeOf(a.shape.slice(axis + 1));
  const outer = sizeOf(a.shape.slice(0, axis));
  const data = allocate(a.dtype, outer * inner);
  for (let o = 0; o < outer; o++) {
    const from = (o * a.shape[axis] + index) * inner;
    data.set(a.data.subarray(from, from + inner), o * inner);
  }
  return new NDArray(data, a.shape.filter((_, i) => i !== axis), a.dtype);
}

/** Arrays of one type side by side along a new axis 0. */
export function stackArrays(arrays: readonly NDArray[]): NDArray {
  const [first] = arrays;
  const data = allocate(first.dtype, first.size * arrays.length);
  arrays.forEach((a, i) => data.set(a.data, i * first.size));
  return new NDArray(data, [arrays.length, ...first.shape], first.dtype);
}
