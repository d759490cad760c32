/** Phases of loss landscapes over a grid of width and learning rate, and what they tell about averaging weights (Schürholt et al. 2025). @module */
import { landscapePhase, rankCorrelation } from 'thalweg/analysis';
import { defineEntry, extremeOver, meanOver, type ClaimDefinition, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type GridPanel } from 'thalweg/charts';
import { pooledImages, redrawnLabels } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { curveConnectivity } from 'thalweg/landscape';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import type { Problem } from 'thalweg/problem';
import { key, split } from 'thalweg/random';
import { modelZoo, type ZooRow } from 'thalweg/survey';

interface Settings {
  readonly widths: readonly number[];
  readonly rates: readonly number[];
  readonly steps: number;
  /** Zoos from other seeds, on the same data. */
  readonly repeats: number;
  /** Further seeds of the hot cell of the narrowest networks alone. */
  readonly narrowRepeats: number;
  /** Steps of the curves between independent runs; without it there are no curves. */
  readonly curveSteps?: number;
}

interface Result {
  readonly widths: readonly number[];
  readonly rates: readonly number[];
  /** Rows of each repeat, the rate changing fastest. */
  readonly zoos: readonly (readonly ZooRow[])[];
  /** The hot cell of the narrowest networks from further seeds. */
  readonly narrow: readonly ZooRow[];
  /** Connectivity of wide networks by curves of 150 steps at half the rate. */
  readonly hasty: readonly number[];
}

const [COLD, WARM, HOT] = [0.01, 0.2, 0.8];
const [LOADED, WIDE] = [16, 64];

async function run({ settings, seed, executor, signal, progress }: EntryContext<Settings>): Promise<Result> {
  const { widths, rates, steps, repeats, narrowRepeats, curveSteps } = settings;
  const images = pooledImages(await mnist(), { side: 7, train: 1000, test: 2000 });
  const train = redrawnLabels(images.train, 0.1, 10, split(key(seed), 'labels'));
  const problemOf = (width: number): Problem<MlpParameters> => ({ name: `MNIST 7x7, width ${width}`, model: mlp({ sizes: [49, width, width, 10], activation: 'relu' }), loss: crossEntropy, train, test: images.test });
  const common = { problemOf, batchSize: 32, steps, forkAt: 200, executor, signal };
  const zoos: (readonly ZooRow[])[] = [];
  const hasty: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const zoo = await modelZoo({
      ...common, widths, rates, seed: 100 * seed + repeat, ...(curveSteps !== undefined && { curve: { steps: curveSteps } }),
      onProgress: (fraction, what) => progress((0.9 * (repeat + fraction)) / repeats, what),
    });
    zoos.push(zoo.rows);
    for (const [i, { width, rate }] of zoo.rows.entries()) {
      if (curveSteps === undefined || width < WIDE || rate !== WARM) continue;
      const { first, second } = zoo.runs[i];
      hasty.push((await curveConnectivity(problemOf(width), first, second, { steps: 150, learningRate: 0.05, seed, executor, signal })).value);
      await progress((0.9 * (repeat + 1)) / repeats, 'curves trained in haste');
    }
  }
  const narrow: ZooRow[] = [];
  for (let repeat = 0; repeat < narrowRepeats; repeat++) {
    narrow.push(...(await modelZoo({ ...common, widths: [widths[0]], rates: [HOT], seed: 100 * seed + 50 + repeat, onProgress: (fraction) => progress(0.9 + (0.1 * (repeat + fraction)) / narrowRepeats, 'narrow networks') })).rows);
  }
  return { widths, rates, zoos, narrow, hasty };
}

/** Value at one cell of a zoo. */
const at = (rows: readonly ZooRow[], width: number, rate: number, value: (row: ZooRow) => number): number => value(rows.find((row) => row.width === width && row.rate === rate)!);
const loss = ({ trainLoss }: ZooRow): number => trainLoss;
/** A number of every zoo, or of each of its widths from one on. */
const overZoos = ({ zoos }: Result, f: (rows: readonly ZooRow[]) => number | readonly number[]): number[] => zoos.flatMap(f);
const cells = (result: Result, chosen: (row: ZooRow) => boolean, value: (row: ZooRow) => number): number[] => overZoos(result, (rows) => rows.filter(chosen).map(value));
const wideOf = ({ widths }: Result, from: number): number[] => widths.filter((width) => width >= from);
const smallest = (values: readonly number[]): Quantity => extremeOver('smallest', values);
const largest = (values: readonly number[]): Quantity => extremeOver('largest', values);
const steadiest = (values: readonly number[]): number => Math.min(...values.slice(1).map((value, i) => values[i] / value));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const lossRatios = (result: Result, rate: number): number[] => overZoos(result, (rows) => wideOf(result, LOADED).map((width) => at(rows, width, rate, loss) / at(rows, width, WARM, loss)));
const similarityRise = (result: Result, value: (row: ZooRow) => number): number[] => overZoos(result, (rows) => {
  const [narrowest, widest] = [result.widths[0], result.widths.at(-1)!].map((width) => mean(rows.filter((row) => row.width === width && row.rate <= WARM).map(value)));
  return widest - narrowest;
});
const notHot = (rows: readonly ZooRow[]): readonly ZooRow[] => rows.filter(({ rate }) => rate <= WARM);
const correlations = (result: Result, chosen: (rows: readonly ZooRow[]) => readonly ZooRow[], a: (row: ZooRow) => number, b: (row: ZooRow) => number): number[] => overZoos(result, (rows) => rankCorrelation(chosen(rows).map(a), chosen(rows).map(b)));
const every = (rows: readonly ZooRow[]): readonly ZooRow[] => rows;
const accuracy = (row: ZooRow): number => row.accuracy;
const similarity = (row: ZooRow): number => row.similarity;
const byAccuracy = (result: Result, which: 0 | -1): number[] => overZoos(result, (rows) => [...rows].sort((a, b) => b.accuracy - a.accuracy).at(which)!.similarity);
const isHotWide = ({ width, rate }: ZooRow): boolean => width >= LOADED && rate === HOT;
const wideWarm = (result: Result, value: (row: ZooRow) => number): number[] => cells(result, ({ width, rate }) => width >= WIDE && rate === WARM, value);
const narrowHot = (result: Result): ZooRow[] => [...result.zoos.flatMap((rows) => rows.filter(({ width, rate }) => width === result.widths[0] && rate === HOT)), ...result.narrow];

const claims: readonly ClaimDefinition<Result>[] = [
  {
    id: 'loss-two-sided-in-temperature',
    text: 'In temperature the training loss $T$ has its minimum inside: at every width $h \\ge 16$ it is higher both in cold cells (rate 0.01, not yet fitted after the common number of steps) and in hot ones (rate 0.8, held up by noise) than at rate 0.2.',
    checks: (result) => [
      { what: 'smallest $T(0.8) / T(0.2)$ over $h \\ge 16$ and repeats', measured: smallest(lossRatios(result, HOT)), relation: '>', threshold: 1.3 },
      { what: 'smallest $T(0.01) / T(0.2)$ over $h \\ge 16$ and repeats', measured: smallest(lossRatios(result, COLD)), relation: '>', threshold: 2 },
    ],
    controls: (result) => [1.3, 2].map((threshold) => ({ what: 'the same ratio between two seeds of one cell, rates up to 0.2, smallest', measured: smallest(cells(result, ({ width, rate }) => width >= LOADED && rate <= WARM, ({ trainLosses: [a, b] }) => a / b)), relation: '>' as const, threshold })),
  },
  {
    id: 'loss-falls-with-width',
    text: 'In load there is one transition: at rate 0.2, $T$ falls with every step in width, from under-fitted to interpolating.',
    checks: (result) => [{ what: 'smallest $T(h) / T(h\')$ over neighbouring widths $h < h\'$ and repeats, rate 0.2', measured: smallest(overZoos(result, (rows) => steadiest(result.widths.map((width) => at(rows, width, WARM, loss))))), relation: '>', threshold: 1 }],
    controls: (result) => [{ what: 'the same along the rates at $h = 64$: not monotone', measured: smallest(overZoos(result, (rows) => steadiest(result.rates.map((rate) => at(rows, WIDE, rate, loss))))), relation: '>', threshold: 1 }],
  },
  {
    id: 'similarity-rises-with-width',
    text: 'Similarity measures load: over cells that are not hot (rate at most 0.2), the linear CKA of two independent networks rises with width.',
    checks: (result) => [
      { what: 'CKA of the widest minus that of the narrowest networks, each the mean over rates, smallest over repeats', measured: smallest(similarityRise(result, similarity)), relation: '>', threshold: 0.35 },
      { what: 'Spearman correlation of width and CKA over the cells, smallest over repeats', measured: smallest(correlations(result, notHot, ({ width }) => width, similarity)), relation: '>', threshold: 0.8 },
    ],
    controls: (result) => [
      { what: 'the rise with the examples of one network in random order', measured: largest(similarityRise(result, ({ similarityByChance }) => similarityByChance)), relation: '>', threshold: 0.35 },
      { what: 'Spearman correlation of rate and CKA over the same cells', measured: largest(correlations(result, notHot, ({ rate }) => rate, similarity)), relation: '>', threshold: 0.8 },
    ],
  },
  {
    id: 'heat-makes-wide-networks-dissimilar', only: 'full',
    text: 'Heating from rate 0.2 to 0.8 lowers the similarity of the widest networks.',
    checks: (result) => [{ what: 'CKA at rate 0.2 minus CKA at rate 0.8, $h = 192$, smallest over repeats', measured: smallest(overZoos(result, (rows) => at(rows, result.widths.at(-1)!, WARM, similarity) - at(rows, result.widths.at(-1)!, HOT, similarity))), relation: '>', threshold: 0.1 }],
    controls: (result) => [{ what: 'the same from rate 0.05 to 0.2', measured: largest(overZoos(result, (rows) => at(rows, result.widths.at(-1)!, 0.05, similarity) - at(rows, result.widths.at(-1)!, WARM, similarity))), relation: '>', threshold: 0.1 }],
  },
  {
    id: 'accuracy-goes-with-similarity',
    text: 'Over the whole grid test accuracy goes with similarity.',
    checks: (result) => [{ what: 'Spearman correlation of test accuracy and CKA over all cells, smallest over repeats', measured: smallest(correlations(result, every, accuracy, similarity)), relation: '>', threshold: 0.75 }],
    controls: (result) => [{ what: 'Spearman correlation of test accuracy and rate over all cells', measured: largest(correlations(result, every, accuracy, ({ rate }) => rate)), relation: '>', threshold: 0.75 }],
  },
  {
    id: 'best-cell-holds-similar-networks', only: 'full',
    text: 'The most accurate cell of the grid is one of similar networks, with CKA above 0.7.',
    checks: (result) => [{ what: 'CKA of the most accurate cell, smallest over repeats', measured: smallest(byAccuracy(result, 0)), relation: '>', threshold: 0.7 }],
    controls: (result) => [{ what: 'CKA of the least accurate cell', measured: largest(byAccuracy(result, -1)), relation: '>', threshold: 0.7 }],
  },
  {
    id: 'averaging-helps-hot-wide-networks',
    text: 'Averaging the weights of two runs that share their first 200 steps lowers the test loss by more than 0.08 nats in every hot cell with $h \\ge 16$, and costs no accuracy; the average of two independent runs is useless.',
    checks: (result) => [
      { what: 'test loss of the average minus the mean of the two, rate 0.8, largest over $h \\ge 16$ and repeats', measured: largest(cells(result, isHotWide, ({ fork }) => fork.loss)), relation: '<', threshold: -0.08 },
      { what: 'change of accuracy in the same cells, smallest', measured: smallest(cells(result, isHotWide, ({ fork }) => fork.accuracy)), relation: '>', threshold: -0.1 },
    ],
    controls: (result) => [
      { what: 'test loss, the same pairs in cold cells, smallest', measured: smallest(cells(result, ({ width, rate }) => width >= LOADED && rate === COLD, ({ fork }) => fork.loss)), relation: '<', threshold: -0.08 },
      { what: 'change of accuracy for runs that share nothing, all cells with $h \\ge 16$, largest', measured: largest(cells(result, ({ width }) => width >= LOADED, ({ independent }) => independent.accuracy)), relation: '>', threshold: -0.1 },
    ],
  },
  {
    id: 'averaging-leaves-cold-networks',
    text: 'In cold cells averaging such a pair changes next to nothing.',
    checks: (result) => [{ what: 'change of test loss in absolute value, rate 0.01, largest over widths and repeats', measured: largest(cells(result, ({ rate }) => rate === COLD, ({ fork }) => Math.abs(fork.loss))), relation: '<', threshold: 0.02 }],
    controls: (result) => [{ what: 'the same at rate 0.8', measured: largest(cells(result, ({ rate }) => rate === HOT, ({ fork }) => Math.abs(fork.loss))), relation: '<', threshold: 0.02 }],
  },
  {
    id: 'averaging-hurts-hot-narrow-networks', only: 'full',
    text: 'In the hot cell of the narrowest networks averaging such a pair raises the test loss by more than 0.05 nats, over a barrier of more than 0.1.',
    failure: 'The sign depends on the draw: over eight seeds the mean rise is no larger than its standard error. Two runs of four units a layer that stay hot for 1000 steps may or may not end in one basin.',
    checks: (result) => [
      { what: 'test loss of the average minus the mean of the two, $h = 4$, rate 0.8, mean over seeds', measured: meanOver(narrowHot(result).map(({ fork }) => fork.loss)), relation: '>', threshold: 0.05 },
      { what: 'barrier between the two, mean over seeds', measured: meanOver(narrowHot(result).map(({ fork }) => fork.barrier)), relation: '>', threshold: 0.1 },
    ],
    controls: (result) => [{ what: 'test loss, the same at rate 0.01', measured: largest(cells(result, ({ width, rate }) => width === result.widths[0] && rate === COLD, ({ fork }) => fork.loss)), relation: '>', threshold: 0.05 }],
  },
  {
    id: 'connected-by-a-curve', only: 'full',
    text: 'Independent wide networks are connected by a curve of low loss, not by a line: on a Bézier curve between them the loss stays within 0.05 nats of that of its ends ($|mc| < 0.05$), where the segment has a barrier of more than 0.5.',
    checks: (result) => [
      { what: '$|mc|$ of the trained curve, rate 0.2, largest over $h \\ge 64$ and repeats', measured: largest(wideWarm(result, ({ connectivity }) => Math.abs(connectivity!.value))), relation: '<', threshold: 0.05 },
      { what: 'barrier of the segment, the same pairs, smallest', measured: smallest(wideWarm(result, ({ connectivity }) => connectivity!.linearBarrier)), relation: '>', threshold: 0.5 },
    ],
    controls: (result) => [
      { what: '$|mc|$ of the segment', measured: smallest(wideWarm(result, ({ connectivity }) => Math.abs(connectivity!.straight))), relation: '<', threshold: 0.05 },
      { what: '$|mc|$ of a curve trained in haste: 150 steps from rate 0.05', measured: smallest(result.hasty.map(Math.abs)), relation: '<', threshold: 0.05 },
      { what: 'barrier of the segment between runs that share their first 200 steps', measured: largest(wideWarm(result, ({ fork }) => fork.barrier)), relation: '>', threshold: 0.5 },
    ],
  },
  {
    id: 'curve-improves-on-unfinished-ends', only: 'full',
    text: 'Between networks that are not trained to the end the curve is better than they are ($mc > 0.1$).',
    deviation: 'Found in the cold cells of every width. The narrowest networks at rate 0.2, where one expects it too, have $mc$ of either sign, depending on the seed.',
    checks: (result) => [{ what: '$mc$ at rate 0.01, smallest over widths and repeats', measured: smallest(cells(result, ({ rate }) => rate === COLD, ({ connectivity }) => connectivity!.value)), relation: '>', threshold: 0.1 }],
    controls: (result) => [{ what: 'the same at rate 0.2, $h = 192$', measured: largest(cells(result, ({ width, rate }) => width === result.widths.at(-1) && rate === WARM, ({ connectivity }) => connectivity!.value)), relation: '>', threshold: 0.1 }],
  },
];

function figure({ widths, rates, zoos }: Result): string {
  // Three decimals: more would not fit into a cell, and mean nothing.
  const cell = (value: (row: ZooRow) => number): number[][] => widths.map((width) => rates.map((rate) => Math.round(1000 * mean(zoos.map((rows) => at(rows, width, rate, value)))) / 1000));
  const [losses, similarities, connectivities] = [cell(loss), cell(similarity), cell(({ connectivity }) => connectivity?.value ?? NaN)];
  const phase = (w: number, r: number): string => {
    const [trainLoss, connectivity] = [losses[w][r], connectivities[w][r]];
    return Number.isNaN(connectivity) ? (trainLoss < 0.5 ? 'III or IV' : 'I or II') : landscapePhase({ trainLoss, connectivity, similarity: similarities[w][r] });
  };
  const panel = (heading: string, cells: (number | string)[][], scale?: 'log'): GridPanel => ({ heading, x: { label: 'learning rate', values: rates }, y: { label: 'width', values: widths }, cells, ...(scale && { scale }) });
  return panels([
    panel('Train loss', losses, 'log'), panel('Trace of the Hessian', cell(({ trace }) => trace)), panel('Similarity (CKA) of two seeds', similarities),
    panel('Test accuracy', cell(accuracy)), panel('Change of test loss by averaging a fork', cell(({ fork }) => fork.loss)), panel('Phase', widths.map((_, w) => rates.map((__, r) => phase(w, r)))),
  ], { title: 'Width and learning rate divide trained networks into phases', subtitle: `MLPs on 1000 MNIST images with a tenth of the labels redrawn; means over ${2 * zoos.length} runs a cell. Averaging pays where runs are hot and wide.`, columns: 3, width: 1080, height: 250 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'phase-model-zoo', topic: 'landscape',
  source: { title: 'A Model Zoo on Phase Transitions in Neural Networks', authors: ['Konstantin Schürholt', 'Léo Meynent', 'Yefan Zhou', 'Haiquan Lu', 'Yaoqing Yang', 'Damian Borth'], year: 2025, arxiv: '2504.18072' },
  question: 'Do trained networks of different size and training temperature fall into a few kinds of loss landscape, and does the kind tell beforehand whether averaging weights will help?',
  method: 'A grid of networks is trained, over load (the width $h$ of an MLP on 1000 images) and temperature (the learning rate of SGD at batch size 32), for the same number of steps. In each cell two runs start from independent seeds and a third shares the first 200 steps of the first. Four numbers are measured: the training loss $T$; the trace of the Hessian by Hutchinson\'s estimate with 10 vectors; the similarity of the two runs\' last hidden features $F, G$, the linear CKA $\\|F^\\top G\\|^2 / (\\|F^\\top F\\| \\|G^\\top G\\|)$ on test images; and mode connectivity $mc = \\frac12 (L(\\theta) + L(\\theta\')) - L(\\gamma(t^*))$ on a quadratic Bézier curve $\\gamma$ trained between the two runs, $t^*$ where the two terms differ most. The loss divides under-fitted phases I and II ($T \\ge 0.5$) from III and IV; a barrier ($mc < -0.05$) marks I and III; similarity divides IV into IV-A and IV-B (CKA at least 0.7). Last, the weights of pairs of runs are averaged, and the test loss of the average is compared with that of the two.',
  deviations: [
    'The paper trains 12 zoos of convolutional networks and transformers; here are MLPs 49-h-h-10 on 1000 MNIST images averaged to 7 by 7 pixels with a tenth of the labels redrawn. The thresholds between phases are conventions of this page.',
    'All cells are trained for the same number of steps, which is part of what makes cold cells under-fitted.',
    'Phases I and III are empty here: a genuine barrier on the best curve was not found. Curves trained for 150 steps show barriers everywhere; with 2000 steps $mc$ still falls to -0.06 at widths 4 and 16, and with 8000 it is above zero there. Hence 6000 steps. Ends of different height, as two hot runs can be, also make $mc$ negative without a barrier.',
    'The sharp statement that phase IV-B beats every other cell in accuracy was tried and fails narrowly: cold wide cells are as accurate.',
    'The trace of the Hessian is not monotone along either axis and carries no claim.',
  ],
  built: [
    { name: 'modelZoo', from: 'thalweg/survey', what: 'a zoo over load and temperature with its metrics' },
    { name: 'trainEnsemble', from: 'thalweg/train', what: 'all rates and seeds of a width in one program, from a start each' },
    { name: 'curveConnectivity', from: 'thalweg/landscape', what: 'Bézier curves between networks, and mc on them' },
    { name: 'averagingGain', from: 'thalweg/analysis', what: 'what the mean of two networks gains' },
    { name: 'landscapePhase', from: 'thalweg/analysis', what: 'the phase of a cell' },
  ],
  related: ['landscape/linear-mode-connectivity'],
  presets: {
    quick: { widths: [4, 64], rates: [COLD, WARM, HOT], steps: 800, repeats: 1, narrowRepeats: 0 },
    full: { widths: [4, 16, 64, 192], rates: [COLD, 0.05, WARM, HOT], steps: 1200, repeats: 2, narrowRepeats: 6, curveSteps: 6000 },
  },
  run, claims, figure,
});
