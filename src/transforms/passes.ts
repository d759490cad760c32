/** Passes over graphs before lowering. Each is one small function; dead code goes by itself, since a graph holds only what its outputs need. @module */
import { Graph } from '../core/graph.ts';
import { NDArray, sizeOf } from '../core/ndarray.ts';
import { evaluate } from '../core/evaluate.ts';
import { bind, sameType, type Node, type Tensor } from '../core/tensor.ts';
import { constant } from '../prims/constant.ts';

/** Offers other values for a node's outputs, or null. */
type Rewrite = (node: Node) => readonly Tensor[] | null;

/** Rebuilds a graph, asking each rewrite at each node; what a rewrite makes is not visited again. */
function rewrite(graph: Graph, rules: readonly Rewrite[]): Graph {
  const map = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor): Tensor => map.get(tensor) ?? tensor;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(current);
    const outputs = inputs.some((input, i) => input !== node.inputs[i]) ? bind(node.primitive, node.params, inputs) : node.outputs;
    const rebuilt: Node = outputs.length > 0 ? outputs[0].node! : node;
    let result: readonly Tensor[] | null = null;
    for (const rule of rules) result ??= rule(rebuilt);
    (result ?? outputs).forEach((value, i) => { if (value !== node.outputs[i]) map.set(node.outputs[i], value); });
  }
  return new Graph(graph.inputs, graph.outputs.map(current));
}

/** Algebraic identities, as each primitive declares them; a result of another type is refused. */
export function simplifyAlgebra(graph: Graph): Graph {
  return rewrite(graph, [(node) => {
    const simpler = node.primitive.simplify(node.params, node.inputs, node.outputs);
    return simpler !== null && simpler.every((value, i) => sameType(value, node.outputs[i])) ? simpler : null;
  }]);
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** Text that is equal for equal parameters; graphs, functions and large arrays count by identity. */
function keyOf(value: unknown): string {
  if (value instanceof NDArray) return value.size <= 64 ? `${value.toString()}(${value.data.join(',')})` : identityOf(value);
  if (value instanceof Graph || typeof value === 'function') return identityOf(value);
  if (Array.isArray(value)) return `[${value.map(keyOf).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, item]) => `${key}:${keyOf(item)}`).join(',')}}`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function identityOf(value: object): string {
  let identity = identities.get(value);
  if (identity === undefined) identities.set(value, (identity = nextIdentity++));
  return `#${identity}`;
}

/** Computes each expression once. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const seen = new Map<string, readonly Tensor[]>();
  return rewrite(graph, [(node) => {
    const inputs = node.inputs.map((input) => `${input.id}.${input.index}`);
    if (node.primitive.commutative === true) inputs.sort();
    const key = `${node.primitive.name}${keyOf(node.params)}(${inputs.join(',')})`;
    const known = seen.get(key);
    if (known !== undefined) return known;
    seen.set(key, node.outputs);
    return null;
  }]);
}

/** Results up to this many elements are computed when the function is compiled. */
const FOLDED_SIZE = 4096;

/** Computes what depends on constants alone, where the result is small. */
export function foldConstants(graph: Graph): Graph {
  const isFoldable = (node: Node): boolean => node.inputs.length > 0 && node.primitive.cheap !== true
    && node.inputs.every((input) => input.node?.primitive.name === 'constant') && node.outputs.every((output) => sizeOf(output.shape) <= FOLDED_SIZE);
  return rewrite(graph, [(node) => (isFoldable(node) ? evaluate(new Graph([], node.outputs), []).map(constant) : null)]);
}

const MOST_ROUNDS = 12;

/** All passes, until the graph no longer shrinks. */
export function optimize(graph: Graph): Graph {
  let best = graph;
  // A round that shrinks nothing may still prepare the next one; two such rounds end it.
  for (let round = 0, idle = 0; round < MOST_ROUNDS && idle < 2; round++) {
    const before = best.nodes.length;
    best = eliminateCommonSubexpressions(foldConstants(simplifyAlgebra(best)));
    idle = best.nodes.length < before ? 0 : idle + 1;
  }
  return best;
}
