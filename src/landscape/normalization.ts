/** How a direction is scaled against the parameters: the conventions in use, by name. @module */
import { ArgumentError } from '../util/errors.ts';
import { allocate, NDArray, sizeOf, toDtype, type Shape } from '../core/ndarray.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, requireSameStructure } from '../tree/index.ts';

/**
 * - `filter`: each filter d <- d ‖w‖ / (‖d‖ + 1e-10) (Li et al. 2018, section 4, and their code);
 * - `layer`: each tensor d <- d ‖w‖ / ‖d‖;
 * - `weight`: each entry d <- d w;
 * - `model`: the whole direction d <- d ‖w‖ / ‖d‖;
 * - `dfilter`: each filter to unit norm, d / (‖d‖ + 1e-10);
 * - `dlayer`: each tensor to unit norm;
 * - `none`: as it is.
 */
export type Normalization = 'filter' | 'layer' | 'weight' | 'model' | 'dfilter' | 'dlayer' | 'none';
/** All of them, by name. */
export const NORMALIZATIONS: readonly Normalization[] = ['filter', 'layer', 'weight', 'model', 'dfilter', 'dlayer', 'none'];

/**
 * What becomes of parameters of rank at most one (biases, scales of normalisation layers): `zero`, as in the figures of Li
 * et al. (`ignore='biasbn'` of their code); `copy`, the parameter itself as its direction, which is what their code does
 * otherwise; `keep`, the direction's own entries, scaled as one filter.
 */
export type BiasRule = 'zero' | 'copy' | 'keep';

/** How a direction is scaled. */
export interface NormalizationOptions {
  readonly normalization: Normalization;
  /** Default `zero`. */
  readonly biases?: BiasRule;
  /**
   * The axis along which a parameter's filters lie. Default: the last axis of a matrix, since dense weights are [in, out], and
   * axis 0 of anything of higher rank, since kernels are [out, ...]. Give 0 for matrices stored [out, in], or for tables.
   */
  readonly filterAxis?: (name: string, shape: Shape) => number;
}

/** The addition to a norm before it divides, in the code of Li et al. */
const EPSILON = 1e-10;
const matrixColumns = (_: string, shape: Shape): number => (shape.length === 2 ? 1 : 0);

/**
 * Scales a direction against the parameters; in float64, rounded to the parameters' type at the end.
 * @throws TreeError when the direction is not built like the parameters; ArgumentError for an unknown name.
 */
export function normalizeDirection<P>(direction: Host<P>, params: Host<P>, options: NormalizationOptions): Host<P> {
  const { normalization, biases = 'zero', filterAxis = matrixColumns } = options;
  requireOneOf('normalization', normalization, NORMALIZATIONS);
  requireOneOf('biases', biases, ['zero', 'copy', 'keep']);
  const { leaves: values, structure } = flatten<NDArray>(params);
  const given = flatten<NDArray>(direction);
  requireSameStructure('normalizeDirection', structure, given.structure);
  const scaled = values.map((value, i) => {
    const drawn = Float64Array.from(given.leaves[i].data);
    if (value.shape.length > 1) return normalizeTensor(drawn, value, normalization, filterAxis(structure.paths[i], value.shape));
    if (biases === 'keep') return normalizeTensor(drawn, value, normalization, null);
    return biases === 'copy' ? Float64Array.from(value.data) : new Float64Array(value.size);
  });
  if (normalization === 'model') scaleWhole(scaled, values);
  return structure.rebuild(values.map(({ shape, dtype }, i) => toDtype(new NDArray(scaled[i], shape, 'float64'), dtype))) as Host<P>;
}

function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new ArgumentError({ operation: 'normalizeDirection', required: `${name} must be one of ${allowed.join(', ')}`, received: `'${value}'` });
}

/** Scales `d` in place; `axis` null takes the tensor as one filter. */
function normalizeTensor(d: Float64Array, { data, shape }: NDArray, normalization: Normalization, axis: number | null): Float64Array {
  switch (normalization) {
    case 'filter': return scaleParts(d, data, partsAlong(shape, axis), (wanted, drawn) => wanted / (drawn + EPSILON));
    case 'dfilter': return scaleParts(d, data, partsAlong(shape, axis), (_, drawn) => 1 / (drawn + EPSILON));
    // A part of zeros has no direction; it stays zero.
    case 'layer': return scaleParts(d, data, partsAlong(shape, null), (wanted, drawn) => (drawn > 0 ? wanted / drawn : 0));
    case 'dlayer': return scaleParts(d, data, partsAlong(shape, null), (_, drawn) => (drawn > 0 ? 1 / drawn : 0));
    case 'weight': return d.map((x, i) => x * data[i]);
    default: return d;
  }
}

interface Parts { readonly count: number; readonly partOf: (position: number) => number }

/** The slices of a tensor along an axis. */
function partsAlong(shape: Shape, axis: number | null): Parts {
  if (axis === null) return { count: 1, partOf: () => 0 };
  const inner = sizeOf(shape.slice(axis + 1));
  const extent = shape[axis];
  return { count: extent, partOf: (position) => Math.floor(position / inner) % extent };
}

function scaleParts(d: Float64Array, w: ArrayLike<number>, { count, partOf }: Parts, factor: (wanted: number, drawn: number) => number): Float64Array {
  const wanted = new Float64Array(count);
  const drawn = new Float64Array(count);
  for (let i = 0; i < d.length; i++) {
    const part = partOf(i);
    wanted[part] += w[i] ** 2;
    drawn[part] += d[i] ** 2;
  }
  const factors = wanted.map((squares, part) => factor(Math.sqrt(squares), Math.sqrt(drawn[part])));
  for (let i = 0; i < d.length; i++) d[i] *= factors[partOf(i)];
  return d;
}

/** Scales all tensors by one number, to the norm of all parameters together. */
function scaleWhole(scaled: readonly Float64Array[], values: readonly NDArray[]): void {
  const normOf = (parts: readonly ArrayLike<number>[]): number => {
    let squares = 0;
    for (const part of parts) for (let i = 0; i < part.length; i++) squares += part[i] ** 2;
    return Math.sqrt(squares);
  };
  const drawn = normOf(scaled);
  const factor = drawn > 0 ? normOf(values.map(({ data }) => data)) / drawn : 0;
  for (const part of scaled) for (let i = 0; i < part.length; i++) part[i] *= factor;
}

/** A tree like `params`, all zeros. */
export function zerosOf<P>(params: Host<P>): Host<P> {
  const { leaves, structure } = flatten<NDArray>(params);
  return structure.rebuild(leaves.map(({ shape, size, dtype }) => new NDArray(allocate(dtype, size), shape, dtype))) as Host<P>;
}
