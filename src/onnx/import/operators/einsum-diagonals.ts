/** Diagonals in Einstein sums: a letter that an operand names twice. @module */
import { sizeOf } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { moveAxis, reshape, slice } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';

/** The operand with one axis for each letter of its term: elements whose repeated indices are equal. @throws ArgumentError when their extents differ. */
export function withoutDiagonals(x: Tensor, term: string): { operand: Tensor; term: string } {
  const second = [...term].findIndex((letter, i) => term.indexOf(letter) < i);
  if (second < 0) return { operand: x, term };
  const first = term.indexOf(term[second]);
  const n = x.shape[first];
  if (x.shape[second] !== n) throw new ArgumentError({ operation: 'import', required: `axes '${term[second]}' of the term '${term}' must have one extent`, received: `${n} and ${x.shape[second]}` });
  const front = moveAxis(moveAxis(x, second, 0), first + 1, 0);
  const rest = front.shape.slice(2);
  // In rows of n columns the diagonal is every element n + 1 places on.
  const flat = reshape(front, [n * n, sizeOf(rest)]);
  const diagonal = reshape(slice(flat, [0, 0], flat.shape, [n + 1, 1]), [n, ...rest]);
  return withoutDiagonals(moveAxis(diagonal, 0, first), term.slice(0, second) + term.slice(second + 1));
}
