/** The largest eigenvalue of a batch's Hessian against the batch size, and the largest stable step that follows. @module */
import { effectiveBatchSize, linearRegression, powerLawRegression, spikedEigenvalue } from 'thalweg/analysis';
import { defineEntry, extremeOver, type Check, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type SeriesPanel } from 'thalweg/charts';
import { batchHessians, curvatureVariance, hessian, matrixOperator, topEigenpairs } from 'thalweg/curvature';
import { pooledImages } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { gaussianOrthogonal } from 'thalweg/linalg';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import { batchSizeRule, rmsprop, sgd } from 'thalweg/optim';
import type { Point, Problem } from 'thalweg/problem';
import { choice, key, normal, randint, split } from 'thalweg/random';
import { largestStableRate, train } from 'thalweg/train';

interface Settings {
  /** Random matrices of each batch size. */
  readonly matrices: number;
  /** Networks trained. */
  readonly networks: number;
  /** Batch sizes of batch Hessians, and batches of each. */
  readonly batches: readonly number[];
  readonly perSize: number;
  /** Batch sizes at which the largest stable step is sought; none: not at all. */
  readonly stable: readonly number[];
}

/** Largest eigenvalues of a spike plus noise at one batch size. */
interface Spike { readonly batch: number; readonly values: readonly number[]; readonly predicted: number }
type Method = 'sgd' | 'rmsprop';
interface Step { readonly method: Method; readonly batch: number; readonly rate: number; readonly isAtEnd: boolean }
interface Network {
  readonly loss: number;
  /** Of the Hessian over all images. */
  readonly eigenvalue: number;
  /** S along its eigenvector, and along a random direction. */
  readonly variance: number;
  readonly varianceElsewhere: number;
  readonly sizes: readonly { readonly batch: number; readonly effective: number; readonly values: readonly number[] }[];
  readonly steps: readonly Step[];
}
interface Result { readonly spikes: readonly Spike[]; readonly networks: readonly Network[] }

const SPIKE = 3;
const ROWS = 400;
/** The spike leaves the bulk at P / lambda^2 = 44. */
const MATRIX_BATCHES = [20, 44, 100, 200, 400, 800, 1600];
const IMAGES = 2000;
const VARIANCE_IMAGES = 600;
/** Below, the leading eigenvalue is not a small change of the full one. */
const FITTED_FROM = 64;
const SCALING = [2, 64] as const;
const methods: Readonly<Record<Method, { readonly name: string; readonly rates: readonly number[] }>> = {
  sgd: { name: 'SGD', rates: Array.from({ length: 20 }, (_, k) => 2 ** ((k - 10) / 2)) },
  rmsprop: { name: 'RMSprop', rates: Array.from({ length: 17 }, (_, k) => 1e-3 * 2 ** (k / 2)) },
};
const optimizerOf = (method: Method) => (method === 'sgd' ? sgd() : rmsprop({ decay: 0.99 }));
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x / values.length, 0);

async function spikesOf({ settings, seed, signal, progress }: EntryContext<Settings>): Promise<Spike[]> {
  const spikes: Spike[] = [];
  for (const [i, batch] of MATRIX_BATCHES.entries()) {
    await progress(0.2 * i / MATRIX_BATCHES.length, `random matrices, batch ${batch}`);
    const values: number[] = [];
    for (let draw = 0; draw < settings.matrices; draw++) {
      const matrix = gaussianOrthogonal(split(key(seed), 'matrix', batch, draw), ROWS, { deviation: 1 / Math.sqrt(batch) });
      matrix[0] += SPIKE;
      values.push((await topEigenpairs(matrixOperator(matrix, ROWS), { largest: 1, method: 'lanczos', key: split(key(seed), 'start', batch, draw), signal })).largest[0].value);
    }
    spikes.push({ batch, values, predicted: spikedEigenvalue({ spike: SPIKE, size: ROWS, batch }).value });
  }
  return spikes;
}

type Trained = { readonly problem: Problem<MlpParameters>; readonly point: Point<MlpParameters>; readonly at: (...names: (string | number)[]) => ReturnType<typeof split>; readonly say: (fraction: number, what: string) => Promise<void> };

async function batchEigenvalues({ problem, point, at, say }: Trained, { settings, executor, signal }: EntryContext<Settings>): Promise<Omit<Network, 'loss' | 'steps'>> {
  const full = hessian(problem, point, { executor });
  const { largest: [top] } = await topEigenpairs(full, { largest: 1, method: 'lanczos', key: at('full'), signal });
  const random = normal(at('direction'), full.size, { dtype: 'float64' });
  await full.dispose();
  const [here, elsewhere] = [await curvatureVariance(problem, point, top.vector, { samples: VARIANCE_IMAGES, executor, signal }), await curvatureVariance(problem, point, random, { samples: VARIANCE_IMAGES, executor, signal })];
  const batches = batchHessians(problem, point, { executor });
  const sizes: { batch: number; effective: number; values: number[] }[] = [];
  for (const [i, batch] of settings.batches.entries()) {
    const values: number[] = [];
    for (let draw = 0; draw < settings.perSize; draw++) {
      await say(0.2 + 0.3 * (i + draw / settings.perSize) / settings.batches.length, `Hessians of batches of ${batch}`);
      const operator = batches.of(choice(at('batch', batch, draw), IMAGES, batch));
      // The largest algebraic one: that of the largest size may be negative in a small batch.
      values.push((await topEigenpairs(operator, { largest: 1, method: 'lanczos', key: at('start', batch, draw), start: [top.vector], tolerance: 1e-3, signal })).largest[0].value);
      await operator.dispose();
    }
    sizes.push({ batch, effective: effectiveBatchSize(batch, IMAGES), values });
  }
  await batches.dispose();
  return { eigenvalue: top.value, variance: here.transverse.value, varianceElsewhere: elsewhere.transverse.value, sizes };
}

async function stableSteps({ problem, point, at, say }: Trained, { settings, executor, signal }: EntryContext<Settings>): Promise<Step[]> {
  const steps: Step[] = [];
  const orders = Array.from(randint(at('orders'), 2, { high: 2 ** 31 - 1 }));
  for (const [i, batch] of settings.stable.entries()) for (const method of Object.keys(methods) as Method[]) {
    const what = `largest stable step of ${methods[method].name}, batch ${batch}`;
    await say(0.5 + 0.5 * i / settings.stable.length, what);
    const { rate, isAtEnd } = await largestStableRate(problem, {
      start: point, optimizer: optimizerOf(method), rates: methods[method].rates, batchSize: batch, orders, executor, signal,
      onEvent: ({ type }) => { if (type === 'step') say(0.5 + 0.5 * i / settings.stable.length, what).catch(() => {}); },
    });
    steps.push({ method, batch, rate: rate ?? NaN, isAtEnd });
  }
  return steps;
}

async function run(context: EntryContext<Settings>): Promise<Result> {
  const { settings, seed, executor, signal, progress } = context;
  const spikes = await spikesOf(context);
  const { train: images } = pooledImages(await mnist(), { side: 7, train: IMAGES, test: 1 });
  const problem: Problem<MlpParameters> = { name: 'digits', model: mlp({ sizes: [49, 24, 10] }), loss: crossEntropy, train: images };
  const networks: Network[] = [];
  for (let network = 0; network < settings.networks; network++) {
    const at: Trained['at'] = (...names) => split(key(seed), 'network', network, ...names);
    const say: Trained['say'] = (fraction, what) => progress(0.2 + 0.8 * (network + fraction) / settings.networks, what);
    await say(0, 'training');
    const point = await train(problem, { start: problem.model.init(at('initialisation')), seed: randint(at('order'), 1, { high: 2 ** 31 - 1 })[0], optimizer: sgd(), schedule: 0.2, steps: 150, batchSize: 64, executor, signal });
    const trained = { problem, point, at, say };
    networks.push({ loss: mean(point.losses.slice(-20)), ...await batchEigenvalues(trained, context), steps: await stableSteps(trained, context) });
  }
  return { spikes, networks };
}

/** The regression of the mean eigenvalue on a function of the effective batch size. */
const fitOn = (of: (effective: number) => number) => ({ sizes }: Network) => {
  const fitted = sizes.filter(({ batch }) => batch >= FITTED_FROM);
  return linearRegression([fitted.map(({ effective }) => of(effective))], fitted.map(({ values }) => mean(values)));
};
const inverse = (b: number): number => 1 / b;
const inverseRoot = (b: number): number => 1 / Math.sqrt(b);
const exponentOf = (method: Method) => ({ steps }: Network): number => {
  const used = steps.filter((step) => step.method === method && !step.isAtEnd && step.batch >= SCALING[0] && step.batch <= SCALING[1]);
  return used.some(({ rate }) => Number.isNaN(rate)) ? NaN : powerLawRegression([used.map(({ batch }) => batch)], used.map(({ rate }) => rate)).exponents[0];
};
const over = (which: 'smallest' | 'largest', { networks }: Result, of: (network: Network) => number): Quantity => extremeOver(which, networks.map(of));
const both = (result: Result, what: string, of: (network: Network) => number, threshold: readonly [number, number]): Check[] => (['smallest', 'largest'] as const).map((which) => ({ what: `${what}, ${which} over networks`, measured: over(which, result, of), relation: 'within', threshold }));
const gaps = ({ spikes }: Result, of: (spike: Spike) => number): number[] => spikes.map((spike) => Math.abs(mean(spike.values) / of(spike) - 1));
const law = (result: Result, name: string, of: (effective: number) => number): Check[] =>
  both(result, `intercept of the fit on ${name} over the eigenvalue of the full Hessian`, (network) => fitOn(of)(network).intercept / network.eigenvalue, [0.95, 1.05]);
const excess = (network: Network, variance: number): number => fitOn(inverse)(network).slopes[0] / (variance / network.eigenvalue);

const exponents = (result: Result, method: Method): Check[] => both(result, `exponent of the largest stable step, ${methods[method].name}`, exponentOf(method), [0.4, 0.9]);
const difference = (result: Result, more: Method, less: Method): Check =>
  ({ what: `exponent of ${methods[more].name} less that of ${methods[less].name}, smallest over networks`, measured: over('smallest', result, (network) => exponentOf(more)(network) - exponentOf(less)(network)), relation: '>=', threshold: 0.2 });

const spaced = (from: number, to: number): number[] => Array.from({ length: 60 }, (_, i) => from * (to / from) ** (i / 59));

function figure({ spikes, networks }: Result): string {
  const [first] = networks;
  const { intercept, slopes: [slope] } = fitOn(inverse)(first);
  const [noise, batch] = [spaced(1 / first.sizes.at(-1)!.effective, 1 / first.sizes[0].effective), spaced(MATRIX_BATCHES[0], MATRIX_BATCHES.at(-1)!)];
  const matrices: SeriesPanel = {
    heading: 'A spike in random noise', x: { label: 'batch size b', scale: 'log', domain: [15, 2000] }, y: { label: 'largest eigenvalue' },
    bands: [{ from: 15, to: ROWS / SPIKE ** 2, label: 'lost in bulk' }, { from: ROWS / SPIKE ** 2, to: 2000, label: 'outlier' }],
    series: [
      { name: 'law of the spiked Wigner matrix', x: batch, y: batch.map((b) => spikedEigenvalue({ spike: SPIKE, size: ROWS, batch: b }).value), color: 0 },
      { name: 'measured', x: spikes.flatMap((one) => one.values.map(() => one.batch)), y: spikes.flatMap(({ values }) => values), mark: 'ring', color: 1 },
      { name: 'without noise', x: batch, y: batch.map(() => SPIKE), color: 'muted' },
    ],
  };
  const batches: SeriesPanel = {
    heading: 'Hessians of batches of a network', x: { label: '1 / effective batch size', scale: 'log' }, y: { label: 'largest eigenvalue', scale: 'log' },
    series: [
      { name: 'fit, linear in 1/b, of batches from 64 on', x: noise, y: noise.map((x) => intercept + slope * x), color: 0 },
      { name: 'measured', x: first.sizes.flatMap(({ effective, values }) => values.map(() => 1 / effective)), y: first.sizes.flatMap(({ values }) => values), mark: 'ring', color: 1 },
      { name: 'without noise', x: noise, y: noise.map(() => first.eigenvalue), color: 'muted' },
      { name: 'with the least slope S / λ', x: noise, y: noise.map((x) => first.eigenvalue + first.variance / first.eigenvalue * x), color: 'muted', dashed: true },
    ],
  };
  const stepsOf = (method: Method): Step[] => first.steps.filter((step) => step.method === method && !step.isAtEnd);
  const guide = (method: Method, rule: 'linear' | 'square-root') => {
    const [{ batch: batchSize, rate }, ...rest] = stepsOf(method);
    const sizes = [batchSize, rest.at(-1)?.batch ?? batchSize];
    return { name: rule === 'linear' ? 'slope 1' : 'slope 1/2', x: sizes, y: sizes.map(batchSizeRule({ rate, batchSize, rule })), color: 'muted', dashed: rule === 'square-root' } as const;
  };
  const stable: SeriesPanel = {
    heading: 'Largest stable step', x: { label: 'batch size', scale: 'log' }, y: { label: 'learning rate', scale: 'log' },
    series: first.steps.length === 0 ? [] : [
      guide('sgd', 'linear'), guide('rmsprop', 'square-root'),
      ...(Object.keys(methods) as Method[]).map((method, i) => ({ name: methods[method].name, x: stepsOf(method).map((step) => step.batch), y: stepsOf(method).map(({ rate }) => rate), mark: 'both' as const, color: i === 0 ? 2 as const : 1 as const })),
    ],
  };
  return panels([matrices, batches, ...(first.steps.length > 0 ? [stable] : [])], { title: 'Small batches see more curvature, in proportion to 1 / B' });
}

export const entry = defineEntry<Settings, Result>({
  id: 'batch-size-random-matrix', topic: 'curvature',
  source: {
    title: 'Learning Rates as a Function of Batch Size: A Random Matrix Theory Approach to Neural Network Training',
    authors: ['Diego Granziol', 'Stefan Zohren', 'Stephen Roberts'], year: 2022, arxiv: '2006.09092',
  },
  question: 'How does the curvature that a batch of examples sees depend on its size, and what does that say about the learning rate?',
  method: String.raw`The Hessian of a batch is $H_B = H + E$, with noise $E$ of variance $\sigma^2 / b$ an element, $b = B / (1 - B / N)$ for $B$ of $N$ examples drawn without replacement. If $E$ is a Wigner matrix of $P$ rows and $H$ has one outlier $\lambda_1$, the largest eigenvalue of $H_B$ is $\lambda_1 + P \sigma^2 / (b \lambda_1)$ while $\lambda_1 > \sigma \sqrt{P / b}$, else the bulk's edge $2 \sigma \sqrt{P / b}$. This is checked on matrices with $P = ${ROWS}$. On a network (49-24-10, tanh, trained for 150 steps on ${IMAGES} images of digits) the largest eigenvalue of $H_B$ is found by Lanczos for random batches, and its mean regressed on $1 / b$. In the place of $P \sigma^2$, which supposes independent elements, stands $S$, the mean of $|(H_i - H) v_1|^2$ over single examples, less the part along the eigenvector $v_1$: by second-order perturbation theory the slope is at least $S / \lambda_1$ where no other eigenvalue is negative. The largest stable step is the largest of a grid, by factors $\sqrt 2$, with which the loss over all images, averaged over the last 20 of 80 steps from the same point, stays below 1.3 times its start.`,
  deviations: [
    'MNIST averaged to 7 × 7 pixels and a network of 1450 parameters take the place of VGG and residual networks on CIFAR and ImageNet.',
    'RMSprop stands for adaptive methods; an exponent of 1/2 is not reached at this size, only one clearly below that of SGD.',
    'Without the factor 1 - B / N the fit is as good, since 1 / b differs from 1 / B by a constant: only the intercept moves, by about two percent. So the control is a fit on the inverse root of b.',
  ],
  built: [
    { name: 'spikedEigenvalue', from: 'thalweg/analysis', what: 'the largest eigenvalue of a spike in Wigner noise' },
    { name: 'gaussianOrthogonal', from: 'thalweg/linalg', what: 'random symmetric matrices' },
    { name: 'batchHessians', from: 'thalweg/curvature', what: 'Hessians of many batches from one program' },
    { name: 'curvatureVariance', from: 'thalweg/curvature', what: 'how much single examples turn an eigenvector' },
    { name: 'largestStableRate', from: 'thalweg/train', what: 'the largest stable learning rate of a grid' },
    { name: 'batchSizeRule', from: 'thalweg/optim', what: 'the linear and the square-root rule' },
  ],
  presets: {
    quick: { matrices: 3, networks: 1, batches: [64, 128, 256, 1024], perSize: 12, stable: [] },
    full: { matrices: 5, networks: 2, batches: [16, 32, 64, 128, 256, 512, 1024], perSize: 24, stable: [2, 4, 8, 16, 32, 64, 256] },
  },
  run,
  claims: [
    {
      id: 'spiked-law', text: String.raw`The largest eigenvalue of a spike plus Wigner noise follows $\lambda_1 + P \sigma^2 / (b \lambda_1)$, and the bulk's edge where the spike is lost.`,
      checks: (result) => [{ what: 'relative gap between the mean and the law, largest over batch sizes', measured: extremeOver('largest', gaps(result, ({ predicted }) => predicted)), relation: '<', threshold: 0.04 }],
      controls: (result) => [{ what: 'relative gap between the mean and the eigenvalue without noise, smallest over batch sizes up to 400', measured: extremeOver('smallest', gaps({ ...result, spikes: result.spikes.filter(({ batch }) => batch <= 400) }, () => SPIKE)), relation: '<', threshold: 0.04 }],
    },
    {
      id: 'inverse-batch-law', text: String.raw`On a network the mean largest eigenvalue of batch Hessians is linear in $1 / b$, from that of the full Hessian on.`,
      checks: (result) => [{ what: `R^2 of the fit on 1/b, batches of ${FITTED_FROM} and more, smallest over networks`, measured: over('smallest', result, (network) => fitOn(inverse)(network).rSquared), relation: '>', threshold: 0.95 }, ...law(result, '1/b', inverse)],
      controls: (result) => law(result, 'the inverse root of b', inverseRoot),
    },
    {
      id: 'size-of-inflation', text: String.raw`The slope is that of perturbation theory without a free parameter, in order of magnitude: from one to five times $S / \lambda_1$.`,
      checks: (result) => both(result, 'fitted slope over S / lambda_1', (network) => excess(network, network.variance), [1, 5]),
      controls: (result) => both(result, 'fitted slope over S / lambda_1, S along a random direction', (network) => excess(network, network.varianceElsewhere), [1, 5]),
    },
    {
      id: 'step-size-scaling', only: 'full', text: 'The largest stable step of SGD grows about in proportion to the batch, that of RMSprop clearly more slowly.',
      checks: (result) => [
        ...both(result, `exponent of the largest stable step, SGD, batches of ${SCALING.join(' to ')}`, exponentOf('sgd'), [0.8, 1.35]),
        ...exponents(result, 'rmsprop'), difference(result, 'sgd', 'rmsprop'),
      ],
      controls: (result) => [...exponents(result, 'sgd'), difference(result, 'rmsprop', 'sgd')],
    },
  ],
  figure,
});
