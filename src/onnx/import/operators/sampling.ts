/** Sampling images at the points of a grid, and grids of affine maps (Jaderberg et al. 2015). @module */
import { NDArray, sizeOf, type DType } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import {
  abs, add, and, at, clip, constant, convert, floor, gather, greater, greaterEqual, lessEqual, matmul, mod, mul, reshape, round, stopGradient,
  sub, transpose, where,
} from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';
import { requireListable } from './numbers.ts';
import { requireExtents } from './shaping.ts';

const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'import', required, received }); };

type Padding = 'zeros' | 'border' | 'reflection';
type Mode = 'nearest' | 'linear' | 'cubic';

/** Names of modes: operator set 16 calls the last two bilinear and bicubic. */
const MODES: Readonly<Record<string, Mode>> = { nearest: 'nearest', linear: 'linear', bilinear: 'linear', cubic: 'cubic', bicubic: 'cubic' };

/** A position along one axis with its weight. Integers are held as floating-point numbers. */
interface Tap {
  readonly place: Tensor;
  /** Undefined for one. */
  readonly weight: Tensor | undefined;
}

/** x mirrored at both ends until it lies within [low, high]; the points at the ends occur once a period. */
function reflect(x: Tensor, low: number, high: number): Tensor {
  const span = high - low;
  if (span === 0) return mul(x, 0);
  const within = mod(abs(sub(x, low)), 2 * span);
  return add(where(greater(within, span), sub(2 * span, within), within), low);
}

/** Keys' cubic convolution with a = -0.75 (1981): weights of four neighbours at distance `t` of [0, 1] from the second. */
function cubicWeights(t: Tensor): Tensor[] {
  const a = -0.75;
  const near = (x: Tensor): Tensor => add(mul(mul(x, x), sub(mul(x, a + 2), a + 3)), 1);
  const far = (x: Tensor): Tensor => sub(mul(x, add(mul(sub(mul(x, a), 5 * a), x), 8 * a)), 4 * a);
  const rest = sub(1, t);
  return [far(add(t, 1)), near(t), near(rest), far(add(rest, 1))];
}

interface Axis {
  readonly extent: number;
  readonly mode: Mode;
  readonly padding: Padding;
  readonly isAligned: boolean;
}

/** Neighbours of coordinates of [-1, 1] along an axis, before those outside are treated. */
function tapsOf(normal: Tensor, { extent, mode, padding, isAligned }: Axis): Tap[] {
  const scaled = isAligned ? mul(add(normal, 1), (extent - 1) / 2) : sub(mul(add(normal, 1), extent / 2), 0.5);
  if (mode === 'nearest') return [{ place: round(stopGradient(scaled)), weight: undefined }];
  // Cubic interpolation treats its neighbours only; the others the coordinate itself first.
  const x = mode === 'cubic' || padding === 'zeros' ? scaled : padding === 'border' ? clip(scaled, 0, extent - 1) : reflect(scaled, isAligned ? 0 : -0.5, isAligned ? extent - 1 : extent - 0.5);
  const below = stopGradient(floor(x));
  const t = sub(x, below);
  if (mode === 'linear') return [{ place: below, weight: sub(1, t) }, { place: add(below, 1), weight: t }];
  return cubicWeights(t).map((weight, i) => ({ place: add(below, i - 1), weight }));
}

/** A neighbour with its place moved into the axis; under 'zeros' what lies outside has weight zero. */
function inside({ place, weight }: Tap, { extent, padding, isAligned }: Axis): Tap {
  const limited = (x: Tensor): Tensor => clip(x, 0, extent - 1);
  if (padding === 'border') return { place: limited(place), weight };
  if (padding === 'reflection') return { place: limited(round(reflect(place, isAligned ? 0 : -0.5, isAligned ? extent - 1 : extent - 0.5))), weight };
  const isInside = and(greaterEqual(place, 0), lessEqual(place, extent - 1));
  return { place: limited(place), weight: weight === undefined ? convert(isInside, place.dtype) : where(isInside, weight, 0) };
}

/** All choices of one neighbour along each axis. */
const choices = (axes: readonly Tap[][]): Tap[][] => axes.reduce<Tap[][]>((all, taps) => all.flatMap((chosen) => taps.map((tap) => [...chosen, tap])), [[]]);

/** x [batch, channels, ...space] at grid [batch, ...points, rank], whose coordinates of [-1, 1] count from the last axis. */
const gridSample: OperatorRule = (call) => {
  const [x, grid] = [call.tensor(0), call.tensor(1)];
  const { attributes } = call;
  const [batch, channels, ...space] = x.shape;
  if (x.rank < 3 || grid.rank !== x.rank || grid.shape[0] !== batch || grid.shape.at(-1) !== space.length) refuse(`the grid must be [${batch}, ...points, ${space.length}] for an input [batch, channels, ...space]`, `${call.input(0).toString()} and ${call.input(1).toString()}`);
  if (sizeOf(space) === 0 || sizeOf(space) >= 2 ** 24) refuse('the space must have 1 to 2^24 points', call.input(0).toString());
  const name = attributes.text('mode', 'linear');
  const mode = Object.hasOwn(MODES, name) ? MODES[name] : refuse("attribute 'mode' must be nearest, linear or cubic", `'${name}'`);
  const padding = attributes.text('padding_mode', 'zeros');
  if (padding !== 'zeros' && padding !== 'border' && padding !== 'reflection') return refuse("attribute 'padding_mode' must be zeros, border or reflection", `'${padding}'`);
  const isAligned = attributes.flag('align_corners', false);
  const points = grid.shape.slice(1, -1);
  const count = sizeOf(points);
  const coordinates = reshape(grid, [batch, count, space.length]);
  const taps = space.map((extent, i) => {
    const axis = { extent, mode, padding, isAligned } as const;
    return tapsOf(at(coordinates, space.length - 1 - i, 2), axis).map((tap) => inside(tap, axis));
  });
  const rows = transpose(reshape(x, [batch, channels, sizeOf(space)]), [0, 2, 1]);
  const parts = choices(taps).map((chosen) => {
    const place = chosen.map((tap) => tap.place).reduce((sum, own, i) => add(mul(sum, space[i]), own));
    const weights = chosen.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
    const values = gather(rows, reshape(convert(place, 'int32'), [batch, count, 1]), 1);
    return weights.length === 0 ? values : mul(values, reshape(weights.reduce((a, b) => mul(a, b)), [batch, count, 1]));
  });
  return [call.result(reshape(transpose(parts.reduce((a, b) => add(a, b)), [0, 2, 1]), [batch, channels, ...points]))];
};

/** Centres of `extent` cells of [-1, 1], or points that reach both ends. */
const centres = (extent: number, isAligned: boolean): number[] =>
  Array.from({ length: extent }, (_, i) => (isAligned ? (extent === 1 ? -1 : -1 + (2 * i) / (extent - 1)) : (2 * i + 1) / extent - 1));

/** Points of a grid with a one behind the coordinates, last axis first: [points, rank + 1]. */
function homogeneous(space: readonly number[], isAligned: boolean, dtype: DType): Tensor {
  requireListable(sizeOf(space), 'the number of points of a grid', 2 ** 22);
  const lines = space.map((extent) => centres(extent, isAligned));
  const points = lines.reduce<number[][]>((all, line) => all.flatMap((point) => line.map((x) => [x, ...point])), [[]]);
  const values = points.flatMap((point) => [...point, 1]);
  return constant(new NDArray(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values), [points.length, space.length + 1], dtype));
}

/** theta [batch, rank, rank + 1] applied to the points of an image of extents [batch, channels, ...space]: [batch, ...space, rank]. */
const affineGrid: OperatorRule = (call) => {
  const theta = call.tensor(0);
  const [batch, , ...space] = requireExtents(call.integers(1, 'the size'));
  if ((space.length !== 2 && space.length !== 3) || theta.shape.join() !== [batch, space.length, space.length + 1].join()) refuse('theta must be [batch, 2, 3] for a size of 4 extents, [batch, 3, 4] for one of 5', `${call.input(0).toString()} and ${space.length + 2} extents`);
  const grid = homogeneous(space, call.attributes.flag('align_corners', false), theta.dtype);
  return [call.result(reshape(matmul(grid, transpose(theta, [0, 2, 1])), [batch, ...space, space.length]))];
};

export const samplingOperators: OperatorTable = {
  GridSample: { rule: gridSample, since: 16 },
  AffineGrid: { rule: affineGrid, settings: [1], since: 20 },
};
