/** Arguments of compiled functions: host values to types and back. @module */
import { ArgumentError } from '../util/errors.ts';
import { Graph } from '../core/graph.ts';
import { formatType, NDArray, scalar, type DType } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { flatten, unflatten, type Structure } from '../tree/tree.ts';
import { tensorLeaves } from './trees.ts';

/** Host arguments in flat form. Numbers become scalars of the default float type. */
export interface FlatArguments {
  readonly leaves: NDArray[];
  readonly structure: Structure;
  /** Equal for arguments that the same compiled program serves. */
  readonly key: string;
}

/** @throws ArgumentError naming the first leaf that is not a host array or a number. */
export function flattenArguments(operation: string, args: readonly unknown[], dtype: DType): FlatArguments {
  const { leaves, structure } = flatten<unknown>(args);
  const arrays = leaves.map((leaf, i) => {
    if (leaf instanceof NDArray) return leaf;
    if (typeof leaf === 'number') return scalar(leaf, dtype);
    throw new ArgumentError({
      operation, required: `argument '${structure.paths[i]}' must be a host array or a number`,
      received: leaf === null ? 'null' : ArrayBuffer.isView(leaf) ? `a ${leaf.constructor.name}` : typeof leaf,
      remedy: 'wrap data with array(values, shape, dtype); close over settings instead of passing them',
    });
  });
  const key = structure.paths.map((path, i) => `${path}:${formatType(arrays[i].dtype, arrays[i].shape)}`).join(';');
  return { leaves: arrays, structure, key };
}

export interface TracedFunction {
  readonly graph: Graph;
  /** Puts flat results into the function's own tree. */
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
  readonly resultPaths: readonly string[];
}

/** Traces a function at the types of its arguments. */
export function traceArguments(operation: string, f: (...args: never[]) => unknown, args: FlatArguments, count: number): TracedFunction {
  const inputs = args.leaves.map((leaf, i) => placeholder({ shape: leaf.shape, dtype: leaf.dtype }, args.structure.paths[i]));
  const out = f(...(args.structure.rebuild(inputs) as never[]).slice(0, count));
  const flat = tensorLeaves(operation, 'the result', out);
  const like = flat.structure.rebuild(flat.leaves);
  return { graph: new Graph(inputs, flat.leaves as Tensor[]), rebuild: (leaves) => unflatten(like, leaves), resultPaths: flat.structure.paths };
}
