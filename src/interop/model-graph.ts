/** A model in eval mode as a graph: what files for other systems are made of. @module */
import { Graph, trace } from '../core/graph.ts';
import type { NDArray, Shape } from '../core/ndarray.ts';
import type { Type } from '../core/tensor.ts';
import type { AnyModel } from '../nn/model.ts';
import { transpose } from '../ops/index.ts';
import { optimize } from '../transforms/passes.ts';
import { leavesWithPaths, unflatten } from '../tree/index.ts';

/** Parameters and batch statistics of a model, as trees of host arrays. */
export interface ModelPoint {
  readonly params: unknown;
  readonly state: unknown;
}

/** One example of the data that a model takes. */
export interface ExampleType {
  /** Without the batch: [1, 28, 28], [4], or [tokens]. */
  readonly shape: Shape;
  /** Default: the floating-point type of the parameters; tokens are int32. */
  readonly dtype?: 'float32' | 'float64' | 'int32';
}

/** An array of a point under its path. */
export interface PointArray {
  /** `layers.0.weight` */
  readonly path: string;
  readonly part: 'params' | 'state';
  readonly value: NDArray;
}

/** Arrays of a point, parameters first: the order of the inputs of `evalGraph`, which the data follow. */
export function pointArrays({ params, state }: ModelPoint): PointArray[] {
  const of = (tree: unknown, part: PointArray['part']): PointArray[] => (leavesWithPaths(tree) as [string, NDArray][]).map(([path, value]) => ({ path, part, value }));
  return [...of(params, 'params'), ...of(state, 'state')];
}

/** The type of a batch of examples, floating-point ones in the type of the parameters unless told otherwise. */
export function batchType(point: ModelPoint, { shape, dtype }: ExampleType, batch: number): Type {
  const float = pointArrays(point).some(({ value }) => value.dtype === 'float64') ? 'float64' : 'float32';
  return { shape: [batch, ...shape], dtype: dtype ?? float };
}

/**
 * The outputs of a batch as an optimised graph of the point's arrays and the data, its last input. Arrays whose place is in `transposed` come in
 * transposed. Parameters are inputs, so nothing of them is computed beforehand.
 */
export function evalGraph(model: AnyModel, point: ModelPoint, data: Type, transposed: ReadonlySet<number> = new Set()): Graph {
  const arrays = pointArrays(point);
  const types = arrays.map(({ value: { shape, dtype } }, i): Type => ({ shape: transposed.has(i) ? shape.toReversed() : shape, dtype }));
  const { inputs, outputs } = trace([...types, data], (...tensors) => {
    const own = arrays.map((_, i) => (transposed.has(i) ? transpose(tensors[i], [1, 0]) : tensors[i]));
    const count = arrays.filter(({ part }) => part === 'params').length;
    const params = unflatten(point.params, own.slice(0, count));
    const state = unflatten(point.state, own.slice(count));
    return [model.apply(params, tensors[arrays.length], { mode: 'eval', state }).outputs];
  });
  return optimize(new Graph(inputs, outputs));
}
