/**
 * Weights for make_torch_outputs.py: networks of this library at random points, batch statistics among them, as `torchStateDict` writes them.
 *
 * Run: node --conditions thalweg-source --import tsx test/golden/torch/make_weights.ts
 */
import { writeFileSync } from 'node:fs';
import { NDArray } from '../../../src/core/ndarray.ts';
import { encodeSafetensors, torchStateDict, type ModelPoint } from '../../../src/interop/index.ts';
import { mapTree } from '../../../src/tree/index.ts';
import { key, split, uniform } from '../../../src/util/random/index.ts';
import { torchCases } from './cases.ts';

for (const [name, { model, example }] of Object.entries(torchCases)) {
  let drawn = 0;
  const draw = (low: number) => (leaf: NDArray): NDArray => new NDArray(uniform(split(key(7), name, drawn++), leaf.size, { low, high: 1 }) as Float32Array, leaf.shape, 'float32');
  const { params, state } = model.init(key(0)) as ModelPoint;
  // Variances are positive.
  const point = { params: mapTree(draw(-0.6) as never, params), state: mapTree(draw(0.2) as never, state) };
  writeFileSync(new URL(`${name}.safetensors`, import.meta.url), encodeSafetensors(torchStateDict(model, point, example), { format: 'pt' }));
}
