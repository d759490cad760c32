/** The Gauss-Newton matrix of a classifier, divided by classes. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { labelCounts, subset, takeRows, type Split } from '../data/index.ts';
import { arange, convert, equal, expandDims, eye, matmul, mul, softmax, sub, sum } from '../ops/index.ts';
import { ParameterSpace, predict, type Point, type Problem } from '../problem/index.ts';
import { vjp, vmap } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { addScaled, dot } from './basis.ts';
import { sandwich } from './fisher.ts';
import { distributionOf, type DistributionName } from './fisher-distribution.ts';
import { linearOperator, type LinearOperator } from './operator.ts';
import { problemSum, traceOutputs, type CurvatureOptions } from './problem-operator.ts';

/** Options of `classSplit`. */
export interface ClassSplitOptions extends CurvatureOptions {
  /** `softmax` for a cross-entropy of one's own. */
  readonly distribution?: DistributionName;
  /** Bytes that the class means may take: classes^2 vectors of parameters. Default 1 GiB. */
  readonly meansBudget?: number;
}

/** Weighted means of the gradients, by true class and by the class whose label they are taken at. */
export interface ClassMeans {
  readonly classes: number;
  /** weights[c * classes + k]: share of the whole weight on examples of class c at label k; all sum to one. */
  readonly weights: Float64Array;
  /** means[c * classes + k]: mean gradient there, [parameters]; zeros where nothing has weight. */
  readonly means: readonly Float64Array[];
}

/** The parts of the matrix; they add up to `whole`. */
export interface ClassSplit {
  /** The GGN (the exact Fisher matrix). */
  readonly whole: LinearOperator;
  /** Gradients at an example's own label: G_{c=c'}. */
  readonly ownLabel: LinearOperator;
  /** Spread of the gradients at another label around the mean of their (class, label): G_within. */
  readonly within: LinearOperator;
  /** Spread of those means around the mean of their class: G_cross. At most classes (classes - 2) outliers. */
  readonly crossClass: LinearOperator;
  /** The means of the classes: G_class. At most as many outliers as there are classes. */
  readonly betweenClass: LinearOperator;
  /** Computed at the first product of a part that needs them, or here. */
  means(): Promise<ClassMeans>;
  dispose(): Promise<void>;
}

/**
 * Papyan's split of a softmax classifier's GGN (Papyan 2019, 2020, "Traces of class/cross-class structure pervade deep learning
 * spectra"). The matrix is the weighted second moment, over examples n and labels k with weight p_nk, of the gradients g_nk of
 * the loss at label k; true class c. With delta_ck the weighted mean of g_nk over examples of class c, and delta_c that of
 * delta_ck over k other than c, it is the sum of `ownLabel` (k = c), `within`, `crossClass` and `betweenClass`. Each part is formed
 * by itself, nothing by subtraction. Outliers of the spectrum are those of the low-rank parts.
 *
 * @throws ArgumentError when the loss is no softmax cross-entropy, or the means do not fit in `meansBudget`; DtypeError when targets are
 * not labels; ShapeError when outputs are not [examples, classes].
 */
export function classSplit<P, State>(problem: Problem<P, State>, point: Point<P, State>, options: ClassSplitOptions = {}): ClassSplit {
  const { data = problem.train, samples = data.size, distribution: choice, meansBudget = 2 ** 30, ...others } = options;
  const distribution = distributionOf('classSplit', problem.loss, choice);
  if (distribution.name !== 'softmax') throw new ArgumentError({ operation: 'classSplit', required: 'the loss must be a softmax cross-entropy', received: `a ${distribution.name} one` });
  const split = subset(data, samples);
  labelCounts(split);
  const space = new ParameterSpace(point.params, options.parameters);
  const { shape } = traceOutputs(problem, point, split, space.dtype).outputs;
  if (shape.length !== 2) throw new ShapeError({ operation: 'classSplit', required: 'outputs must be [examples, classes]', received: `[examples,${shape.slice(1).join(',')}]` });
  const classes = shape[1];
  const bytes = 8 * space.size * classes ** 2;
  if (bytes > meansBudget) {
    throw new ArgumentError({
      operation: 'classSplit', required: `the means of ${classes}^2 pairs of classes, ${space.size} parameters each, must fit in meansBudget (${meansBudget} bytes)`, received: `${bytes} bytes`,
      remedy: 'choose fewer `parameters`, or a larger meansBudget',
    });
  }
  const settings: CurvatureOptions = { ...others, data: split };
  let made: Promise<ClassMeans> | undefined;
  const means = (): Promise<ClassMeans> => (made ??= classMeans(problem, point, split, classes, space, others));
  const parts = {
    whole: sandwich('GGN', problem, point, (outputs, moved) => distribution.information(outputs, moved), settings),
    ownLabel: sandwich('own-label part', problem, point, (outputs, moved, { targets }) => pairSum(outputs, moved, isLabel(targets, outputs)), settings),
    within: sandwich('within-class part', problem, point, (outputs, moved, { targets }, [table]) => {
      const own = isLabel(targets, outputs);
      return pairSum(outputs, moved, sub(1, own), matmul(own, table));
    }, settings, {}, { shape: [classes, classes], of: async (vector) => Float64Array.from((await means()).means, (mean) => dot(mean, vector)) }),
  };
  const lowRank = (name: string, terms: (means: ClassMeans) => readonly Term[]): LinearOperator => {
    let list: Promise<readonly Term[]> | undefined;
    return linearOperator({
      name: `${name} of ${problem.name}`, size: space.size, precision: space.dtype, space, block: 8,
      async apply(vectors) {
        const all = await (list ??= means().then(terms));
        return vectors.map((vector) => {
          const out = new Float64Array(space.size);
          for (const { weight, direction } of all) addScaled(out, weight * dot(direction, vector), direction);
          return out;
        });
      },
    });
  };
  return {
    ...parts, crossClass: lowRank('cross-class part', crossTerms), betweenClass: lowRank('between-class part', classTerms), means,
    dispose: async () => { await Promise.all(Object.values(parts).map((part) => part.dispose())); },
  };
}

interface Term {
  readonly weight: number;
  readonly direction: Float64Array;
}

/** Weight of class c at other labels, and the mean delta_c there. */
function classTerms({ classes, weights, means }: ClassMeans): Term[] {
  return Array.from({ length: classes }, (_, c) => {
    const direction = new Float64Array(means[0].length);
    let weight = 0;
    for (let k = 0; k < classes; k++) if (k !== c) weight += weights[c * classes + k];
    if (weight > 0) for (let k = 0; k < classes; k++) if (k !== c) addScaled(direction, weights[c * classes + k] / weight, means[c * classes + k]);
    return { weight, direction };
  });
}

function crossTerms(all: ClassMeans): Term[] {
  const { classes, weights, means } = all;
  const centres = classTerms(all);
  return means.flatMap((mean, at) => {
    const [c, k] = [Math.floor(at / classes), at % classes];
    if (c === k) return [];
    return [{ weight: weights[at], direction: mean.map((x, i) => x - centres[c].direction[i]) }];
  });
}

/** One-hot labels [batch, classes]. */
const isLabel = (targets: Tensor, outputs: Tensor): Tensor => convert(equal(expandDims(targets, -1), arange(outputs.shape[1])), outputs.dtype);

/**
 * sum_k m_k p_k (p - e_k)(<p - e_k, u> - t_k): the second moment of gradients in output space, over the labels with m_k = 1, of
 * slopes less t_k.
 */
function pairSum(outputs: Tensor, moved: Tensor, chosen: Tensor, centre?: Tensor): Tensor {
  const p = softmax(outputs);
  const slopes = sub(sum(mul(p, moved), -1, { keepDims: true }), moved);
  const weighted = mul(mul(chosen, p), centre ? sub(slopes, centre) : slopes);
  return sub(mul(p, sum(weighted, -1, { keepDims: true })), weighted);
}

/** Weighted mean gradients, one class of examples at a time, all labels at once. */
async function classMeans<P, State>(problem: Problem<P, State>, point: Point<P, State>, split: Split, classes: number, space: ParameterSpace, options: CurvatureOptions): Promise<ClassMeans> {
  const weights = new Float64Array(classes ** 2);
  const means = Array.from({ length: classes ** 2 }, () => new Float64Array(space.size));
  for (let c = 0; c < classes; c++) {
    const members = Array.from({ length: split.size }, (_, i) => i).filter((i) => split.targets.data[i] === c);
    if (members.length === 0) continue;
    const { total } = problemSum('class means', problem, point, ({ paramsAt, state, batch }, chosen): [Tensor, Tensor[]] => {
      const [outputs, pull] = vjp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, batch.inputs), chosen);
      const p = softmax(outputs);
      // Row k: p_k (p - e_k).
      const cotangents = vmap((unit: Tensor) => mul(sum(mul(p, unit), -1, { keepDims: true }), sub(p, unit)))(eye(classes, p.dtype));
      return [sum(p, 0), vmap((ct: Tensor) => pull(ct)[0])(cotangents)];
    }, { ...options, data: takeRows(split, members), bind: false });
    try {
      const [mass, leaves] = (await total.evaluate()) as unknown as [NDArray, NDArray[]];
      for (let k = 0; k < classes; k++) {
        const at = c * classes + k;
        weights[at] = mass.data[k] / split.size;
        if (mass.data[k] > 0) space.ranges.forEach(({ offset, size }, i) => { for (let j = 0; j < size; j++) means[at][offset + j] = leaves[i].data[k * size + j] / mass.data[k]; });
      }
    } finally {
      await total.dispose();
    }
  }
  return { classes, weights, means };
}
