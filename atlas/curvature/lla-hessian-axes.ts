/** Slices along Hessian eigenvectors against random ones, and two summaries of the Hessian's spectrum on data that drift away. @module */
import { array, mapTree, NDArray, toDtype } from 'thalweg';
import { rankCorrelation } from 'thalweg/analysis';
import { defineEntry, exact, extremeOver, type Check, type ClaimDefinition, type EntryContext } from 'thalweg/atlas';
import { panels, type GridPanel, type PanelSeries } from 'thalweg/charts';
import { batchHessians, directionalDerivatives, spectralDensity, topEigenpairs, type Eigenpairs } from 'thalweg/curvature';
import { blockNoise, makeSplit, pooledImages, shiftedRight, takeRows, type Dataset, type ImageChange, type Split } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { eigenvectorAxes, lossPlane, negativeCurvature, randomAxes, sampleLandscape, symmetricRange, type Axis } from 'thalweg/landscape';
import { crossEntropy } from 'thalweg/losses';
import { activations, batchNorm, dense, sequential, withBatchStatistics, type AnyModel } from 'thalweg/nn';
import { sgd } from 'thalweg/optim';
import { evaluate, ParameterSpace, type Point, type Problem } from 'thalweg/problem';
import { key, normal, permutation, randint, split } from 'thalweg/random';
import { train } from 'thalweg/train';

interface Settings {
  readonly runs: number;
  /** Which nets the spectra are measured of; the scale dependence is that of the one with batch norm in any case. */
  readonly nets: readonly NetKind[];
  readonly shifts: readonly number[];
  readonly noises: readonly number[];
  /** Lanczos steps and starts of the criteria. */
  readonly steps: number;
  readonly starts: number;
  /** Cells along each axis of a slice. */
  readonly cells: number;
}
type NetKind = 'plain' | 'batch norm';
type SetKind = 'train' | 'test' | 'shift' | 'noise' | 'permuted';
interface Criteria { readonly extremes: number; readonly ratio: number; readonly meanEigenvalue: number }
/** One set of examples: quality, and criteria of the trained and of the untrained net. */
interface Row { readonly kind: SetKind; readonly amount: number; readonly loss: number; readonly accuracy: number; readonly trained: Criteria; readonly untrained: Criteria }
interface Net {
  readonly net: NetKind;
  readonly largest: number;
  readonly smallest: number;
  /** Second differences of the loss along the eigenvector of the largest eigenvalue. */
  readonly along: number;
  /** Curvatures along random unit directions. */
  readonly random: readonly number[];
  readonly rows: readonly Row[];
}
/** Losses along lines of the net with batch norm, as it is and with its first layer five times as large. */
interface Scaling { readonly filter: Pair; readonly raw: Pair; readonly largest: readonly [number, number] }
interface Slice { readonly coordinates: readonly number[]; readonly losses: readonly (readonly number[])[] }
type Pair = readonly [readonly number[], readonly number[]];
interface Result {
  readonly nets: readonly Net[];
  readonly scalings: readonly Scaling[];
  readonly slices: Readonly<Record<'random' | 'hessian', Slice>>;
}

interface Examples { readonly kind: SetKind; readonly amount: number; readonly data: Split }
interface Trained { readonly problem: Problem<unknown, unknown>; readonly start: Point<unknown, unknown>; readonly point: Point<unknown, unknown> }
const [IMAGES, SIDE, HIDDEN] = [1000, 7, 32];
/** Of the second difference: kinks of relu make it noisy at smaller steps, higher derivatives wrong at larger ones. */
const STEP = 0.03;
const RANDOM = 50;
const FACTOR = 5;
const LINE = symmetricRange(1, 9);

const model = (net: NetKind): AnyModel => {
  const first = dense({ inputs: SIDE ** 2, outputs: HIDDEN, initializer: 'lecun-normal' });
  const last = dense({ inputs: HIDDEN, outputs: 10, initializer: 'lecun-normal' });
  return net === 'plain' ? sequential(first, activations.relu.apply, last) : withBatchStatistics(sequential(first, batchNorm(HIDDEN), activations.relu.apply, last));
};
const doubled = <T>(tree: T): T => mapTree((leaf: NDArray) => toDtype(leaf, 'float64'), tree) as T;

/** Every set of examples on which the nets are measured, by the constants of the train images. */
function evaluationSets(images: Dataset, { shifts, noises }: Settings, seed: number): Examples[] {
  const pooled = (before: ImageChange = (pixels) => pixels): Dataset => pooledImages(images, { side: SIDE, train: IMAGES, test: IMAGES, before });
  const { train: plain, test } = pooled();
  const noisy = (deviation: number): Split => pooled(blockNoise({ side: 28, block: 28 / SIDE, deviation, key: split(key(seed), 'noise') })).test;
  const labels = takeRows(test, permutation(split(key(seed), 'labels'), IMAGES)).targets;
  return [
    { kind: 'train', amount: 0, data: plain }, { kind: 'test', amount: 0, data: test },
    ...shifts.map((amount): Examples => ({ kind: 'shift', amount, data: pooled(shiftedRight(28, amount)).test })),
    ...noises.map((amount): Examples => ({ kind: 'noise', amount, data: noisy(amount) })), { kind: 'permuted', amount: 0, data: makeSplit(test.inputs, labels) },
  ];
}

async function trained(net: NetKind, r: number, data: Split, { seed, executor, signal }: EntryContext<Settings>): Promise<Trained> {
  const problem: Problem<unknown, unknown> = { name: `${net} net`, model: model(net), loss: crossEntropy, train: data };
  const start = doubled(problem.model.init(split(key(seed), 'initialisation', r))) as Point<unknown, unknown>;
  const { params, state } = await train(problem, { start, optimizer: sgd(), schedule: 0.1, steps: 600, batchSize: 64, seed: randint(split(key(seed), 'order', r), [1], { high: 2 ** 30 })[0], executor, signal });
  return { problem, start, point: { params, state } };
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
function ofLength(length: number, vector: Float64Array): Float64Array {
  const factor = length / lengthOf(vector);
  return vector.map((x) => factor * x);
}
const everyImage = (set = 0): Int32Array => Int32Array.from({ length: IMAGES }, (_, i) => set * IMAGES + i);
const gaussian = (size: number, seed: number, ...names: (string | number)[]): Float64Array => normal(split(key(seed), ...names), size, { dtype: 'float64' });

/** Losses of the training set along lines. */
async function lossesAlong({ problem }: Trained, point: Point<unknown, unknown>, directions: readonly Float64Array[], positions: readonly number[], { executor, signal }: EntryContext<Settings>): Promise<number[][]> {
  const space = new ParameterSpace(point.params);
  const places = directions.flatMap((_, i) => positions.map((t) => directions.map((__, j) => (i === j ? t : 0))));
  const samples = await sampleLandscape(problem, point, directions.map((direction) => space.unflatten(direction) as never), places, problem.train, { chunk: IMAGES, executor, signal });
  return directions.map((_, i) => samples.slice(i * positions.length, (i + 1) * positions.length).map(({ loss }) => loss));
}

/** Both criteria on each set. The sets lie one behind the other in `all`. */
async function criteria({ problem }: Trained, point: Point<unknown, unknown>, all: Split, r: number, { settings: { steps, starts, runs }, seed, executor, signal, progress }: EntryContext<Settings>): Promise<Criteria[]> {
  const batches = batchHessians(problem, point, { data: all, executor });
  const found: Criteria[] = [];
  for (let set = 0; set < all.size / IMAGES; set++) {
    await progress((r + 0.2) / runs, `${problem.name}: spectrum on set ${set + 1} of ${all.size / IMAGES}`);
    const operator = batches.of(everyImage(set));
    const { probes, trace } = await spectralDensity(operator, { steps, probes: starts, key: split(key(seed), 'start', r), signal });
    const { extremes, nodeRatio } = negativeCurvature(probes);
    found.push({ extremes: extremes.value, ratio: nodeRatio.value, meanEigenvalue: trace.value / operator.size });
    await operator.dispose();
  }
  await batches.dispose();
  return found;
}

async function measured(net: NetKind, r: number, made: Trained, sets: readonly Examples[], context: EntryContext<Settings>): Promise<{ net: Net; pairs: Eigenpairs }> {
  const { seed, executor, signal, progress } = context;
  const { problem, start, point } = made;
  const count = sets.length * IMAGES;
  const all = makeSplit(new NDArray(Float32Array.from(sets.flatMap(({ data }) => [...data.inputs.data])), [count, SIDE ** 2], 'float32'), array(sets.flatMap(({ data }) => [...data.targets.data]), [count], 'int32'));
  const [before, after] = [await criteria(made, start, all, r, context), await criteria(made, point, all, r, context)];
  await progress((r + 0.5) / context.settings.runs, `${net} net: eigenvectors`);
  const batches = batchHessians(problem, point, { executor });
  const pairs = await topEigenpairs(batches.of(everyImage()), { largest: 1, smallest: 1, method: 'lanczos', key: split(key(seed), 'eigenvectors', r), signal });
  await batches.dispose();
  const [[left, middle, right]] = await lossesAlong(made, point, [pairs.largest[0].vector], [-STEP, 0, STEP], context);
  const derivatives = directionalDerivatives(problem, point, { chunk: IMAGES, executor });
  const random = await derivatives.at(point, Array.from({ length: RANDOM }, (_, i) => ofLength(1, gaussian(derivatives.space.size, seed, 'random', r, i))));
  await derivatives.dispose();
  const rows: Row[] = [];
  for (const [i, { kind, amount, data }] of sets.entries()) {
    const { loss, accuracy } = await evaluate(problem, point, data, { chunk: IMAGES, executor });
    rows.push({ kind, amount, loss: loss.value, accuracy: accuracy!.value, trained: after[i], untrained: before[i] });
  }
  return { net: { net, largest: pairs.largest[0].value, smallest: pairs.smallest[0].value, along: (left + right - 2 * middle) / STEP ** 2, random: random.map(({ curvature }) => curvature), rows }, pairs };
}

/** What a change of scale that batch norm undoes does to slices and to the largest eigenvalue. */
async function scaling(r: number, made: Trained, context: EntryContext<Settings>): Promise<Scaling> {
  const { seed, executor, signal } = context;
  const { problem, point } = made;
  const space = new ParameterSpace(point.params);
  const larger = space.flatten();
  for (const { name, offset, size } of space.ranges) if (name.startsWith('0.')) for (let i = offset; i < offset + size; i++) larger[i] *= FACTOR;
  const axisSeed = randint(split(key(seed), 'axis', r), [1], { high: 2 ** 30 })[0];
  const raw = ofLength(lengthOf(space.flatten()), gaussian(space.size, seed, 'raw', r));
  const measure = async (at: Point<unknown, unknown>) => {
    const batches = batchHessians(problem, at, { executor });
    const { largest: [{ value }] } = await topEigenpairs(batches.of(everyImage()), { largest: 1, method: 'lanczos', tolerance: 1e-4, key: split(key(seed), 'scaled', r), signal });
    await batches.dispose();
    const filter = space.flatten(randomAxes(at.params, { seed: axisSeed, count: 1 })[0].direction);
    return { value, lines: await lossesAlong(made, at, [filter, raw], LINE, context) };
  };
  const [a, b] = [await measure(point), await measure({ ...point, params: space.unflatten(larger) as never })];
  return { filter: [a.lines[0], b.lines[0]], raw: [a.lines[1], b.lines[1]], largest: [a.value, b.value] };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { runs, nets: kinds, cells }, seed, executor, signal, progress } = context;
  const sets = evaluationSets(await mnist(), context.settings, seed);
  const { data } = sets[0];
  const nets: Net[] = [];
  const scalings: Scaling[] = [];
  let slices: Result['slices'] | undefined;
  for (let r = 0; r < runs; r++) {
    await progress(r / runs, 'training');
    const normalised = await trained('batch norm', r, data, context);
    for (const net of kinds) {
      const made = net === 'plain' ? await trained(net, r, data, context) : normalised;
      await progress((r + 0.2) / runs, `${net} net: spectra on ${sets.length} sets`);
      const { net: found, pairs } = await measured(net, r, made, sets, context);
      nets.push(found);
      if (slices !== undefined) continue;
      const { params } = made.point;
      const slice = async (axes: readonly Axis<unknown>[], radius: number): Promise<Slice> => {
        const { x, samples } = await lossPlane(made.problem, made.point, [axes[0].direction, axes[1].direction], data, { radius, points: cells, chunk: IMAGES, executor, signal });
        return { coordinates: x, losses: samples.map((row) => row.map(({ loss }) => loss)) };
      };
      slices = { random: await slice(randomAxes(params, { seed }), 1.2), hessian: await slice(eigenvectorAxes(params, pairs), 3) };
    }
    scalings.push(await scaling(r, normalised, context));
  }
  return { nets, scalings, slices: slices! };
}

const over = (which: 'smallest' | 'largest', { nets }: Result, of: (net: Net) => number) => extremeOver(which, nets.map(of));
const meanRandom = ({ random }: Net): number => random.reduce((sum, x) => sum + x / random.length, 0);
const meanEigenvalue = ({ rows }: Net): number => rows[0].trained.meanEigenvalue;
const nearLargest = (what: string, result: Result, of: (net: Net) => number): Check[] =>
  (['smallest', 'largest'] as const).map((which) => ({ what: `${what} over the largest eigenvalue, ${which}`, measured: over(which, result, (net) => of(net) / net.largest), relation: 'within', threshold: [0.85, 1.15] }));
type State = 'trained' | 'untrained';
const correlation = (result: Result, state: State, name: 'extremes' | 'ratio', threshold: number): Check => {
  const kept = (net: Net): readonly Row[] => net.rows.filter(({ kind }) => threshold === -0.6 || kind !== 'permuted');
  return {
    what: `rank correlation of the accuracy and ${name === 'extremes' ? 'r_e' : 'K_H'} of the ${state} net${threshold === -0.6 ? '' : ', without permuted labels'}`,
    measured: over('largest', result, (net) => rankCorrelation(kept(net).map(({ accuracy }) => accuracy), kept(net).map((row) => row[state][name]))), relation: '<', threshold,
  };
};
const extremesOn = (net: Net, state: State, kind: SetKind, amount = 0): number => net.rows.find((row) => row.kind === kind && row.amount === amount)![state].extremes;
const order = (result: Result, state: State): Check => ({
  what: `r_e of the ${state} net on test over train images and on images shifted by 3 over test images, the smaller`, relation: '>', threshold: 1,
  measured: over('smallest', result, (net) => Math.min(extremesOn(net, state, 'test') / extremesOn(net, state, 'train'), extremesOn(net, state, 'shift', 3) / extremesOn(net, state, 'test'))),
});
const permutedLargest = (result: Result, state: State): Check => ({
  what: `r_e of the ${state} net with permuted labels over the largest of the other sets`, relation: '>', threshold: 1,
  measured: over('smallest', result, (net) => extremesOn(net, state, 'permuted') / Math.max(...net.rows.filter(({ kind }) => kind !== 'permuted').map((row) => row[state].extremes))),
});
const untrainedOver = (result: Result, kind: SetKind, on: string): Check => ({ what: `r_e of the untrained over that of the trained net, ${on}`, measured: over('smallest', result, (net) => extremesOn(net, 'untrained', kind) / extremesOn(net, 'trained', kind)), relation: '>', threshold: 5 });
const centre = (LINE.length - 1) / 2;
const difference = ([a, b]: Pair): number => Math.max(...a.map((x, i) => Math.abs(b[i] / x - 1)));
const flattening = ([a, b]: Pair): number => Math.min(...[0, LINE.length - 1].map((i) => (a[i] - a[centre]) / (b[i] - b[centre])));
const scalings = (what: string, { scalings: all }: Result, which: 'smallest' | 'largest', of: (one: Scaling) => number, relation: '<' | '>', threshold: number): Check => ({ what, measured: extremeOver(which, all.map(of)), relation, threshold });

const claims: readonly ClaimDefinition<Result>[] = [
  {
    id: 'axes-show-what-hides',
    text: 'A slice along the eigenvector of the largest Hessian eigenvalue has its curvature; random directions have the mean eigenvalue, far below, and show no negative curvature although there is some.',
    checks: (result) => [
      ...nearLargest('curvature of the slice along $v_{\\max}$', result, ({ along }) => along),
      { what: 'mean curvature along random directions over the largest eigenvalue', measured: over('largest', result, (net) => meanRandom(net) / net.largest), relation: '<', threshold: 1 / 30 },
      { what: 'mean curvature along random directions over the mean eigenvalue, farthest from one', measured: over('largest', result, (net) => Math.exp(Math.abs(Math.log(meanRandom(net) / meanEigenvalue(net))))), relation: '<', threshold: 1.5 },
      { what: 'random directions of negative curvature', measured: exact(Math.max(...result.nets.map(({ random }) => random.filter((x) => x < 0).length))), relation: '<=', threshold: 0 },
      { what: 'smallest eigenvalue', measured: over('largest', result, ({ smallest }) => smallest), relation: '<', threshold: 0 },
    ],
    controls: (result) => [
      ...nearLargest('mean curvature along random directions', result, meanRandom),
      { what: 'curvature of the slice along $v_{\\max}$ over the largest eigenvalue', measured: over('largest', result, ({ along, largest }) => along / largest), relation: '<', threshold: 1 / 30 },
      { what: 'curvature of the slice along $v_{\\max}$ over the mean eigenvalue', measured: over('largest', result, (net) => net.along / meanEigenvalue(net)), relation: '<', threshold: 1.5 },
      { what: 'Hessian axes of negative curvature', measured: exact(Math.max(...result.nets.map(({ largest, smallest }) => [largest, smallest].filter((x) => x < 0).length))), relation: '<=', threshold: 0 },
      { what: 'smallest curvature along a random direction', measured: over('largest', result, ({ random }) => Math.min(...random)), relation: '<', threshold: 0 },
    ],
  },
  {
    id: 'criteria-follow-accuracy',
    text: 'On data that drift away, $r_e$ and $K_H$ of the Hessian rise as the accuracy falls.',
    checks: (result) => [
      ...(['extremes', 'ratio'] as const).flatMap((name) => [correlation(result, 'trained', name, -0.6), correlation(result, 'trained', name, -0.5)]),
      order(result, 'trained'), permutedLargest(result, 'trained'), untrainedOver(result, 'train', 'train images'),
    ],
    controls: (result) => [
      ...(['extremes', 'ratio'] as const).map((name) => correlation(result, 'untrained', name, -0.6)),
      order(result, 'untrained'), permutedLargest(result, 'untrained'), untrainedOver(result, 'permuted', 'permuted labels'),
    ],
  },
  {
    id: 'scale-is-no-property',
    text: 'Under batch norm a layer five times as large gives the same network: filter-normalised slices do not see it, raw slices flatten, and the largest eigenvalue changes.',
    checks: (result) => [
      scalings('largest relative change of a filter-normalised random slice', result, 'largest', ({ filter }) => difference(filter), '<', 1e-3),
      scalings('rise of a raw random slice over that after the change, at the nearer end', result, 'smallest', ({ raw }) => flattening(raw), '>', 3),
      scalings('largest eigenvalue over that after the change', result, 'smallest', ({ largest: [a, b] }) => a / b, '>', 1.5),
    ],
    controls: (result) => [
      scalings('largest relative change of a raw random slice', result, 'largest', ({ raw }) => difference(raw), '<', 1e-3),
      scalings('rise of a filter-normalised random slice over that after the change', result, 'smallest', ({ filter }) => flattening(filter), '>', 3),
      scalings('loss over that after the change', result, 'smallest', ({ raw: [a, b] }) => a[centre] / b[centre], '>', 1.5),
    ],
  },
];

function figure({ nets: [{ rows }], slices }: Result): string {
  const slice = (heading: string, { coordinates, losses }: Slice, [x, y]: readonly [string, string]): GridPanel => {
    const values = coordinates.map((value) => Number(value.toFixed(6)));
    return { heading, x: { label: x, values }, y: { label: y, values }, cells: losses, scale: 'log' };
  };
  const marks: readonly (readonly [string, readonly SetKind[], 'ring' | 'cross' | 'dot'])[] = [['train, test, permuted labels', ['train', 'test', 'permuted'], 'dot'], ['shifted images', ['shift'], 'ring'], ['noisy images', ['noise'], 'cross']];
  const series = (['extremes', 'ratio'] as const).flatMap((name, color): PanelSeries[] => marks.map(([kind, kinds, mark]) => {
    const chosen = rows.filter((row) => kinds.includes(row.kind));
    return { name: `${name === 'extremes' ? 'r_e' : 'K_H'}: ${kind}`, x: chosen.map(({ trained: { [name]: value } }) => value), y: chosen.map(({ accuracy }) => accuracy), mark, color: color as 0 | 1 };
  }));
  return panels([
    slice('Loss along random axes, filter-normalised', slices.random, ['first axis', 'second axis']),
    slice('Loss along Hessian eigenvectors', slices.hessian, ['largest eigenvalue', 'smallest eigenvalue']),
    { heading: 'Negative curvature and accuracy, each set a point', x: { label: 'r_e, K_H', scale: 'log' }, y: { label: 'accuracy', domain: [0, 1] }, series },
  ], { title: 'A bowl along random axes, a trough along Hessian eigenvectors', columns: 3, width: 1290 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'lla-hessian-axes', topic: 'curvature',
  source: { title: 'Investigating generalization capabilities of neural networks by means of loss landscapes and Hessian analysis', authors: ['Nikita Gabdullin'], year: 2024, arxiv: '2412.10146' },
  question: 'What do pictures of the loss along random directions hide, and does the Hessian on new data tell how well a network does there?',
  method: 'Slices $S(a,b)=L(\\theta+a\\,v_1+b\\,v_2)$ of the training loss are taken along random directions, each neuron scaled to the norm of its own weights (filter normalisation), and along the eigenvectors $v_{\\max}$, $v_{\\min}$ of the largest and the most negative Hessian eigenvalue. The spectrum on a set of examples comes from $m$ Lanczos steps: nodes $\\theta_i$ with weights $w_i$, so that $\\mathrm{tr}\\,H/P=\\sum_i w_i\\theta_i$. Two criteria say how negative it is: $r_e=|\\min_i\\theta_i/\\max_i\\theta_i|$ and $K_H=\\sum_{\\theta_i<0}|\\theta_iw_i|^{1/2}/\\sum_{\\theta_i>0}(\\theta_iw_i)^{1/2}$. They are measured on train and test images, on shifted and noisy ones, and with permuted labels. Batch norm uses the statistics of the set at hand; then $W_1\\to cW_1$, $b_1\\to cb_1$ leaves the function as it is.',
  deviations: [
    'The paper takes networks trained on ImageNet to other data sets; here shifted and noisy MNIST images stand for another data set, on a network of 49 pooled pixels and 32 hidden units, in double precision.',
    'Where labels are known, the loss itself follows the accuracy better (rank correlation about -0.97) than both criteria: they are no shortcut around labels, which the Hessian needs as well.',
    'Hessian axes cure that sharp and negative directions are not seen, not the dependence on scale: the largest eigenvalue itself changes where batch norm undoes a factor.',
    'Second differences along $v_{\\max}$ are taken over 0.03: with relu and batch norm, single kinks move those over 0.01 by up to a quarter. Along $v_{\\min}$ they are unreliable, so the smallest eigenvalue is that of Lanczos.',
    'The quick preset measures spectra of the net without batch norm on six sets, from one start vector.',
  ],
  built: [
    { name: 'topEigenpairs', from: 'thalweg/curvature', what: 'eigenvectors of both ends of the spectrum' },
    { name: 'negativeCurvature', from: 'thalweg/landscape', what: 'r_e and K_H from Lanczos quadratures' },
    { name: 'batchHessians', from: 'thalweg/curvature', what: 'the Hessian on every set, by one program' },
    { name: 'directionalDerivatives', from: 'thalweg/curvature', what: 'curvatures along random directions' },
    { name: 'randomAxes', from: 'thalweg/landscape', what: 'filter-normalised random axes' },
    { name: 'withBatchStatistics', from: 'thalweg/nn', what: 'batch norm by the statistics of the set at hand' },
  ],
  presets: {
    quick: { runs: 1, nets: ['plain'], shifts: [3, 6], noises: [0.4], steps: 40, starts: 1, cells: 13 },
    full: { runs: 2, nets: ['plain', 'batch norm'], shifts: [1, 2, 3, 4, 6], noises: [0.1, 0.2, 0.4], steps: 60, starts: 3, cells: 25 },
  },
  run, claims, figure,
});
