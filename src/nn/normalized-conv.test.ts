import { expect, test } from 'vitest';
import type { Tensor } from '../core/tensor.ts';
import { mean, sin } from '../ops/index.ts';
import { hvp, valueAndGrad } from '../transforms/index.ts';
import { evaluateReference, requireClose } from '../testing/index.ts';
import { key } from '../util/random/index.ts';
import { normals, shaken } from './arrays.test-helper.ts';
import { batchNorm, conv, named, normalizedConv, type Layer, type Mode, type ParametersOf, type StateOf } from './index.ts';

const options = { inputs: 2, outputs: 3, window: [3, 3], padding: [[1, 1], [1, 1]], strides: 2 } as const;

for (const parametrization of ['standard', 'ntk'] as const) {
  test(`the same function as convolution and batch norm apart, ${parametrization}`, () => {
    const joint = normalizedConv({ ...options, parametrization });
    const apart: typeof joint = named({ conv: conv({ ...options, parametrization, bias: false }), norm: batchNorm(3) }) satisfies Layer<ParametersOf<typeof joint>, StateOf<typeof joint>>;
    const { params, state } = joint.init(key(1));
    expect(apart.init(key(1))).toEqual({ params, state });
    expect(joint.outputShape([4, 2, 5, 5])).toEqual(apart.outputShape([4, 2, 5, 5]));
    for (const mode of ['train', 'eval'] satisfies Mode[]) {
      const all = (layer: typeof joint) => (p: ParametersOf<typeof joint>, v: ParametersOf<typeof joint>, s: StateOf<typeof joint>, x: Tensor) => {
        const loss = (q: ParametersOf<typeof joint>): Tensor => mean(sin(layer.apply(q, x, { mode, state: s }).outputs));
        return { ...layer.apply(p, x, { mode, state: s }), gradient: valueAndGrad(loss)(p), product: hvp(loss)(p, v) };
      };
      const at = [shaken(params), shaken(joint.init(key(2)).params), shaken(state), normals([4, 2, 5, 5], 'x')] as const;
      requireClose(evaluateReference(all(joint), ...at), evaluateReference(all(apart), ...at), { relative: 1e-10, absolute: 1e-13 });
    }
  });
}
