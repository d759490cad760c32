/** Names and layouts of PyTorch's `state_dict()` for the arrays of a model. @module */
import type { Graph } from '../core/graph.ts';
import { sameShape, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AnyModel } from '../nn/model.ts';
import { unflatten } from '../tree/index.ts';
import { DataError } from '../util/errors.ts';
import { batchType, evalGraph, pointArrays, type ExampleType, type ModelPoint, type PointArray } from './model-graph.ts';
import type { NamedArrays } from './safetensors-write.ts';
import { transposedMatrix } from './transposed-matrix.ts';

/** Where an array of a model stands in a `state_dict()`. */
export interface TorchName {
  /** `layers.0.weight`, or of batch statistics `norm.mean`. */
  readonly path: string;
  readonly part: 'params' | 'state';
  /** `layers.0.weight`, `norm.running_mean` */
  readonly name: string;
  /** A weight of a product, [inputs, outputs] here and [outputs, inputs] there. */
  readonly isTransposed: boolean;
}

/** An extent that no axis of a model is likely to have. */
const PROBE_BATCH = 47;

/** Last names that differ: of norms `scale`, of batch statistics both. */
const RENAMED: Readonly<Record<TorchName['part'], Readonly<Record<string, string>>>> = {
  params: { scale: 'weight' }, state: { mean: 'running_mean', variance: 'running_var' },
};

function renamed({ path, part }: PointArray): string {
  const at = path.lastIndexOf('.') + 1;
  const last = path.slice(at);
  return path.slice(0, at) + (Object.hasOwn(RENAMED[part], last) ? RENAMED[part][last] : last);
}

/**
 * The axis of a matrix that the first product takes the sum over; undefined where none does, as for tables of vectors. Factors, as those
 * of the NTK parametrisation, may stand between.
 */
function contractedAxis(graph: Graph, matrix: Tensor): number | undefined {
  // Which axis of the parameter is axis 0 of a value made of it.
  const first = new Map<Tensor, 0 | 1>([[matrix, 0]]);
  for (const { primitive, params, inputs, outputs } of graph.nodes) {
    for (const [side, input] of inputs.entries()) {
      const axis = first.get(input);
      if (axis === undefined) continue;
      if (primitive.name === 'dot') {
        const contracted = (params as { contract: readonly (readonly number[])[] }).contract[side];
        return contracted.length === 1 ? (contracted[0] === 0 ? axis : 1 - axis) : undefined;
      }
      if (primitive.name === 'transpose') first.set(outputs[0], (1 - axis) as 0 | 1);
      else if (outputs.length === 1 && sameShape(outputs[0].shape, input.shape)) first.set(outputs[0], axis);
    }
  }
  return undefined;
}

/**
 * What PyTorch's `state_dict()` calls the arrays of a model of the same modules, in the order of `pointArrays`. Paths stay, but for `scale` of a
 * norm, which is `weight`, and `mean` and `variance` of batch statistics, which are `running_mean` and `running_var`. Weights of products
 * [inputs, outputs], found in the graph, are transposed; kernels of convolutions and tables of vectors lie as in PyTorch. Matrices used in
 * loops alone stay as they are, and so does a name that would be taken twice.
 * @throws ShapeError | DtypeError when the example does not fit the model.
 */
export function torchNames(model: AnyModel, point: ModelPoint, example: ExampleType): TorchName[] {
  const arrays = pointArrays(point);
  const graph = evalGraph(model, point, batchType(point, example, PROBE_BATCH));
  const wanted = arrays.map(renamed);
  return arrays.map(({ path, part, value }, i) => {
    const isTaken = wanted.some((other, j) => j !== i && (other === wanted[i] || arrays[j].path === wanted[i]));
    return { path, part, name: isTaken ? path : wanted[i], isTransposed: value.shape.length === 2 && contractedAxis(graph, graph.inputs[i]) === 0 };
  });
}

/**
 * The arrays of a point as `state_dict()` of the same modules in PyTorch has them: names and layouts of `torchNames`. With
 * `encodeSafetensors(..., { format: 'pt' })` they are a file that `load_state_dict(load_file(path))` takes.
 * @throws ShapeError | DtypeError when the example does not fit the model.
 */
export function torchStateDict(model: AnyModel, point: ModelPoint, example: ExampleType): NamedArrays {
  const arrays = pointArrays(point);
  return Object.fromEntries(torchNames(model, point, example).map(({ name, isTransposed }, i) => [name, isTransposed ? transposedMatrix(arrays[i].value) : arrays[i].value]));
}

/** What is not of the model though PyTorch keeps it: how many batches running statistics have seen. */
const COUNTERS = /(^|\.)num_batches_tracked$/;
const shapeOf = (shape: Shape, isTransposed: boolean): Shape => (isTransposed ? shape.toReversed() : shape);

/**
 * The point that a `state_dict()` holds: the inverse of `torchStateDict`, into trees as those of `like`. `num_batches_tracked` is not read.
 * @throws DataError naming an array that is missing, left over or of another shape.
 */
export function pointFromTorch<P extends ModelPoint>(model: AnyModel, like: P, example: ExampleType, arrays: NamedArrays, file = 'in memory'): P {
  const own = pointArrays(like);
  const names = torchNames(model, like, example);
  const refuse = (required: string, received: string): never => { throw new DataError({ operation: `state_dict ${file}`, required, received }); };
  const given = Object.keys(arrays).filter((name) => !COUNTERS.test(name));
  const values = names.map(({ name, isTransposed }, i) => {
    if (!Object.hasOwn(arrays, name)) return refuse(`there must be an array '${name}'`, `${given.slice(0, 8).map((other) => `'${other}'`).join(', ')}`);
    const wanted = shapeOf(own[i].value.shape, isTransposed);
    if (!sameShape(arrays[name].shape, wanted)) return refuse(`'${name}' must have shape [${wanted.join(', ')}]`, `[${arrays[name].shape.join(', ')}]`);
    return isTransposed ? transposedMatrix(arrays[name]) : arrays[name];
  });
  const extra = given.find((name) => !names.some((entry) => entry.name === name));
  if (extra !== undefined) refuse(`there must be nothing that ${model.name} lacks`, `'${extra}'`);
  const count = own.filter(({ part }) => part === 'params').length;
  return { ...like, params: unflatten(like.params, values.slice(0, count)), state: unflatten(like.state, values.slice(count)) };
}
