/** The binding-time split: what depends on bound arguments only, and the rest. @module */
import { dependents, Graph, substitute } from '../core/graph.ts';
import { bytesPerElement, sizeOf } from '../core/ndarray.ts';
import { placeholder, type Tensor, type Type } from '../core/tensor.ts';

export interface SplitGraph {
  /** Bound inputs to residuals; run once. */
  readonly bound: Graph;
  /** Residuals, then the other inputs, to outputs; run at each call. */
  readonly call: Graph;
}

/**
 * Divides a graph by reachability: nodes that depend on none of the inputs from `count` on belong to the bound part, and
 * their values that the rest uses are its residuals. Operations that only repeat or rename (`cheap`) are done again
 * rather than stored.
 */
export function splitGraph(graph: Graph, count: number): SplitGraph {
  const boundInputs = graph.inputs.slice(0, count);
  const callInputs = graph.inputs.slice(count);
  const { nodes, depends } = dependents(callInputs, graph.outputs);
  const fromBound = dependents(boundInputs, graph.outputs);
  const residuals = new Map<Tensor, Tensor>();
  const pending: Tensor[] = [];
  nodes.forEach((node) => pending.push(...node.inputs));
  pending.push(...graph.outputs);
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (depends(tensor) || residuals.has(tensor) || !fromBound.depends(tensor)) continue;
    if (tensor.node?.primitive.cheap === true && !graph.outputs.includes(tensor)) pending.push(...tensor.node.inputs);
    else residuals.set(tensor, placeholder(tensor));
  }
  const kept = [...residuals.keys()].sort((a, b) => a.id - b.id || a.index - b.index);
  const fresh = callInputs.map((input) => placeholder(input, input.label));
  const map = new Map<Tensor, Tensor>([...residuals, ...callInputs.map((input, i) => [input, fresh[i]] as const)]);
  return {
    bound: new Graph(boundInputs, kept),
    call: new Graph([...kept.map((tensor) => residuals.get(tensor)!), ...fresh], substitute(graph.outputs, map)),
  };
}

/**
 * Positions of the residuals that operations which run faster on constants use, directly or renamed: those are worth
 * building into the program.
 */
export function residualsWorthEmbedding({ bound, call }: SplitGraph): number[] {
  const wanted = new Set<Tensor>();
  const want = (tensor: Tensor): void => {
    if (tensor.node?.primitive.cheap === true) tensor.node.inputs.forEach(want);
    else wanted.add(tensor);
  };
  call.nodes.forEach((node) => node.primitive.prefersConstants?.(node).forEach(want));
  return bound.outputs.map((_, i) => i).filter((i) => wanted.has(call.inputs[i]));
}

/** Residuals that must be computed: the others are bound arguments themselves. */
export const computedResiduals = (bound: Graph): Tensor[] => bound.outputs.filter((output) => output.node !== null);

/** Bytes of values of these types. */
export const bytesOfTypes = (types: readonly Type[]): number => types.reduce((sum, { dtype, shape }) => sum + bytesPerElement(dtype) * sizeOf(shape), 0);
