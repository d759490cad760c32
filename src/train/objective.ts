/** The batch loss of a step and what is derived from it, over the whole batch at once. @module */
import type { Tensor } from '../core/tensor.ts';
import type { DistributionChoice, DistributionName } from '../curvature/index.ts';
import { mean } from '../ops/index.ts';
import { updateContext, type UpdateContext } from '../optim/index.ts';
import type { Examples, Problem } from '../problem/index.ts';
import { valueAndGrad } from '../transforms/index.ts';
import { modelQuantities, type StepDraws } from './quantities.ts';

/** What a step looks at: a batch, the parameters before the update, and the random numbers of the step. */
export interface Occasion<P, State> {
  readonly params: P;
  readonly state: State;
  readonly step: Tensor;
  readonly learningRate: Tensor;
  readonly batch: Examples;
  /** What noisy layers read, examples along axis 0. */
  readonly noise: readonly Tensor[];
  readonly draws: StepDraws<P>;
  /** The distribution behind the loss, where the loss itself does not tell. */
  readonly distribution: DistributionName | DistributionChoice | undefined;
}

/** A context with what the step itself needs besides. */
export interface BatchObjective<P, State> {
  readonly context: UpdateContext<P>;
  /** Batch statistics after the batch. */
  state(): State;
  /** The model's outputs on the batch. */
  outputs(): Tensor;
}

/** Loss, derivatives and model quantities of a batch that is evaluated whole. */
export function batchObjective<P, State>(problem: Problem<P, State>, occasion: Occasion<P, State>): BatchObjective<P, State> {
  const { params, state, step, learningRate, batch, noise } = occasion;
  const run = (at: P): { readonly loss: Tensor; readonly state: State; readonly outputs: Tensor } => {
    const after = problem.model.apply(at, batch.inputs, { mode: 'train', state, noise });
    return { loss: mean(problem.loss(after.outputs, batch.targets)), ...after };
  };
  let here: { readonly loss: Tensor; readonly gradient: P; readonly state: State; readonly outputs: Tensor } | undefined;
  const atParams = (): NonNullable<typeof here> => {
    if (here !== undefined) return here;
    const [[loss, after], gradient] = valueAndGrad((at: P): [Tensor, { state: State; outputs: Tensor }] => {
      const { loss: value, ...rest } = run(at);
      return [value, rest];
    }, { aux: true })(params);
    return (here = { loss, gradient, ...after });
  };
  return {
    context: updateContext({ params, step, learningRate, batchSize: batch.inputs.shape[0], lossAt: (at: P) => run(at).loss, atParams, ...modelQuantities(problem, occasion) }),
    state: () => atParams().state,
    outputs: () => atParams().outputs,
  };
}
