/** Convolutions and pooling. Images are [batch, channel, ...space], kernels [out, in / groups, ...space]. */
import type { Tensor } from '../../../src/core/tensor.ts';
import { add, averagePool, conv, div, flatten, matmul, maxPool, onesLike, reshape, sumPool, tanh, type ConvOptions } from '../../../src/ops/index.ts';
import { curvedCase, scalarCase, type GoldenCase, type GoldenCases, type Tensors } from '../golden.ts';
import { crossEntropy } from './networks.ts';

const convolution = (options: ConvOptions = {}): GoldenCase => curvedCase(({ x, w }) => conv(x, w, options));

function networkLoss({ x, labels, k1, b1, k2, b2, w, b }: Tensors): Tensor {
  const layer = (image: Tensor, kernel: Tensor, bias: Tensor, pad: number): Tensor =>
    tanh(add(conv(image, kernel, { padding: [[pad, pad], [pad, pad]] }), reshape(bias, [-1, 1, 1])));
  const h = layer(averagePool(layer(x, k1, b1, 1), 2), k2, b2, 0);
  return crossEntropy(add(matmul(flatten(h), w), b), labels);
}

/** The mean over the elements of each window that lie inside the image. */
const meanInside = (x: Tensor): Tensor => {
  const total = (image: Tensor): Tensor => sumPool(image, [3, 2], { strides: [2, 1], padding: [[1, 1], [0, 1]] });
  return div(total(x), total(onesLike(x)));
};

export const convolutions: GoldenCases = {
  'conv2d-valid': convolution(),
  'conv2d-same': convolution({ padding: 'same' }),
  'conv2d-same-strided': convolution({ strides: 2, padding: 'same' }),
  'conv2d-strided-asymmetric-padding': convolution({ strides: [2, 3], padding: [[2, 0], [1, 3]] }),
  'conv2d-stride-leaves-a-rest': convolution({ strides: [3, 2] }),
  'conv2d-lhs-dilation': convolution({ padding: [[2, 1], [2, 2]], inputDilation: [2, 3] }),
  'conv2d-rhs-dilation': convolution({ strides: [1, 2], padding: [[2, 2], [1, 2]], kernelDilation: 2 }),
  'conv2d-grouped': convolution({ padding: [[1, 1], [1, 1]], groups: 2 }),
  'conv2d-depthwise': convolution({ strides: [2, 1], padding: [[1, 1], [0, 2]], groups: 3 }),
  'conv2d-everything': convolution({ strides: [2, 1], padding: [[1, 2], [0, 1]], inputDilation: [2, 1], kernelDilation: [1, 2], groups: 2 }),
  conv1d: convolution({ strides: 2, padding: [[2, 1]] }),
  conv3d: convolution({ strides: [1, 2, 1], padding: [[1, 0], [1, 1], [0, 1]] }),
  'max-pool2d': curvedCase(({ x }) => maxPool(x, 2)),
  'max-pool2d-overlapping': curvedCase(({ x }) => maxPool(x, 3, { strides: 2, padding: [[1, 1], [0, 1]] })),
  'average-pool2d': curvedCase(({ x }) => averagePool(x, 2)),
  'average-pool2d-padded': curvedCase(({ x }) => meanInside(x)),
  'convolutional-network': scalarCase(networkLoss),
};
