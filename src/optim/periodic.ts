/** Work that is done every so many steps, and costs nothing in between. @module */
import { nodesOf, substitute } from '../core/graph.ts';
import { currentId, type Tensor } from '../core/tensor.ts';
import { equal, mod } from '../ops/index.ts';
import { cond } from '../transforms/index.ts';
import { flatten } from '../tree/index.ts';
import { requireInteger } from '../util/require.ts';

/**
 * `make()` where the predicate (a bool scalar) holds, else `otherwise`, a tree of the same structure. All that `make` computes is
 * computed in the branch alone; with `cond` only what depends on the operands would be. A quantity that was made before, and kept,
 * is not made again.
 */
export function lazily<T>(predicate: Tensor, make: () => T, otherwise: T): T {
  const since = currentId();
  const { leaves: made, structure } = flatten<Tensor>(make());
  const isNew = (tensor: Tensor): boolean => tensor.node !== null && tensor.node.id >= since;
  const used = new Set(nodesOf(made, since).flatMap(({ inputs }) => inputs.filter((input) => !isNew(input))));
  const operands = [...used, ...made.filter((tensor) => !isNew(tensor) && !used.has(tensor))];
  const chosen = cond(
    predicate,
    (values: Tensor[]) => substitute(made, new Map(operands.map((operand, i) => [operand, values[i]]))),
    (_: Tensor[], kept: Tensor[]) => kept,
    operands, flatten<Tensor>(otherwise).leaves,
  );
  return structure.rebuild(chosen) as T;
}

/**
 * `make()` at steps that are multiples of `every`, counted from zero, else `otherwise`.
 * @throws ArgumentError when `every` is not a positive integer.
 */
export function periodically<T>(operation: string, step: Tensor, every: number, make: () => T, otherwise: T): T {
  requireInteger(operation, 'every', every, 1);
  return every === 1 ? make() : lazily(equal(mod(step, every), 0), make, otherwise);
}
