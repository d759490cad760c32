/** How much the batch loss rises within reach: the sharpness that SAM minimises. @module */
import type { Tensor } from '../../core/tensor.ts';
import { abs, add, div, equal, mul, sub, where } from '../../ops/index.ts';
import { globalNorm } from '../../optim/norms.ts';
import { mapTree } from '../../tree/index.ts';
import type { InsideProbe, StepView } from '../probe.ts';
import { differences, withRounding } from './cancellation.ts';

export interface SamSharpnessOptions {
  /** Default 1. */
  readonly every?: number | undefined;
  /** rho, the length of the step up. Default 0.05. */
  readonly radius?: number | undefined;
}

/**
 * L(w + rho g / |g|) - L(w) on the batch (Foret et al. 2021, equation 2): zero where the gradient vanishes. A forward pass. On a batch it
 * is their m-sharpness, m the batch size. `worstCaseSharpness` searches on from there.
 */
export function samSharpness({ every = 1, radius = 0.05 }: SamSharpnessOptions = {}): InsideProbe {
  return {
    where: 'inside', name: 'sam-sharpness', every,
    measure<P>(view: StepView<P>) {
      const gradient = view.grad();
      const length = globalNorm(gradient);
      const factor = div(radius, where(equal(length, 0), 1, length));
      const up = mapTree((w: Tensor, g: Tensor) => add(w, mul(factor, g)), view.params, gradient) as P;
      const [here, above] = [view.loss(), view.lossAt(up)];
      return { values: differences({ '': { value: sub(above, here), size: add(abs(above), abs(here)) } }) };
    },
    finish: withRounding,
  };
}
