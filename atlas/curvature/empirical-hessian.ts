/** Bulk and outliers of the Hessian of small networks, and the line between solutions of large and small batches. @module */
import { toDtype } from 'thalweg';
import { defineEntry, extremeOver, meanOver, type Check, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type PanelSeries } from 'thalweg/charts';
import { denseMatrix, ggn, hessian, spectrumSplit } from 'thalweg/curvature';
import { gaussianClusters } from 'thalweg/data';
import { linearBarrier } from 'thalweg/landscape';
import { symmetricEigenvalues } from 'thalweg/linalg';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import { sgd } from 'thalweg/optim';
import type { Point, Problem } from 'thalweg/problem';
import { key, split } from 'thalweg/random';
import { train, trainEnsemble } from 'thalweg/train';
import { mapTree } from 'thalweg/tree';

/** One network on one kind of data. */
interface Case {
  readonly classes: number;
  readonly hidden: number;
}

interface Settings {
  /** Numbers of clusters, at 16 hidden units. */
  readonly clusters: readonly number[];
  /** Hidden units, at 4 clusters. */
  readonly widths: readonly number[];
  readonly seeds: number;
}

/** What the spectrum at one point comes to. Eigenvalues are divided by the largest of the Hessian; q = k (k - 1). */
interface Spectrum {
  readonly outliers: number;
  readonly nearZero: number;
  readonly negativeRatio: number;
  readonly leadingShare: number;
  /** Largest |h_i - g_i| / h_i of the q largest eigenvalues of Hessian and GGN. */
  readonly ggnDifference: number;
  /** |H - G|_2 / lambda_1(H). */
  readonly residual: number;
  readonly hessian: readonly number[];
  readonly ggn: readonly number[];
}

interface Run extends Case { readonly seed: number; readonly parameters: number; readonly trained: Spectrum; readonly initial: Spectrum | null }
interface Line { readonly loss: readonly number[]; readonly distance: number; readonly barrier: number; readonly aboveEnds: number }
interface Lines { readonly seed: number; readonly toSmallBatch: Line; readonly toOther: Line }
interface Result { readonly runs: readonly Run[]; readonly lines: readonly Lines[] }

const DIMENSION = 10;
const SHOWN = 40;

function problemOf({ classes, hidden }: Case, seed: number, radius = 5, labelNoise = 0.2): Problem<MlpParameters> {
  const { train: examples } = gaussianClusters({ classes, dimension: DIMENSION, samples: 1000, testSamples: 0, radius, labelNoise, seed });
  return { name: `${classes} clusters, ${hidden} units`, model: mlp({ sizes: [DIMENSION, hidden, classes], activation: 'relu', initializer: 'he-normal' }), loss: crossEntropy, train: examples };
}

/** All eigenvalues, from dense matrices in float64. */
async function spectrumAt(problem: Problem<MlpParameters>, { params, state }: Point<MlpParameters>, { classes }: Case, { executor }: EntryContext<Settings>): Promise<Spectrum> {
  const point = { params: mapTree((leaf) => toDtype(leaf, 'float64'), params) as typeof params, state };
  const [h, g] = await Promise.all([hessian, ggn].map(async (make) => {
    const operator = make(problem, point, { executor, block: 128 });
    const matrix = await denseMatrix(operator);
    await operator.dispose();
    return matrix;
  }));
  const size = Math.sqrt(h.length);
  const descending = (matrix: Float64Array): Float64Array => symmetricEigenvalues(matrix, size).reverse();
  const [ofH, ofG, ofR] = [h, g, h.map((x, i) => x - g[i])].map(descending);
  const { outliers, nearZero, negativeRatio, leadingShare } = spectrumSplit(ofH);
  const q = classes * (classes - 1);
  const relative = (values: Float64Array): number[] => Array.from(values.subarray(0, SHOWN), (x) => x / ofH[0]);
  return {
    outliers, nearZero, negativeRatio, leadingShare: leadingShare(q),
    ggnDifference: Math.max(...ofH.slice(0, q).map((x, i) => Math.abs(x - ofG[i]) / x)),
    residual: Math.max(ofR[0], -ofR[size - 1]) / ofH[0],
    hessian: relative(ofH), ggn: relative(ofG),
  };
}

const heavyBall = (steps: number) => ({ optimizer: sgd({ momentum: 0.9 }), schedule: 0.1, steps, batchSize: 'full' as const });

async function measureCase(one: Case, seed: number, withInitial: boolean, context: EntryContext<Settings>): Promise<Run> {
  const problem = problemOf(one, seed);
  const start = problem.model.init(split(key(seed), 'init'));
  const run = await train(problem, { ...heavyBall(200), seed, start, executor: context.executor, signal: context.signal });
  const parameters = one.hidden * (DIMENSION + 1) + one.classes * (one.hidden + 1);
  return { ...one, seed, parameters, trained: await spectrumAt(problem, run, one, context), initial: withInitial ? await spectrumAt(problem, start, one, context) : null };
}

/** From a solution A of the whole batch: to where small batches lead from there, and to a solution from another start. */
async function measureLines(seed: number, { executor, signal }: EntryContext<Settings>): Promise<Lines> {
  const problem = problemOf({ classes: 4, hidden: 32 }, seed, 2.5, 0.1);
  const { replicas: [a, c] } = await trainEnsemble(problem, { ...heavyBall(600), seed, vary: { initialisation: [seed, seed + 50] }, executor, signal });
  const b = await train(problem, { optimizer: sgd(), schedule: 0.1, steps: 2000, batchSize: 10, seed, start: { params: a.params, state: a.state }, executor, signal });
  const line = async (to: Point<MlpParameters>): Promise<Line> => {
    const { distance, train: along } = await linearBarrier(problem, a, to, { points: 21, refineTo: 0, splits: ['train'], executor, signal });
    const loss = along!.samples.map((sample) => sample.loss.value);
    return { loss, distance, barrier: along!.barrier.value, aboveEnds: along!.maximum.value - Math.max(loss[0], loss[20]) };
  };
  return { seed, toSmallBatch: await line(b), toOther: await line(c) };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { clusters, widths, seeds }, seed: first, progress } = context;
  const cases: Case[] = [...clusters.map((classes) => ({ classes, hidden: 16 })), ...widths.filter((hidden) => hidden !== 16).map((hidden) => ({ classes: 4, hidden }))];
  const [runs, lines]: [Run[], Lines[]] = [[], []];
  for (let s = 0; s < seeds; s++) {
    const seed = 1000 * first + s;
    for (const [i, one] of cases.entries()) {
      await progress((s + i / (cases.length + 1)) / seeds, `${one.classes} clusters, ${one.hidden} hidden units, seed ${seed}`);
      runs.push(await measureCase(one, seed, i < clusters.length, context));
    }
    await progress((s + cases.length / (cases.length + 1)) / seeds, `lines between solutions, seed ${seed}`);
    lines.push(await measureLines(seed, context));
  }
  return { runs, lines };
}

/** All seeds of a case; of sweeps, the cases that were run. */
const only = ({ runs }: Result, classes: number, hidden: number): Run[] => runs.filter((one) => one.hidden === hidden && one.classes === classes);
const clusterSweep = (result: Result): Run[][] => [2, 3, 4, 5, 6].map((classes) => only(result, classes, 16)).filter((runs) => runs.length > 0);
const widthSweep = (result: Result): Run[][] => [8, 16, 32].map((hidden) => only(result, 4, hidden)).filter((runs) => runs.length > 0);
const largest = (values: readonly number[]): Quantity => extremeOver('largest', values);
const smallest = (values: readonly number[]): Quantity => extremeOver('smallest', values);
const byValue = (quantities: readonly Quantity[]): Quantity[] => [...quantities].sort((a, b) => a.value - b.value);

const outliers = (one: Run): number => one.trained.outliers;
const meanCounts = (sweep: readonly Run[][]): Quantity[] => sweep.map((runs) => meanOver(runs.map(outliers)));
/** Of the means over seeds in each kind of case. */
const caseMeans = (result: Result, of: (spectrum: Spectrum) => number): Quantity[] => byValue([...clusterSweep(result), ...widthSweep(result)].map((runs) => meanOver(runs.map((one) => of(one.trained)))));
/** From case to case of a sweep, seed by seed: seeds share their data between widths. */
const changes = (from: readonly Run[], to: readonly Run[], of: (one: Run) => number): Quantity => meanOver(to.map((one, s) => of(one) - of(from[s])));
const ratio = (a: Quantity, b: Quantity): Quantity => ({ value: a.value / b.value, error: Math.abs(a.value / b.value) * Math.hypot(a.error / a.value, b.error / b.value), kind: 'standard error', samples: a.samples! });
const growth = (counts: readonly Quantity[]): Quantity => ratio(counts[counts.length - 1], counts[0]);
/** The share at zero of the eigenvalues that the last case of a sweep has more than the first. */
function addedShare(sweep: readonly Run[][]): Quantity {
  const [first, last] = [sweep[0], sweep[sweep.length - 1]];
  const added = last[0].parameters - first[0].parameters;
  return changes(first, last, ({ parameters, trained }) => (parameters * trained.nearZero) / added);
}

const untrained = ({ runs }: Result): Spectrum[] => runs.flatMap(({ initial }) => initial ?? []);
const residualCheck = (what: string, measured: Quantity): Check => ({ what: `${what} spectral norm of the residual part over the largest eigenvalue, ${what === 'smallest' ? 'untrained' : 'trained'} runs`, measured, relation: '<', threshold: 0.03 });
const negativeCheck = (what: string, measured: Quantity): Check => ({ what: `${what} -lambda_min / lambda_1, ${what === 'smallest' ? 'untrained' : 'trained'} runs`, measured, relation: '<', threshold: 0.02 });
const barrierCheck = (what: string, measured: Quantity): Check => ({ what, measured, relation: '<', threshold: 0.02 });

function figure(result: Result): string {
  const { runs: [{ seed: first }], lines } = result;
  const index = Array.from({ length: SHOWN }, (_, i) => i + 1);
  const spectra = (some: readonly Run[], name: (one: Run) => string): PanelSeries[] => {
    const shown = some.filter(({ seed }) => seed === first);
    return [
      ...shown.map((one, i): PanelSeries => ({ name: name(one), x: index, y: one.trained.hessian, color: { place: i / (shown.length - 1) } })),
      ...shown.map((one): PanelSeries => ({ name: 'Gauss-Newton matrix', x: index, y: one.trained.ggn, mark: 'ring', color: 'muted' })),
    ];
  };
  const counted = (name: string, sweep: readonly Run[][], color: 0 | 1): PanelSeries => {
    const y = meanCounts(sweep);
    const error = y.map((count) => (Number.isNaN(count.error) ? 0 : count.error));
    return { name, x: sweep.map(([{ parameters }]) => parameters), y: y.map(({ value }) => value), low: y.map(({ value }, i) => value - error[i]), high: y.map(({ value }, i) => value + error[i]), mark: 'both', color };
  };
  const axes = { x: { label: 'rank of the eigenvalue' }, y: { label: 'eigenvalue / largest', scale: 'log' as const, domain: [3e-4, 1.5] as [number, number] }, rules: [{ axis: 'y' as const, at: 0.1, label: 'outliers above' }] };
  const along = Array.from({ length: 21 }, (_, i) => i / 20);
  return panels([
    { heading: 'Spectra of 2 to 6 clusters, 16 units', ...axes, series: spectra([2, 4, 6].flatMap((classes) => only(result, classes, 16)), ({ classes }) => `${classes} clusters`) },
    { heading: 'Spectra of 8 and 32 units, 4 clusters', ...axes, series: spectra([8, 32].flatMap((hidden) => only(result, 4, hidden)), ({ hidden }) => `${hidden} units`) },
    { heading: 'Number of outliers', x: { label: 'parameters' }, y: { label: 'mean over seeds', domain: [0, 20] }, series: [counted('more clusters', clusterSweep(result), 0), counted('more units', widthSweep(result), 1)] },
    {
      heading: 'Loss on straight lines from A', x: { label: 'position t' }, y: { label: 'training loss, nats', domain: [0, Math.max(...lines.flatMap(({ toOther }) => toOther.loss)) * 1.05] },
      series: lines.flatMap(({ toSmallBatch, toOther }): PanelSeries[] => [
        { name: 'to B, by small batches from A', x: along, y: toSmallBatch.loss, color: 2 },
        { name: 'to C, from another start', x: along, y: toOther.loss, color: 'muted', dashed: true },
      ]),
    },
  ], { title: 'Data set the outliers of the Hessian, parameters fill the bulk' });
}

export const entry = defineEntry<Settings, Result>({
  id: 'empirical-hessian', topic: 'curvature',
  source: { title: 'Empirical Analysis of the Hessian of Over-Parametrized Neural Networks', authors: ['Levent Sagun', 'Utku Evci', 'V. Uğur Güney', 'Yann Dauphin', 'Léon Bottou'], year: 2017, arxiv: '1706.04454' },
  question: 'What shapes the spectrum of the Hessian where training ends: the data, the number of parameters, or the algorithm?',
  method: 'Networks with one hidden layer of relu units learn to tell $k$ Gaussian clusters apart, a fifth of whose labels are drawn anew, by 200 steps of heavy ball on the whole set. '
    + 'The Hessian of the mean cross-entropy splits exactly, $H = G + R$, into the generalised Gauss-Newton matrix $G = \\frac1N \\sum_i J_i^\\top A_i J_i$ with $A_i = \\mathrm{diag}(p_i) - p_i p_i^\\top$ '
    + 'and the residual part $R = \\frac1N \\sum_{i,c} (p_{ic} - [y_i = c]) \\nabla^2 f_c(x_i)$. If $J_i$ hardly varies within a cluster, $G$ has rank about $k (k - 1)$, since $A_i$ maps constants to zero. '
    + 'Both matrices are formed densely in float64 by products with unit vectors, and all eigenvalues computed. Outliers are those above $\\lambda_1 / 10$; an eigenvalue counts as zero below $\\lambda_1 / 100$ in magnitude. '
    + 'For the question of basins, A is a solution of the whole batch, B is where 2000 steps of batch 10 lead from A, and C a solution of the whole batch from another start; the barrier is how far the loss on the straight line rises above its chord.',
  deviations: [
    'Small networks on clusters only: the paper also has MNIST and CIFAR-10.',
    'Outliers are counted by a threshold fixed at a tenth of the largest eigenvalue. Their number is not cleanly $k$ or $k - 1$ at this size, and the place of the largest gap lies anywhere between 1 and $k$.',
    'Counts of single runs scatter by about two, the share of eigenvalues at zero by 0.03 to 0.08, so widths are compared in means over seeds.',
    'The separation of the clusters, which the paper varies too, is not varied here.',
    'Small batches started where A started, not at A, end across a small barrier: that is another statement, not tested here.',
  ],
  built: [
    { name: 'hessian', from: 'thalweg/curvature', what: 'the Hessian by products' }, { name: 'ggn', from: 'thalweg/curvature', what: 'the generalised Gauss-Newton matrix by products' },
    { name: 'spectrumSplit', from: 'thalweg/curvature', what: 'outliers, bulk at zero and negative part of a spectrum' }, { name: 'symmetricEigenvalues', from: 'thalweg/linalg', what: 'all eigenvalues of a dense matrix' },
    { name: 'gaussianClusters', from: 'thalweg/data', what: 'clusters on a sphere with label noise' }, { name: 'linearBarrier', from: 'thalweg/landscape', what: 'the loss along a straight line' },
  ],
  presets: { quick: { clusters: [2, 4, 6], widths: [8, 32], seeds: 1 }, full: { clusters: [2, 3, 4, 5, 6], widths: [8, 16, 32], seeds: 8 } },
  run,
  claims: [
    {
      id: 'data-set-the-outliers', text: 'More clusters make more outliers: their number grows with $k$, and stays below about $k (k - 1)$, the rank of $G$ if features were constant within clusters.',
      checks: (result) => [
        { what: 'smallest change of the mean count from one number of clusters to the next', measured: byValue(clusterSweep(result).slice(1).map((runs, i) => changes(clusterSweep(result)[i], runs, outliers)))[0], relation: '>=', threshold: -1 },
        { what: 'mean count at 6 clusters over that at 2', measured: growth(meanCounts(clusterSweep(result))), relation: '>=', threshold: 2.5 },
        { what: 'largest excess of a count over k (k - 1), all runs', measured: largest(result.runs.map((one) => outliers(one) - one.classes * (one.classes - 1))), relation: '<=', threshold: 2 },
      ],
      controls: (result) => [
        { what: 'mean count at 32 units over that at 8, with 3.9 times the parameters and the same data', measured: growth(meanCounts(widthSweep(result))), relation: '>=', threshold: 2.5 },
        { what: 'excess of the count over k (k - 1) of untrained networks', measured: largest(result.runs.flatMap(({ initial, classes }) => (initial === null ? [] : [initial.outliers - classes * (classes - 1)]))), relation: '<=', threshold: 2 },
      ],
    },
    {
      id: 'width-adds-to-the-bulk', text: 'Wider networks have a larger bulk: of the eigenvalues that come with the parameters of a wider layer, most are at zero.',
      deviation: 'Stated of the added eigenvalues. The share of all eigenvalues at zero rises by 0.109 ± 0.016 from 8 to 32 units (24 seeds), but lies between 0.63 and 0.89 in single runs at 8 units.',
      checks: (result) => [{ what: 'share at zero of the eigenvalues added from 8 to 32 units', measured: addedShare(widthSweep(result)), relation: '>=', threshold: 0.8 }],
      controls: (result) => [{ what: 'the same of those added from 2 to 6 clusters', measured: addedShare(clusterSweep(result)), relation: '>=', threshold: 0.8 }],
    },
    {
      id: 'width-leaves-the-outliers', text: 'The number of outliers hardly depends on the width, though the number of parameters grows 3.9 times.', only: 'full',
      checks: (result) => [{ what: 'largest over smallest mean count over widths 8, 16, 32', measured: growth(byValue(meanCounts(widthSweep(result)))), relation: '<=', threshold: 1.5 }],
      controls: (result) => [{ what: 'the same over 2 to 6 clusters, where parameters grow 1.3 times', measured: growth(byValue(meanCounts(clusterSweep(result)))), relation: '<=', threshold: 1.5 }],
    },
    {
      id: 'outliers-are-gauss-newton', text: 'At the end of training the $q = k (k - 1)$ largest eigenvalues are those of the Gauss-Newton matrix and carry most of the trace; the residual part and negative curvature are tiny.',
      checks: (result) => [
        { what: 'relative difference of the q largest eigenvalues of H and G, largest mean over seeds', measured: caseMeans(result, ({ ggnDifference }) => ggnDifference).at(-1)!, relation: '<', threshold: 0.05 },
        { what: 'share of the q largest eigenvalues in the trace, smallest mean over seeds', measured: caseMeans(result, ({ leadingShare }) => leadingShare)[0], relation: '>', threshold: 0.6 },
        residualCheck('largest', largest(result.runs.map(({ trained }) => trained.residual))),
        negativeCheck('largest', largest(result.runs.map(({ trained }) => trained.negativeRatio))),
      ],
      controls: (result) => [
        { what: 'relative difference of the q largest eigenvalues of H and G, smallest over untrained runs', measured: smallest(untrained(result).map(({ ggnDifference }) => ggnDifference)), relation: '<', threshold: 0.05 },
        residualCheck('smallest', smallest(untrained(result).map(({ residual }) => residual))),
        negativeCheck('smallest', smallest(untrained(result).map(({ negativeRatio }) => negativeRatio))),
      ],
    },
    {
      id: 'one-basin', text: 'Solutions of large and small batches that lie apart can lie in one basin: from A to B the loss does not rise on the straight line, while to C it does.',
      checks: ({ lines }) => [
        { what: 'smallest distance of A and B', measured: smallest(lines.map(({ toSmallBatch }) => toSmallBatch.distance)), relation: '>', threshold: 2 },
        barrierCheck('largest barrier between A and B, nats', largest(lines.map(({ toSmallBatch }) => toSmallBatch.barrier))),
        barrierCheck('largest rise above the higher end between A and B, nats', largest(lines.map(({ toSmallBatch }) => toSmallBatch.aboveEnds))),
        { what: 'smallest barrier between A and C, nats', measured: smallest(lines.map(({ toOther }) => toOther.barrier)), relation: '>', threshold: 0.3 },
      ],
      controls: ({ lines }) => [
        barrierCheck('smallest barrier between A and C, nats', smallest(lines.map(({ toOther }) => toOther.barrier))),
        barrierCheck('smallest rise above the higher end between A and C, nats', smallest(lines.map(({ toOther }) => toOther.aboveEnds))),
        { what: 'largest barrier between A and B, nats', measured: largest(lines.map(({ toSmallBatch }) => toSmallBatch.barrier)), relation: '>', threshold: 0.3 },
      ],
    },
  ],
  figure,
});
