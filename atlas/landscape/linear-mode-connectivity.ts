/** Runs that share their beginning, the loss barrier between their ends, and its prediction from the ends alone. @module */
import { rankCorrelation } from 'thalweg/analysis';
import { defineEntry, exact, extremeOver, type Check, type EntryContext } from 'thalweg/atlas';
import { panels, type PanelSeries } from 'thalweg/charts';
import { directionalDerivatives, type DirectionalDerivatives } from 'thalweg/curvature';
import { pooledImages, redrawnLabels } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { linearBarrier, quadraticBarrier, quadraticRise } from 'thalweg/landscape';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import { linearSchedule, sgd, type Schedule } from 'thalweg/optim';
import type { Point, Problem } from 'thalweg/problem';
import { key, normal, randint, split } from 'thalweg/random';
import { forkExperiment, trainEnsemble } from 'thalweg/train';

interface Settings {
  readonly width: number;
  readonly steps: number;
  readonly runs: number;
  /** Shared steps, ascending from 0. */
  readonly forks: readonly number[];
  /** The fork that is late enough for one valley. */
  readonly late: number;
  /** The largest fork whose barrier is large enough to be compared as a ratio. */
  readonly ratiosTo: number;
  /** Points of each line. */
  readonly points: number;
}

/** Two trained networks and the line between them. */
interface Pair {
  readonly run: number;
  /** Shared steps; null where not even the initial weights are shared. */
  readonly shared: number | null;
  readonly barrier: number;
  readonly predicted: number;
  /** What the same formula gives along random directions of the same length, mean of a few. */
  readonly random: number;
  readonly distance: number;
  /** Mean loss of the ends. */
  readonly loss: number;
  /** Between the ways from the fork; null without one. */
  readonly cosine: number | null;
  readonly layers: readonly { readonly measured: number; readonly predicted: number }[];
  /** Rise above the chord, measured and predicted, along the line. */
  readonly line: { readonly t: readonly number[]; readonly measured: readonly number[]; readonly predicted: readonly number[] };
}
interface Result {
  readonly pairs: readonly Pair[];
  /** The same at a constant rate, whose ends are not minima. */
  readonly constant: readonly Pair[];
  /** Barrier of runs that share their initial weights, with the labels as they are. */
  readonly clean: number;
  readonly late: number;
  readonly ratiosTo: number;
}
type Net = Problem<MlpParameters>;
type Derivatives = DirectionalDerivatives<MlpParameters, Record<string, never>>;
type Ends = readonly [Point<MlpParameters>, Point<MlpParameters>];

const RATE = 0.4;
const integer = (seed: number, ...path: (string | number)[]): number => randint(split(key(seed), ...path), [1], { high: 2 ** 30 })[0];

const barrierOf = async (problem: Net, [a, b]: Ends, { settings: { points }, executor, signal }: EntryContext<Settings>) =>
  (await linearBarrier(problem, a, b, { points, refineTo: 0, splits: ['train'], executor, signal })).train!;

async function measured(problem: Net, derivatives: Derivatives, ends: Ends, pair: Pick<Pair, 'run' | 'shared' | 'cosine'>, context: EntryContext<Settings>): Promise<Pair> {
  const { barrier, samples } = await barrierOf(problem, ends, context);
  const { distance, ends: [first, second], rise, layers } = await quadraticBarrier(derivatives, ...ends);
  // As many directions as quadraticBarrier takes (the difference, and that of each layer), so that one program serves both.
  const directions = [0, ...layers.keys()].map((_, i) => {
    const direction = normal(split(key(context.seed), 'direction', i), derivatives.space.size, { dtype: 'float64' });
    const scale = distance / Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    return direction.map((x) => scale * x);
  });
  const [from, to] = [await derivatives.at(ends[0], directions), await derivatives.at(ends[1], directions)];
  const t = samples.map((sample) => sample.t);
  return {
    ...pair, barrier: barrier.value, predicted: rise.midpoint, distance, loss: (first.loss + second.loss) / 2,
    random: from.reduce((sum, one, i) => sum + quadraticRise(one, to[i]).midpoint / from.length, 0),
    layers: layers.map(({ measured: height, predicted }) => ({ measured: height, predicted })),
    line: { t, measured: samples.map(({ excess }) => excess.value), predicted: t.map(rise.at) },
  };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { width, steps, runs, forks, late, ratiosTo }, seed, executor, signal, progress } = context;
  const { train: images } = pooledImages(await mnist(), { side: 14, train: 1500, test: 1 });
  const clean: Net = { name: 'digits', model: mlp({ sizes: [196, width, width, 10], activation: 'relu' }), loss: crossEntropy, train: images };
  const noisy: Net = { ...clean, name: 'digits with redrawn labels', train: redrawnLabels(images, 0.3, 10, split(key(seed), 'labels')) };
  const derivatives = directionalDerivatives(noisy, noisy.model.init(key(0)), { executor });
  const common = { optimizer: sgd(), steps, batchSize: 16, executor, signal };
  const decay = linearSchedule({ rate: RATE, steps });
  const total = runs * (forks.length + 1) + 4;
  let done = 0;
  const experiment = (problem: Net, schedule: number | Schedule, r: number, chosen: readonly number[]) => forkExperiment(problem, { ...common, schedule, forks: chosen, seed: integer(seed, 'run', r) });

  async function forked(schedule: number | Schedule, r: number, chosen: readonly number[]): Promise<Pair[]> {
    const { fork } = await experiment(noisy, schedule, r, chosen);
    const pairs: Pair[] = [];
    for (const shared of chosen) {
      await progress(done++ / total, `two runs that share ${shared} steps`);
      const { branches, geometry } = await fork(shared);
      pairs.push(await measured(noisy, derivatives, branches, { run: r, shared, cosine: geometry.at(-1)!.cosine }, context));
    }
    return pairs;
  }

  async function independent(r: number): Promise<Pair> {
    await progress(done++ / total, 'two runs that share nothing');
    const { replicas: [a, b] } = await trainEnsemble(noisy, { ...common, schedule: decay, seed, vary: { seed: [0, 1].map((i) => integer(seed, 'independent', r, i)) } });
    return measured(noisy, derivatives, [a, b], { run: r, shared: null, cosine: null }, context);
  }

  const pairs: Pair[] = [];
  for (let r = 0; r < runs; r++) pairs.push(await independent(r), ...await forked(decay, r, forks));
  const constant = await forked(RATE, 0, [0, forks[Math.floor(forks.length / 2)], late]);
  await progress(done / total, 'labels as they are');
  const plain = await (await experiment(clean, decay, 0, [0])).fork(0);
  await derivatives.dispose();
  return { pairs, constant, clean: (await barrierOf(clean, plain.branches, context)).barrier.value, late, ratiosTo };
}

const forksOf = (pairs: readonly Pair[]): Pair[] => pairs.filter(({ shared }) => shared !== null);
const at = ({ pairs }: Result, shared: number | null): Pair[] => pairs.filter((pair) => pair.shared === shared);
/** Of each run, the largest rise from one fork to the next later one. */
function largestRises({ pairs }: Result, of: (pair: Pair) => number, from: 'early' | 'late'): number[] {
  return [...new Set(pairs.map((pair) => pair.run))].map((r) => {
    const values = forksOf(pairs).filter((pair) => pair.run === r).map(of);
    if (from === 'late') values.reverse();
    return values.slice(1).reduce((most, value, i) => Math.max(most, value - values[i]), -Infinity);
  });
}
const ranks = (pairs: readonly Pair[], of: (pair: Pair) => number) => exact(rankCorrelation(pairs.map(of), pairs.map(({ barrier }) => barrier)));
const layerRanks = (pairs: readonly Pair[]) => {
  const layers = forksOf(pairs).flatMap((pair) => pair.layers);
  return exact(rankCorrelation(layers.map(({ predicted }) => predicted), layers.map((layer) => layer.measured)));
};
const RATIOS = [0.5, 1.6] as const;
const ratios = (pairs: readonly Pair[], of: (pair: Pair) => number, to: number): number[] => forksOf(pairs).filter(({ shared }) => shared! <= to).map((pair) => of(pair) / pair.barrier);
const ratioChecks = (what: string, values: readonly number[]): Check[] => (['smallest', 'largest'] as const).map((which) => ({ what: `${which} ratio of ${what} to the barrier`, measured: extremeOver(which, values), relation: 'within', threshold: RATIOS }));

const claims: Parameters<typeof defineEntry<Settings, Result>>[0]['claims'] = [
  {
    id: 'fork-threshold',
    text: 'The barrier between two runs falls with the number $k$ of steps that they share: it is high where they share nothing or only their initial weights, and gone when they share half of the run.',
    checks: (result) => [
      { what: 'largest rise of the barrier from one fork to the next', measured: extremeOver('largest', largestRises(result, ({ barrier }) => barrier, 'early')), relation: '<=', threshold: 0.03 },
      { what: 'barrier of runs that share nothing', measured: extremeOver('smallest', at(result, null).map(({ barrier }) => barrier)), relation: '>', threshold: 1 },
      { what: 'barrier of runs that share their initial weights', measured: extremeOver('smallest', at(result, 0).map(({ barrier }) => barrier)), relation: '>', threshold: 0.4 },
      { what: 'barrier of runs that share half of the steps', measured: extremeOver('largest', at(result, result.late).map(({ barrier }) => barrier)), relation: '<', threshold: 0.02 },
    ],
    controls: (result) => [
      { what: 'largest rise of the barrier, forks read from late to early', measured: extremeOver('smallest', largestRises(result, ({ barrier }) => barrier, 'late')), relation: '<=', threshold: 0.03 },
      { what: 'barrier of runs that share their initial weights, with the labels as they are', measured: exact(result.clean), relation: '>', threshold: 0.4 },
      { what: 'barrier of runs that share nothing', measured: extremeOver('smallest', at(result, null).map(({ barrier }) => barrier)), relation: '<', threshold: 0.02 },
    ],
  },
  {
    id: 'two-ends-predict',
    text: 'The curvatures at the two ends along their difference, $\\hat\\beta = (q_A + q_B)/16$, predict the height of the barrier without walking along the line.',
    checks: ({ pairs, ratiosTo }) => [
      { what: 'rank correlation of prediction and barrier', measured: ranks(pairs, ({ predicted }) => predicted), relation: '>', threshold: 0.93 },
      ...ratioChecks('the prediction', ratios(pairs, ({ predicted }) => predicted, ratiosTo)),
    ],
    controls: ({ pairs, constant, ratiosTo }) => {
      const [first] = forksOf(pairs);
      return [
        { what: 'rank correlation of the mean loss of the ends and the barrier', measured: ranks(pairs, ({ loss }) => loss), relation: '>', threshold: 0.93 },
        ratioChecks('the formula along random directions of that length', ratios(pairs, ({ random }) => random, ratiosTo))[0],
        // Over a shorter range of forks the distance does nearly as well.
        ...(ratiosTo < 400 ? [] : [ratioChecks('the squared distance, scaled to the barrier of the first pair,', ratios(pairs, ({ distance }) => (first.barrier * (distance / first.distance) ** 2), ratiosTo))[1]]),
        ...ratioChecks('the prediction at a constant rate', ratios(constant, ({ predicted }) => predicted, ratiosTo)),
      ];
    },
  },
  {
    id: 'layer-by-layer',
    text: 'With one layer of $A$ half of the way to that of $B$, the rise of the loss is in the order of $\\Delta_l^\\top H_A \\Delta_l / 8$.',
    checks: ({ pairs }) => [{ what: 'rank correlation over forks and layers', measured: layerRanks(pairs), relation: '>', threshold: 0.8 }],
    controls: ({ constant }) => [{ what: 'rank correlation over forks and layers at a constant rate, whose ends are not minima', measured: layerRanks(constant), relation: '>', threshold: 0.8 }],
  },
  {
    id: 'mountainside',
    text: 'Runs that part late go down the same slope: the ways from the fork point into one direction, and the ends come closer the later they part.',
    checks: (result) => [
      { what: 'cosine of the ways from the start', measured: extremeOver('largest', at(result, 0).map(({ cosine }) => cosine!)), relation: '<', threshold: 0.3 },
      { what: 'cosine of the ways from half of the run', measured: extremeOver('smallest', at(result, result.late).map(({ cosine }) => cosine!)), relation: '>', threshold: 0.6 },
      { what: 'largest rise of the distance of the ends from one fork to the next', measured: extremeOver('largest', largestRises(result, ({ distance }) => distance, 'early')), relation: '<', threshold: 0 },
    ],
    controls: (result) => [
      { what: 'cosine of the ways from half of the run', measured: extremeOver('smallest', at(result, result.late).map(({ cosine }) => cosine!)), relation: '<', threshold: 0.3 },
      { what: 'cosine of the ways from half of the run at a constant rate', measured: exact(result.constant.at(-1)!.cosine!), relation: '>', threshold: 0.6 },
      { what: 'largest rise of the distance of the ends, forks read from late to early', measured: extremeOver('smallest', largestRises(result, ({ distance }) => distance, 'late')), relation: '<', threshold: 0 },
    ],
  },
];

function figure({ pairs, late }: Result): string {
  const first = forksOf(pairs).filter(({ run: r, shared }) => r === 0 && shared! <= late);
  // Few lines, so that measured and predicted ones can be told apart.
  const shown = first.length <= 4 ? first : first.filter((_, i) => i % 2 === 0);
  const lines = shown.flatMap(({ shared, line: { t, measured: y, predicted } }, i): PanelSeries[] => {
    const color = { place: i / Math.max(1, shown.length - 1) };
    return [{ name: `k = ${shared}`, x: t, y, color }, { name: 'predicted from the ends', x: t, y: predicted, dashed: true, color }];
  });
  const layers = forksOf(pairs).flatMap((pair) => pair.layers);
  const points = (chosen: readonly Pair[]) => ({ x: chosen.map(({ predicted }) => predicted), y: chosen.map(({ barrier }) => barrier) });
  const ends = [1e-3, 3] as const;
  return panels([
    { heading: 'Loss above the chord from A to B', x: { label: 'position t between A and B', domain: [0, 1] }, y: { label: 'rise, nats' }, series: lines },
    {
      heading: 'Barrier and direction', x: { label: 'shared steps k' }, y: { label: 'nats, cosine' },
      series: [
        { name: 'barrier', x: first.map(({ shared }) => shared!), y: first.map(({ barrier }) => barrier), mark: 'both', color: 0 },
        { name: 'cosine of the two ways from the fork', x: first.map(({ shared }) => shared!), y: first.map(({ cosine }) => cosine!), mark: 'both', color: 1 },
      ],
    },
    {
      heading: 'Predicted and measured', x: { label: 'predicted, nats', scale: 'log', domain: ends }, y: { label: 'measured, nats', scale: 'log', domain: ends },
      series: [
        { name: 'equal', x: ends, y: ends, color: 'muted' },
        { name: 'one layer moved', x: layers.map(({ predicted }) => predicted), y: layers.map((layer) => layer.measured), mark: 'cross', color: 'muted' },
        { name: 'barrier', ...points(forksOf(pairs)), mark: 'dot', color: 0 },
        { name: 'barrier where nothing is shared', ...points(pairs.filter(({ shared }) => shared === null)), mark: 'ring', color: 2 },
      ],
    },
  ], { title: 'The more steps two runs share, the lower the barrier between their ends', columns: 3, width: 1200 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'linear-mode-connectivity', topic: 'landscape',
  source: { title: 'Landscaping Linear Mode Connectivity', authors: ['Sidak Pal Singh', 'Linara Adilova', 'Michael Kamp', 'Asja Fischer', 'Bernhard Schölkopf', 'Thomas Hofmann'], year: 2024, arxiv: '2406.16300' },
  question: 'Why do two training runs end in one valley when they share their first steps, and can the barrier between their ends be told from the ends alone?',
  method: 'A network is trained for $k$ steps; two copies $A$ and $B$ then go on with batches of their own, at the rates of a schedule that falls to zero, so that both ends are minima. The barrier is $\\max_t\\, L((1-t)A+tB)-(1-t)L(A)-tL(B)$ over the training set. With $\\Delta=B-A$ and $q_A=\\Delta^\\top H_A\\Delta$, expansions of the loss to second order at both ends, weighted by $1-t$ and $t$, rise above the chord by $\\tfrac12 t(1-t)\\,[t\\,q_A+(1-t)\\,q_B]$, in the middle by $\\hat\\beta=(q_A+q_B)/16$: two numbers from the ends, measured by two nested forward derivatives. For a single layer, $A$ with layer $l$ half of the way to that of $B$ should rise by $\\Delta_l^\\top H_A\\Delta_l/8$. The way of each copy from the fork is $A-W_k$; the cosine of the two ways says whether they go down one slope.',
  deviations: [
    'The paper trains convolutional networks on CIFAR; here a fully connected one on 1500 pooled MNIST images. 30 % of the labels are redrawn: with the labels as they are even runs that share only the initial weights have a low barrier, and there is no ridge to be seen.',
    'The rate falls to zero. At a constant rate the ends lie on noisy walls, the middle is lower than both, and the prediction is several times too high (the controls).',
    'The ratio of prediction and barrier is compared where the barrier is well above zero, up to a fourth of the run; pairs that share nothing, far beyond a quadratic, are in the rank correlation only, where the prediction is low by a factor of two with the full preset.',
    'Layer by layer the prediction is in the right order, but low by a factor of two to four: half of a layer\'s difference leaves the quadratic range.',
    'Over the forks of the quick preset, the squared distance of the ends, scaled once, does nearly as well as the curvature; over those of the full one it is wrong by a factor of two.',
  ],
  built: [
    { name: 'quadraticBarrier', from: 'thalweg/landscape', what: 'the barrier of a line and of single layers, predicted from its ends' },
    { name: 'linearBarrier', from: 'thalweg/landscape', what: 'the loss along a line and its rise above the chord' },
    { name: 'directionalDerivatives', from: 'thalweg/curvature', what: 'slopes and curvatures along directions, at points that move' },
    { name: 'forkExperiment', from: 'thalweg/train', what: 'runs that share their beginning and then part' },
  ],
  presets: {
    quick: { width: 64, steps: 800, runs: 1, forks: [0, 100, 200, 400], late: 400, ratiosTo: 200, points: 11 },
    full: { width: 128, steps: 1500, runs: 2, forks: [0, 20, 50, 100, 200, 400, 800, 1200], late: 800, ratiosTo: 400, points: 25 },
  },
  run, claims, figure,
});
