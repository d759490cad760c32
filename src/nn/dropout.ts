/** Dropout. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { sameShape } from '../core/ndarray.ts';
import { greaterEqual, mul, where } from '../ops/index.ts';
import type { Layer } from './model.ts';

/**
 * In train mode each element becomes zero with probability `rate`, the others are divided by 1 - rate; in eval mode the
 * input passes (Srivastava et al. 2014). Reads one array of `context.noise`, shaped as the input.
 * @throws ArgumentError when train mode comes without noise.
 */
export function dropout(rate: number): Layer {
  requireNumber('dropout', 'rate', rate, 0, 1);
  if (rate === 1) throw new ArgumentError({ operation: 'dropout', required: 'rate must be below 1', received: '1' });
  return {
    name: `dropout ${rate}`,
    init: () => ({ params: {}, state: {} }),
    apply(_, x, { mode, state, noise }) {
      if (mode === 'eval' || rate === 0) return { outputs: x, state };
      const uniform = noise?.[0];
      if (uniform === undefined) throw new ArgumentError({ operation: 'dropout', required: 'train mode needs random numbers in context.noise', received: 'none', remedy: 'pass drawNoise(model, inputShape, key)' });
      if (!sameShape(uniform.shape, x.shape)) throw new ShapeError({ operation: 'dropout', required: `its noise must have the input's shape [${x.shape.join(',')}]`, received: `[${uniform.shape.join(',')}]` });
      return { outputs: where(greaterEqual(uniform, rate), mul(x, 1 / (1 - rate)), 0), state };
    },
    noise: (inputShape) => (rate === 0 ? [] : [inputShape]),
    outputShape: (inputShape) => inputShape,
  };
}
