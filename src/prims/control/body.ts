/** What the rules of loops and branches share. @module */
import { inline, type Graph } from '../../core/graph.ts';
import { placeholder, type MaybeTensor, type Tensor, type Type } from '../../core/tensor.ts';
import { zerosLike } from '../constant.ts';
import { pushForward } from '../interpret/push-forward.ts';
import { alignBatch } from '../rules.ts';
import { alias, aliasPrimitive } from '../unary.ts';

export const placeholders = (types: readonly Type[]): Tensor[] => types.map((type) => placeholder(type));

/** Tangents of the active values, zeros made explicit. */
export const instantiate = (values: readonly Tensor[], tangents: readonly MaybeTensor[], active: readonly boolean[]): Tensor[] =>
  values.flatMap((value, i) => (active[i] ? [tangents[i] ?? zerosLike(value)] : []));

/** Puts the values of the active entries back between nulls. */
export function spread<T>(present: readonly T[], active: readonly boolean[]): (T | null)[] {
  let next = 0;
  return active.map((flag) => (flag ? present[next++] : null));
}

/** The value with a batch axis. */
export const asBatched = (value: Tensor, batched: boolean, size: number): Tensor => alignBatch({ inputs: [value], batched: [batched], size })[0];

/** Repeats `step` on flags that can only turn true, until nothing changes. */
export function growFlags(start: readonly boolean[], step: (flags: readonly boolean[]) => readonly boolean[]): boolean[] {
  let flags = [...start];
  for (;;) {
    const next = step(flags);
    if (next.every((flag, i) => flag === flags[i] || !flag)) return flags;
    flags = flags.map((flag, i) => flag || next[i]);
  }
}

/** Value and tangent of a body at the given values and tangents. */
export function differentiate(body: Graph, values: readonly Tensor[], tangents: readonly MaybeTensor[]): { outputs: Tensor[]; tangents: MaybeTensor[] } {
  // Renamed, because one value may stand for two inputs with different tangents.
  const fresh = values.map(alias);
  return pushForward(fresh, tangents, inline(body, fresh));
}

/** The value behind renamings. */
export function unalias(tensor: Tensor): Tensor {
  let value = tensor;
  while (value.node?.primitive === aliasPrimitive as unknown) value = value.node!.inputs[0];
  return value;
}

/** Which outputs of a body have a tangent, when those of the flagged inputs do. */
export function activeOutputs(body: Graph, active: readonly boolean[]): boolean[] {
  const values = placeholders(body.inputs);
  const tangents = values.map((value, i) => (active[i] ? placeholder(value) : null));
  return differentiate(body, values, tangents).tangents.map((tangent) => tangent !== null);
}
