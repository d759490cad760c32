/** Bound factors of moving products multiplied once, before the split. @module */
import { Graph } from '../core/graph.ts';
import { bind, type Tensor } from '../core/tensor.ts';
import { mul, mulPrimitive } from '../prims/binary.ts';
import { neg, negPrimitive } from '../prims/unary.ts';

/**
 * Rewrites `(t a) b` as `t (a b)` where a and b depend on the first `count` inputs alone and t does not: the chain rule
 * multiplies tangents by one derivative after another, and their product can be bound. Each call then does one
 * multiplication where it did several; results change by rounding only.
 */
export function gatherBoundFactors(graph: Graph, count: number): Graph {
  const moving = new Set<Tensor>(graph.inputs.slice(count));
  const map = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor): Tensor => map.get(tensor) ?? tensor;
  const note = (outputs: readonly Tensor[], inputs: readonly Tensor[]): void => {
    if (inputs.some((input) => moving.has(input))) outputs.forEach((output) => moving.add(output));
  };
  /** A moving tensor as moving part times bound part, or null. */
  const factors = (tensor: Tensor): { part: Tensor; bound: Tensor } | null => {
    const node = tensor.node;
    if (node?.primitive !== (mulPrimitive as unknown) || !moving.has(tensor)) return null;
    const [x, y] = node!.inputs;
    if (moving.has(x) === moving.has(y)) return null;
    return moving.has(x) ? { part: x, bound: y } : { part: y, bound: x };
  };
  const product = (part: Tensor, bound: Tensor): Tensor => {
    const made = mul(part, bound);
    moving.add(made);
    return made;
  };
  const gathered = (node: (typeof graph.nodes)[number], inputs: readonly Tensor[]): Tensor | null => {
    if (node.primitive === (negPrimitive as unknown)) {
      const inner = factors(inputs[0]);
      return inner && product(inner.part, neg(inner.bound));
    }
    if (node.primitive !== (mulPrimitive as unknown)) return null;
    const [x, y] = inputs;
    if (moving.has(x) === moving.has(y)) return null;
    const [moved, still] = moving.has(x) ? [x, y] : [y, x];
    const inner = factors(moved);
    return inner && product(inner.part, mul(inner.bound, still));
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(current);
    const better = gathered(node, inputs);
    const outputs = better !== null ? [better] : inputs.some((input, i) => input !== node.inputs[i]) ? bind(node.primitive, node.params, inputs) : node.outputs;
    note(outputs, inputs);
    outputs.forEach((output, i) => { if (output !== node.outputs[i]) map.set(node.outputs[i], output); });
  }
  return new Graph(graph.inputs, graph.outputs.map(current));
}
