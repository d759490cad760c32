/** Curvature of the batch loss along the gradient and along the step. @module */
import type { Tensor } from '../../core/tensor.ts';
import { div } from '../../ops/index.ts';
import type { InsideProbe, StepView } from '../probe.ts';
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
      const along = (direction: P): Tensor => div(innerProduct(direction, view.hvp(direction)), squaredLength(direction));
      return { values: { gradient: along(view.grad()), update: along(difference(view.next, view.params)) } };
    },
  };
}
