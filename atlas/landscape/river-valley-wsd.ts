/** Why a high learning rate that looks bad is good, and a short decay shows it: a valley with a river, and a bigram model that has one. @module */
import { rowDivergences } from 'thalweg/analysis';
import { computed, defineEntry, extremeOver, type Check, type ClaimDefinition, type EntryContext } from 'thalweg/atlas';
import { panels, type PanelSeries } from 'thalweg/charts';
import { mixedEntropyBigram } from 'thalweg/data';
import { descendValley, riverValley, stationaryHill, type ValleyDescent } from 'thalweg/landscape';
import { crossEntropy } from 'thalweg/losses';
import { embedding, sequential, type ParametersOf } from 'thalweg/nn';
import { reshape } from 'thalweg/ops';
import { cosineRestartsSchedule, cosineSchedule, decayBranches, repeatedDecaySchedule, sgd, warmupStableDecaySchedule, type Schedule } from 'thalweg/optim';
import { key, randint, split } from 'thalweg/random';
import { pointRecorder, trainEnsemble } from 'thalweg/train';

interface Settings {
  readonly seeds: number;
  /** Particles of the comparison at several budgets, whose differences are small. */
  readonly particles: number;
  /** Steps of the bigram model, and its peak rates. */
  readonly bigramSteps: number;
  readonly bigramRates: readonly number[];
  /** Orders of the batches. */
  readonly bigramOrders: number;
}

interface Cloud { readonly x: readonly number[]; readonly y: readonly number[] }
/** Means over particles at the recorded steps. */
interface Course { readonly loss: readonly number[]; readonly river: readonly number[] }
interface Valley {
  readonly single: Readonly<Record<'wsd' | 'cosine' | 'constant' | 'low', Course>>;
  readonly repeated: Course;
  /** Losses at the budgets: of one run with a decay at each, and of one with a cosine before each. */
  readonly atBudgets: Readonly<Record<'repeated' | 'restarts', readonly number[]>>;
  /** Losses at the last budget: of the last side branch, with the steps of those before it paid for, of a run of its own, of a constant rate. */
  readonly last: Readonly<Record<'branch' | 'separate' | 'constant', number>>;
}
type Kind = 'wsd' | 'constant' | 'low';
/** Mean excess loss of deterministic and of uncertain contexts at the recorded steps. */
interface Bigram { readonly rate: number; readonly kind: Kind; readonly deterministic: readonly number[]; readonly uncertain: readonly number[] }
interface Result {
  readonly straight: readonly { readonly rate: number; readonly measured: number; readonly predicted: number; readonly smallStep: number }[];
  readonly steps: readonly number[];
  readonly valleys: readonly Valley[];
  /** Where some particles are: before and after the decay, and at the end of the cosine. */
  readonly clouds: Readonly<Record<'before' | 'after' | 'cosine', Cloud>>;
  readonly bigramSteps: readonly number[];
  readonly bigrams: readonly Bigram[];
}

const [CURVATURE, DESCENT, NOISE, PEAK] = [20, 0.05, 5, 0.04];
const BUDGETS = [1000, 2000, 3000];
const STEPS = 3000;
const RECORD = Array.from({ length: 61 }, (_, i) => 50 * i);
const TOKENS = 32;
/** Particles between two reports of progress. */
const PART = 500;
const at = (step: number): number => RECORD.indexOf(step);
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x / values.length, 0);

function straightValley(seed: number): Result['straight'] {
  const rates = [0.005, 0.02, 0.04, 0.08];
  const valley = riverValley({ curvature: CURVATURE, descent: DESCENT });
  const runs = descendValley(valley, rates.map((rate) => () => rate), { steps: 400, particles: 4000, noise: NOISE, key: split(key(seed), 'straight'), record: [200, 250, 300, 350, 400] });
  return rates.map((rate, i) => ({ rate, measured: mean(runs[i].hill), predicted: stationaryHill(CURVATURE, rate, NOISE), smallStep: rate * NOISE ** 2 / 4 }));
}

async function curvedValley(seed: number, particles: number, say: (share: number) => Promise<void>): Promise<{ valley: Valley; clouds: Result['clouds'] }> {
  const decaying = (steps: number, decay: number, shape: 'linear' | 'inverse-linear'): Schedule => warmupStableDecaySchedule({ rate: PEAK, steps, warmup: 0, decay, shape });
  const valley = riverValley({ curvature: CURVATURE, bend: 1, descent: DESCENT });
  const descend = (name: string, count: number, schedules: readonly Schedule[], kept: number) =>
    descendValley(valley, schedules.map((schedule) => (step) => schedule(step)), { steps: STEPS, particles: count, noise: NOISE, key: split(key(seed), name), record: RECORD, kept });
  const course = ({ hill, river }: Pick<ValleyDescent, 'hill' | 'river'>): Course => ({ loss: Array.from(hill, (x, i) => x + river[i]), river: [...river] });
  const single = descend('single', 400, [decaying(STEPS, STEPS / 10, 'linear'), cosineSchedule({ rate: PEAK, steps: STEPS }), () => PEAK, () => PEAK / 8], 150);
  const [wsd, cosine, constant, low] = single.map(course);
  const { steps, decay } = decayBranches(BUDGETS, 0.1).at(-1)!;
  const schedules = [
    repeatedDecaySchedule({ rate: PEAK, budgets: BUDGETS }), cosineRestartsSchedule({ rate: PEAK, period: BUDGETS[0], end: PEAK / 10 }),
    decaying(steps, decay, 'inverse-linear'), decaying(STEPS, decay, 'inverse-linear'),
  ];
  const several = schedules.map(() => ({ hill: new Float64Array(RECORD.length), river: new Float64Array(RECORD.length) }));
  for (let done = 0; done < particles; done += PART) {
    await say(done / particles);
    for (const [i, { hill, river }] of descend(`several ${done}`, PART, schedules, 0).entries()) RECORD.forEach((_, row) => {
      several[i].hill[row] += hill[row] * PART / particles;
      several[i].river[row] += river[row] * PART / particles;
    });
  }
  const [repeated, restarts, branch, separate] = several.map(course);
  const atBudgets = ({ loss }: Course): number[] => BUDGETS.map((budget) => loss[at(budget)]);
  const cloud = ({ positions }: ValleyDescent, step: number): Cloud => ({ x: [...positions[at(step)].x], y: [...positions[at(step)].y] });
  return {
    valley: {
      single: { wsd, cosine, constant, low }, repeated, atBudgets: { repeated: atBudgets(repeated), restarts: atBudgets(restarts) },
      last: { branch: branch.loss[at(steps)], separate: separate.loss[at(STEPS)], constant: constant.loss[at(STEPS)] },
    },
    clouds: { before: cloud(single[0], 0.9 * STEPS), after: cloud(single[0], STEPS), cosine: cloud(single[1], STEPS) },
  };
}

async function bigramModel({ settings: { bigramSteps: steps, bigramRates: rates, bigramOrders }, seed, executor, signal }: EntryContext<Settings>): Promise<Pick<Result, 'bigramSteps' | 'bigrams'>> {
  const data = mixedEntropyBigram({ tokens: TOKENS, successors: 8, samples: 64 * steps, testSamples: 1, seed: randint(split(key(seed), 'bigram'), [1], { high: 2 ** 30 })[0] });
  // A table of logits, all zero at the start: a context's row, [batch, 1] tokens to [batch, tokens].
  const model = sequential(embedding({ tokens: TOKENS, width: TOKENS, deviation: 0 }), (rows) => reshape(rows, [rows.shape[0], TOKENS]));
  const orders = Array.from(randint(split(key(seed), 'orders'), [bigramOrders], { high: 2 ** 30 }));
  const runs = orders.flatMap((order) => rates.flatMap((rate) => (['wsd', 'constant', 'low'] as const).map((kind) => ({ rate, kind, order }))));
  const schedules = runs.map(({ rate, kind }): Schedule => {
    // A row is met in one of 32 examples: times 32, its step is that of a batch of its own.
    const peak = TOKENS * rate;
    return kind === 'wsd' ? warmupStableDecaySchedule({ rate: peak, steps, warmup: 0, decay: steps / 5, end: peak / 100 }) : () => (kind === 'low' ? peak / 10 : peak);
  });
  const recorder = pointRecorder<ParametersOf<typeof model>, unknown>({ every: steps / 60 });
  await trainEnsemble({ name: data.name, model, loss: crossEntropy, train: data.train }, { optimizer: sgd(), schedule: schedules, vary: { order: runs.map(({ order }) => order) }, steps, batchSize: 64, seed, probes: [recorder], executor, signal });
  const means = recorder.points.map(({ params }) => {
    const excess = rowDivergences(data.probabilities, Object.values(params)[0].weight.data, TOKENS);
    return { deterministic: mean(excess.subarray(0, data.deterministic)), uncertain: mean(excess.subarray(data.deterministic)) };
  });
  const of = <T>(values: readonly T[], r: number): T[] => values.filter((_, i) => i % runs.length === r);
  return {
    bigramSteps: of(recorder.points, 0).map(({ step }) => step),
    bigrams: runs.map(({ rate, kind }, r) => ({ rate, kind, deterministic: of(means, r).map((x) => x.deterministic), uncertain: of(means, r).map((x) => x.uncertain) })),
  };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { seeds, particles }, seed, progress } = context;
  await progress(0, 'straight valley');
  const straight = straightValley(seed);
  const valleys: Awaited<ReturnType<typeof curvedValley>>[] = [];
  for (let s = 0; s < seeds; s++) {
    valleys.push(await curvedValley(randint(split(key(seed), 'valley', s), [1], { high: 2 ** 30 })[0], particles, (share) => progress(0.1 + 0.5 * (s + share) / seeds, 'curved valley')));
  }
  await progress(0.6, 'bigram model');
  return { straight, steps: RECORD, valleys: valleys.map(({ valley }) => valley), clouds: valleys[0].clouds, ...await bigramModel(context) };
}

const overValleys = ({ valleys }: Result, which: 'smallest' | 'largest', of: (valley: Valley) => number) => extremeOver(which, valleys.map(of));
const before = at(0.9 * STEPS);
const end = at(STEPS);
/** The other's loss above the first one's. */
const lead = (name: 'wsd' | 'constant' | 'low', step: number) => ({ single }: Valley): number => single.cosine.loss[step] - single[name].loss[step];
/** How far the river fell, over the fall of the loss, while the rate came down. */
const share = (name: keyof Valley['single']) => ({ single: { [name]: { river, loss } } }: Valley): number => (river[before] - river[end]) / (loss[before] - loss[end]);
const reveal = (result: Result, name: 'wsd' | 'constant' | 'low'): Check => ({ what: `loss of the cosine above that of the ${names[name]}, after the decay`, measured: overValleys(result, 'smallest', lead(name, end)), relation: '>', threshold: 0.05 });
const names = { wsd: 'high rate with a decay', constant: 'high rate without a decay', low: 'low rate' } as const;
const hillError = (what: string, result: Result, of: (one: Result['straight'][number]) => number): Check =>
  ({ what: `largest relative difference of the hill loss from ${what}`, measured: computed(Math.max(...result.straight.map((one) => Math.abs(one.measured / of(one) - 1)))), relation: '<', threshold: 0.06 });

type Part = 'deterministic' | 'uncertain';
/** The claim is of the rate 1. */
const bigramsOf = ({ bigrams }: Result, kind: Kind): readonly Bigram[] => bigrams.filter((one) => one.kind === kind && one.rate === 1);
const stepOf = ({ bigramSteps }: Result, fraction: number): number => bigramSteps.indexOf(Math.round(fraction * bigramSteps.at(-1)!));
/** At the end of the run; within it, the mean over the five records up to a share of it, since noise moves single ones. */
const level = (result: Result, values: readonly number[], until: number): number => (until === 1 ? values.at(-1)! : mean(values.slice(stepOf(result, until) - 4, stepOf(result, until) + 1)));
const fall = (result: Result, which: 'smallest' | 'largest', kind: Kind, part: Part, from: number, to: number) =>
  extremeOver(which, bigramsOf(result, kind).map((one) => level(result, one[part], from) / level(result, one[part], to)));
const overWsd = (result: Result, kind: Kind, part: Part) => extremeOver('smallest', bigramsOf(result, kind).map((one, i) => one[part].at(-1)! / bigramsOf(result, 'wsd')[i][part].at(-1)!));
/** Early in the stable phase, and its end, as shares of the run. */
const [EARLY, DECAY] = [0.2, 0.8];
const change = (result: Result, part: Part): Check => ({ what: `change of the excess loss of ${part} contexts over the decay`, measured: extremeOver('largest', bigramsOf(result, 'wsd').map((one) => Math.abs(one[part].at(-1)! / level(result, one[part], DECAY) - 1))), relation: '<', threshold: 0.3 });

const claims: readonly ClaimDefinition<Result>[] = [
  {
    id: 'hill-closed-form',
    text: 'On a straight river the mean hill loss of a constant rate $\\eta$ is $\\eta\\sigma^2/(2(2-\\eta g))$.',
    checks: (result) => [hillError('the closed form', result, ({ predicted }) => predicted)],
    controls: (result) => [hillError('$\\eta\\sigma^2/4$, which is right for small steps', result, ({ smallStep }) => smallStep)],
  },
  {
    id: 'decay-reveals',
    text: 'The high rate looks worse than a cosine until its decay, and better after it; the decay leaves the river where it is.',
    checks: (result) => [
      { what: 'loss of the high rate above that of the cosine, before the decay', measured: overValleys(result, 'smallest', (valley) => -lead('wsd', before)(valley)), relation: '>', threshold: 0 },
      reveal(result, 'wsd'),
      { what: 'share of the river in the fall of the loss over the decay', measured: overValleys(result, 'largest', share('wsd')), relation: '<', threshold: 0.1 },
    ],
    controls: (result) => [
      { what: 'loss of the high rate above that of the cosine, after the decay', measured: overValleys(result, 'smallest', (valley) => -lead('wsd', end)(valley)), relation: '>', threshold: 0 },
      { what: 'share of the river in the fall of the loss over the same steps at the low rate', measured: overValleys(result, 'smallest', (valley) => Math.abs(share('low')(valley))), relation: '<', threshold: 0.1 },
      reveal(result, 'constant'), reveal(result, 'low'),
    ],
  },
  {
    id: 'decayed-checkpoints-go-on',
    text: 'When one run must serve several budgets, going on from each decayed network (WSD-S) is better than side branches whose steps are thrown away, and than a cosine before each budget.',
    checks: (result) => [
      { what: 'loss of the side branch above WSD-S, at the last budget', measured: overValleys(result, 'smallest', ({ last, atBudgets }) => last.branch - atBudgets.repeated.at(-1)!), relation: '>', threshold: 0.002 },
      { what: 'loss of the repeated cosine above WSD-S, at the last budget', measured: overValleys(result, 'smallest', ({ atBudgets: { restarts, repeated } }) => restarts.at(-1)! - repeated.at(-1)!), relation: '>', threshold: 0.03 },
      { what: 'loss of the repeated cosine above WSD-S, smallest over budgets', measured: overValleys(result, 'smallest', ({ atBudgets: { restarts, repeated } }) => Math.min(...restarts.map((x, i) => x - repeated[i]))), relation: '>', threshold: 0.015 },
    ],
    controls: (result) => [
      { what: 'loss of a run of its own, as if side branches were free, above WSD-S, at the last budget', measured: overValleys(result, 'smallest', ({ last, atBudgets }) => last.separate - atBudgets.repeated.at(-1)!), relation: '>', threshold: 0.002 },
      { what: 'loss of the repeated cosine above a constant high rate, at the last budget', measured: overValleys(result, 'smallest', ({ last, atBudgets }) => atBudgets.restarts.at(-1)! - last.constant), relation: '>', threshold: 0.03 },
    ],
  },
  {
    id: 'rivers-in-a-bigram',
    text: 'In a bigram model deterministic contexts are the river and uncertain ones the hills: the stable phase lowers the excess loss of the first, the decay that of the second.',
    checks: (result) => [
      { what: 'fall of the excess loss of uncertain contexts over the decay, a factor', measured: fall(result, 'smallest', 'wsd', 'uncertain', DECAY, 1), relation: '>', threshold: 5 },
      change(result, 'deterministic'),
      { what: 'fall of the excess loss of deterministic contexts over the stable phase, a factor', measured: fall(result, 'smallest', 'wsd', 'deterministic', EARLY, DECAY), relation: '>', threshold: 3 },
      { what: 'fall of the excess loss of uncertain contexts over the stable phase, a factor', measured: fall(result, 'largest', 'wsd', 'uncertain', EARLY, DECAY), relation: '<', threshold: 1.5 },
      { what: 'excess loss of deterministic contexts at a tenth of the rate over that of WSD, at the end', measured: overWsd(result, 'low', 'deterministic'), relation: '>=', threshold: 5 },
      { what: 'excess loss of uncertain contexts at the constant rate over that of WSD, at the end', measured: overWsd(result, 'constant', 'uncertain'), relation: '>=', threshold: 5 },
    ],
    controls: (result) => [
      { what: 'fall of the excess loss of uncertain contexts over the same steps without a decay, a factor', measured: fall(result, 'smallest', 'constant', 'uncertain', DECAY, 1), relation: '>', threshold: 5 },
      change(result, 'uncertain'),
      { what: 'fall of the excess loss of uncertain contexts over the stable phase, a factor', measured: fall(result, 'smallest', 'wsd', 'uncertain', EARLY, DECAY), relation: '>', threshold: 3 },
      { what: 'fall of the excess loss of deterministic contexts over the stable phase, a factor', measured: fall(result, 'largest', 'wsd', 'deterministic', EARLY, DECAY), relation: '<', threshold: 1.5 },
      { what: 'excess loss of deterministic contexts at the constant rate over that of WSD, at the end', measured: overWsd(result, 'constant', 'deterministic'), relation: '>=', threshold: 5 },
      { what: 'excess loss of uncertain contexts at a tenth of the rate over that of WSD, at the end', measured: overWsd(result, 'low', 'uncertain'), relation: '>=', threshold: 5 },
    ],
  },
];

function figure({ steps, valleys: [{ single, repeated }], clouds, bigramSteps, bigrams }: Result): string {
  const [left, right] = [Math.min(...clouds.before.x), Math.max(...clouds.before.x)];
  const x = Array.from({ length: 200 }, (_, i) => left + i * (right - left) / 199);
  const bigram = bigrams.filter(({ rate }) => rate === 1);
  const of = (kind: Kind): Bigram => bigram.find((one) => one.kind === kind)!;
  const shown = (values: readonly number[]) => ({ x: bigramSteps.slice(1), y: values.slice(1) });
  const courses: PanelSeries[] = [
    { name: 'WSD', x: steps, y: single.wsd.loss, color: 0 }, { name: 'WSD-S', x: steps, y: repeated.loss, color: 2 },
    { name: 'cosine', x: steps, y: single.cosine.loss, color: 1 }, { name: 'constant', x: steps, y: single.constant.loss, color: 'muted' },
  ];
  return panels([
    {
      heading: 'Particles in the valley, all from (0, 0)', x: { label: 'along the valley, x' }, y: { label: 'across, y' },
      series: [
        { name: 'river', x, y: x.map(Math.sin), color: 'muted', dashed: true },
        { name: 'WSD before its decay', ...clouds.before, mark: 'cross', color: 'muted' }, { name: 'WSD after it', ...clouds.after, mark: 'dot', color: 0 },
        { name: 'cosine', ...clouds.cosine, mark: 'ring', color: 1 },
      ],
    },
    { heading: 'Mean loss of the particles', x: { label: 'step' }, y: { label: 'loss' }, series: courses },
    {
      heading: 'Excess loss of a bigram model', x: { label: 'step' }, y: { label: 'nats above the entropy', scale: 'log' }, bands: [{ from: DECAY * bigramSteps.at(-1)!, to: bigramSteps.at(-1)!, label: 'decay' }],
      series: ([['WSD', 'wsd', 0], ['constant', 'constant', 'muted'], ['a tenth of the rate', 'low', 2]] as const).flatMap(([name, kind, color]): PanelSeries[] => [
        { name, ...shown(of(kind).uncertain), color }, { name: 'deterministic contexts', ...shown(of(kind).deterministic), color, dashed: true },
      ]),
    },
  ], { title: 'A high rate moves down the river; a short decay shows how far it came', columns: 3, width: 1290 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'river-valley-wsd', topic: 'landscape',
  source: { title: 'Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective', authors: ['Kaiyue Wen', 'Zhiyuan Li', 'Jason Wang', 'David Hall', 'Percy Liang', 'Tengyu Ma'], year: 2024, arxiv: '2410.05192' },
  question: 'Why does training at a constant high rate look bad until a short decay at its end, and then turn out better than a rate that falls all along?',
  method: 'The loss $L(x,y)=\\tfrac g2(y-\\sin x)^2-bx$ is a valley: steep walls of curvature $g$ around a river that falls slowly along $x$. Gradient descent with noise $\\sigma\\xi$ across the valley bounces between the walls: on a straight river $y$ is autoregressive, the hill loss is stationary at $\\eta\\sigma^2/(2(2-\\eta g))$, and the river is followed by $\\eta b$ a step. WSD keeps the peak rate and lowers it over the last tenth; WSD-S does so before each of several budgets and goes on from there. Particles meet the same noise under all schedules. The bigram model is a table of logits, trained on pairs of tokens: after half of the tokens one certain token follows, after the others one of eight. Its excess loss is $\\mathrm{KL}(P_i\\,\\|\\,\\mathrm{softmax}\\,\\theta_i)$, exact since $P$ is known.',
  deviations: [
    'The paper trains language models of 0.1 to 1.2 billion parameters; here are its two-dimensional landscape and a bigram model of 32 tokens.',
    'WSD-S and side branches differ by about 0.007 at the last budget. With 400 particles the standard deviation of that difference over seeds is as large; so there are 2000 (quick) or 4000 particles.',
    'The decay from one budget to another is inverse-linear to a tenth of the rate, as the paper proposes; the comparison with the cosine at one budget uses a linear decay to zero.',
    'The bigram model is judged at the peak rate 1. At half of it the decay lowers the excess loss of uncertain contexts by a factor of about five, at twice of it by twenty (full preset).',
    'On the curved river the walls couple back: a high rate follows it by less than $\\eta b$ a step.',
  ],
  built: [
    { name: 'riverValley', from: 'thalweg/landscape', what: 'the landscape, and particles in it under many schedules at once' },
    { name: 'repeatedDecaySchedule', from: 'thalweg/optim', what: 'WSD-S; its side branches on equal cost are decayBranches' },
    { name: 'warmupStableDecaySchedule', from: 'thalweg/optim', what: 'WSD, with an inverse-linear decay among others' },
    { name: 'mixedEntropyBigram', from: 'thalweg/data', what: 'pairs of tokens, certain and uncertain, with their law' },
    { name: 'trainEnsemble', from: 'thalweg/train', what: 'the bigram model under all schedules in one program' },
  ],
  presets: { quick: { seeds: 1, particles: 2000, bigramSteps: 3000, bigramRates: [1], bigramOrders: 1 }, full: { seeds: 3, particles: 4000, bigramSteps: 3000, bigramRates: [0.5, 1, 2], bigramOrders: 3 } },
  run, claims, figure,
});
