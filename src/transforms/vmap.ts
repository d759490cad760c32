/** Vectorisation and full Jacobians. @module */
import { AxisError, ShapeError } from '../util/errors.ts';
import { sizeOf, NDArray, allocate } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { constant } from '../prims/constant.ts';
import { asBatched } from '../prims/control/body.ts';
import { vectorize } from '../prims/interpret/vectorize.ts';
import { moveAxis, reshape } from '../prims/shape.ts';
import { flatten, unflatten } from '../tree/tree.ts';
import { grad, linearize, vjp } from './autodiff.ts';
import { requireFloatLeaves, tensorLeaves } from './trees.ts';

export interface VmapOptions {
  /** Mapped axis of each argument, or `null` for an argument that all calls share. Default: 0 for every argument. */
  readonly inAxes?: number | readonly (number | null)[];
  /** Where the mapped axis goes in every result. Default 0. */
  readonly outAxis?: number;
}

const normalize = (operation: string, axis: number, rank: number): number => {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) throw new AxisError({ operation, required: `the mapped axis must lie in ${-rank}..${rank - 1}`, received: String(axis) });
  return positive;
};

/**
 * Applies `f` to every slice of its arguments along an axis, as one program: products become larger products, not loops.
 * @throws AxisError | ShapeError when axes are out of range or mapped extents differ.
 */
export function vmap<Args extends unknown[], Out>(f: (...args: Args) => Out, { inAxes = 0, outAxis = 0 }: VmapOptions = {}): (...args: Args) => Out {
  return (...args) => {
    const axes = args.map((_, i) => (typeof inAxes === 'number' ? inAxes : (inAxes[i] ?? null)));
    if (typeof inAxes !== 'number' && inAxes.length !== args.length) throw new AxisError({ operation: 'vmap', required: `inAxes must have one entry for each of the ${args.length} arguments`, received: `${inAxes.length}` });
    const values: Tensor[] = [];
    const inputs: Tensor[] = [];
    const slices = args.map((arg, i) => {
      const axis = axes[i];
      if (axis === null) return arg;
      const { leaves, structure } = tensorLeaves('vmap', `argument ${i}`, arg);
      const moved = leaves.map((leaf) => moveAxis(leaf, normalize('vmap', axis, leaf.rank), 0));
      const inner = moved.map((leaf) => placeholder({ shape: leaf.shape.slice(1), dtype: leaf.dtype }));
      values.push(...moved);
      inputs.push(...inner);
      return structure.rebuild(inner);
    }) as Args;
    const size = commonSize(values);
    const flat = tensorLeaves('vmap', 'the result', f(...slices));
    const result = vectorize(inputs, values, values.map(() => true), size, flat.leaves);
    const outputs = result.outputs.map((output, i) => {
      const full = asBatched(output, result.batched[i], size);
      return outAxis === 0 ? full : moveAxis(full, 0, normalize('vmap', outAxis, full.rank));
    });
    return flat.structure.rebuild(outputs) as Out;
  };
}

function commonSize(values: readonly Tensor[]): number {
  if (values.length === 0) throw new AxisError({ operation: 'vmap', required: 'at least one argument must be mapped', received: 'none', remedy: 'give an axis for one argument in inAxes' });
  const sizes = new Set(values.map((value) => value.shape[0]));
  if (sizes.size > 1) throw new ShapeError({ operation: 'vmap', required: 'all mapped axes must have one extent', received: [...sizes].join(' and ') });
  return values[0].shape[0];
}

/** Unit vectors of a tensor's space: [size, ...shape]. */
function basis(like: Tensor): Tensor {
  const n = sizeOf(like.shape);
  const data = allocate(like.dtype, n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return constant(new NDArray(data, [n, ...like.shape], like.dtype));
}

/** A Jacobian: for every leaf of the result a tree like the argument, of shape [...result, ...argument]. */
export type JacobianOf<P, Out> = Out extends Tensor ? { [K in keyof P]: P[K] } & P : unknown;

/**
 * Jacobian with respect to the first argument by forward mode: a pass for each input element. For a tensor result the
 * answer is a tree like the argument with leaves [...result, ...argument]; for a tree of results, a tree of such trees.
 */
export function jacfwd<P, Rest extends unknown[], Out>(f: (params: P, ...rest: Rest) => Out): (params: P, ...rest: Rest) => JacobianOf<P, Out> {
  return (params, ...rest) => {
    requireFloatLeaves('jacfwd', 'the first argument', params);
    const { leaves } = tensorLeaves('jacfwd', 'the first argument', params);
    const perInput = leaves.map((leaf, i) => {
      const [, push] = linearize((x: Tensor) => f(unflatten(params, leaves.map((other, j) => (i === j ? x : other))) as P, ...rest), leaf);
      const columns = tensorLeaves('jacfwd', 'the result', vmap(push)(basis(leaf)));
      return { structure: columns.structure, blocks: columns.leaves.map((block) => reshape(lastToFront(block), [...block.shape.slice(1), ...leaf.shape])) };
    });
    const outputs = perInput[0].structure.paths.map((_, k) => unflatten(params, perInput.map((input) => input.blocks[k])));
    return perInput[0].structure.rebuild(outputs) as JacobianOf<P, Out>;
  };
}

/** [n, ...out] -> [...out, n] */
const lastToFront = (x: Tensor): Tensor => moveAxis(x, 0, x.rank - 1);

/**
 * Jacobian with respect to the first argument by reverse mode: a pass for each output element. Same result as `jacfwd`.
 */
export function jacrev<P, Rest extends unknown[], Out>(f: (params: P, ...rest: Rest) => Out): (params: P, ...rest: Rest) => JacobianOf<P, Out> {
  return (params, ...rest) => {
    requireFloatLeaves('jacrev', 'the first argument', params);
    const [out] = vjp((p: P) => f(p, ...rest), params);
    const flat = flatten<Tensor>(out);
    const rows = flat.leaves.map((leaf, k) => {
      const [, pull] = vjp((p: P) => flatten<Tensor>(f(p, ...rest)).leaves[k], params);
      const blocks = tensorLeaves('jacrev', 'the gradient', vmap((ct: Tensor) => pull(ct)[0])(basis(leaf)));
      return unflatten(params, blocks.leaves.map((block) => reshape(block, [...leaf.shape, ...block.shape.slice(1)])));
    });
    return flat.structure.rebuild(rows) as JacobianOf<P, Out>;
  };
}

/**
 * Dense Hessian of a scalar function with respect to its first argument: a tree of trees with leaves [...row, ...column].
 * For small problems; use `hvp` and an operator for large ones.
 */
export function hessian<P, Rest extends unknown[]>(f: (params: P, ...rest: Rest) => Tensor): (params: P, ...rest: Rest) => JacobianOf<P, P> {
  return jacfwd(grad(f)) as (params: P, ...rest: Rest) => JacobianOf<P, P>;
}
