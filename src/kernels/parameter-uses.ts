/** How a traced network uses a parameter: once, as a factor of a product, or in some other way. @module */
import type { Node, Tensor } from '../core/tensor.ts';
import { nodesOf } from '../core/graph.ts';
import { sizeOf } from '../core/ndarray.ts';
import type { ConvParams } from '../prims/conv.ts';
import type { DotParams } from '../prims/dot.ts';

/** A parameter whose one use is as a factor of a product, possibly transposed, reshaped or multiplied by scalars before. */
export interface ProductUse {
  /** The product's node. */
  readonly node: Node;
  /** Which of the product's arguments the parameter is. */
  readonly argument: number;
  /** Scalars (of one element each) that the parameter was multiplied by on the way. */
  readonly scales: readonly Tensor[];
}

/** Each parameter's use as a factor of one product; null where it is used otherwise, more than once, or not at all. */
export function productUses(parameters: readonly Tensor[], outputs: readonly Tensor[]): (ProductUse | null)[] {
  const consumers = new Map<Tensor, { node: Node; argument: number }[]>();
  for (const node of nodesOf(outputs)) {
    node.inputs.forEach((input, argument) => {
      const list = consumers.get(input);
      if (list === undefined) consumers.set(input, [{ node, argument }]);
      else list.push({ node, argument });
    });
  }
  return parameters.map((parameter) => follow(parameter, consumers, outputs));
}

function follow(parameter: Tensor, consumers: ReadonlyMap<Tensor, readonly { node: Node; argument: number }[]>, outputs: readonly Tensor[]): ProductUse | null {
  const scales: Tensor[] = [];
  for (let tensor = parameter; ;) {
    const uses = consumers.get(tensor) ?? [];
    if (uses.length !== 1 || outputs.includes(tensor)) return null;
    const [{ node, argument }] = uses;
    if (isProduct(node, argument)) return { node, argument, scales };
    if (node.primitive.name === 'mul') {
      const scale = scalarBehind(node.inputs[1 - argument]);
      if (scale === null) return null;
      scales.push(scale);
    } else if (!RENAMING.has(node.primitive.name)) return null;
    tensor = node.outputs[0];
  }
}

/** Operations under which inner products of derivatives stay what they are. */
const RENAMING: ReadonlySet<string> = new Set(['transpose', 'reshape', 'alias']);

function isProduct({ primitive, params }: Node, argument: number): boolean {
  if (primitive.name === 'dot') return (params as DotParams).batch[0].length === 0;
  if (primitive.name !== 'conv' || argument !== 1) return false;
  const { groups, inputDilation } = params as ConvParams;
  return groups === 1 && inputDilation.every((n) => n === 1);
}

/** The single element that a tensor repeats, or null. */
function scalarBehind(tensor: Tensor): Tensor | null {
  if (sizeOf(tensor.shape) === 1) return tensor;
  const name = tensor.node?.primitive.name;
  return tensor.node !== null && (name === 'broadcast' || name === 'reshape') ? scalarBehind(tensor.node.inputs[0]) : null;
}
