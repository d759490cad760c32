/** Elements moved apart along an axis: what interior padding and input dilation lower to. @module */
import type { Lowering, LoweredValue } from '../core/lowering.ts';

/**
 * Follows each element along `axis` by `gap` elements of the scalar `fill`: [..., n, ...] to [..., n (gap + 1), ...]. Beside a block of
 * them, by `Concat`: on [128, 16, 14, 14] 0.5 ms, where `Pad` of an axis of one took 6.
 */
export function spreadAxis(lowering: Lowering, { name, shape }: LoweredValue, axis: number, gap: number, fill: string): LoweredValue {
  const split = (between: number): number[] => [...shape.slice(0, axis + 1), between, ...shape.slice(axis + 1)];
  const block = lowering.node('Expand', [fill, lowering.int64(split(gap))])[0];
  const [joined] = lowering.node('Concat', [lowering.reshape(name, split(1)), block], { axis: axis + 1 });
  const spread = shape.map((n, i) => (i === axis ? n * (gap + 1) : n));
  return { name: lowering.reshape(joined, spread), shape: spread };
}
