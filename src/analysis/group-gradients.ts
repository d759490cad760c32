/** Mean gradients of groups of examples, and how far they oppose each other. @module */
import type { Executor } from '../core/backend.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Split } from '../data/index.ts';
import { mul, sum, take } from '../ops/index.ts';
import { examplesOf, losses, ParameterSpace, pointOf, type Examples, type Point, type PointTensors, type Problem } from '../problem/index.ts';
import { compile, grad, vmap } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';

/** Gradients of the mean losses of groups, compared. */
export interface GroupGradients {
  /** Norm of each group's gradient. */
  readonly norms: readonly number[];
  /** cos(g_a, g_b), [groups][groups]; NaN where a gradient vanishes. */
  readonly cosines: readonly (readonly number[])[];
}

/** Measures groups, which may be others every time; programs are compiled once for each number and largest size of groups. */
export interface GroupGradientMeter {
  /** Groups are lists of indices into the split. @throws ArgumentError when a group is empty or an index is out of range. */
  measure(point: Point<unknown, unknown>, groups: readonly ArrayLike<number>[]): Promise<GroupGradients>;
  dispose(): Promise<void>;
}

/** Which examples groups are of, and what computes. */
/** Options of `groupGradientMeter`. */
export interface GroupGradientOptions {
  /** Default: the training split. */
  readonly split?: Split;
  readonly executor?: Executor;
}

/**
 * Prepares the gradients of groups' mean losses, model in eval mode, with respect to all parameters: the opposition of two groups is their
 * cosine near -1 (Rosenfeld and Risteski 2023, arXiv 2311.04163). A measurement costs groups x (largest group) examples forward and back.
 */
export function groupGradientMeter<P, State>(problem: Problem<P, State>, like: Point<P, State>, { split = problem.train, executor }: GroupGradientOptions = {}): GroupGradientMeter {
  const space = new ParameterSpace(like.params);
  const data = examplesOf(split, space.dtype);
  // Groups are padded to one size with examples of weight zero.
  const gradients = (all: Examples, { params, state }: PointTensors<P, State>, indices: Tensor, weights: Tensor): Tensor[] =>
    vmap((index: Tensor, weight: Tensor) => {
      const batch = { inputs: take(all.inputs, index), targets: take(all.targets, index) };
      return leaves<Tensor>(grad((at: P) => sum(mul(losses(problem, at, state, batch), weight)))(params));
    })(indices, weights);
  const program = compile(gradients as never, { name: `group gradients of ${problem.name}`, ...(executor && { executor }) }) as unknown as
    ((all: Examples<NDArray>, point: unknown, indices: NDArray, weights: NDArray) => Promise<NDArray[]>) & { dispose(): Promise<void> };
  return {
    async measure(point, groups) {
      if (groups.length === 0) throw new ArgumentError({ operation: 'groupGradientMeter', required: 'groups must hold at least one group', received: 'none' });
      const longest = groups.reduce((most, { length }) => Math.max(most, length), 0);
      const indices = new Int32Array(groups.length * longest);
      const weights = new Float64Array(groups.length * longest);
      groups.forEach((group, g) => {
        requireInteger('groupGradientMeter', `the number of examples in groups[${g}]`, group.length, 1);
        for (let i = 0; i < group.length; i++) {
          indices[g * longest + i] = requireInteger('groupGradientMeter', `groups[${g}][${i}]`, group[i], 0, split.size - 1);
          weights[g * longest + i] = 1 / group.length;
        }
      });
      const shape = [groups.length, longest];
      const weighted = new NDArray(space.dtype === 'float64' ? weights : Float32Array.from(weights), shape, space.dtype);
      return compared(await program(data, pointOf(point), new NDArray(indices, shape, 'int32'), weighted), groups.length);
    },
    dispose: () => program.dispose(),
  };
}

/** Norms and cosines of gradients given leaf by leaf, [groups, ...]; inner products in float64. */
function compared(parts: readonly NDArray[], groups: number): GroupGradients {
  const product = (a: number, b: number): number => parts.reduce((total, { data, size }) => {
    const width = size / groups;
    for (let i = 0; i < width; i++) total += data[a * width + i] * data[b * width + i];
    return total;
  }, 0);
  const gram = Array.from({ length: groups }, (_, a) => Array.from({ length: groups }, (_, b) => product(a, b)));
  const norms = gram.map((row, a) => Math.sqrt(row[a]));
  return { norms, cosines: gram.map((row, a) => row.map((x, b) => x / (norms[a] * norms[b]))) };
}
