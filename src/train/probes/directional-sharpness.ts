/** Curvature of the batch loss along the gradient and along the step. @module */
import { div } from '../../ops/index.ts';
import { globalNorm } from '../../optim/norms.ts';
import type { InsideProbe, StepView } from '../probe.ts';
import { differences, withRounding, type Difference } from './cancellation.ts';
import { difference, innerProduct, squaredLength } from './trees.ts';

export interface DirectionalSharpnessOptions {
  /** Default 10. */
  readonly every?: number | undefined;
}

/** d'Hd / d'd of the batch Hessian for d the gradient (`gradient`) and the step w' - w (`update`). Two Hessian-vector products. */
export function directionalSharpness({ every = 10 }: DirectionalSharpnessOptions = {}): InsideProbe {
  return {
    where: 'inside', name: 'directional-sharpness', every,
    measure<P>(view: StepView<P>) {
      const along = (direction: P): Difference => {
        const image = view.hvp(direction);
        return { value: div(innerProduct(direction, image), squaredLength(direction)), size: div(globalNorm(image), globalNorm(direction)) };
      };
      return { values: differences({ gradient: along(view.grad()), update: along(difference(view.next, view.params)) }) };
    },
    finish: withRounding,
  };
}
