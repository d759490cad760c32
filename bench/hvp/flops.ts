/** Floating-point operations of a graph's products and convolutions. @module */
import type { Graph } from '../../src/core/graph.ts';
import { sizeOf } from '../../src/core/ndarray.ts';
import type { Node } from '../../src/core/tensor.ts';
import { convPrimitive, type ConvParams } from '../../src/prims/conv.ts';
import { checkpointPrimitive, customJvpPrimitive, customLinearPrimitive, customVjpPrimitive } from '../../src/prims/control/call.ts';
import { condPrimitive, type CondParams } from '../../src/prims/control/cond.ts';
import { scanPrimitive, type ScanParams } from '../../src/prims/control/scan.ts';
import { whilePrimitive } from '../../src/prims/control/while.ts';
import { dotPrimitive, type DotParams } from '../../src/prims/dot.ts';
import { LoweringError } from '../../src/util/errors.ts';

function dotFlops({ params, inputs: [x], outputs: [y] }: Node<DotParams>): number {
  return 2 * sizeOf(y.shape) * sizeOf(params.contract[0].map((axis) => x.shape[axis]));
}

/** Pairs of an output position and a kernel element that meet an input element, along one spatial axis. */
function meetings({ strides, padding, inputDilation, kernelDilation }: ConvParams, axis: number, input: number, window: number, output: number): number {
  let count = 0;
  for (let position = 0; position < output; position++) {
    for (let tap = 0; tap < window; tap++) {
      const at = position * strides[axis] + tap * kernelDilation[axis] - padding[axis][0];
      if (at >= 0 && at % inputDilation[axis] === 0 && at / inputDilation[axis] < input) count++;
    }
  }
  return count;
}

// Products with padding, and with the zeros between dilated elements, are not counted: a convolution and its two
// derivatives then have the same number, whatever the strides.
function convFlops({ params, inputs: [x, kernel], outputs: [y] }: Node<ConvParams>): number {
  const pairs = y.shape.slice(2).map((extent, axis) => meetings(params, axis, x.shape[axis + 2], kernel.shape[axis + 2], extent));
  return 2 * y.shape[0] * y.shape[1] * kernel.shape[1] * sizeOf(pairs);
}

const unknown = (node: Node): never => {
  throw new LoweringError({ operation: 'flops', required: 'every operation must have a number of floating-point operations that its shapes tell', received: node.primitive.name });
};
const bodyFlops = (node: Node<{ readonly body: Graph }>): number => flops(node.params.body);

/** How the operations that multiply, or contain graphs that may, are counted; all others count nothing. */
// Parameter types differ from primitive to primitive; within a row they agree.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const counters = new Map<unknown, (node: Node<any>) => number>([
  [dotPrimitive, dotFlops],
  [convPrimitive, convFlops],
  [scanPrimitive, (node: Node<ScanParams>) => node.params.length * flops(node.params.body)],
  [condPrimitive, (node: Node<CondParams>) => Math.max(flops(node.params.whenTrue), flops(node.params.whenFalse))],
  [checkpointPrimitive, bodyFlops],
  [customJvpPrimitive, bodyFlops],
  [customVjpPrimitive, bodyFlops],
  [customLinearPrimitive, unknown],
  [whilePrimitive, unknown],
]);

/**
 * Multiplications and additions in the products and convolutions of a graph, two for each term of each sum; elementwise
 * operations and reductions are left out. Of the branches of a `cond`, the dearer one.
 * @throws LoweringError for while loops and custom linear maps, whose shapes do not tell.
 */
export const flops = (graph: Graph): number => graph.nodes.reduce((sum, node) => sum + (counters.get(node.primitive)?.(node) ?? 0), 0);
