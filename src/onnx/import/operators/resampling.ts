/** Where the elements of a resized axis come from: coordinates, nearest neighbours and weights of interpolation. @module */
import { ArgumentError } from '../../../util/errors.ts';
import { requireListable } from './numbers.ts';

/** One axis of a resize. `scale` is the factor that the model gives, or that its sizes amount to. */
export interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** Start and end of the region of `tf_crop_and_resize`, in units of the axis. */
  readonly region: readonly [number, number];
}

/** How an axis is interpolated. */
export interface Interpolation {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: string;
  readonly nearest: string;
  /** The coefficient a of the cubic kernel (Keys 1981). */
  readonly cubicCoefficient: number;
  /** Weights of neighbours outside of the axis are dropped, the rest scaled to sum to one. */
  readonly excludesOutside: boolean;
  /** An axis that is made smaller is smoothed: the kernel is as much wider. */
  readonly antialias: boolean;
}

// Rounded to 32 bits where ONNX Runtime rounds: ties between neighbours fall as there.
const { fround } = Math;

const COORDINATES: Readonly<Record<string, (x: number, axis: ResizedAxis) => number>> = {
  asymmetric: (x, { scale }) => fround(x / scale),
  half_pixel: (x, { scale }) => fround(fround((x + 0.5) / scale) - 0.5),
  pytorch_half_pixel: (x, { scale, to }) => (to > 1 ? fround(fround((x + 0.5) / scale) - 0.5) : 0),
  half_pixel_symmetric: (x, { scale, from, to }) => {
    const adjustment = fround(to / fround(scale * from));
    return fround(fround((from / 2) * fround(1 - adjustment)) + (x + 0.5) / scale - 0.5);
  },
  // The extents themselves, as in PyTorch and ONNX Runtime; ONNX's own reference has the scaled extent before it is rounded down.
  align_corners: (x, { from, to }) => (to > 1 ? fround(fround(x * (from - 1)) / (to - 1)) : 0),
  tf_half_pixel_for_nn: (x, { scale }) => fround((x + 0.5) / scale),
  tf_crop_and_resize: (x, { from, to, region: [start, end] }) =>
    fround(to > 1 ? start * (from - 1) + (x * (end - start) * (from - 1)) / (to - 1) : 0.5 * (start + end) * (from - 1)),
};

const NEAREST: Readonly<Record<string, (x: number, scale: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
  // Operator set 10 names no rule; ONNX Runtime's original one.
  simple: (x, scale) => (scale < 1 ? Math.ceil(x) : Math.trunc(x)),
};

/** The place in the original axis of each element of the resized one. @throws ArgumentError for transformations that ONNX does not define. */
export function sourceCoordinates(axis: ResizedAxis, { coordinates }: Interpolation): number[] {
  if (!Object.hasOwn(COORDINATES, coordinates)) throw new ArgumentError({ operation: 'import', required: `attribute 'coordinate_transformation_mode' must be one of ${Object.keys(COORDINATES).join(', ')}`, received: `'${coordinates}'` });
  requireListable(axis.to, 'a resized extent');
  return Array.from({ length: axis.to }, (_, x) => COORDINATES[coordinates](x, axis));
}

/** The nearest element of each place. @throws ArgumentError for rules of rounding that ONNX does not define. */
export function nearestElements(axis: ResizedAxis, interpolation: Interpolation): number[] {
  const { nearest } = interpolation;
  if (!Object.hasOwn(NEAREST, nearest)) throw new ArgumentError({ operation: 'import', required: "attribute 'nearest_mode' must be round_prefer_floor, round_prefer_ceil, floor or ceil", received: `'${nearest}'` });
  return sourceCoordinates(axis, interpolation).map((x) => Math.min(axis.from - 1, Math.max(0, NEAREST[nearest](x, axis.scale))));
}

/** Weights [to, from], row by row, by which a resized axis is a linear map of the original one. */
export function interpolationWeights(axis: ResizedAxis, interpolation: Interpolation): Float64Array {
  requireListable(axis.to * axis.from, 'the number of weights of a resized axis');
  const weights = new Float64Array(axis.to * axis.from);
  const places = sourceCoordinates(axis, interpolation);
  places.forEach((place, row) => { for (const [at, weight] of neighboursOf(place, axis, interpolation)) weights[row * axis.from + at] += weight; });
  return weights;
}

function neighboursOf(place: number, axis: ResizedAxis, interpolation: Interpolation): Neighbours {
  if (interpolation.antialias && axis.scale < 1) return smoothed(place, axis, interpolation);
  return interpolation.mode === 'linear' ? linear(place, axis.from) : cubic(place, axis.from, interpolation);
}

type Neighbours = readonly (readonly [number, number])[];

function linear(place: number, extent: number): Neighbours {
  const inside = Math.min(extent - 1, Math.max(0, place));
  const low = Math.floor(inside);
  return [[low, 1 - (inside - low)], [Math.min(extent - 1, low + 1), inside - low]];
}

/** Cubic convolution (Keys 1981) over four neighbours; those outside repeat the border. */
function cubic(place: number, extent: number, { cubicCoefficient: a, excludesOutside }: Interpolation): Neighbours {
  const low = Math.floor(place);
  const rest = place - low;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const weights = [far(rest + 1), near(rest), near(1 - rest), far(2 - rest)];
  const all = weights.map((weight, i) => [low - 1 + i, weight] as const);
  if (!excludesOutside) return all.map(([at, weight]) => [Math.min(extent - 1, Math.max(0, at)), weight]);
  const inside = all.filter(([at]) => at >= 0 && at < extent);
  const total = inside.reduce((sum, [, weight]) => sum + weight, 0);
  return inside.map(([at, weight]) => [at, weight / total]);
}

/** Keys's kernel over distances of at most 2. */
const keys = (d: number, a: number): number => (d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0);

/** The kernel stretched by 1 / scale, scaled to sum to one. Outside of the axis the border repeats; with `excludesOutside`, as PyTorch and Pillow have it, nothing is there. */
function smoothed(place: number, { from, scale }: ResizedAxis, { mode, cubicCoefficient, excludesOutside }: Interpolation): Neighbours {
  const reach = (mode === 'linear' ? 1 : 2) / scale;
  const [low, high] = [Math.ceil(place - reach), Math.floor(place + reach)];
  const [first, last] = excludesOutside ? [Math.max(0, low), Math.min(from - 1, high)] : [low, high];
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const distance = Math.abs(first + i - place) * scale;
    return [Math.min(from - 1, Math.max(0, first + i)), mode === 'linear' ? Math.max(0, 1 - distance) : keys(distance, cubicCoefficient)] as const;
  });
  const total = all.reduce((sum, [, weight]) => sum + weight, 0);
  return all.map(([at, weight]) => [at, weight / total]);
}
