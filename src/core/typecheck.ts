/** Checks the invariants of a graph; run after every transformation in tests. @module */
import { GraphError } from '../util/errors.ts';
import { formatType } from './ndarray.ts';
import type { Graph } from './graph.ts';
import { sameType, type Node, type Tensor } from './tensor.ts';

/**
 * Every value is made before it is used, and has the type its primitive's shape rule gives.
 * @throws GraphError naming the first node that breaks this.
 */
export function typecheck(graph: Graph): void {
  const known = new Set<Tensor>(graph.inputs);
  graph.nodes.forEach((node, position) => {
    node.inputs.forEach((input, i) => {
      if (!known.has(input)) throw broken(node, position, `input ${i} must be made before it is used`, 'a value made later or elsewhere');
    });
    const types = node.primitive.shape(node.params, node.inputs);
    if (types.length !== node.outputs.length) throw broken(node, position, `the shape rule gives ${types.length} outputs`, String(node.outputs.length));
    types.forEach((type, i) => {
      if (!sameType(type, node.outputs[i])) throw broken(node, position, `output ${i} must be ${formatType(type.dtype, type.shape)}`, node.outputs[i].toString());
    });
    node.outputs.forEach((output) => known.add(output));
  });
  graph.outputs.forEach((output, i) => {
    if (!known.has(output)) throw new GraphError({ operation: 'typecheck', required: `output ${i} must be an input or made by a node`, received: output.toString() });
  });
}

const broken = (node: Node, position: number, required: string, received: string): GraphError =>
  new GraphError({ operation: `typecheck: node ${position} (${node.primitive.name})`, required, received });
