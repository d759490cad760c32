/** Forward mode over a traced region: tangents follow the values. @module */
import { bind, type MaybeTensor, type Node, type Tensor } from '../../core/tensor.ts';
import { nodesOf } from '../../core/graph.ts';

/**
 * Tangents of `outputs` given tangents of `inputs`; `null` is zero. Where an operation computes value and tangent
 * together, its value replaces the old one, so use the returned outputs.
 */
export function pushForward(inputs: readonly Tensor[], tangents: readonly MaybeTensor[], outputs: readonly Tensor[]): { outputs: Tensor[]; tangents: MaybeTensor[] } {
  const tangentOf = new Map<Tensor, Tensor>();
  inputs.forEach((input, i) => { if (tangents[i]) tangentOf.set(input, tangents[i]); });
  const replaced = new Map<Tensor, Tensor>();
  const since = Math.min(...inputs.map((input) => input.id), Infinity);
  for (const node of nodesOf(outputs, since)) visit(node, tangentOf, replaced);
  const current = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
  return { outputs: outputs.map(current), tangents: outputs.map((output) => tangentOf.get(output) ?? null) };
}

function visit(node: Node, tangentOf: Map<Tensor, Tensor>, replaced: Map<Tensor, Tensor>): void {
  const inputs = node.inputs.map((input) => replaced.get(input) ?? input);
  const isRebuilt = inputs.some((input, i) => input !== node.inputs[i]);
  const tangents = node.inputs.map((input) => tangentOf.get(input) ?? null);
  const isActive = tangents.some((tangent) => tangent !== null);
  if (!isRebuilt && !isActive) return;
  const outputs = isRebuilt ? bind(node.primitive, node.params, inputs) : node.outputs;
  const result = isActive ? node.primitive.jvp({ params: node.params, inputs, tangents, outputs }) : { tangents: [], outputs };
  (result.outputs ?? outputs).forEach((output, i) => { if (output !== node.outputs[i]) replaced.set(node.outputs[i], output); });
  result.tangents.forEach((tangent, i) => { if (tangent !== null) tangentOf.set(node.outputs[i], tangent); });
}
