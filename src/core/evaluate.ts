/** Runs graphs by the primitives' own definitions: the oracle of the tests, and what constant folding uses. @module */
import { NonFiniteError } from '../util/errors.ts';
import type { Graph } from './graph.ts';
import { isFloat, type NDArray } from './ndarray.ts';
import type { Node, Tensor } from './tensor.ts';

/** Evaluates a graph on host arrays, node by node; `watch` sees every node's results. */
export function evaluate(graph: Graph, inputs: readonly NDArray[], watch?: (node: Node, outputs: readonly NDArray[]) => void): NDArray[] {
  const values = new Map<Tensor, NDArray>();
  graph.inputs.forEach((input, i) => values.set(input, inputs[i]));
  for (const node of graph.nodes) {
    const outputs = node.primitive.reference({
      params: node.params, inputs: node.inputs.map((input) => values.get(input)!), types: node.outputs, evaluate,
    });
    watch?.(node, outputs);
    node.outputs.forEach((output, i) => values.set(output, outputs[i]));
  }
  return graph.outputs.map((output) => values.get(output)!);
}

/** Position of the first element that is NaN or infinite, or -1. */
export function firstNonFinite({ data, dtype }: NDArray): number {
  if (!isFloat(dtype)) return -1;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

/**
 * Finds the first operation whose result is not finite, by evaluating node by node.
 * @throws NonFiniteError always: naming that operation, or `where` alone when the reference finds none (overflow of float32).
 */
export function explainNonFinite(where: string, graph: Graph, inputs: readonly NDArray[]): never {
  inputs.forEach((input, i) => {
    const at = firstNonFinite(input);
    if (at >= 0) throw new NonFiniteError({ operation: where, required: 'arguments must be finite', received: `${input.data[at]} at element ${at} of argument '${graph.inputs[i].label || String(i)}'` });
  });
  let position = 0;
  evaluate(graph, inputs, (node, outputs) => {
    outputs.forEach((output) => {
      const at = firstNonFinite(output);
      if (at >= 0) {
        throw new NonFiniteError({
          operation: where, required: 'results must be finite',
          received: `${output.data[at]} first at element ${at} of ${output} from operation ${position} (${node.primitive.name}) of ${graph.nodes.length}`,
          remedy: 'a smaller learning rate or scale, or a stable form of this operation',
        });
      }
    });
    position++;
  });
  throw new NonFiniteError({ operation: where, required: 'results must be finite', received: 'a value that overflows in float32 but not in float64' });
}
