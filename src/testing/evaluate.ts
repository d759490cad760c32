/** Traced functions evaluated at once by the reference interpreter, every graph type-checked. @module */
import { evaluate } from '../core/evaluate.ts';
import { Graph } from '../core/graph.ts';
import type { NDArray } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { typecheck } from '../core/typecheck.ts';
import type { HostArguments } from '../transforms/compile.ts';
import { flattenArguments, traceArguments } from '../transforms/signature.ts';
import type { Host } from '../transforms/trees.ts';

/**
 * Traces `f` at host arguments, checks the graph and evaluates it by the primitives' own definitions: no backend, no
 * passes, no promise. Plain numbers among the arguments are float64. For tests and small problems.
 * @throws whatever tracing throws; GraphError when the graph breaks an invariant.
 */
export function evaluateReference<Args extends unknown[], Out>(f: (...args: Args) => Out, ...args: HostArguments<Args>): Host<Out> {
  const flat = flattenArguments('evaluateReference', args, 'float64');
  const { graph, rebuild } = traceArguments('evaluateReference', f as (...args: never[]) => unknown, flat, args.length);
  typecheck(graph);
  return rebuild(evaluate(graph, flat.leaves)) as Host<Out>;
}

/** A function of flat lists of tensors: what the checks work on. */
export type FlatFunction = (inputs: readonly Tensor[]) => readonly Tensor[];

/** The checked graph of a flat function at the types of `values`. */
export function traceFlat(f: FlatFunction, values: readonly NDArray[]): Graph {
  const inputs = values.map(({ shape, dtype }, i) => placeholder({ shape, dtype }, `input ${i}`));
  const graph = new Graph(inputs, f(inputs));
  typecheck(graph);
  return graph;
}

/** A flat function at host values. */
export const evaluateFlat = (f: FlatFunction, values: readonly NDArray[]): NDArray[] => evaluate(traceFlat(f, values), values);
