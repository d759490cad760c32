/** Small groups of outliers with opposing signals make the sharp direction of the loss, and its oscillation. @module */
import { NDArray, toDtype } from 'thalweg';
import { groupGradientMeter, stepOppositions, type StepOpposition } from 'thalweg/analysis';
import { defineEntry, extremeOver, type Check, type EntryContext } from 'thalweg/atlas';
import { panels, type GridPanel } from 'thalweg/charts';
import { opposingOutliers, pooledImages } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { squaredError } from 'thalweg/losses';
import { mlp, type MlpParameters, type WeightOnly } from 'thalweg/nn';
import { sgd } from 'thalweg/optim';
import { key, split } from 'thalweg/random';
import { eigenvectorShare, groupLoss, pointRecorder, train, trainEnsemble } from 'thalweg/train';
import { mapTree } from 'thalweg/tree';

interface Settings { readonly toySeeds: number; readonly imageSeeds: number; readonly imageSteps: number }

/** One run of the toy. */
interface Arm {
  readonly sharpness: readonly number[];
  /** Share of the top eigenvector on the weights of the outlier input, at the same steps. */
  readonly share: readonly number[];
  readonly plus: readonly number[];
  readonly minus: readonly number[];
  /** Part of steps 50 to 199 at which one group's loss rises, the other's falls, and the step before was the other way round. */
  readonly antiphase: number;
  /** Between steps 10 and 79: the larger group loss at its peak and at its lowest before; the same of the whole loss; the loss of the rest at the peak. */
  readonly spike: { readonly at: number; readonly group: number; readonly valley: number; readonly total: number; readonly totalValley: number; readonly rest: number };
  /** The largest of the larger group loss in steps 20 to 79. */
  readonly highest: number;
}

/** Gradients of the groups at one step of the slow run. */
interface Opposition { readonly cosine: number; readonly ratio: number; readonly halves: number }
interface Toy { readonly slow: Arm; readonly edge: Arm; readonly without: Arm; readonly oppositions: readonly Opposition[] }
/** Means over steps: 16 examples rise, 16 fall. */
type Alternation = Pick<StepOpposition, 'opposed' | 'random' | 'alternation' | 'persistence' | 'share'>;
/** Steps 20 to 60, and from 100 on; pixels of the examples that rise and fall most at the last step. */
interface Images { readonly early: Alternation; readonly late: Alternation; readonly up: readonly number[][]; readonly down: readonly number[][] }
interface Result { readonly toys: readonly Toy[]; readonly images: readonly Images[] }

const [SLOW, EDGE, STEPS, EVERY, SIDE, SHOWN, COLUMNS] = [0.005, 0.06, 300, 10, 14, 15, 5];
const LOOKED_AT = [60, 100, 150];
type Linear = MlpParameters<WeightOnly>;

async function runToy(seed: number, amplitude: number, rates: readonly number[], { executor, signal }: EntryContext<Settings>): Promise<{ arms: Arm[]; oppositions: Opposition[] }> {
  const { train: examples, groups } = opposingOutliers({ samples: 1000, testSamples: 0, dimension: 10, share: 0.04, amplitude, bump: 2, signalNorm: 4, seed });
  const problem = { name: `outliers of ${amplitude}`, model: mlp({ sizes: [11, 10, 1], activation: 'identity', bias: false }), loss: squaredError, train: examples };
  const { params, state } = problem.model.init(split(key(seed), 'two layers'));
  const start = { params: mapTree((leaf: NDArray) => toDtype(new NDArray((leaf.data as Float32Array).map((x) => 0.3 * x), leaf.shape, leaf.dtype), 'float64'), params) as typeof params, state };
  const points = pointRecorder<Linear, Record<string, never>>({ every: EVERY });
  const { replicas } = await trainEnsemble(problem, {
    vary: { learningRate: rates }, start, optimizer: sgd(), batchSize: 'full', steps: STEPS, seed, executor, signal,
    // The outlier input is the last row of the first layer.
    probes: [groupLoss({ groups, loss: squaredError }), eigenvectorShare({ every: EVERY, belongs: (name, index) => name === 'layers.0.weight' && index >= 100 }), points],
  });
  const arms = replicas.map(({ table, losses }): Arm => {
    const series = (name: string): number[] => [...table.series(name).values];
    const [plus, minus, rest] = ['plus', 'minus', 'rest'].map((name) => series(`group-loss.${name}`));
    const late = Array.from({ length: 150 }, (_, i) => 50 + i);
    const rise = (values: readonly number[], t: number): number => Math.sign(values[t] - values[t - 1]);
    const larger = plus.map((x, t) => Math.max(x, minus[t]));
    let at = 10;
    for (let t = 10; t < 80; t++) if (larger[t] > larger[at]) at = t;
    return {
      sharpness: series('eigenvector-share.eigenvalue'), share: series('eigenvector-share'), plus, minus,
      antiphase: late.filter((t) => rise(plus, t) === -rise(minus, t) && rise(plus, t) === -rise(plus, t - 1)).length / late.length,
      spike: { at, group: larger[at], valley: Math.min(...larger.slice(10, at + 1)), total: losses[at], totalValley: Math.min(...losses.slice(10, at + 1)), rest: rest[at] },
      highest: Math.max(...larger.slice(20, 80)),
    };
  });
  if (amplitude === 0) return { arms, oppositions: [] };
  const meter = groupGradientMeter(problem, start, { executor });
  const oppositions: Opposition[] = [];
  const halves = [0, 1].map((parity) => groups.rest.filter((index) => index % 2 === parity));
  for (const step of LOOKED_AT) {
    const { cosines, norms } = await meter.measure(points.points.find((point) => point.step === step)!, [groups.plus, groups.minus, groups.rest, ...halves]);
    oppositions.push({ cosine: cosines[0][1], ratio: Math.min(norms[0], norms[1]) / norms[2], halves: cosines[3][4] });
  }
  await meter.dispose();
  return { arms, oppositions };
}

async function runImages(seed: number, steps: number, { executor, signal, progress }: EntryContext<Settings>, at: number): Promise<Images> {
  const { train: examples } = pooledImages(await mnist(), { side: SIDE, train: 800, test: 0 });
  const problem = { name: 'images', model: mlp({ sizes: [SIDE * SIDE, 100, 100, 10], activation: 'tanh', initializer: 'lecun-normal' }), loss: squaredError, train: examples };
  const recorder = pointRecorder<MlpParameters, Record<string, never>>({ every: 1 });
  await train(problem, { optimizer: sgd(), schedule: 0.25, batchSize: 'full', steps, seed, executor, signal, probes: [recorder] });
  const between = (from: number, to: number): Promise<StepOpposition[]> => stepOppositions(problem, recorder.points.slice(from, to + 1), {
    key: split(key(seed), 'groups', from), executor, onStep: async (done) => { if (done % 25 === 0) await progress(at, `step ${from + done} of the images`); },
  });
  const summary = (all: readonly StepOpposition[]): Alternation => {
    const mean = (of: keyof Alternation): number => all.slice(1).reduce((sum, step) => sum + step[of], 0) / (all.length - 1);
    return { opposed: mean('opposed'), random: mean('random'), alternation: mean('alternation'), persistence: mean('persistence'), share: mean('share') };
  };
  const [early, late] = [await between(20, 60), await between(100, steps)];
  const pictures = (indices: Int32Array): number[][] => Array.from(indices.subarray(0, SHOWN), (index) => Array.from(examples.inputs.data.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE), (x) => Number(x.toFixed(1))));
  return { early: summary(early), late: summary(late), up: pictures(late.at(-1)!.up), down: pictures(late.at(-1)!.down) };
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings: { toySeeds, imageSeeds, imageSteps }, seed, progress } = context;
  const toys: Toy[] = [];
  for (let i = 0; i < toySeeds; i++) {
    await progress((0.5 * i) / toySeeds, `toy ${i + 1} of ${toySeeds}`);
    const { arms: [slow, edge], oppositions } = await runToy(100 * seed + i + 1, 16, [SLOW, EDGE], context);
    toys.push({ slow, edge, oppositions, without: (await runToy(100 * seed + i + 1, 0, [EDGE], context)).arms[0] });
  }
  const images: Images[] = [];
  for (let i = 0; i < imageSeeds; i++) {
    await progress(0.5 + (0.5 * i) / imageSeeds, 'images');
    images.push(await runImages(100 * seed + i, imageSteps, context, 0.5 + (0.5 * (i + 0.5)) / imageSeeds));
  }
  // Curves of the first toy alone are drawn.
  return { toys: toys.map((toy, i) => (i === 0 ? toy : { ...toy, slow: withoutCurves(toy.slow), edge: withoutCurves(toy.edge), without: withoutCurves(toy.without) })), images };
}

const withoutCurves = (arm: Arm): Arm => ({ ...arm, plus: [], minus: [] });

const smallest = (result: Result, of: (toy: Toy) => number) => extremeOver('smallest', result.toys.map(of));
const largest = (result: Result, of: (toy: Toy) => number) => extremeOver('largest', result.toys.map(of));
const end = ({ sharpness }: Arm): number => sharpness.at(-1)!;
const early = ({ sharpness }: Arm): number => sharpness[20 / EVERY];

const sharpens = (who: string, result: Result, of: (toy: Toy) => Arm): Check[] => [
  { what: `${who}: smallest ratio of the sharpness at the end to that at step 20`, measured: smallest(result, (toy) => end(of(toy)) / early(of(toy))), relation: '>', threshold: 5 },
  { what: `${who}: smallest sharpness at the end`, measured: smallest(result, (toy) => end(of(toy))), relation: '>', threshold: 25 },
  { what: `${who}: smallest share of the top eigenvector on the outlier weights, at the end`, measured: smallest(result, (toy) => of(toy).share.at(-1)!), relation: '>', threshold: 0.9 },
];
const overshoots = (who: string, result: Result, of: (toy: Toy) => Arm): Check => ({ what: `${who}: smallest maximum of the sharpness over the run`, measured: smallest(result, (toy) => Math.max(...of(toy).sharpness)), relation: '>', threshold: 2 / EDGE });
const spikes = (who: string, result: Result, of: (toy: Toy) => Arm): Check[] => [
  { what: `${who}: smallest peak of the larger group loss over its valley`, measured: smallest(result, (toy) => of(toy).spike.group / of(toy).spike.valley), relation: '>', threshold: 15 },
  { what: `${who}: smallest peak of the whole loss over its valley`, measured: smallest(result, (toy) => of(toy).spike.total / of(toy).spike.totalValley), relation: '>', threshold: 10 },
];
const takesTurns = (who: string, result: Result, of: (toy: Toy) => Arm): Check => ({ what: `${who}: smallest part of steps at which the groups take turns`, measured: smallest(result, (toy) => of(toy).antiphase), relation: '>', threshold: 0.85 });
const opposes = (who: string, result: Result, of: (opposition: Opposition) => number): Check => ({ what: `${who}: largest cosine of their mean gradients, steps ${LOOKED_AT.join(', ')}`, measured: largest(result, (toy) => Math.max(...toy.oppositions.map(of))), relation: '<', threshold: -0.9 });
const alternates = (when: string, result: Result, of: (images: Images) => Alternation): Check[] => [
  { what: `${when}: smallest cosine of random groups less that of risers and fallers`, measured: extremeOver('smallest', result.images.map(of).map(({ random, opposed }) => random - opposed)), relation: '>', threshold: 0.15 },
  { what: `${when}: smallest part of the risers that fell in the step before`, measured: extremeOver('smallest', result.images.map(of).map(({ alternation }) => alternation)), relation: '>', threshold: 0.4 },
  { what: `${when}: the same, less the part that rose in the step before`, measured: extremeOver('smallest', result.images.map(of).map(({ alternation, persistence }) => alternation - persistence)), relation: '>', threshold: 0 },
];

const slow = (toy: Toy): Arm => toy.slow;
const edge = (toy: Toy): Arm => toy.edge;
const without = (toy: Toy): Arm => toy.without;
const largestImage = (result: Result, of: (one: Alternation) => number) => extremeOver('largest', result.images.map(({ late }) => of(late)));

/** Images in rows, with a line of empty cells between them. */
function gallery(heading: string, images: readonly (readonly number[])[]): GridPanel {
  const [width, height] = [COLUMNS, SHOWN / COLUMNS].map((count) => count * (SIDE + 1) - 1);
  // Rows of cells count from the bottom.
  const cells = Array.from({ length: height }, (_, fromBottom) => Array.from({ length: width }, (__, x) => {
    const y = height - 1 - fromBottom;
    const [row, column] = [y % (SIDE + 1), x % (SIDE + 1)];
    return row === SIDE || column === SIDE ? NaN : images[Math.floor(y / (SIDE + 1)) * COLUMNS + Math.floor(x / (SIDE + 1))][row * SIDE + column];
  }));
  return { heading, x: { label: '', values: Array.from({ length: width }, () => '') }, y: { label: '', values: Array.from({ length: height }, () => '') }, cells };
}

function figure({ toys: [toy], images: [{ up, down }] }: Result): string {
  const measured = toy.slow.sharpness.map((_, i) => i * EVERY);
  const steps = Array.from({ length: 80 }, (_, t) => t);
  const [withOutliers, plus, minus] = ['outliers, rate 0.06', 'group +A', 'group −A'];
  return panels([
    {
      heading: 'Sharpness', x: { label: 'step' }, y: { label: 'largest eigenvalue of the Hessian', domain: [0, 50] },
      series: [
        { name: withOutliers, x: measured, y: toy.edge.sharpness, mark: 'both', color: 0 }, { name: 'outliers, rate 0.005', x: measured, y: toy.slow.sharpness, dashed: true, color: 0 },
        { name: 'no outlier input, rate 0.06', x: measured, y: toy.without.sharpness, color: 'muted' },
      ],
      rules: [{ axis: 'y', at: 2 / EDGE, label: '2 / rate of 0.06' }],
    },
    {
      heading: 'Losses of the two groups, rate 0.06', x: { label: 'step', domain: [15, 75] }, y: { label: 'mean loss of the group', scale: 'log', domain: [0.05, 200] },
      series: [{ name: plus, x: steps, y: toy.edge.plus.slice(0, 80), color: 1 }, { name: minus, x: steps, y: toy.edge.minus.slice(0, 80), color: 2 }],
    },
    gallery('MNIST: loss rises most at the last step', up), gallery('MNIST: loss falls most at the last step', down),
  ], { title: 'Two small groups that cancel make the loss sharp', subtitle: 'Above: 40 of 1,000 examples share one large input, ±A. Below: a network on 800 images, rate 0.25.', height: 270 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'opposing-signals', topic: 'curvature',
  source: { title: 'Outliers with Opposing Signals Have an Outsized Effect on Neural Network Optimization', authors: ['Elan Rosenfeld', 'Andrej Risteski'], year: 2023, arxiv: '2311.04163' },
  question: 'Can a few training examples that pull in opposite directions be what makes the loss sharp and gradient descent oscillate?',
  method: 'A linear signal is learned by two layers, $f(x) = a^\\top W x$, with full-batch gradient descent. In 4 % of the examples one further input $o$ is $\\pm A$, and targets are raised by the same amount for both signs, so that no weight on $o$ serves both groups: their gradients cancel, and the loss rests in the valley between them. The curvature of that valley is about $p A^2 \\|a\\|^2$ ($p$ the share of outliers), and $\\|a\\|^2$ grows while the signal is learned: up to $p A^2 \\|\\beta\\| \\approx 41$ here. Measured are the largest Hessian eigenvalue, the share of its vector on the outlier weights, the losses of the groups, and the cosine of their mean gradients. On MNIST nobody plants groups: at each step the 16 examples whose loss rises most and the 16 whose loss falls most are found, their gradients compared, and followed from one step to the next.',
  deviations: [
    'The paper finds its groups in image classifiers and language models (ResNet-18 and VGG-11 on CIFAR-10, GPT-2); here they are planted in a linear problem, and looked for in a network of two hidden layers on 800 images of MNIST, averaged to 14 by 14 pixels.',
    'A rate of 0.1 in place of 0.06 diverges in the toy: the window between stable and divergent is narrow.',
    'Taking turns is counted in steps 50 to 199. After about 250 steps the oscillation has decayed below the rounding of float64, and signs of changes mean nothing.',
    'Twenty outliers a group are few: where their signals happen to average about -1.8 (one of twelve draws tried) they nearly cancel the bump of 2 in one group, its gradient is small at first (cosine -0.5 at step 60), and the rest reaches a loss of 0.154 at the spike.',
    'The largest 5 % of the changes carry 0.2 of all change on MNIST, which is much less than the paper reports for networks on CIFAR-10; no stronger number is claimed. With small batches the groups are seen one at a time and the clean alternation is lost: full batches only.',
  ],
  built: [
    { name: 'opposingOutliers', from: 'thalweg/data', what: 'the planted groups' }, { name: 'eigenvectorShare', from: 'thalweg/train', what: 'where the top eigenvector lies, along a run' },
    { name: 'groupLoss', from: 'thalweg/train', what: 'losses of groups, from the step\'s own outputs' }, { name: 'groupGradientMeter', from: 'thalweg/analysis', what: 'norms and cosines of the gradients of groups' },
    { name: 'stepOppositions', from: 'thalweg/analysis', what: 'the examples that each step moves most, and whether they take turns' },
  ],
  presets: { quick: { toySeeds: 2, imageSeeds: 1, imageSteps: 300 }, full: { toySeeds: 5, imageSeeds: 2, imageSteps: 400 } },
  run,
  claims: [
    {
      id: 'outliers-make-the-sharpening', text: 'At a small rate the sharpness grows from about 4 to $p A^2 \\|\\beta\\| \\approx 41$, along the weights of the outlier input; without that input it stays small.',
      checks: (result) => [
        ...sharpens('outliers', result, slow),
        { what: 'outliers: largest share of the top eigenvector on the outlier weights, at step 20', measured: largest(result, (toy) => toy.slow.share[20 / EVERY]), relation: '<', threshold: 0.2 },
        { what: 'no outlier input: largest sharpness at the end', measured: largest(result, (toy) => end(toy.without)), relation: '<', threshold: 10 },
      ],
      controls: (result) => sharpens('no outlier input', result, without),
    },
    {
      id: 'edge-of-the-outliers', text: 'At a rate of 0.06 the sharpness overshoots $2/\\eta = 33.3$; the two groups then take turns in rising and falling, the loss spikes through them while the rest stays low, and the sharpness ends below $2/\\eta$.',
      checks: (result) => [
        overshoots('outliers', result, edge), takesTurns('outliers', result, edge), ...spikes('outliers', result, edge),
        { what: 'outliers: largest sharpness at the end', measured: largest(result, (toy) => end(toy.edge)), relation: '<', threshold: 2 / EDGE },
        { what: 'outliers: largest loss of the rest at the spike', measured: largest(result, (toy) => toy.edge.spike.rest), relation: '<', threshold: 0.15 },
        { what: 'no outlier input: largest loss of a group in steps 20 to 79', measured: largest(result, (toy) => toy.without.highest), relation: '<', threshold: 8 },
      ],
      controls: (result) => [overshoots('no outlier input', result, without), takesTurns('no outlier input', result, without), takesTurns('outliers at a rate of 0.005', result, slow), ...spikes('no outlier input', result, without)],
    },
    {
      id: 'cancelling-giants', text: 'Long before convergence the mean gradients of the two groups are opposite, and each is several times that of the rest, which carries the loss.',
      checks: (result) => [
        opposes('the groups', result, ({ cosine }) => cosine),
        { what: 'smallest norm of a group\'s gradient over that of the rest, at these steps', measured: smallest(result, (toy) => Math.min(...toy.oppositions.map(({ ratio }) => ratio))), relation: '>', threshold: 4 },
        { what: 'smallest cosine of the gradients of two halves of the rest', measured: smallest(result, (toy) => Math.min(...toy.oppositions.map(({ halves }) => halves))), relation: '>', threshold: 0.5 },
      ],
      controls: (result) => [opposes('two halves of the rest', result, ({ halves }) => halves)],
    },
    {
      id: 'images-take-turns', text: 'On MNIST at a large step the images whose loss rises most are those whose loss fell most in the step before, and their gradients oppose those that fall now.',
      deviation: 'a network of two hidden layers on MNIST; the opposition is weaker than the paper\'s: cosines of about -0.2 to -0.3, with 0.1 for random groups.',
      checks: (result) => [
        { what: 'from step 100: largest cosine of risers and fallers', measured: largestImage(result, ({ opposed }) => opposed), relation: '<', threshold: 0 }, ...alternates('from step 100', result, ({ late }) => late),
        { what: 'smallest part of all change that 5 % of the images carry', measured: extremeOver('smallest', result.images.map(({ late: { share } }) => share)), relation: '>', threshold: 0.15 },
      ],
      controls: (result) => [{ what: 'largest cosine of random groups', measured: largestImage(result, ({ random }) => random), relation: '<', threshold: 0 }, ...alternates('steps 20 to 60, before the edge of stability', result, (images) => images.early)],
    },
  ],
  figure,
});
