/** Transposition of a traced region that is linear in its inputs. @module */
import type { MaybeTensor, Tensor } from '../../core/tensor.ts';
import { dependents } from '../../core/graph.ts';
import { add } from '../binary.ts';

/** Cotangents of `inputs` given cotangents of `outputs`; the region must be linear in `inputs` together. */
export function pullBack(inputs: readonly Tensor[], outputs: readonly MaybeTensor[], cotangents: readonly MaybeTensor[]): MaybeTensor[] {
  const cotangentOf = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, cotangent: MaybeTensor): void => {
    if (cotangent === null) return;
    const sum = cotangentOf.get(tensor);
    cotangentOf.set(tensor, sum === undefined ? cotangent : add(sum, cotangent));
  };
  const present = outputs.filter((output) => output !== null);
  const { nodes, depends } = dependents(inputs, present);
  outputs.forEach((output, i) => { if (output !== null && depends(output)) accumulate(output, cotangents[i]); });
  for (const node of nodes.reverse()) {
    const received = node.outputs.map((output) => cotangentOf.get(output) ?? null);
    if (received.every((cotangent) => cotangent === null)) continue;
    const linear = node.inputs.map(depends);
    const sent = node.primitive.transpose({ params: node.params, inputs: node.inputs, linear, cotangents: received, outputs: node.outputs });
    node.inputs.forEach((input, i) => { if (linear[i]) accumulate(input, sent[i]); });
  }
  return inputs.map((input) => cotangentOf.get(input) ?? null);
}
