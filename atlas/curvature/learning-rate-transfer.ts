/** The best learning rate over widths in two parametrisations, and the sharpness and features that go with it. @module */
import { learningRateTransfer } from 'thalweg/analysis';
import { defineEntry, exact, extremeOver, type Check, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type PanelSeries, type SeriesPanel } from 'thalweg/charts';
import { pooledImages, subset, type Split } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { kernelDrift } from 'thalweg/kernels';
import { crossEntropy } from 'thalweg/losses';
import { mupMlp } from 'thalweg/nn';
import { sgd } from 'thalweg/optim';
import { evaluate } from 'thalweg/problem';
import { key, split } from 'thalweg/random';
import { sharpness, train, trainEnsemble } from 'thalweg/train';

interface Settings {
  /** Images of the training set. */
  readonly examples: number;
  /** Increasing. */
  readonly widths: readonly number[];
  /** Exponents of two of the learning rates eta, first and last. */
  readonly rates: Readonly<Record<Kind, readonly [number, number]>>;
  /** Steps between measurements of the sharpness. */
  readonly every: number;
  /** Initialisations of each network. */
  readonly draws: number;
}

type Kind = 'mup' | 'ntk';
const kinds = ['mup', 'ntk'] as const;
const names = { mup: 'muP', ntk: 'NTK' } as const;

/** One network, from one initialisation. Rates are eta; the step is eta gamma^2. */
interface Case {
  readonly kind: Kind;
  readonly width: number;
  readonly draw: number;
  readonly rates: readonly number[];
  /** After the last step, Infinity where the run diverged. */
  readonly losses: readonly number[];
  /** Of the run at the rate that is probed: steps, eta gamma^2 lambda_max at each, loss after the last. */
  readonly steps: readonly number[];
  readonly scaled: readonly number[];
  readonly loss: number;
  /** |K - K_0| / |K_0| of the tangent kernel, at the end of that run. */
  readonly drift: number;
}

interface Result { readonly widths: readonly number[]; readonly cases: readonly Case[] }

const STEPS = 40;
/** Below the edge of stability at every width. */
const PROBED = { mup: 2, ntk: 8 } as const;
const SIDE = 7;
const KERNEL_EXAMPLES = 32;
const SETTLED = 20;

async function caseOf(kind: Kind, width: number, draw: number, data: Split, { settings, seed, executor, signal, progress }: EntryContext<Settings>, done: number): Promise<Case> {
  const model = mupMlp({ inputs: SIDE * SIDE, width, outputs: 10, parametrization: kind });
  const problem = { name: model.name, model, loss: crossEntropy, train: data };
  const start = model.init(split(key(seed), 'initialisation', draw));
  const [first, last] = settings.rates[kind];
  const rates = Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
  const common = { seed: 0, start, batchSize: 'full', optimizer: sgd(), executor, signal } as const;
  await progress(done, `${model.name}: ${rates.length} learning rates`);
  // The loss of a step is that before its update: one step more tells what the last one came to.
  const { replicas } = await trainEnsemble(problem, {
    ...common, steps: STEPS + 1, vary: { learningRate: rates.map((rate) => rate * model.rateFactor) },
    // An interruption is seen by the signal, and thrown by the next call that is awaited.
    onEvent: ({ type }) => { if (type === 'step') progress(done, `${model.name}: ${rates.length} learning rates`).catch(() => {}); },
  });
  await progress(done, `${model.name}: sharpness`);
  const step = PROBED[kind] * model.rateFactor;
  const run = await train(problem, { ...common, steps: STEPS, schedule: step, probes: [sharpness({ every: settings.every, tolerance: 0.01 })] });
  const { steps, values } = run.table.series('sharpness');
  await progress(done, `${model.name}: tangent kernel`);
  const { relativeChange } = await kernelDrift(problem, start, run, subset(data, KERNEL_EXAMPLES).inputs, { executor, signal });
  return {
    kind, width, draw, rates, losses: replicas.map(({ losses, end }) => (end.reason === 'finished' ? losses[STEPS] : Infinity)),
    steps, scaled: values.map((value) => step * value), loss: (await evaluate(problem, run, data, { executor })).loss.value, drift: relativeChange.value,
  };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { examples, widths, draws }, progress } = context;
  await progress(0, 'MNIST');
  const { train: data } = pooledImages(await mnist(), { side: SIDE, train: examples, test: 1 });
  const tasks = widths.flatMap((width) => kinds.flatMap((kind) => Array.from({ length: draws }, (_, draw) => ({ kind, width, draw }))));
  const total = tasks.reduce((sum, { width }) => sum + width, 0);
  const cases: Case[] = [];
  let done = 0;
  for (const { kind, width, draw } of tasks) {
    cases.push(await caseOf(kind, width, draw, data, context, done / total));
    done += width;
  }
  return { widths, cases };
}

/** The numbers of each draw, from its cases by increasing width. */
const eachDraw = ({ cases }: Result, kind: Kind, number: (byWidth: readonly Case[]) => number): number[] => {
  const own = cases.filter((one) => one.kind === kind);
  return [...new Set(own.map(({ draw }) => draw))].map((draw) => number(own.filter((one) => one.draw === draw)));
};
const extreme = (which: 'smallest' | 'largest') => (...of: Parameters<typeof eachDraw>): Quantity => extremeOver(which, eachDraw(...of));
const [smallest, largest] = [extreme('smallest'), extreme('largest')];

const transferOf = (byWidth: readonly Case[]) => learningRateTransfer(byWidth.map(({ width, rates, losses }) => ({ size: width, rates, losses })));
const driftOctaves = (byWidth: readonly Case[]): number => transferOf(byWidth).driftOctaves;
const settled = ({ steps, scaled }: Case): number => {
  const late = scaled.filter((_, i) => steps[i] >= SETTLED);
  return late.reduce((sum, value) => sum + value / late.length, 0);
};
const spread = (of: (one: Case) => number) => (byWidth: readonly Case[]): number => Math.max(...byWidth.map(of)) / Math.min(...byWidth.map(of));
const sharpening = ({ scaled }: Case): number => scaled.at(-1)! / scaled[0];
const widestOverNarrowest = (of: (one: Case) => number) => (byWidth: readonly Case[]): number => of(byWidth.at(-1)!) / of(byWidth[0]);
/** The largest ratio of neighbours in width. */
const steepest = (of: (one: Case) => number) => (byWidth: readonly Case[]): number => Math.max(...byWidth.slice(1).map((one, i) => of(one) / of(byWidth[i])));

/** The same comparison in both parametrisations: one is the claim's, the other the control's. */
const drifts = (result: Result, atMost: Kind, atLeast: Kind): Check[] => [
  { what: `${names[atMost]}: octaves between the best learning rates of all widths, largest over initialisations`, measured: largest(result, atMost, driftOctaves), relation: '<=', threshold: 1 },
  { what: `${names[atLeast]}: the same, smallest over initialisations, against half the octaves of width`, measured: smallest(result, atLeast, driftOctaves), relation: '>=', threshold: Math.log2(result.widths.at(-1)! / result.widths[0]) / 2 },
];
const spreads = (result: Result, near: Kind, far: Kind): Check[] => [
  { what: `${names[near]}: scaled sharpness after step ${SETTLED}, largest over smallest width`, measured: largest(result, near, spread(settled)), relation: '<', threshold: 1.4 },
  { what: `${names[far]}: the same`, measured: smallest(result, far, spread(settled)), relation: '>', threshold: 2 },
];
const sharpenings = (result: Result, flat: Kind, sharp: Kind): Check[] => [
  { what: `${names[flat]}: sharpness at step ${STEPS} over that at the start, largest width`, measured: largest(result, flat, (byWidth) => sharpening(byWidth.at(-1)!)), relation: '<', threshold: 1.1 },
  { what: `${names[sharp]}: the same, smallest over widths`, measured: smallest(result, sharp, (byWidth) => Math.min(...byWidth.map(sharpening))), relation: '>', threshold: 4 },
];
const features = (result: Result, lazy: Kind, rich: Kind): Check[] => [
  { what: `${names[lazy]}: change of the tangent kernel over that of the next smaller width, largest over widths`, measured: largest(result, lazy, steepest(({ drift }) => drift)), relation: '<', threshold: 0.5 },
  { what: `${names[rich]}: change of the tangent kernel, largest over smallest width`, measured: largest(result, rich, spread(({ drift }) => drift)), relation: '<', threshold: 1.6 },
  { what: `${names[rich]}: loss of the largest width over that of the smallest, at one eta`, measured: largest(result, rich, widestOverNarrowest(({ loss }) => loss)), relation: '<', threshold: 1 },
];
const ends = ({ cases }: Result): number => kinds.reduce((sum, kind) => sum + eachDraw({ cases, widths: [] }, kind, (byWidth) => transferOf(byWidth).best.filter(({ isAtEnd }) => isAtEnd).length).reduce((a, b) => a + b, 0), 0);

function figure({ widths, cases }: Result): string {
  const curves = (kind: Kind, of: (one: Case) => Pick<PanelSeries, 'x' | 'y'>): PanelSeries[] => cases.filter((one) => one.kind === kind).map((one) => ({
    name: `width ${one.width}`, ...of(one), mark: 'both', color: { place: widths.indexOf(one.width) / Math.max(1, widths.length - 1) },
  }));
  const losses = (kind: Kind): SeriesPanel => ({
    heading: `${names[kind]}: ${kind === 'mup' ? 'the best learning rates lie close' : 'the best learning rate grows with width'}`,
    x: { label: kind === 'mup' ? 'learning rate η; the step is η · width' : 'learning rate η', scale: 'log' }, y: { label: `loss after ${STEPS} steps`, scale: 'log', domain: [0.7 * Math.min(...cases.flatMap((one) => one.losses)), 4] },
    series: curves(kind, ({ rates: x, losses: y }) => ({ x, y })),
  });
  const steps = (kind: Kind): SeriesPanel => ({
    heading: `${names[kind]} at η = ${PROBED[kind]}: ${kind === 'mup' ? 'one sharpness at all widths' : 'each width has its own'}`,
    x: { label: 'step' }, y: { label: 'step size times sharpness; stable below 2', domain: [0, 3.2] }, rules: [{ axis: 'y', at: 2 }],
    series: curves(kind, ({ steps: x, scaled: y }) => ({ x, y })),
  });
  return panels([losses('mup'), losses('ntk'), steps('mup'), steps('ntk')], { title: 'Learning rates transfer where sharpness ignores width' });
}

export const entry = defineEntry<Settings, Result>({
  id: 'learning-rate-transfer', topic: 'curvature',
  source: {
    title: 'Why do Learning Rates Transfer? Reconciling Optimization and Scaling Limits for Deep Learning',
    authors: ['Lorenzo Noci', 'Alexandru Meterez', 'Thomas Hofmann', 'Antonio Orvieto'], year: 2024, arxiv: '2402.17457',
  },
  question: 'Why can the learning rate that is best for a narrow network be used for a wide one, and why only in some parametrisations?',
  method: String.raw`A network of two hidden layers of $n$ rectified units, all weights drawn from $N(0, 1)$: $h_1 = \mathrm{relu}(x W_1 / \sqrt{d})$, $h_2 = \mathrm{relu}(h_1 W_2 / \sqrt{n})$, $f = h_2 W_3 / (\gamma \sqrt{n})$, trained by full-batch gradient descent with steps $\eta \gamma^2$. $\gamma = 1$ is the NTK parametrisation, in which hidden features move by $O(n^{-1/2})$; $\gamma = \sqrt{n}$ is the maximal update parametrisation, muP, in which they move by $O(1)$. After ${STEPS} steps on images of digits the loss is compared over $\eta$ at each width. At one $\eta$ below the edge of stability the largest eigenvalue of the Hessian is followed by Lanczos, and reported as $\eta \gamma^2 \lambda_{\max}$, whose limit for stable descent is 2. How far features moved is told by the tangent kernel $K = J J^\top$ on ${KERNEL_EXAMPLES} images: $|K_t - K_0| / |K_0|$ in Frobenius norm.`,
  deviations: [
    'MNIST averaged to 7 × 7 pixels and a network of two hidden layers take the place of residual networks and transformers on CIFAR-10, ImageNet and text; gradient descent is full-batch, for 40 steps.',
    'The quick preset has 200 images, two widths and one initialisation, of which a narrow network makes a noisy one: of three seeds tried, one changes its tangent kernel by 1.7 times as much at one width as at the other under muP, over the threshold of 1.6.',
    'Only the axis of width is here. Transfer over depth, with residual branches divided by the square root of the depth, was not tried.',
    'At the very start the sharpness does depend on the width under muP, since the output itself vanishes as the width grows; it is compared from step 20 on.',
    'The NTK networks are followed at a rate two octaves or more below their best one: at the edge of stability every width has the sharpness 2 divided by the step, in either parametrisation, and nothing is seen.',
  ],
  built: [
    { name: 'mupMlp', from: 'thalweg/nn', what: 'a perceptron in either parametrisation, with the factor of its rate' },
    { name: 'trainEnsemble', from: 'thalweg/train', what: 'all learning rates as one program' },
    { name: 'sharpness', from: 'thalweg/train', what: 'the largest Hessian eigenvalue along a run, by Lanczos' },
    { name: 'kernelDrift', from: 'thalweg/kernels', what: 'the change of the empirical tangent kernel' },
    { name: 'learningRateTransfer', from: 'thalweg/analysis', what: 'best rates by width and their drift' },
  ],
  presets: {
    quick: { examples: 200, widths: [32, 256], rates: { mup: [1, 4], ntk: [4, 9] }, every: 20, draws: 1 },
    full: { examples: 500, widths: [32, 128, 512], rates: { mup: [0, 5], ntk: [2, 9] }, every: 10, draws: 2 },
  },
  run,
  claims: [
    {
      id: 'rates-transfer', text: 'Under muP the best learning rate is that of every width, to one octave; in the NTK parametrisation it grows at least as the square root of the width.',
      checks: (result) => [
        ...drifts(result, 'mup', 'ntk'),
        { what: 'NTK: the best learning rate never falls as the width grows (1: in every initialisation)', measured: exact(Math.min(...eachDraw(result, 'ntk', (byWidth) => Number(transferOf(byWidth).isNonDecreasing)))), relation: '>=', threshold: 1 },
        { what: 'best learning rates at an end of their grid, where the true one may lie beyond', measured: exact(ends(result)), relation: '<=', threshold: 0 },
      ],
      controls: (result) => drifts(result, 'ntk', 'mup'),
    },
    {
      id: 'sharpness-independent-of-width', text: String.raw`Under muP the scaled sharpness $\eta \gamma^2 \lambda_{\max}$ is nearly the same at all widths after the first steps; in the NTK parametrisation it is not.`,
      checks: (result) => spreads(result, 'mup', 'ntk'), controls: (result) => spreads(result, 'ntk', 'mup'),
    },
    {
      id: 'progressive-sharpening', text: 'Sharpness rises at every width under muP; in the NTK parametrisation it rises in the narrow network and no longer in the wide one.',
      checks: (result) => [
        ...sharpenings(result, 'ntk', 'mup'),
        { what: `NTK: sharpness at step ${STEPS} over that at the start, smallest width`, measured: smallest(result, 'ntk', (byWidth) => sharpening(byWidth[0])), relation: '>', threshold: 1.6 },
        { what: 'NTK: that ratio over that of the next smaller width, largest over widths', measured: largest(result, 'ntk', steepest(sharpening)), relation: '<', threshold: 1 },
      ],
      controls: (result) => sharpenings(result, 'mup', 'ntk'),
    },
    {
      id: 'feature-learning', text: 'What goes with it is feature learning: the tangent kernel changes as much at every width under muP, and less and less in the NTK parametrisation; and at a fixed learning rate wider networks are better under muP only.',
      checks: (result) => features(result, 'ntk', 'mup'), controls: (result) => features(result, 'mup', 'ntk'),
    },
  ],
  figure,
});
