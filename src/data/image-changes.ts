/** Changes of images that leave labels as they are: data a little away from those a network was trained on. @module */
import { normal, split, type Key } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** A change of one square image, [side * side], at its place in a split: what `pooledImages` does before it averages blocks. */
export type ImageChange = (pixels: Float32Array, index: number) => Float32Array;

/** Moves an image to the right by so many pixels; what leaves on the right enters on the left. @throws ArgumentError when side or right is no integer. */
export function shiftedRight(side: number, right: number): ImageChange {
  requireInteger('shiftedRight', 'side', side, 1);
  requireInteger('shiftedRight', 'right', right, 0);
  return (pixels) => pixels.map((_, i) => pixels[side * Math.floor(i / side) + ((i % side) - (right % side) + side) % side]);
}

/**
 * Adds N(0, deviation^2) to each block of `block` by `block` pixels, the same number to all its pixels, so that an image averaged over these
 * blocks has noise of that deviation in every pixel. A function of the key and the image's place.
 *
 * @throws ArgumentError when block does not divide side.
 */
export function blockNoise({ side, block, deviation, key }: { readonly side: number; readonly block: number; readonly deviation: number; readonly key: Key }): ImageChange {
  requireInteger('blockNoise', 'block', block, 1);
  requireInteger('blockNoise', 'side / block', side / block, 1);
  requireNumber('blockNoise', 'deviation', deviation, 0);
  const blocks = side / block;
  return (pixels, index) => {
    const noise = normal(split(key, index), blocks ** 2, { deviation });
    return pixels.map((x, i) => x + noise[blocks * Math.floor(Math.floor(i / side) / block) + Math.floor((i % side) / block)]);
  };
}
