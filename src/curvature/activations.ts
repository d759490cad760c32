/** The inner values of a traced model, named by the layers that make and read them. @module */
import { isFloat } from '../core/ndarray.ts';
import { nodesOf } from '../core/graph.ts';
import type { Node, Tensor } from '../core/tensor.ts';
import { layerOf } from '../problem/index.ts';
import { flatten } from '../tree/index.ts';

/** A value inside a model's trace. */
export interface Activation {
  /**
   * `inputs`; `before layers.1`, what a product or convolution with that layer's parameters reads; `after layers.1`, what the last operation
   * with that layer's parameters makes, its bias included and its nonlinearity not; `outputs`. Where a layer is applied several
   * times, the second is `after layers.1 #2`, and so on. One value may have several names.
   */
  readonly name: string;
  /** [examples, ...]. */
  readonly tensor: Tensor;
  /** Whether it depends on any parameter. */
  readonly isLearned: boolean;
}

/** What is known of a layer while the trace is read: which of its leaves the present application has met. */
interface Application {
  readonly count: number;
  readonly met: Set<number>;
}

/**
 * The named values of a trace in the order they arise: floating-point ones whose axis 0 is as long as the inputs'. Layers are whatever has
 * parameters or batch statistics of its own (`layerOf` their paths), found by what each operation reads; no list of layer types is
 * kept. `params` and `state` are the trees that the model was applied to, `inputs` its input, all of one trace.
 */
export function activationsIn(params: unknown, state: unknown, inputs: Tensor, outputs: Tensor): Activation[] {
  const [ofParams, ofState] = [flatten<Tensor>(params), flatten<Tensor>(state)];
  const layers = [...ofParams.structure.paths, ...ofState.structure.paths].map(layerOf);
  // Values that depend on leaves alone: the first of the leaves. Values of the data: whether a parameter is among what they depend on.
  const leafOf = new Map<Tensor, number>([...ofParams.leaves, ...ofState.leaves].map((leaf, i) => [leaf, i]));
  const ofData = new Map<Tensor, boolean>([[inputs, false]]);
  const found = new Map<string, Tensor>([['inputs', inputs]]);
  const applications = new Map<string, Application>();
  for (const node of nodesOf([outputs])) {
    const data = node.inputs.filter((input) => ofData.has(input));
    const leaves = node.inputs.flatMap((input) => leafOf.get(input) ?? []);
    if (data.length === 0) {
      if (leaves.length > 0) node.outputs.forEach((output) => leafOf.set(output, Math.min(...leaves)));
      continue;
    }
    node.outputs.forEach((output) => ofData.set(output, leaves.length > 0 || data.some((input) => ofData.get(input))));
    if (leaves.length > 0) nameUse(node, data[0], leaves, layers, applications, found);
  }
  found.delete('outputs');
  found.set('outputs', outputs);
  return [...found].filter(([, { shape, dtype }]) => isFloat(dtype) && shape[0] === inputs.shape[0])
    .map(([name, tensor]) => ({ name, tensor, isLearned: ofData.get(tensor) ?? false }));
}

/** Names what an operation between data and a layer's parameters reads and makes. */
function nameUse(node: Node, read: Tensor, leaves: readonly number[], layers: readonly string[], applications: Map<string, Application>, found: Map<string, Tensor>): void {
  const leaf = Math.min(...leaves);
  const layer = layers[leaf];
  let application = applications.get(layer);
  // A leaf that comes again belongs to another application of its layer.
  if (!application || application.met.has(leaf)) applications.set(layer, application = { count: (application?.count ?? 0) + 1, met: new Set() });
  application.met.add(leaf);
  const suffix = application.count === 1 ? '' : ` #${application.count}`;
  const { name } = node.primitive;
  if (name === 'dot' || name === 'conv') found.set(`before ${layer}${suffix}`, read);
  const after = `after ${layer}${suffix}`;
  // Anew, so that names stand in the order in which their values arise.
  found.delete(after);
  found.set(after, node.outputs[0]);
}
