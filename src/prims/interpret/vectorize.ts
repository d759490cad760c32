/** Batching of a traced region: every operation by its batch rule. @module */
import { nodesOf } from '../../core/graph.ts';
import { bind, type Tensor } from '../../core/tensor.ts';

export interface BatchedValues {
  readonly outputs: Tensor[];
  readonly batched: boolean[];
}

/**
 * Rebuilds the region between `inputs` and `outputs` with `values` in place of `inputs`; a batched value carries the
 * batch, of `size` elements, as axis 0.
 */
export function vectorize(inputs: readonly Tensor[], values: readonly Tensor[], batched: readonly boolean[], size: number, outputs: readonly Tensor[]): BatchedValues {
  const map = new Map<Tensor, { value: Tensor; batched: boolean }>();
  inputs.forEach((input, i) => map.set(input, { value: values[i], batched: batched[i] }));
  const since = Math.min(...inputs.map((input) => input.id), Infinity);
  const lookUp = (tensor: Tensor): { value: Tensor; batched: boolean } => map.get(tensor) ?? { value: tensor, batched: false };
  for (const node of nodesOf(outputs, since)) {
    if (!node.inputs.some((input) => map.has(input))) continue;
    const found = node.inputs.map(lookUp);
    const inner = found.map((entry) => entry.value);
    const flags = found.map((entry) => entry.batched);
    // An operation none of whose inputs is batched is only rebuilt; batch rules may count on a batched input.
    const result = flags.some(Boolean)
      ? node.primitive.batch({ params: node.params, inputs: inner, batched: flags, size })
      : { outputs: bind(node.primitive, node.params, inner), batched: node.outputs.map(() => false) };
    node.outputs.forEach((output, i) => map.set(output, { value: result.outputs[i], batched: result.batched[i] }));
  }
  const found = outputs.map(lookUp);
  return { outputs: found.map((entry) => entry.value), batched: found.map((entry) => entry.batched) };
}
