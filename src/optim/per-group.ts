/** Different rules, or optimizers, for different parameters. @module */
import { leavesWithPaths } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { mergedDraws } from './chain.ts';
import type { Optimizer, UpdateContext, UpdateRule, Updated } from './optimizer.ts';
import { partOf, restrictedContext, withParts, type LeafPredicate, type Part } from './selection.ts';

/** A group of parameters: those that are chosen and belong to no group before it. */
export interface Group {
  /** In reports: `name.key`. */
  readonly name: string;
  readonly chosen: LeafPredicate;
}

/** States by name of the group. */
export type GroupStates = Readonly<Record<string, unknown>>;

/** The paths of each group. @throws ArgumentError naming the leaves that belong to none. */
function pathsByGroup<G extends Group>(operation: string, groups: readonly G[], params: unknown): ReadonlyMap<G, ReadonlySet<string>> {
  const paths = new Map(groups.map((group) => [group, new Set<string>()]));
  const homeless = (leavesWithPaths(params) as [string, Tensor][]).filter(([path, leaf]) => {
    const group = groups.find(({ chosen }) => chosen(path, leaf));
    if (group !== undefined) paths.get(group)!.add(path);
    return group === undefined;
  });
  if (homeless.length === 0) return paths;
  throw new ArgumentError({ operation, required: 'every parameter must belong to a group', received: `none for ${homeless.map(([path]) => `'${path}'`).join(', ')}`, remedy: 'add a last group whose `chosen` is () => true' });
}

function requireGroups(operation: string, groups: readonly Group[]): void {
  const names = groups.map(({ name }) => name);
  if (names.length > 0 && new Set(names).size === names.length) return;
  throw new ArgumentError({ operation, required: 'there must be at least one group, and no two of one name', received: names.join(', ') || 'none' });
}

/** One step of every group that has parameters. */
function stepGroups<P, G extends Group, R extends Updated<unknown>>(operation: string, groups: readonly G[], context: UpdateContext<P>, one: (group: G, paths: ReadonlySet<string>, restricted: UpdateContext<Part>) => R) {
  const results = [...pathsByGroup(operation, groups, context.params)].map(([group, paths]) => ({ name: group.name, result: one(group, paths, restrictedContext(context, paths)) }));
  return {
    results: results.map(({ result }) => result),
    state: Object.fromEntries(results.map(({ name, result }) => [name, result.state])),
    report: Object.fromEntries(results.flatMap(({ name, result }) => Object.entries(result.report ?? {}).map(([key, value]) => [`${name}.${key}`, value]))),
  };
}

const initialStates = <G extends Group>(operation: string, groups: readonly G[], params: unknown, init: (group: G, part: Part) => unknown): GroupStates =>
  Object.fromEntries([...pathsByGroup(operation, groups, params)].map(([group, paths]) => [group.name, init(group, partOf(params, paths))]));

/**
 * A rule for each group of parameters. Each sees its own parameters alone: a norm is that of the group, a Hessian product that with the
 * others held. States lie under the groups' names, reports are `group.key`. Has no preconditioner.
 *
 * @throws ArgumentError when names repeat, and when a parameter belongs to no group.
 */
export function perGroup(groups: readonly (Group & { readonly rule: UpdateRule })[]): UpdateRule<GroupStates> {
  requireGroups('perGroup', groups);
  return {
    name: groups.map(({ name, rule }) => `${name}: ${rule.name}`).join(', '),
    draws: mergedDraws(groups.map(({ rule }) => rule)),
    init: (params) => initialStates('perGroup', groups, params, ({ rule }, part) => rule.init(part)),
    update<P>(direction: P, states: GroupStates, context: UpdateContext<P>) {
      const { results, ...rest } = stepGroups('perGroup', groups, context, ({ name, rule }, paths, restricted) => rule.update(partOf(direction, paths), states[name], restricted));
      return { ...rest, direction: withParts(direction, ...results.map((result) => result.direction)) };
    },
  };
}

/**
 * An optimizer for each group of parameters, as Muon for matrices and AdamW for the rest. All of them see the loss at the parameters
 * before the step. States lie under the groups' names, reports are `group.key`. Has no preconditioner.
 *
 * @throws ArgumentError when names repeat, and when a parameter belongs to no group.
 */
export function optimizerGroups(groups: readonly (Group & { readonly optimizer: Optimizer })[]): Optimizer<GroupStates> {
  requireGroups('optimizerGroups', groups);
  return {
    name: groups.map(({ name, optimizer }) => `${name}: ${optimizer.name}`).join(', '),
    draws: mergedDraws(groups.map(({ optimizer }) => optimizer)),
    init: (params) => initialStates('optimizerGroups', groups, params, ({ optimizer }, part) => optimizer.init(part)),
    update<P>(context: UpdateContext<P>, states: GroupStates) {
      const { results, ...rest } = stepGroups('optimizerGroups', groups, context, ({ name, optimizer }, _paths, restricted) => optimizer.update(restricted, states[name]));
      return { ...rest, params: withParts(context.params, ...results.map((result) => result.params)) };
    },
    ...(groups.some(({ optimizer }) => optimizer.answer !== undefined) && {
      answer<P>(params: P, states: GroupStates): P {
        const answers = [...pathsByGroup('optimizerGroups', groups, params)].map(([{ name, optimizer }, paths]) => {
          const part = partOf(params, paths);
          return optimizer.answer?.(part, states[name]) ?? part;
        });
        return withParts(params, ...answers);
      },
    }),
  };
}
