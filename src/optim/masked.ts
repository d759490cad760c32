/** A rule for some of the parameters. @module */
import type { UpdateContext, UpdateRule } from './optimizer.ts';
import { chosenPaths, partOf, restrictedContext, withParts, type LeafPredicate } from './selection.ts';

/**
 * Applies a rule to the leaves that are chosen; the others keep their direction. The rule's state holds the chosen leaves only, under
 * their paths, and what it asks of the context (Hessian products, norms) is that of the chosen parameters alone. Has no
 * preconditioner, since it would be one for a part.
 */
export function masked<State>(rule: UpdateRule<State>, chosen: LeafPredicate): UpdateRule<State> {
  return {
    name: rule.name,
    ...(rule.draws && { draws: rule.draws }),
    init: (params) => rule.init(partOf(params, chosenPaths(params, chosen))),
    update<P>(direction: P, state: State, context: UpdateContext<P>) {
      const paths = chosenPaths(context.params, chosen);
      const { direction: part, ...rest } = rule.update(partOf(direction, paths), state, restrictedContext(context, paths));
      return { ...rest, direction: withParts(direction, part) };
    },
  };
}
