/** How a convolution becomes ONNX operations. @module */
import type { Lowering, LoweredValue } from '../core/lowering.ts';
import type { Node } from '../core/tensor.ts';
import type { ConvParams } from './conv.ts';

/** Inserts zeros between neighbours along the spatial axes: what input dilation means. */
function dilate(lowering: Lowering, name: string, shape: readonly number[], dilation: readonly number[], zero: string): LoweredValue {
  let current = shape;
  dilation.forEach((step, i) => {
    const axis = i + 2;
    if (step === 1 || current[axis] <= 1) return;
    const split = [...current.slice(0, axis + 1), 1, ...current.slice(axis + 1)];
    const pads = [...split.map(() => 0), ...split.map((_, a) => (a === axis + 1 ? step - 1 : 0))];
    const spread = lowering.node('Pad', [lowering.reshape(name, split), lowering.int64(pads), zero])[0];
    const merged = current.map((n, a) => (a === axis ? n * step : n));
    const trimmed = merged.map((n, a) => (a === axis ? n - (step - 1) : n));
    name = lowering.node('Slice', [lowering.reshape(spread, merged), lowering.int64([0]), lowering.int64([trimmed[axis]]), lowering.int64([axis])])[0];
    current = trimmed;
  });
  return { name, shape: current };
}

/** One `Conv`; what it cannot express (input dilation, negative padding) is done by padding and slicing before it. */
export function lowerConv(lowering: Lowering, node: Node<ConvParams>): LoweredValue {
  const { strides, padding, inputDilation, kernelDilation, groups } = node.params;
  const [x, kernel] = node.inputs;
  lowering.require('Conv', x.dtype, 'conv');
  let { name } = dilate(lowering, lowering.name(x), x.shape, inputDilation, lowering.scalar(0, x.dtype));
  if (padding.some(([low, high]) => low < 0 || high < 0)) {
    const cut = (side: 0 | 1): number[] => [0, 0, ...padding.map((pair) => Math.min(0, pair[side]))];
    name = lowering.node('Pad', [name, lowering.int64([...cut(0), ...cut(1)]), lowering.scalar(0, x.dtype)])[0];
  }
  const grow = (side: 0 | 1): number[] => padding.map((pair) => Math.max(0, pair[side]));
  const [output] = lowering.node('Conv', [name, lowering.name(kernel)], {
    strides, pads: [...grow(0), ...grow(1)], dilations: kernelDilation, group: groups, kernel_shape: kernel.shape.slice(2),
  });
  return { name: output, shape: node.outputs[0].shape };
}
