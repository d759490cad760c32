/** Composition: rules into a rule, a rule into an optimizer. @module */
import type { Tensor } from '../core/tensor.ts';
import { mul, sub } from '../ops/index.ts';
import { mapTree } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { Draw, Optimizer, UpdateContext, UpdateRule, Updated } from './optimizer.ts';

/** Draws of several rules, each kind once; asked for at different intervals, a kind is drawn at every step. */
export function mergedDraws(parts: readonly { readonly draws?: readonly Draw[] }[]): readonly Draw[] {
  const kinds = new Map<Draw['kind'], Draw>();
  for (const draw of parts.flatMap(({ draws = [] }) => draws)) {
    const known = kinds.get(draw.kind);
    kinds.set(draw.kind, known === undefined || (known.every ?? 1) === (draw.every ?? 1) ? draw : { kind: draw.kind });
  }
  return [...kinds.values()];
}

/** Reports of several parts in one, `name.key` where keys would collide. */
export function mergedReports(parts: readonly { readonly name: string; readonly report: Readonly<Record<string, Tensor>> | undefined }[]): Record<string, Tensor> {
  const merged: Record<string, Tensor> = {};
  for (const { name, report = {} } of parts) {
    for (const [key, value] of Object.entries(report)) merged[Object.hasOwn(merged, key) ? `${name}.${key}` : key] = value;
  }
  return merged;
}

/**
 * Rules one after another: each is given the direction of the one before. The preconditioner is that of the only rule that has one.
 * The state is the list of the rules' states.
 *
 * @throws ArgumentError when there is no rule, or two of them precondition.
 */
export function chain(...rules: readonly UpdateRule[]): UpdateRule<readonly unknown[]> {
  if (rules.length === 0) throw new ArgumentError({ operation: 'chain', required: 'there must be at least one rule', received: 'none' });
  const preconditioning = rules.flatMap((rule, i) => (rule.preconditioner === undefined ? [] : [{ rule, i }]));
  if (preconditioning.length > 1) {
    throw new ArgumentError({ operation: 'chain', required: 'at most one rule may precondition', received: preconditioning.map(({ rule }) => rule.name).join(' and ') });
  }
  const only = preconditioning.at(0);
  return {
    name: rules.map(({ name }) => name).join(' + '),
    draws: mergedDraws(rules),
    init: (params) => rules.map((rule) => rule.init(params)),
    update(direction, states, context) {
      let current = direction;
      const steps: Updated<unknown>[] = rules.map((rule, i) => {
        const step = rule.update(current, states[i], context);
        current = step.direction;
        return step;
      });
      const report = mergedReports(steps.map((step, i) => ({ name: rules[i].name, report: step.report })));
      return { direction: current, state: steps.map(({ state }) => state), report };
    },
    ...(only && { preconditioner: <P>(states: readonly unknown[], step: Tensor): P => only.rule.preconditioner!<P>(states[only.i], step) }),
  };
}

/** The optimizer that steps along a rule's direction: `p <- p - rate d`, d the rule applied to the gradient. */
export function descend<State>(name: string, rule: UpdateRule<State>): Optimizer<State> {
  return {
    name,
    ...(rule.draws && { draws: rule.draws }),
    init: (params) => rule.init(params),
    update<P>(context: UpdateContext<P>, state: State) {
      const { direction, ...rest } = rule.update(context.grad(), state, context);
      return { ...rest, params: mapTree((p: Tensor, d: Tensor) => sub(p, mul(context.learningRate, d)), context.params, direction) as P };
    },
    ...(rule.preconditioner && { preconditioner: <P>(state: State, step: Tensor): P => rule.preconditioner!<P>(state, step) }),
  };
}
