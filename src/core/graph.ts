/** Graphs: what lies between inputs and outputs of a traced function; substitution and closing over outer values. @module */
import { TraceError } from '../util/errors.ts';
import { bind, currentId, placeholder, type Node, type Tensor, type Type } from './tensor.ts';

/** Nodes that `outputs` depend on, in dependency order; nodes older than `since` are not visited. */
export function nodesOf(outputs: readonly Tensor[], since = 0): Node[] {
  const seen = new Set<Node>();
  const stack: Node[] = [];
  const visit = (tensor: Tensor): void => {
    const node = tensor.node;
    if (node !== null && node.id >= since && !seen.has(node)) {
      seen.add(node);
      stack.push(node);
    }
  };
  outputs.forEach(visit);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) node.inputs.forEach(visit);
  return [...seen].sort((a, b) => a.id - b.id);
}

/** A closed program: everything the outputs need is an input, a constant or made inside. */
export class Graph {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly nodes: readonly Node[];

  /** @throws TraceError when an output depends on an input of another trace. */
  constructor(inputs: readonly Tensor[], outputs: readonly Tensor[]) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.nodes = nodesOf(outputs);
    const known = new Set(inputs);
    const check = (tensor: Tensor): void => {
      if (tensor.node === null && !known.has(tensor)) {
        throw new TraceError({
          operation: 'trace', required: 'a traced function may use its arguments, constants and values computed from them',
          received: `the value ${tensor}${tensor.label === '' ? '' : ` ('${tensor.label}')`} of another trace that has ended`,
          remedy: 'do not keep tensors in outer variables; return them from the function instead',
        });
      }
    };
    this.nodes.forEach((node) => node.inputs.forEach(check));
    outputs.forEach(check);
  }
}

/** Traces `f` at the given input types into a graph; values of enclosing traces that `f` uses stay free. */
export function trace(types: readonly Type[], f: (...inputs: Tensor[]) => readonly Tensor[]): { inputs: Tensor[]; outputs: readonly Tensor[] } {
  const inputs = types.map((type) => placeholder(type));
  return { inputs, outputs: f(...inputs) };
}

/** Rebuilds `outputs` with some values replaced; nodes that depend on none of them are kept as they are. */
export function substitute(outputs: readonly Tensor[], replacements: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  if (replacements.size === 0) return [...outputs];
  const since = Math.min(...[...replacements.keys()].map((tensor) => tensor.id));
  const map = new Map(replacements);
  for (const node of nodesOf(outputs, since)) {
    if (node.inputs.some((input) => map.has(input))) {
      const made = bind(node.primitive, node.params, node.inputs.map((input) => map.get(input) ?? input));
      node.outputs.forEach((output, i) => { if (!map.has(output)) map.set(output, made[i]); });
    }
  }
  return outputs.map((output) => map.get(output) ?? output);
}

/** The graph applied to other values: its operations are rebuilt in the current trace. */
export function inline(graph: Graph, values: readonly Tensor[]): Tensor[] {
  return substitute(graph.outputs, new Map(graph.inputs.map((input, i) => [input, values[i]])));
}

/** Marks the nodes that depend on any of `sources`. */
export function dependents(sources: readonly Tensor[], outputs: readonly Tensor[]): { nodes: Node[]; depends: (tensor: Tensor) => boolean } {
  const marked = new Set(sources);
  const since = sources.length === 0 ? currentId() : Math.min(...sources.map((tensor) => tensor.id));
  const nodes: Node[] = [];
  for (const node of nodesOf(outputs, since)) {
    if (node.inputs.some((input) => marked.has(input))) {
      nodes.push(node);
      node.outputs.forEach((output) => marked.add(output));
    }
  }
  return { nodes, depends: (tensor) => marked.has(tensor) };
}

/** True when a value depends on no input at all. */
function isClosed(tensor: Tensor): boolean {
  return tensor.node !== null && nodesOf([tensor]).every((node) => node.inputs.every((input) => input.node !== null));
}

/**
 * Makes a traced body self-contained: outer values it uses become leading inputs (`captured`), so computations that do
 * not depend on the body's own inputs are done once, outside.
 */
export function closeOver(inputs: readonly Tensor[], outputs: readonly Tensor[]): { graph: Graph; captured: Tensor[] } {
  const { nodes, depends } = dependents(inputs, outputs);
  const captured = new Map<Tensor, Tensor>();
  const free = (tensor: Tensor): void => {
    if (!depends(tensor) && !captured.has(tensor) && !(isScalarLike(tensor) && isClosed(tensor))) captured.set(tensor, placeholder(tensor));
  };
  nodes.forEach((node) => node.inputs.forEach(free));
  outputs.forEach(free);
  const fresh = inputs.map((input) => placeholder(input, input.label));
  const map = new Map<Tensor, Tensor>([...captured, ...inputs.map((input, i) => [input, fresh[i]] as const)]);
  return { graph: new Graph([...captured.values(), ...fresh], substitute(outputs, map)), captured: [...captured.keys()] };
}

/** Small enough to be repeated inside a body rather than passed to it. */
const isScalarLike = (tensor: Tensor): boolean => tensor.shape.every((n) => n === 1) || tensor.node?.primitive.cheap === true;
