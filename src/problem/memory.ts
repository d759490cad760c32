/** Memory of a program, predicted from its graph. @module */
import type { Graph } from '../core/graph.ts';
import { bytesPerElement, sizeOf } from '../core/ndarray.ts';
import type { Tensor, Type } from '../core/tensor.ts';

/** Bytes of values of these types. */
export const bytesOf = (types: readonly Type[]): number => types.reduce((sum, { dtype, shape }) => sum + bytesPerElement(dtype) * sizeOf(shape), 0);

/**
 * Largest number of bytes alive at once when the graph runs in order: inputs stay, a value lives until its last use,
 * operations that only repeat or rename take nothing. An estimate: a backend may fuse (less) or keep scratch (more), and
 * bodies of loops are not looked into.
 */
export function peakBytes(graph: Graph): number {
  const lastUse = new Map<Tensor, number>();
  graph.nodes.forEach((node, at) => node.inputs.forEach((input) => lastUse.set(input, at)));
  graph.outputs.forEach((output) => lastUse.set(output, Infinity));
  let alive = bytesOf(graph.inputs);
  let peak = alive;
  graph.nodes.forEach((node, at) => {
    if (node.primitive.cheap !== true) alive += bytesOf(node.outputs);
    peak = Math.max(peak, alive);
    for (const input of new Set(node.inputs)) {
      if (lastUse.get(input) === at && input.node !== null && input.node.primitive.cheap !== true) alive -= bytesOf([input]);
    }
  });
  return peak;
}
