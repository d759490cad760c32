/** From a tensor of weights to the matrices whose spectra are taken. @module */
import { sizeOf, type NDArray } from '../../core/ndarray.ts';

/** A matrix in row-major order. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * How a convolution's kernel [outputs, inputs, ...window] becomes matrices. `reshaped`: one matrix [outputs, inputs x window]. `slices`: the
 * matrices kernel[:, :, i, j], whose eigenvalues are pooled into one spectrum. `each slice`: the same matrices, a spectrum each.
 */
export type ConvolutionForm = 'reshaped' | 'slices' | 'each slice';

export interface MatrixOptions {
  /** Default `reshaped` and `slices`. */
  readonly convolutions?: readonly ConvolutionForm[];
  /**
   * Whether slices are scaled by sqrt(c / 2), with c = 1 when pooled and the number of slices otherwise, as WeightWatcher does
   * (`conv2d_norm`). Default false.
   */
  readonly scaleSlices?: boolean;
}

/** The conventions of WeightWatcher: pooled slices, scaled. */
export const weightWatcherMatrices: MatrixOptions = { convolutions: ['slices'], scaleSlices: true };

/** The matrices behind one spectrum. */
export interface WeightMatrices {
  /** The tensor's name; of slices with what they are in brackets. */
  readonly name: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly form: 'matrix' | ConvolutionForm;
  /** Of each matrix, the longer side. */
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  /** Copies the i-th matrix out of the tensor. */
  matrix(i: number, tensor: NDArray): Matrix;
}

/** Plans the matrices of a tensor of this shape; none for scalars and vectors. No data are touched yet. */
export function weightMatrices(tensor: string, shape: readonly number[], options: MatrixOptions = {}): WeightMatrices[] {
  const { convolutions = ['reshaped', 'slices'], scaleSlices = false } = options;
  if (shape.length < 2) return [];
  const [outputs, inputs] = shape;
  const window = sizeOf(shape.slice(2));
  const sides = (a: number, b: number): { rows: number; columns: number } => ({ rows: Math.max(a, b), columns: Math.min(a, b) });
  const whole = (name: string, form: WeightMatrices['form']): WeightMatrices => ({
    name, tensor, shape, form, ...sides(outputs, inputs * window), count: 1,
    matrix: (_, { data }) => ({ rows: outputs, columns: inputs * window, data: Float64Array.from(data) }),
  });
  if (shape.length === 2) return [whole(tensor, 'matrix')];
  const sliceAt = (at: number, scale: number) => ({ data }: NDArray): Matrix =>
    ({ rows: outputs, columns: inputs, data: Float64Array.from({ length: outputs * inputs }, (_, i) => scale * data[i * window + at]) });
  return convolutions.flatMap((form): WeightMatrices[] => {
    if (form === 'reshaped') return [whole(tensor, form)];
    if (form === 'slices') {
      const scale = scaleSlices ? Math.SQRT1_2 : 1;
      return [{ name: `${tensor} [slices]`, tensor, shape, form, ...sides(outputs, inputs), count: window, matrix: (i, array) => sliceAt(i, scale)(array) }];
    }
    const scale = scaleSlices ? Math.sqrt(window / 2) : 1;
    return Array.from({ length: window }, (_, i) => ({
      name: `${tensor} [slice ${i}]`, tensor, shape, form, ...sides(outputs, inputs), count: 1, matrix: (_i: number, array: NDArray) => sliceAt(i, scale)(array),
    }));
  });
}
