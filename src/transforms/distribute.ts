/** Products of a bound factor with a moving combination of bound arrays, moved before the split. @module */
import { dependents, Graph } from '../core/graph.ts';
import { bind, type Node, type Tensor } from '../core/tensor.ts';
import { add, addPrimitive, mul, mulPrimitive } from '../prims/binary.ts';
import { broadcast, broadcastPrimitive } from '../prims/broadcast.ts';
import { convPrimitive } from '../prims/conv.ts';
import { dotPrimitive } from '../prims/dot.ts';

/** One term of a linear combination: a bound array times a moving scalar (null: one). */
interface Term { readonly coefficient: Tensor | null; readonly value: Tensor }

/** Operations linear in each of their two arguments, over whose sums they may be distributed. */
const isBilinear = (node: Node): boolean => node.primitive.name === dotPrimitive.name || node.primitive.name === convPrimitive.name;

/** `tensor` as a sum of moving scalars times bound arrays, or null where it is something else. */
function linearCombination(tensor: Tensor, moves: (tensor: Tensor) => boolean): Term[] | null {
  if (!moves(tensor)) return [{ coefficient: null, value: tensor }];
  const node = tensor.node;
  if (node === null) return null;
  if (node.primitive.name === addPrimitive.name) {
    const [left, right] = node.inputs.map((input) => linearCombination(input, moves));
    return left && right && [...left, ...right];
  }
  if (node.primitive.name === mulPrimitive.name) {
    for (const [factor, other] of [node.inputs, [...node.inputs].reverse()]) {
      const scalar = repeatedScalar(factor);
      if (scalar === null || moves(other)) continue;
      return [{ coefficient: scalar, value: other }];
    }
  }
  return null;
}

/** The scalar that a tensor repeats, or null. */
function repeatedScalar(tensor: Tensor): Tensor | null {
  const node = tensor.node;
  if (node?.primitive.name === broadcastPrimitive.name && node.inputs[0].rank === 0) return node.inputs[0];
  return tensor.rank === 0 ? tensor : null;
}

/**
 * Rewrites `x (W + a D)` as `x W + a (x D)` where x, W and D depend on the first `count` inputs alone, so that both
 * products can be bound: along a line or plane in parameter space the first layer then costs two additions.
 */
export function distributeOverBound(graph: Graph, count: number): Graph {
  const { depends: moves } = dependents(graph.inputs.slice(count), graph.outputs);
  const map = new Map<Tensor, Tensor>();
  for (const node of graph.nodes) {
    const distributed = isBilinear(node) ? distributeNode(node, moves) : null;
    if (distributed !== null) map.set(node.outputs[0], distributed);
    else if (node.inputs.some((input) => map.has(input))) {
      bind(node.primitive, node.params, node.inputs.map((input) => map.get(input) ?? input)).forEach((made, i) => map.set(node.outputs[i], made));
    }
  }
  return new Graph(graph.inputs, graph.outputs.map((output) => map.get(output) ?? output));
}

function distributeNode(node: Node, moves: (tensor: Tensor) => boolean): Tensor | null {
  const side = node.inputs.findIndex(moves);
  if (side < 0 || node.inputs.every(moves)) return null;
  const terms = linearCombination(node.inputs[side], moves);
  if (terms === null) return null;
  const products = terms.map(({ coefficient, value }) => {
    const [product] = bind(node.primitive, node.params, node.inputs.map((input, i) => (i === side ? value : input)));
    return coefficient === null ? product : mul(broadcast(coefficient, product.shape, []), product);
  });
  return products.reduce(add);
}
