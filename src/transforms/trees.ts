/** Trees of tensors at the border of user functions. @module */
import { DtypeError, TraceError } from '../util/errors.ts';
import { isFloat, NDArray } from '../core/ndarray.ts';
import { Tensor } from '../core/tensor.ts';
import { flatten, leavesWithPaths, type Structure } from '../tree/tree.ts';

/** The same tree with tensors replaced by host arrays. */
export type Host<T> = T extends Tensor ? NDArray : T extends (...args: never[]) => unknown ? T : T extends object ? { [K in keyof T]: Host<T[K]> } : T;

/** What a traced function of `T` is called with: host arrays, or plain numbers for scalars. */
export type HostInput<T> = T extends Tensor ? NDArray | number : T extends (...args: never[]) => unknown ? T : T extends object ? { [K in keyof T]: HostInput<T[K]> } : T;

/** Leaves of a tree of tensors. @throws TraceError naming the first leaf that is something else. */
export function tensorLeaves(operation: string, what: string, tree: unknown): { leaves: Tensor[]; structure: Structure } {
  const { leaves, structure } = flatten<unknown>(tree);
  leaves.forEach((leaf, i) => {
    if (leaf instanceof Tensor) return;
    const path = structure.paths[i];
    throw new TraceError({
      operation, required: `${what}${path === '' ? '' : ` at '${path}'`} must be a tensor`, received: describe(leaf),
      remedy: leaf instanceof NDArray ? 'call it inside a function given to compile, which turns host arrays into tensors' : undefined,
    });
  });
  return { leaves: leaves as Tensor[], structure };
}

function describe(value: unknown): string {
  if (value instanceof NDArray) return `the host array ${value}`;
  if (value === null || typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  return (value as object).constructor?.name ?? typeof value;
}

/** @throws DtypeError naming the first leaf that is not of a floating-point type. */
export function requireFloatLeaves(operation: string, what: string, tree: unknown): void {
  for (const [path, leaf] of leavesWithPaths(tree)) {
    if (leaf instanceof Tensor && !isFloat(leaf.dtype)) {
      throw new DtypeError({
        operation, required: `${what}${path === '' ? '' : ` at '${path}'`} must be float32 or float64 to be differentiated`, received: leaf.dtype,
        remedy: 'pass integers as a later argument, or convert them inside the function',
      });
    }
  }
}

/** @throws TraceError unless the value is a scalar tensor of a floating-point type. */
export function requireScalar(operation: string, value: unknown): Tensor {
  if (value instanceof Tensor && value.rank === 0 && isFloat(value.dtype)) return value;
  throw new TraceError({
    operation, required: 'the function must return one floating-point scalar', received: value instanceof Tensor ? value.toString() : describe(value),
    remedy: 'reduce it with sum or mean, or use jacrev for functions of several outputs; with an auxiliary value, pass { aux: true }',
  });
}
