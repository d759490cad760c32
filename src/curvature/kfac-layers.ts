/** Dense and convolution layers found in a traced model: parameters that multiply something of the data. @module */
import { evaluate } from '../core/evaluate.ts';
import { nodesOf } from '../core/graph.ts';
import { NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import { bind, type Node, type Tensor } from '../core/tensor.ts';
import { add, concat, conv, expandDims, eye, moveAxis, mul, ones, reshape, transpose } from '../ops/index.ts';

/** Axes of a product, as the operation `dot` states them. */
interface ProductAxes {
  readonly batch: readonly [readonly number[], readonly number[]];
  readonly contract: readonly [readonly number[], readonly number[]];
}

/** The windows of a convolution, as the operation `conv` states them. */
interface Windows {
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly groups: number;
}

/** A parameter on its way into an operation: renamed, reshaped, and multiplied by one number or by one number an output. */
interface Route {
  /** Number of the leaf among the parameters. */
  readonly leaf: number;
  /** Factor of all elements (rank 0); absent: one. */
  readonly scale?: Tensor;
  /** Factor along one axis of the operand; absent: one. */
  readonly alongAxis?: { readonly factor: Tensor; readonly axis: number };
  /** The same steps without the factors, on a host array. */
  readonly arrange: (values: NDArray) => NDArray;
}

/** One product of a parameter with data: `output` = data x weight, for every row of every example. */
export interface WeightLayer {
  readonly kind: 'dense' | 'conv';
  readonly weight: Route;
  readonly bias?: Route;
  readonly node: Node;
  /** Which input of the node is the weight. */
  readonly side: 0 | 1;
  /** What the weight multiplies. */
  readonly data: Tensor;
  /** The layer's linear output, before its bias. */
  readonly output: Tensor;
  /** Lengths of the contracted and of the free part of the weight. */
  readonly inputs: number;
  readonly outputs: number;
}

const complement = (rank: number, axes: readonly number[]): number[] => Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));

/** How a tensor comes from one of the leaves, or null when it does not by renaming and scaling alone. */
function routeOf(tensor: Tensor, leaves: ReadonlyMap<Tensor, number>, isWhole = true): Route | null {
  const leaf = leaves.get(tensor);
  if (leaf !== undefined) return { leaf, arrange: (values) => values };
  const { node } = tensor;
  if (node === null) return null;
  const { name } = node.primitive;
  if (name === 'mul') {
    for (const [other, factor] of [node.inputs, [...node.inputs].reverse()]) {
      const repeated = repeatedFactor(factor);
      const route = repeated && routeOf(other, leaves, isWhole);
      if (!route || !repeated) continue;
      if (repeated.axis === undefined) return { ...route, scale: route.scale ? mul(route.scale, repeated.factor) : repeated.factor };
      if (isWhole && !route.alongAxis) return { ...route, alongAxis: { factor: repeated.factor, axis: repeated.axis } };
    }
    return null;
  }
  if (!['alias', 'reshape', 'transpose', 'broadcast'].includes(name)) return null;
  const route = routeOf(node.inputs[0], leaves, isWhole && name === 'alias');
  return route && { ...route, arrange: (values) => node.primitive.reference({ params: node.params, inputs: [route.arrange(values)], types: node.outputs, evaluate })[0] };
}

/** A tensor that repeats one number, or numbers along one axis. */
function repeatedFactor(tensor: Tensor): { factor: Tensor; axis?: number } | null {
  const { node } = tensor;
  if (tensor.rank === 0) return { factor: tensor };
  if (node?.primitive.name !== 'broadcast') return null;
  const [factor] = node.inputs;
  const { axes } = node.params as { axes: readonly number[] };
  // Axes of extent one repeat nothing.
  const varying = axes.filter((_, i) => factor.shape[i] !== 1);
  if (varying.length > 1) return null;
  return varying.length === 0 ? { factor: reshape(factor, []) } : { factor: reshape(factor, [sizeOf(factor.shape)]), axis: varying[0] };
}

/** Whether an output depends on `source` other than as input number `side` of `through`. */
function isUsedElsewhere(source: Tensor, outputs: readonly Tensor[], through: Node, side: number): boolean {
  const seen = new Set<Node>();
  const pending = [...outputs];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (tensor === source) return true;
    const { node } = tensor;
    if (node === null || seen.has(node)) continue;
    seen.add(node);
    pending.push(...(node === through ? node.inputs.filter((_, i) => i !== side) : node.inputs));
  }
  return false;
}

function outputAxisOf({ node, side, output }: Pick<WeightLayer, 'node' | 'side' | 'output'>): number[] {
  if (node.primitive.name === 'conv') return [1];
  const { contract } = node.params as ProductAxes;
  const free = node.inputs[side].rank - contract[side].length;
  return complement(output.rank, []).slice(side === 0 ? 0 : output.rank - free, side === 0 ? free : output.rank);
}

function layerAt(node: Node, leaves: ReadonlyMap<Tensor, number>, all: readonly Tensor[], dependsOnData: (tensor: Tensor) => boolean, outputs: readonly Tensor[]): WeightLayer | null {
  const { name } = node.primitive;
  if (name !== 'dot' && name !== 'conv') return null;
  for (const side of name === 'conv' ? [1] as const : [0, 1] as const) {
    const operand = node.inputs[side];
    const data = node.inputs[1 - side];
    const weight = routeOf(operand, leaves);
    if (weight === null || !dependsOnData(data) || dependsOnData(operand)) continue;
    if (name === 'dot' && (node.params as ProductAxes).batch[0].length > 0) continue;
    if (name === 'conv' && ((node.params as Windows).groups !== 1 || (node.params as Windows).inputDilation.some((n) => n !== 1))) continue;
    if (isUsedElsewhere(all[weight.leaf], outputs, node, side)) continue;
    const contracted = name === 'conv' ? complement(operand.rank, [0]) : (node.params as ProductAxes).contract[side];
    const free = complement(operand.rank, contracted);
    if (weight.alongAxis && !(free.length === 1 && free[0] === weight.alongAxis.axis)) continue;
    const inputs = sizeOf(contracted.map((axis) => operand.shape[axis]));
    return { kind: name === 'conv' ? 'conv' : 'dense', weight, node, side, data, output: node.outputs[0], inputs, outputs: operand.shape.length === 0 ? 1 : sizeOf(operand.shape) / inputs };
  }
  return null;
}

/** The bias that is added to a layer's output at once, if there is one. */
function biasOf(layer: WeightLayer, nodes: readonly Node[], leaves: ReadonlyMap<Tensor, number>, all: readonly Tensor[], outputs: readonly Tensor[]): Route | null {
  for (const node of nodes) {
    if (node.primitive.name !== 'add' || !node.inputs.includes(layer.output)) continue;
    const side = node.inputs[0] === layer.output ? 1 : 0;
    const route = routeOf(node.inputs[side], leaves);
    if (route === null || route.alongAxis || sizeOf(all[route.leaf].shape) !== layer.outputs || isUsedElsewhere(all[route.leaf], outputs, node, side)) continue;
    const order = outputOrder(route.arrange(indexArray(all[route.leaf].shape)), outputAxisOf(layer));
    if (order !== null && order.every((x, i) => x === i)) return route;
  }
  return null;
}

const indexArray = (shape: Shape): NDArray => new NDArray(Int32Array.from({ length: sizeOf(shape) }, (_, i) => i), shape, 'int32');

/** The values along `axes`, or null when they change along another axis too. */
function outputOrder({ data, shape }: NDArray, axes: readonly number[]): Int32Array | null {
  const out = new Int32Array(sizeOf(axes.map((axis) => shape[axis]))).fill(-1);
  for (let at = 0; at < data.length; at++) {
    let rest = at;
    let position = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
      if (!axes.includes(axis)) continue;
      position += index * stride;
      stride *= shape[axis];
    }
    if (out[position] === -1) out[position] = data[at];
    else if (out[position] !== data[at]) return null;
  }
  return out;
}

/**
 * The layers of a traced model, in the order they run: applications of `dot` and `conv` (one group) whose one side is a parameter
 * and whose other side comes of the data, with the parameter used nowhere else. It needs no list of layer types. `leaves` are all
 * parameters; `inputs` is what the model was applied to.
 */
export function findLayers(leaves: readonly Tensor[], inputs: Tensor, outputs: readonly Tensor[]): WeightLayer[] {
  const nodes = nodesOf(outputs);
  const fromData = new Set<Tensor>([inputs]);
  for (const node of nodes) if (node.inputs.some((input) => fromData.has(input))) node.outputs.forEach((output) => fromData.add(output));
  const numbers = new Map(leaves.map((leaf, i) => [leaf, i]));
  return nodes.flatMap((node) => {
    const layer = layerAt(node, numbers, leaves, (tensor) => fromData.has(tensor), outputs);
    if (layer === null) return [];
    const bias = biasOf(layer, nodes, numbers, leaves, outputs);
    return [bias === null ? layer : { ...layer, bias }];
  });
}

/** The weight's elements by input and output: [inputs, outputs] of positions in the leaf, row-major. */
export function weightPositions({ weight, node, side, inputs, outputs, kind }: WeightLayer, leafShape: Shape): Int32Array {
  const operand = weight.arrange(indexArray(leafShape));
  const contracted = kind === 'conv' ? complement(operand.shape.length, [0]) : (node.params as ProductAxes).contract[side];
  const order = [...contracted, ...complement(operand.shape.length, contracted)];
  const strides = operand.shape.map((_, axis) => sizeOf(operand.shape.slice(axis + 1)));
  return Int32Array.from({ length: inputs * outputs }, (_, at) => {
    let rest = at;
    let from = 0;
    for (const axis of [...order].reverse()) {
      from += (rest % operand.shape[axis]) * strides[axis];
      rest = Math.floor(rest / operand.shape[axis]);
    }
    return operand.data[from];
  });
}

/** The outputs with a perturbation added to each layer's output. */
export function perturbed(outputs: Tensor, layers: readonly WeightLayer[], perturbations: readonly Tensor[]): Tensor {
  const added = new Map(layers.map(({ output }, i) => [output, perturbations[i]]));
  const map = new Map<Tensor, Tensor>();
  for (const node of nodesOf([outputs])) {
    const inputs = node.inputs.map((input) => map.get(input) ?? input);
    const made = inputs.some((input, i) => input !== node.inputs[i]) ? bind(node.primitive, node.params, inputs) : node.outputs;
    node.outputs.forEach((output, i) => {
      const perturbation = added.get(output);
      const value = perturbation ? add(made[i], perturbation) : made[i];
      if (value !== output) map.set(output, value);
    });
  }
  return map.get(outputs) ?? outputs;
}

/** The rows that the weight multiplies, [examples, positions, inputs], with a last one for a joint bias. */
export function inputRows(layer: WeightLayer, examples: number, withBias: boolean): Tensor {
  const { data, node, side, inputs, weight, bias } = layer;
  const rows = layer.kind === 'conv' ? patches(data, node) : unfolded(data, (node.params as ProductAxes).contract[1 - side], inputs);
  const scaled = weight.scale ? mul(rows, weight.scale) : rows;
  const shaped = reshape(scaled, [examples, rows.shape[0] / examples, inputs]);
  if (!withBias) return shaped;
  const one = ones([...shaped.shape.slice(0, 2), 1], shaped.dtype);
  return concat([shaped, bias?.scale ? mul(one, bias.scale) : one], 2);
}

/** Ones in the place of rows: what a bias multiplies. */
export const biasRows = ({ bias }: WeightLayer, examples: number, positions: number, like: Tensor): Tensor => {
  const one = ones([examples, positions, 1], like.dtype);
  return bias?.scale ? mul(one, bias.scale) : one;
};

/** Data as [rows, contracted]. */
const unfolded = (data: Tensor, contract: readonly number[], inputs: number): Tensor =>
  reshape(transpose(data, [...complement(data.rank, contract), ...contract]), [sizeOf(data.shape) / inputs, inputs]);

/** What each application of the kernel sees, [batch * space, channels * window]: a convolution with all unit kernels. */
function patches(data: Tensor, node: Node): Tensor {
  const { strides, padding, kernelDilation } = node.params as Windows;
  const [, channels, ...window] = node.inputs[1].shape;
  const size = channels * sizeOf(window);
  const units = reshape(eye(size, data.dtype), [size, channels, ...window]);
  const seen = moveAxis(conv(data, units, { strides, padding, kernelDilation }), 1, data.rank - 1);
  return reshape(seen, [sizeOf(seen.shape) / size, size]);
}

/** Cotangents of a layer's output, [columns, ...output], as [columns, examples, positions, outputs]; `forWeight` times the factor of each output. */
export function outputRows(layer: WeightLayer, cotangents: Tensor, examples: number, forWeight: boolean): Tensor {
  const axes = outputAxisOf(layer).map((axis) => axis + 1);
  const order = [0, ...complement(cotangents.rank, [0, ...axes]), ...axes];
  const columns = cotangents.shape[0];
  const rows = reshape(transpose(cotangents, order), [columns, examples, sizeOf(cotangents.shape) / (columns * examples * layer.outputs), layer.outputs]);
  const factor = layer.weight.alongAxis?.factor;
  return factor && forWeight ? mul(rows, expandDims(factor, 0)) : rows;
}
