/** Alignment of two networks by what their hidden units compute (Li et al. 2015; Ainsworth et al. 2022, section 3.1). @module */
import { Graph, inline } from '../../core/graph.ts';
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Split } from '../../data/index.ts';
import { constant, full, matmul, moveAxis, reshape, square, sum, take, transpose } from '../../ops/index.ts';
import { chunkedSum, examplesOf, ParameterSpace, type ChunkOptions, type Point, type Problem } from '../../problem/index.ts';
import { array } from '../../core/ndarray.ts';
import { bestAssignment } from './assignment.ts';
import { derivePermutations, type GroupProbe } from './derive-permutations.ts';
import { applyPermutations, leavesOf, type PermutationSpec } from './permutation-spec.ts';
import type { Alignment } from './weight-matching.ts';

/** Result of `matchActivations`. */
export interface ActivationMatching<P, State> extends Alignment<Point<P, State>> {
  readonly spec: PermutationSpec;
  /** Of each group: mean correlation of matched units, averaged over the places where the group is read. */
  readonly correlation: readonly number[];
}

/** Sums over examples and positions, one for each place where a group is read. */
interface Moments<A = Tensor> {
  readonly cross: A;
  readonly first: A;
  readonly second: A;
  readonly firstSquares: A;
  readonly secondSquares: A;
  readonly count: A;
}

interface Pair { readonly first: Tensor[]; readonly second: Tensor[] }

/**
 * Permutes the hidden units of `point` so that, over the examples of `data`, each unit's activations correlate as much as
 * possible with those of the unit of `reference` in its place: for each group by itself the assignment that maximises the
 * sum of correlations. Activations are what products and convolutions read; correlations of a group that is read at several
 * places (a residual stream) are averaged. A unit that never varies correlates with nothing: 0.
 */
export async function matchActivations<P, State>(problem: Problem<P, State>, reference: Point<P, State>, point: Point<P, State>, data: Split, options: ChunkOptions = {}): Promise<ActivationMatching<P, State>> {
  const { dtype } = new ParameterSpace(reference.params);
  const { inputs } = examplesOf(data, dtype);
  const { spec } = derivePermutations(problem.model as never, reference, { shape: [1, ...inputs.shape.slice(1)], dtype: inputs.dtype });
  const leaves = (at: Point<P, State>): NDArray[] => leavesOf(at).map(({ value }) => value);
  const moments = ({ first, second }: Pair, batch: { inputs: Tensor }): Moments[][] => {
    const { traced, probes } = derivePermutations(problem.model as never, reference, batch.inputs);
    const values = (parameters: Tensor[]): Tensor[][] => {
      const flat = inline(new Graph(traced.graph.inputs, probes.flat().map(({ tensor }) => tensor)), [...parameters, batch.inputs]);
      return probes.map((list) => list.map((probe) => unitsFirst(flat.shift()!, probe)));
    };
    const [a, b] = [values(first), values(second)];
    return probes.map((list, g) => list.map((_, i) => momentsOf(a[g][i], b[g][i])));
  };
  const total = chunkedSum<Pair, { inputs: Tensor }, [], Moments[][]>(moments, { first: leaves(reference), second: leaves(point) } as never, { inputs } as never, { ...options, bind: false, name: `activations of ${problem.name}` });
  try {
    const sums = (await total.evaluate()) as unknown as Moments<NDArray>[][];
    const matched = sums.map((places, g) => matchGroup(places, spec.groups[g].size));
    const permutations = matched.map(({ units }) => units);
    return { spec, permutations, correlation: matched.map(({ correlation }) => correlation), point: applyPermutations(spec, point, permutations) };
  } finally {
    await total.dispose();
  }
}

/** A probed value as [units, everything else]. */
function unitsFirst(value: Tensor, { axis, positions, copies }: GroupProbe): Tensor {
  const taken = take(moveAxis(value, axis, 0), constant(array(positions, [positions.length], 'int32')));
  return reshape(taken, [positions.length / copies, -1]);
}

function momentsOf(a: Tensor, b: Tensor): Moments {
  return {
    cross: matmul(a, transpose(b)), first: sum(a, 1), second: sum(b, 1), firstSquares: sum(square(a), 1), secondSquares: sum(square(b), 1),
    count: full([], a.shape[1], a.dtype),
  };
}

/** Mean correlation over the places, and the assignment that maximises it. */
function matchGroup(places: readonly Moments<NDArray>[], size: number): { units: Int32Array; correlation: number } {
  const correlations = new Float64Array(size * size);
  for (const { cross, first, second, firstSquares, secondSquares, count } of places) {
    const n = count.item();
    const deviation = (sums: NDArray, squares: NDArray, u: number): number => Math.sqrt(Math.max(0, squares.data[u] / n - (sums.data[u] / n) ** 2));
    for (let u = 0; u < size; u++) {
      for (let v = 0; v < size; v++) {
        const scale = deviation(first, firstSquares, u) * deviation(second, secondSquares, v);
        if (scale > 0) correlations[u * size + v] += (cross.data[u * size + v] / n - (first.data[u] / n) * (second.data[v] / n)) / scale / places.length;
      }
    }
  }
  const units = bestAssignment(correlations, size);
  return { units, correlation: units.reduce((total, v, u) => total + correlations[u * size + v] / size, 0) };
}
