/** Images made small enough for dense curvature: averaged over blocks, centred, scaled to unit mean square. @module */
import { NDArray } from '../core/ndarray.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { choice, type Key, randint, split as splitKey } from '../util/random/index.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { ImageChange } from './image-changes.ts';
import { makeSplit, subset, type Dataset, type Split } from './dataset.ts';

export interface PooledImagesOptions {
  /** Side of the small images; a divisor of the side of the large ones. */
  readonly side: number;
  /** The first so many train images; default all. */
  readonly train?: number;
  /** The first so many test images; default all. */
  readonly test?: number;
  /** What is done to the large images before the blocks are averaged: a shift, noise. It gets the pixels of one image, [side * side], which it must not change, and the image's place in its split. */
  readonly before?: ImageChange;
}

/**
 * Images of one channel averaged over square blocks, without the mean image of the train images, and divided by one number such that
 * the mean squared norm of a train image is the number of its pixels, side^2. Test images get the mean image and the number of the
 * train images. Inputs f32[n, side^2].
 *
 * @throws ShapeError when the images are not square with one channel; ArgumentError when side does not divide theirs.
 */
export function pooledImages(dataset: Dataset, { side, train = dataset.train.size, test = dataset.test.size, before }: PooledImagesOptions): Dataset {
  const [channels, height, width] = dataset.inputShape;
  if (dataset.inputShape.length !== 3 || channels !== 1 || height !== width) {
    throw new ShapeError({ operation: 'pooledImages', required: 'images must have the shape [1,n,n]', received: `[${dataset.inputShape.join(',')}]` });
  }
  requireInteger('pooledImages', 'side', side, 1);
  if (height % side !== 0) throw new ArgumentError({ operation: 'pooledImages', required: `side must divide ${height}`, received: String(side) });
  // Constants come from the images as they are, so that shifted and noisy ones stay comparable.
  const plain = pool(subset(dataset.train, train), height, side);
  const mean = meanRow(plain, side * side);
  const scale = 1 / Math.sqrt(plain.reduce((sum, x, i) => sum + (x - mean[i % mean.length]) ** 2, 0) / plain.length || 1);
  const apply = (split: Split): Split => {
    const pooled = pool(split, height, side, before);
    return makeSplit(new NDArray(Float32Array.from(pooled, (x, i) => (x - mean[i % mean.length]) * scale), [split.size, side * side], 'float32'), split.targets);
  };
  return { ...dataset, name: `${dataset.name}-${side}x${side}`, train: apply(subset(dataset.train, train)), test: apply(subset(dataset.test, test)), inputShape: [1, side, side] };
}

function pool({ inputs, size }: Split, large: number, side: number, before: ImageChange = (pixels) => pixels): Float64Array {
  const block = large / side;
  const out = new Float64Array(size * side * side);
  for (let n = 0; n < size; n++) {
    const pixels = before(inputs.data.subarray(n * large * large, (n + 1) * large * large) as Float32Array, n);
    for (let i = 0; i < large * large; i++) {
      out[n * side * side + Math.floor(Math.floor(i / large) / block) * side + Math.floor((i % large) / block)] += pixels[i] / (block * block);
    }
  }
  return out;
}

function meanRow(values: Float64Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  const size = values.length / width;
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / size;
  return mean;
}

/**
 * The split with a share of its labels drawn anew, uniformly over all classes, so that some of them stay what they were.
 * Exactly round(share * size) examples are redrawn. @throws ArgumentError unless 0 <= share <= 1.
 */
export function redrawnLabels(split: Split, share: number, classes: number, key: Key): Split {
  requireNumber('redrawnLabels', 'share', share, 0, 1);
  requireInteger('redrawnLabels', 'classes', classes, 1);
  const chosen = choice(splitKey(key, 'examples'), split.size, Math.round(share * split.size));
  const drawn = randint(splitKey(key, 'labels'), [chosen.length], { low: 0, high: classes });
  const labels = Int32Array.from(split.targets.data);
  chosen.forEach((at, i) => { labels[at] = drawn[i]; });
  return makeSplit(split.inputs, new NDArray(labels, split.targets.shape, 'int32'));
}
