/** What wrappers of optimizers have in common. @module */
import type { Tensor } from '../core/tensor.ts';
import { mergedDraws, mergedReports } from './chain.ts';
import type { Optimizer, UpdateContext, UpdateRule } from './optimizer.ts';

/** The context with another gradient at the parameters; all else is as it was. */
export const withGradient = <P>(context: UpdateContext<P>, grad: () => P): UpdateContext<P> => ({ ...context, grad });

/** What a wrapper passes on of the optimizer it wraps, whose state is found in its own by `stateOf`: draws, preconditioner and answer. */
export function passedOn<State, Inner>(base: Optimizer<Inner>, stateOf: (state: State) => Inner): Pick<Optimizer<State>, 'draws' | 'preconditioner' | 'answer'> {
  const { draws, preconditioner, answer } = base;
  return {
    ...(draws && { draws }),
    ...(preconditioner && { preconditioner: <P>(state: State, step: Tensor): P => preconditioner.call(base, stateOf(state), step) as P }),
    ...(answer && { answer: <P>(params: P, state: State): P => answer.call(base, params, stateOf(state)) as P }),
  };
}

/** State of `withGradientRule`. */
export interface GradientRuleState {
  readonly rule: unknown;
  readonly base: unknown;
}

/**
 * An optimizer that is given the direction of a rule (clipping, noise) in the place of the gradient. What it asks for at other
 * parameters (`gradAt`) stays as it is: put the rule inside of what does so, as in `sam(withGradientRule(sgd(), clipByGlobalNorm(1)))`.
 */
export function withGradientRule(base: Optimizer, rule: UpdateRule): Optimizer<GradientRuleState> {
  return {
    ...passedOn<GradientRuleState, unknown>(base, (state) => state.base),
    name: `${rule.name} + ${base.name}`,
    draws: mergedDraws([rule, base]),
    init: (params) => ({ rule: rule.init(params), base: base.init(params) }),
    update<P>(context: UpdateContext<P>, state: GradientRuleState) {
      const ruled = rule.update(context.grad(), state.rule, context);
      const next = base.update(withGradient(context, () => ruled.direction), state.base);
      const report = mergedReports([{ name: rule.name, report: ruled.report }, { name: base.name, report: next.report }]);
      return { params: next.params, state: { rule: ruled.state, base: next.state }, report };
    },
  };
}
