/** Rows and slopes of a model's layers on a batch, and the sums that Kronecker factors are made of. @module */
import { NDArray, sizeOf, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, constant, convert, einsum, expandDims, mean, mul, square, sum, zeros, zerosLike } from '../ops/index.ts';
import { ParameterSpace, predict, type Point, type Problem } from '../problem/index.ts';
import { flatten } from '../tree/index.ts';
import { grad, vjp, vmap } from '../transforms/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { Key } from '../util/random/index.ts';
import { drawnGradients, drawNoise, type FisherKind } from './fisher.ts';
import { distributionOf, type DistributionChoice, type DistributionName, type PredictiveDistribution } from './fisher-distribution.ts';
import { biasRows, findLayers, inputRows, outputRows, perturbed, weightPositions, type WeightLayer } from './kfac-layers.ts';
import { traceOutputs, type CurvatureOptions, type ExtraArrays, type ProblemFunction, type ProductContext } from './problem-operator.ts';

/** Which Kronecker factors. */
export interface KfacOptions extends Omit<CurvatureOptions, 'block' | 'check'> {
  /** The matrix that is approximated, as `fisher` has it. Default `exact`, which is the GGN. */
  readonly kind?: FisherKind;
  /** Targets drawn for each example; `monte-carlo` only. Default 1. */
  readonly draws?: number;
  /** Seed of the draws. Default `key(0)`. */
  readonly key?: Key;
  /** The distribution behind a loss of one's own. */
  readonly distribution?: DistributionName | DistributionChoice;
  /**
   * What a weight used at several positions of an example (tokens, places of an image) counts as: `expand`, as that many
   * examples; `reduce`, as one with the mean input and the summed slope (Eschenhagen et al. 2023). Default `expand`.
   */
  readonly sharing?: 'expand' | 'reduce';
  /** Whether a bias is one more row of its layer's weight, or a block by itself. Default `joint`. */
  readonly bias?: 'joint' | 'separate';
  /** Parameters in no dense or convolution layer: `refuse` to go on, or count their curvature as `zero`. Default `refuse`. */
  readonly uncovered?: 'refuse' | 'zero';
}

/** One Kronecker-factored block: which layer, which coordinates. */
export interface KroneckerBlock {
  /** Names of the parameters in it. */
  readonly names: readonly string[];
  /** Which layer in the order they run. */
  readonly layer: number;
  readonly part: 'weight' | 'joint' | 'bias';
  /** Rows of the block as a matrix; a joint bias is the last. */
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs]: coordinates in the parameter space. */
  readonly positions: Int32Array;
}

/** What the blocks of a model are, and the cotangents their slopes come from. */
export interface KfacProgram<P, State> {
  readonly space: ParameterSpace;
  readonly blocks: readonly KroneckerBlock[];
  /** Parameters that no block covers. */
  readonly uncovered: readonly string[];
  readonly extra: ExtraArrays;
  /** Rows [examples, positions, inputs] and slopes [columns, examples, positions, outputs] of each block on a batch. */
  readonly rows: (context: ProductContext<P, State>, chosen: Tensor[]) => { inputs: Tensor; slopes: Tensor }[];
}

/** Output cotangents [columns, batch, ...outputs] whose outer products sum to the matrix in output space. */
type Columns = (outputs: Tensor, targets: Tensor, extra: Readonly<Record<string, Tensor>>) => Tensor;

/** @throws ArgumentError when parameters lie in no layer and `uncovered` is `refuse`; what `fisher` throws of its kinds. */
export function kfacProgram<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: KfacOptions): KfacProgram<P, State> {
  const { data = problem.train, bias = 'joint', uncovered: policy = 'refuse' } = options;
  const space = new ParameterSpace(point.params, options.parameters);
  const shapes = flatten<NDArray>(point.params).leaves.map(({ shape }) => shape);
  const { leaves, inputs, outputs } = traceOutputs(problem, point, data, space.dtype, Math.min(2, data.size));
  const found = findLayers(leaves, inputs, [outputs]);
  const blocks = found.flatMap((layer, i) => blocksOf(layer, i, space, shapes, bias));
  const covered = new Set(blocks.flatMap(({ names }) => names));
  const uncovered = space.names.filter((name) => !covered.has(name));
  if (uncovered.length > 0 && policy === 'refuse') {
    throw new ArgumentError({
      operation: 'kfac', required: 'every parameter must be the weight or the bias of a dense or convolution layer that uses it once', received: uncovered.join(', '),
      remedy: "choose `parameters` without them, or uncovered: 'zero'",
    });
  }
  if (blocks.length === 0) throw new ArgumentError({ operation: 'kfac', required: 'the model must have a dense or convolution layer among the chosen parameters', received: 'none' });
  const { columns, extra } = columnsOf(problem, point, options);
  return { space, blocks, uncovered, extra, rows: (context, chosen) => batchRows(context, chosen, blocks, columns) };
}

function blocksOf(layer: WeightLayer, index: number, space: ParameterSpace, shapes: readonly Shape[], bias: 'joint' | 'separate'): KroneckerBlock[] {
  const range = (leaf: number | undefined): ParameterSpace['ranges'][number] | undefined => space.ranges.find((each) => each.leaf === leaf);
  const weight = range(layer.weight.leaf);
  const offset = range(layer.bias?.leaf);
  const { inputs, outputs } = layer;
  const biasPositions = offset && Int32Array.from({ length: outputs }, (_, i) => offset.offset + i);
  // A factor of each output that the bias does not share cannot be part of one Kronecker product.
  const isJoint = bias === 'joint' && weight && offset && !layer.weight.alongAxis;
  const own = weight && weightPositions(layer, shapes[layer.weight.leaf]).map((at) => at + weight.offset);
  const blocks: KroneckerBlock[] = [];
  if (isJoint) blocks.push({ names: [weight.name, offset.name], layer: index, part: 'joint', inputs: inputs + 1, outputs, positions: Int32Array.of(...own!, ...biasPositions!) });
  if (!isJoint && weight) blocks.push({ names: [weight.name], layer: index, part: 'weight', inputs, outputs, positions: own! });
  if (!isJoint && offset) blocks.push({ names: [offset.name], layer: index, part: 'bias', inputs: 1, outputs, positions: biasPositions! });
  return blocks;
}

function columnsOf<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: KfacOptions): { columns: Columns; extra: ExtraArrays } {
  const { kind = 'exact', draws = 1, key } = options;
  if (kind === 'empirical') return { extra: {}, columns: (outputs, targets) => expandDims(grad((o: Tensor) => sum(problem.loss(o, targets)))(outputs), 0) };
  const distribution = distributionOf('kfac', problem.loss, options.distribution);
  if (kind === 'exact') return { extra: {}, columns: (outputs) => rootColumns(distribution, outputs) };
  if (kind !== 'monte-carlo') throw new ArgumentError({ operation: 'kfac', required: "kind must be 'exact', 'monte-carlo' or 'empirical'", received: `'${String(kind)}'` });
  return {
    extra: { noise: drawNoise(problem, point, distribution, draws, key, options) },
    columns: (outputs, _, extra) => mul(drawnGradients(distribution, outputs, extra.noise), 1 / Math.sqrt(draws)),
  };
}

/** S_n e for each unit vector e of an example's outputs: [outputs, batch, ...outputs]. */
export function rootColumns(distribution: PredictiveDistribution, outputs: Tensor): Tensor {
  const shape = outputs.shape.slice(1);
  const size = sizeOf(shape);
  const units = constant(new NDArray(Float64Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)), [size, 1, ...shape], 'float64'));
  return vmap((unit: Tensor) => distribution.root(outputs, add(unit, zerosLike(outputs))))(units.dtype === outputs.dtype ? units : convert(units, outputs.dtype));
}

function batchRows<P, State>({ problem, paramsAt, state, batch, extra }: ProductContext<P, State>, chosen: Tensor[], blocks: readonly KroneckerBlock[], columns: Columns): { inputs: Tensor; slopes: Tensor }[] {
  const params = paramsAt(chosen);
  const outputs = predict(problem, params, state, batch.inputs);
  const layers = findLayers(flatten<Tensor>(params).leaves, batch.inputs, [outputs]);
  const examples = batch.inputs.shape[0];
  const nothing = layers.map(({ output }) => zeros(output.shape, output.dtype));
  const [, pull] = vjp((perturbations: Tensor[]) => perturbed(outputs, layers, perturbations), nothing);
  const cotangents = vmap((column: Tensor) => pull(column)[0])(columns(outputs, batch.targets, extra));
  return blocks.map(({ layer: at, part }) => {
    const layer = layers[at];
    const slopes = outputRows(layer, cotangents[at], examples, part !== 'bias');
    const inputs = part === 'bias' ? biasRows(layer, examples, slopes.shape[2], outputs) : inputRows(layer, examples, part === 'joint');
    return { inputs, slopes };
  });
}

/** Sums over a batch of the outer products of rows and of slopes, for each block: [inputs, inputs] and [outputs, outputs]. */
export function factorSums<P, State>(program: KfacProgram<P, State>, sharing: 'expand' | 'reduce'): ProblemFunction<P, State, [], { inputs: Tensor; outputs: Tensor }[]> {
  return (context, chosen) => program.rows(context, chosen).map(({ inputs, slopes }) => {
    if (sharing === 'reduce') {
      const averaged = mean(inputs, 1);
      const summed = sum(slopes, 2);
      return { inputs: einsum('ni,nj->ij', averaged, averaged), outputs: einsum('cno,cnp->op', summed, summed) };
    }
    return { inputs: mul(einsum('nri,nrj->ij', inputs, inputs), 1 / inputs.shape[1]), outputs: einsum('cnro,cnrp->op', slopes, slopes) };
  });
}

/** Sums over a batch of the squared entries of the gradients, in the bases [inputs, inputs] and [outputs, outputs] of each block. */
export function squaredSums<P, State>(program: KfacProgram<P, State>): ProblemFunction<P, State, [{ inputs: Tensor; outputs: Tensor }[]], Tensor[]> {
  return (context, chosen, bases) => program.rows(context, chosen).map(({ inputs, slopes }, i) => {
    const rows = einsum('nri,ij->nrj', inputs, bases[i].inputs);
    const turned = einsum('cnro,op->cnrp', slopes, bases[i].outputs);
    // With one position a gradient is one outer product, and its square that of the squares.
    if (inputs.shape[1] === 1) return einsum('nri,nro->io', square(rows), sum(square(turned), 0));
    return sum(square(einsum('nri,cnro->cnio', rows, turned)), [0, 1]);
  });
}
