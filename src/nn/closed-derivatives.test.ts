import { describe, expect, test } from 'vitest';
import type { Tensor } from '../core/tensor.ts';
import { gelu, mul, silu, softplus, sum } from '../ops/index.ts';
import { hvp, jvp, splitGraph, compile } from '../transforms/index.ts';
import { checkGrads, evaluateReference, referenceExecutor, requireClose } from '../testing/index.ts';
import { array, filled } from '../core/ndarray.ts';
import { closedGelu, closedSilu, closedSoftplus, closedTanhGelu } from './closed-derivatives.ts';

const pairs: Record<string, [closed: (x: Tensor) => Tensor, plain: (x: Tensor) => Tensor]> = {
  gelu: [closedGelu, (x) => gelu(x)],
  'gelu-tanh': [closedTanhGelu, (x) => gelu(x, { approximate: true })],
  silu: [closedSilu, silu],
  softplus: [closedSoftplus, softplus],
};

describe('closed derivatives', () => {
  const x = array([-30, -3.1, -1, -0.2, 0, 0.3, 1, 2.7, 40], undefined, 'float64');
  const one = filled([9], 1, 'float64');
  /** Value and the first three derivatives. */
  const upToThird = (f: (x: Tensor) => Tensor) => (at: Tensor, ones: Tensor): Tensor[] => {
    const next = (g: (x: Tensor) => Tensor) => (y: Tensor): Tensor => jvp(g, [y], [ones])[1];
    return [f, next(f), next(next(f)), next(next(next(f)))].map((g) => g(at));
  };
  for (const [name, [closed, plain]] of Object.entries(pairs)) {
    test(`${name}: the derivatives of the composition, and finite differences to third order`, () => {
      requireClose(evaluateReference(upToThird(closed), x, one), evaluateReference(upToThird(plain), x, one), { relative: 1e-11, absolute: 1e-13 });
      checkGrads(closed, [array([-1.4, -0.5, 0.2, 1.6], undefined, 'float64')], { order: 3 });
    });
  }
  test('a Hessian-vector product runs few operations on the vector', () => {
    const onVector = (f: (x: Tensor) => Tensor): number => {
      const product = (at: Tensor, w: Tensor, v: Tensor): Tensor => hvp((y: Tensor) => sum(mul(w, f(mul(w, y)))))(at, v);
      return splitGraph(compile(product, { executor: referenceExecutor }).graph(x, one, one), 2).call.nodes.length;
    };
    expect(onVector(closedTanhGelu)).toBeLessThan(8);
    expect(onVector(closedTanhGelu)).toBeLessThan(onVector((y) => gelu(y, { approximate: true })) / 3);
  });
});
