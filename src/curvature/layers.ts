/** One operator a layer, and their block diagonal. @module */
import { ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import { blockDiagonal } from './algebra-parts.ts';
import type { LinearOperator } from './operator.ts';
import type { CurvatureOptions } from './problem-operator.ts';

/** Makes an operator over a problem's parameters: `hessian`, `ggn`, `fisher`, ... */
export type OperatorMaker<P, State> = (problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions) => LinearOperator;

/** Which parameters go together. */
export interface LayerOptions extends CurvatureOptions {
  /** One operator a `layer` (all parameters of a module: the path without its last name) or a `parameter`. Default `layer`. */
  readonly by?: 'layer' | 'parameter';
}

/** A layer's own block of a curvature matrix. */
export interface LayerOperator {
  /** `layers.0`, as everywhere where layers are named. */
  readonly name: string;
  readonly operator: LinearOperator;
  /** Its coordinates in the whole space: [start, end). */
  readonly start: number;
  readonly end: number;
}

/**
 * The diagonal blocks of a curvature matrix, one for each layer: operators over that layer's parameters with the others held
 * fixed. Each is compiled by itself, and a product with one costs less than with the whole. The caller disposes them.
 */
export function layerOperators<P, State>(make: OperatorMaker<P, State>, problem: Problem<P, State>, point: Point<P, State>, options: LayerOptions = {}): LayerOperator[] {
  const { by = 'layer', ...others } = options;
  const space = new ParameterSpace(point.params, options.parameters);
  return space.groups(by).map(({ name, start, end }) => {
    const members = new Set(space.ranges.filter(({ offset }) => offset >= start && offset < end).map((range) => range.name));
    return { name, start, end, operator: make(problem, point, { ...others, parameters: (leaf) => members.has(leaf) }) };
  });
}

/** The block-diagonal part of a curvature matrix, a block a layer: what is left when layers are taken not to interact. */
export function layerBlockDiagonal<P, State>(make: OperatorMaker<P, State>, problem: Problem<P, State>, point: Point<P, State>, options: LayerOptions = {}): LinearOperator {
  const layers = layerOperators(make, problem, point, options).map(({ operator }) => operator);
  const joined = blockDiagonal(layers, { name: `block diagonal of ${layers[0].name}`, space: new ParameterSpace(point.params, options.parameters) });
  return Object.defineProperty(joined, 'dispose', { value: async () => { await Promise.all(layers.map((layer) => layer.dispose())); } });
}
