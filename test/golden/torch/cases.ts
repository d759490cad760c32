/** Networks that exist here and in make_torch_outputs.py. */
import type { ExampleType } from '../../../src/interop/index.ts';
import { resnet, transformer, type AnyModel } from '../../../src/nn/index.ts';

export const torchCases: Readonly<Record<string, { readonly model: AnyModel; readonly example: ExampleType }>> = {
  resnet: { model: resnet({ depth: 8, width: 2, inputShape: [1, 8, 8], classes: 3 }), example: { shape: [1, 8, 8] } },
  // Several matrices are square: their layout cannot be told by their shape.
  transformer: { model: transformer({ vocabulary: 8, context: 4, width: 8, heads: 2, depth: 1, hidden: 8 }), example: { shape: [4], dtype: 'int32' } },
};
