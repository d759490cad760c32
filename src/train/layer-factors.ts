/** Kronecker factors of a model's layers on the batch of a training step, traced. @module */
import { NDArray, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { biasRows, findLayers, inputRows, outputRows, perturbed, weightPositions, type WeightLayer } from '../curvature/kfac-layers.ts';
import type { LayerFactors } from '../optim/index.ts';
import { concat, constant, einsum, expandDims, mul, narrow, reshape, take, transpose, zeros } from '../ops/index.ts';
import { vjp } from '../transforms/index.ts';
import { flatten } from '../tree/index.ts';

/** What the factors are made of. */
export interface LayerFactorsInput<P> {
  readonly params: P;
  /** What the model was applied to. */
  readonly inputs: Tensor;
  /** What it gave for `params`, [batch, ...]. */
  readonly outputs: Tensor;
  /** Slopes of the examples' losses at the outputs, shaped as they are. */
  readonly slopes: Tensor;
}

/** One block: a layer's weight with its bias, or one of them where a factor of the weight alone keeps them apart. */
type Part = 'joint' | 'weight' | 'bias';

const partsOf = ({ weight, bias }: WeightLayer): Part[] => (bias === undefined ? ['weight'] : weight.alongAxis ? ['weight', 'bias'] : ['joint']);

/**
 * Kronecker factors of every dense and convolution layer of a traced model, in the order they run (Martens & Grosse 2015; for
 * convolutions Grosse & Martens 2016 and, for their scale, the `expand` of Eschenhagen et al. 2023). Layers are found in the
 * graph; parameters outside of them are in none of the blocks. One backward pass to the layers' outputs.
 */
export function layerFactors<P>({ params, inputs, outputs, slopes }: LayerFactorsInput<P>): LayerFactors<P>[] {
  const { leaves, structure } = flatten<Tensor>(params);
  const layers = findLayers(leaves, inputs, [outputs]);
  if (layers.length === 0) return [];
  const examples = outputs.shape[0];
  const [, pull] = vjp((perturbations: Tensor[]) => perturbed(outputs, layers, perturbations), layers.map(({ output }) => zeros(output.shape, output.dtype)));
  const [cotangents] = pull(slopes);
  return layers.flatMap((layer, i) => partsOf(layer).map((part): LayerFactors<P> => {
    const columns = outputRows(layer, expandDims(cotangents[i], 0), examples, part !== 'bias');
    const positions = columns.shape[2];
    const slope = reshape(columns, [examples * positions, layer.outputs]);
    const rows = part === 'bias' ? biasRows(layer, examples, positions, outputs) : inputRows(layer, examples, part === 'joint');
    const input = reshape(rows, [examples * positions, rows.shape[2]]);
    return {
      names: [...(part === 'bias' ? [] : [structure.paths[layer.weight.leaf]]), ...(part === 'weight' ? [] : [structure.paths[layer.bias!.leaf]])],
      inputs: mul(einsum('ni,nj->ij', input, input), 1 / (examples * positions)),
      slopes: mul(einsum('no,np->op', slope, slope), 1 / examples),
      ...arrangement<P>(layer, part, leaves, structure.paths),
    };
  }));
}

/** A leaf as a matrix [inputs, outputs] and back: a reshape or a transpose for the layouts that layers have, else a gather. */
function matrixOf(layer: WeightLayer, shape: Shape): { to: (leaf: Tensor) => Tensor; from: (matrix: Tensor) => Tensor } {
  const { inputs, outputs } = layer;
  const positions = weightPositions(layer, shape);
  if (positions.every((at, i) => at === i)) return { to: (leaf) => reshape(leaf, [inputs, outputs]), from: (matrix) => reshape(matrix, shape) };
  if (positions.every((at, i) => at === (i % outputs) * inputs + Math.floor(i / outputs))) {
    return { to: (leaf) => transpose(reshape(leaf, [outputs, inputs])), from: (matrix) => reshape(transpose(matrix), shape) };
  }
  const places = new Int32Array(positions.length);
  positions.forEach((at, i) => { places[at] = i; });
  const gathered = (x: Tensor, indices: Int32Array, to: Shape): Tensor => reshape(take(reshape(x, [indices.length]), constant(new NDArray(indices, [indices.length], 'int32'))), to);
  return { to: (leaf) => gathered(leaf, positions, [inputs, outputs]), from: (matrix) => gathered(matrix, places, shape) };
}

function arrangement<P>(layer: WeightLayer, part: Part, leaves: readonly Tensor[], paths: readonly string[]): Pick<LayerFactors<P>, 'matrix' | 'leaves'> {
  const { weight, bias, inputs, outputs } = layer;
  const shapeOf = (leaf: number): Shape => leaves[leaf].shape;
  const layout = part === 'bias' ? undefined : matrixOf(layer, shapeOf(weight.leaf));
  const biasRow = (tree: P): Tensor => reshape(flatten<Tensor>(tree).leaves[bias!.leaf], [1, outputs]);
  const biasLeaf = (row: Tensor): Record<string, Tensor> => ({ [paths[bias!.leaf]]: reshape(row, shapeOf(bias!.leaf)) });
  const weightLeaf = (matrix: Tensor): Record<string, Tensor> => ({ [paths[weight.leaf]]: layout!.from(matrix) });
  const weightMatrix = (tree: P): Tensor => layout!.to(flatten<Tensor>(tree).leaves[weight.leaf]);
  if (part === 'bias') return { matrix: biasRow, leaves: biasLeaf };
  if (part === 'weight') return { matrix: weightMatrix, leaves: weightLeaf };
  return {
    matrix: (tree) => concat([weightMatrix(tree), biasRow(tree)]),
    leaves: (matrix) => ({ ...weightLeaf(narrow(matrix, 0, 0, inputs)), ...biasLeaf(narrow(matrix, 0, inputs, inputs + 1)) }),
  };
}
