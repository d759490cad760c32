/** Arithmetic and traffic of a program, counted from its graph: what choices among algorithms are made by. @module */
import type { Graph } from '../core/graph.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { Node } from '../core/tensor.ts';
import { bytesOf } from '../problem/memory.ts';

/** What a program costs, predicted. */
export interface PredictedCost {
  /** Floating-point operations; a multiplication with an addition counts two. */
  readonly flops: number;
  /** Bytes read and written, every operation by itself. */
  readonly bytes: number;
}

/** Operations of one node: products by their contracted extents, everything else one operation an element of the result. */
function flopsOf({ primitive, inputs, outputs, params }: Node): number {
  const size = sizeOf(outputs[0]?.shape ?? []);
  if (primitive.name === 'dot') {
    const { contract } = params as { contract: readonly (readonly number[])[] };
    return 2 * size * contract[0].reduce((n, axis) => n * inputs[0].shape[axis], 1);
  }
  if (primitive.name === 'conv') return 2 * size * sizeOf(inputs[1].shape.slice(1));
  return primitive.cheap === true ? 0 : outputs.reduce((n, output) => n + sizeOf(output.shape), 0);
}

/** Cost of one run of the graph. Bodies of loops and branches are not looked into: they count as one operation an element. */
export function costOfGraph(graph: Graph): PredictedCost {
  let flops = 0;
  let bytes = 0;
  for (const node of graph.nodes) {
    flops += flopsOf(node);
    if (node.primitive.cheap !== true) bytes += bytesOf(node.inputs) + bytesOf(node.outputs);
  }
  return { flops, bytes };
}

// Rough rates of one desktop core group on ONNX Runtime; only their ratio matters, since costs are compared with each other.
const FLOPS_PER_SECOND = 5e10;
const BYTES_PER_SECOND = 1e10;

/** Seconds such a cost takes on a nominal machine: a yardstick for comparing algorithms, not a forecast. */
export const nominalSeconds = ({ flops, bytes }: PredictedCost): number => flops / FLOPS_PER_SECOND + bytes / BYTES_PER_SECOND;

/** a times one cost plus b times another. */
export const combined = (a: number, x: PredictedCost, b: number, y: PredictedCost): PredictedCost => ({ flops: a * x.flops + b * y.flops, bytes: a * x.bytes + b * y.bytes });
