/** The best learning rate and batch size against model size and data: a convex bowl whose bottom follows power laws (Li et al. 2025). @module */
import { leastSecondDifference, lineOptimum, plateau, powerLawRegression, quadraticOptimum, stepLawExponents } from 'thalweg/analysis';
import { computed, defineEntry, exact, extremeOver, meanOver, type ClaimDefinition, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type PanelSeries, type SeriesPanel } from 'thalweg/charts';
import { pooledImages } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import { adam, cosineSchedule, mupAdam, type Optimizer } from 'thalweg/optim';
import { ParameterSpace, type Problem } from 'thalweg/problem';
import { key, normal } from 'thalweg/random';
import { hyperparameterGrid } from 'thalweg/train';

type Method = 'standard' | 'mup';
interface Settings {
  readonly trainImages: number;
  /** Of the sweep over widths, at 2^14 images and batch size 64. */
  readonly widths: readonly number[];
  readonly widthSeeds: number;
  /** Images seen, and batch sizes. */
  readonly bowls: readonly { readonly samples: number; readonly batchSizes: readonly number[] }[];
  /** Their losses are averaged. */
  readonly bowlSeeds: number;
  /** Rates are so many octaves apart in the bowls. */
  readonly rateStep: number;
  /** Widths whose bowl at 2^14 images is computed besides: the batch size against model size. */
  readonly sizeBowls: readonly number[];
}
/** Losses of one width at 2^14 images and batch size 64. */
interface Sweep { readonly method: Method; readonly seed: number; readonly width: number; readonly parameters: number; readonly octaves: readonly number[]; readonly losses: readonly number[] }
/** Mean losses over seeds, a row a rate. */
interface Bowl { readonly width: number; readonly parameters: number; readonly samples: number; readonly octaves: readonly number[]; readonly batchSizes: readonly number[]; readonly losses: readonly (readonly number[])[] }
interface Result { readonly sweeps: readonly Sweep[]; readonly bowls: readonly Bowl[] }

const BASE = 16;
const BOWL_WIDTH = 64;
const SWEEP_BATCH = 64;
const SWEEP_SAMPLES = 2 ** 14;
const octavesFrom = (low: number, high: number, step: number): number[] => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function run({ settings, seed, executor, signal, progress }: EntryContext<Settings>): Promise<Result> {
  const { widths, widthSeeds, bowlSeeds, rateStep } = settings;
  const data = pooledImages(await mnist(), { side: 7, train: settings.trainImages, test: 4000 });
  // Output weights of variance base / width^2 in muP, 1 / width in the standard parametrisation; the same at the base width.
  const modelOf = (width: number, method: Method) => mlp({
    sizes: [49, width, width, 10], activation: 'relu',
    ...(method === 'mup' && { initializer: (at, { shape, fanIn, fanOut }) => normal(at, shape, { deviation: fanOut === 10 ? Math.sqrt(BASE) / width : Math.sqrt(2 / fanIn) }) }),
  });
  const problemOf = (width: number, method: Method): Problem<MlpParameters> => ({ name: `${method} width ${width}`, model: modelOf(width, method), loss: crossEntropy, train: data.train, test: data.test });
  const sizeOf = (width: number): number => new ParameterSpace(modelOf(width, 'standard').init(key(0)).params).size;
  const optimizerOf = (width: number, method: Method): Optimizer => (method === 'mup' ? mupAdam({ width, baseWidth: BASE, beta2: 0.95 }) : adam({ beta2: 0.95 }));
  const scheduleOf = (steps: number) => cosineSchedule({ rate: 1, steps, warmup: Math.max(1, Math.round(steps / 20)), end: 0.1 });
  const gridOf = async (width: number, method: Method, octaves: readonly number[], batchSizes: readonly number[], samples: number, runSeed: number, [from, to]: readonly [number, number]) => (await hyperparameterGrid(problemOf(width, method), {
    rates: octaves.map((octave) => 2 ** octave), batchSizes, samples, scheduleOf, optimizer: optimizerOf(width, method), seed: runSeed, executor, signal,
    onProgress: (fraction, batchSize) => progress(from + fraction * (to - from), `width ${width}, ${samples} images, batch size ${batchSize}`),
  })).losses;
  const sweeps: Sweep[] = [];
  const plans = Array.from({ length: widthSeeds }, (_, s) => widths.flatMap((width) => (['standard', 'mup'] as const).map((method) => ({ width, method, seed: 100 * seed + s })))).flat();
  for (const [i, plan] of plans.entries()) {
    const octaves = plan.method === 'mup' ? octavesFrom(-8, -2, 1) : octavesFrom(-13, -3, 1);
    // At the base width the two methods are one.
    const known = plan.method === 'mup' && plan.width === BASE ? sweeps.at(-1)! : undefined;
    const losses = known?.losses ?? (await gridOf(plan.width, plan.method, octaves, [SWEEP_BATCH], SWEEP_SAMPLES, plan.seed, [(0.3 * i) / plans.length, (0.3 * (i + 1)) / plans.length])).map(([loss]) => loss);
    sweeps.push({ ...plan, parameters: sizeOf(plan.width), octaves: known?.octaves ?? octaves, losses });
  }
  const plannedBowls = [...settings.bowls.map((bowl) => ({ ...bowl, width: BOWL_WIDTH })), ...settings.sizeBowls.map((width) => ({ width, ...settings.bowls.find(({ samples }) => samples === SWEEP_SAMPLES)! }))];
  const bowls: Bowl[] = [];
  for (const [i, { width, samples, batchSizes }] of plannedBowls.entries()) {
    const octaves = octavesFrom(-10, -3, rateStep);
    const share = (s: number): number => 0.3 + (0.7 * (i + s / bowlSeeds)) / plannedBowls.length;
    const all: (readonly (readonly number[])[])[] = [];
    for (let s = 0; s < bowlSeeds; s++) all.push(await gridOf(width, 'standard', octaves, batchSizes, samples, 100 * seed + 50 + s, [share(s), share(s + 1)]));
    bowls.push({ width, parameters: sizeOf(width), samples, octaves, batchSizes, losses: all[0].map((row, r) => row.map((_, b) => mean(all.map((losses) => losses[r][b])))) });
  }
  return { sweeps, bowls };
}

const columnOf = (losses: readonly (readonly number[])[], b: number): number[] => losses.map((row) => row[b]);
const optima = ({ octaves, batchSizes, losses }: Bowl) => batchSizes.map((batchSize, b) => ({ batchSize, ...lineOptimum(octaves, columnOf(losses, b)) }));
const lowest = (bowl: Bowl): number => Math.min(...bowl.losses.flat());
/** The largest batch size whose best run is within 5 % of the best of all. */
const edge = ({ octaves, batchSizes, losses }: Bowl): number => plateau(octaves, batchSizes, losses, { within: 1.05 }).y[1];
/** Cells within 20 % of the best; with the rate and batch size themselves instead of their logarithms as a control. */
const fit = ({ octaves, batchSizes, losses }: Bowl) => quadraticOptimum(octaves, batchSizes.map(Math.log2), losses, { within: 1.2 });
const fitUnscaled = ({ octaves, batchSizes, losses }: Bowl) => quadraticOptimum(octaves.map((octave) => 1000 * 2 ** octave), batchSizes, losses, { within: 1.2 });
const exponent = (x: readonly number[], octaves: readonly number[]): number => powerLawRegression([x], octaves.map((octave) => 2 ** octave)).exponents[0];
const coupling = (bowl: Bowl): number => exponent(bowl.batchSizes, optima(bowl).map(({ at }) => at));
const bestRates = ({ sweeps }: Result, method: Method): { readonly parameters: number[]; readonly octaves: number[] }[] => [...new Set(sweeps.map(({ seed }) => seed))].map((seed) => {
  const own = sweeps.filter((sweep) => sweep.method === method && sweep.seed === seed);
  return { parameters: own.map(({ parameters }) => parameters), octaves: own.map(({ octaves, losses }) => lineOptimum(octaves, losses).at) };
});
const sizeExponents = (result: Result, method: Method): Quantity => meanOver(bestRates(result, method).map(({ parameters, octaves }) => exponent(parameters, octaves)));
const largestStep = (result: Result, method: Method): Quantity => extremeOver('largest', bestRates(result, method).map(({ octaves }) => Math.max(...octaves.slice(1).map((octave, i) => octave - octaves[i]))));
/** Bowls of different data, and of different size on the same data. */
const dataBowls = ({ bowls }: Result): readonly Bowl[] => bowls.filter(({ width }) => width === BOWL_WIDTH);
const equalData = ({ bowls }: Result): readonly Bowl[] => bowls.filter(({ samples }) => samples === SWEEP_SAMPLES);
const ofData = (bowls: readonly Bowl[], octave: (bowl: Bowl) => number, against: (bowl: Bowl) => number = ({ samples }) => samples): Quantity => {
  const { exponents: [value], errors: [error] } = powerLawRegression([bowls.map(against)], bowls.map((bowl) => 2 ** octave(bowl)));
  return { value, error, kind: 'standard error', samples: bowls.length };
};
const at64 = (bowl: Bowl): number => optima(bowl).find(({ batchSize }) => batchSize === SWEEP_BATCH)!.at;
const excess = (bowl: Bowl, batchSizes: readonly number[]): number => Math.max(...optima(bowl).filter(({ batchSize }) => batchSizes.includes(batchSize)).map(({ loss }) => loss / lowest(bowl) - 1));
/** The same at the rate of the middle batch size for all. */
const excessAtOneRate = (bowl: Bowl): number => {
  const row = bowl.losses.reduce((best, losses) => (losses[bowl.batchSizes.indexOf(32)] < best[bowl.batchSizes.indexOf(32)] ? losses : best));
  return Math.max(...[16, 64].map((batchSize) => row[bowl.batchSizes.indexOf(batchSize)] / lowest(bowl) - 1));
};
const once = (value: number): Quantity => computed(value, 1e-6);
const smallest = (values: readonly number[]): Quantity => extremeOver('smallest', values);

const claims: readonly ClaimDefinition<Result>[] = [
  {
    id: 'best-rate-falls-with-size',
    text: 'At fixed data and batch size the best learning rate falls with the number of parameters $P$, as a power near $P^{-0.35}$.',
    deviation: 'The paper finds the exponent -0.713 in language models, with the batch size free. Sign and order of magnitude are compared.',
    checks: (result) => [
      { what: 'exponent of the best rate in $P$, mean over seeds', measured: sizeExponents(result, 'standard'), relation: 'within', threshold: [-0.8, -0.2] },
      { what: 'largest step of the best rate from one width to the next, octaves', measured: largestStep(result, 'standard'), relation: '<', threshold: 0 },
    ],
    controls: (result) => [
      { what: 'exponent in the maximal update parametrisation', measured: sizeExponents(result, 'mup'), relation: 'within', threshold: [-0.8, -0.2] },
      { what: 'largest step in the maximal update parametrisation, octaves', measured: largestStep(result, 'mup'), relation: '<', threshold: 0 },
    ],
  },
  {
    id: 'rate-transfers-in-mup', only: 'full',
    text: 'In the maximal update parametrisation (rates of matrices that read hidden units scaled by 1/width) the best rate stays where it is.',
    checks: (result) => [{ what: 'exponent of the best rate in $P$, mean over seeds', measured: sizeExponents(result, 'mup'), relation: 'within', threshold: [-0.15, 0.15] }],
    controls: (result) => [{ what: 'the same in the standard parametrisation', measured: sizeExponents(result, 'standard'), relation: 'within', threshold: [-0.15, 0.15] }],
  },
  {
    id: 'best-batch-grows-with-data', only: 'full',
    text: 'The best batch size grows with the number of images seen, as a power of about $D^{0.7}$; with model size, at equal data, it grows less.',
    checks: (result) => [
      { what: 'exponent of the largest batch size within 5 % of the best loss, in $D$', measured: ofData(dataBowls(result), (bowl) => Math.log2(edge(bowl))), relation: 'within', threshold: [0.5, 1.3] },
      { what: 'exponent of the bottom of the fitted bowl, in $D$', measured: ofData(dataBowls(result), (bowl) => fit(bowl).at[1]), relation: 'within', threshold: [0.3, 1.2] },
    ],
    controls: (result) => [{ what: 'exponent of the largest such batch size in $P$, at equal data', measured: ofData(equalData(result), (bowl) => Math.log2(edge(bowl)), ({ parameters }) => parameters), relation: 'within', threshold: [0.5, 1.3] }],
  },
  {
    id: 'loss-convex-in-log-rate',
    text: 'At every batch size the loss is convex in the logarithm of the rate near its lowest point, and that point lies inside the grid; far from it the loss is not convex.',
    checks: (result) => [
      { what: 'smallest second difference over octaves, losses up to 1.5 times the lowest', measured: smallest(result.bowls.flatMap(({ octaves, batchSizes, losses }) => batchSizes.map((_, b) => leastSecondDifference(columnOf(losses, b), { spacing: Math.round(1 / (octaves[1] - octaves[0])), within: 1.5 })))), relation: '>', threshold: 0 },
      { what: 'batch sizes whose best rate is at an end of the grid', measured: exact(result.bowls.flatMap(optima).filter(({ isAtEnd }) => isAtEnd).length), relation: '<=', threshold: 0 },
    ],
    controls: (result) => [{ what: 'smallest second difference of all losses, rates from $2^{-13}$', measured: smallest(result.sweeps.filter(({ method }) => method === 'standard').map(({ losses }) => leastSecondDifference(losses))), relation: '>', threshold: 0 }],
  },
  {
    id: 'bowl-in-logarithms', only: 'full',
    text: 'In $(\\log \\eta, \\log B)$ the losses within 20 % of the best form a bowl: a quadratic fits them, and its Hessian is positive definite.',
    checks: (result) => [
      { what: 'smaller eigenvalue of the fitted Hessian, nats per squared octave, smallest over bowls', measured: smallest(dataBowls(result).map((bowl) => fit(bowl).eigenvalues[0])), relation: '>', threshold: 0 },
      { what: '$R^2$ of the fit, smallest over bowls', measured: smallest(dataBowls(result).map((bowl) => fit(bowl).rSquared)), relation: '>', threshold: 0.5 },
    ],
    controls: (result) => [{ what: '$R^2$ of the same fit in $(\\eta, B)$ themselves', measured: smallest(dataBowls(result).map((bowl) => fitUnscaled(bowl).rSquared)), relation: '>', threshold: 0.5 }],
  },
  {
    id: 'flat-bottom', only: 'full',
    text: 'The bottom is flat: at $2^{14}$ images, batch sizes from 16 to 64 come within 2 % of the best loss, each at its own best rate.',
    deviation: 'A plateau of 1 % cannot be told from the noise of a loss on 4000 test images; hence 2 %.',
    checks: (result) => [{ what: 'largest excess of the loss over the best, batch sizes 16 to 64', measured: once(excess(equalData(result)[0], [16, 32, 64])), relation: '<=', threshold: 0.02 }],
    controls: (result) => [
      { what: 'the same at the best rate of batch size 32 for all', measured: once(excessAtOneRate(equalData(result)[0])), relation: '<=', threshold: 0.02 },
      { what: 'the same for batch sizes 128 to 512', measured: once(excess(equalData(result)[0], [128, 256, 512])), relation: '<=', threshold: 0.02 },
    ],
  },
  {
    id: 'rate-grows-with-batch',
    text: 'Rate and batch size are coupled: at fixed data the best rate grows with the batch size, about as its square root.',
    checks: (result) => dataBowls(result).map((bowl) => ({ what: `exponent of the best rate in the batch size, ${bowl.samples} images`, measured: once(coupling(bowl)), relation: 'within' as const, threshold: [0.3, 0.9] as const })),
    controls: (result) => [{ what: 'exponent of the best rate in the number of parameters', measured: sizeExponents(result, 'standard'), relation: 'within', threshold: [0.3, 0.9] }],
  },
  {
    id: 'rate-at-best-batch-steady', only: 'full',
    text: 'At the best batch size the best rate hardly depends on the data, though at a fixed batch size it falls.',
    deviation: 'The paper has the rate grow as $D^{0.307}$ at the best batch size; here it is constant within the error.',
    checks: (result) => [{ what: 'exponent in $D$ of the rate at the bottom of the fitted bowl', measured: ofData(dataBowls(result), (bowl) => fit(bowl).at[0]), relation: '>', threshold: -0.1 }],
    controls: (result) => [{ what: 'exponent in $D$ of the best rate at batch size 64', measured: ofData(dataBowls(result), at64), relation: '>', threshold: -0.1 }],
  },
];

/** A power through the middle of points, as a line over their range. */
function powerLine(name: string, x: readonly number[], y: readonly number[], power: number, style: Partial<PanelSeries>): PanelSeries {
  const centre = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)));
  const ends = [Math.min(...x), Math.max(...x)];
  return { name, x: ends, y: ends.map((end) => centre(y) * (end / centre(x)) ** power), ...style };
}

/** The least-squares power of points, and that of the paper. */
const powerLines = (x: readonly number[], y: readonly number[], ofPaper: number): PanelSeries[] => [
  powerLine('fitted power', x, y, powerLawRegression([x], y).exponents[0], { color: 0 }), powerLine('power of the paper', x, y, ofPaper, { dashed: true, color: 'muted' }),
];

function figure(result: Result): string {
  const bowl = equalData(result)[0] ?? result.bowls[0];
  const near = optima(bowl).map(({ at }) => bowl.octaves.reduce((best, octave, i) => (Math.abs(octave - at) < Math.abs(bowl.octaves[best] - at) ? i : best), 0));
  const rates = (method: Method): { x: number[]; y: number[] } => ({ x: bestRates(result, method).flatMap(({ parameters }) => parameters), y: bestRates(result, method).flatMap(({ octaves }) => octaves.map((octave) => 2 ** octave)) });
  const [standard, mup] = [rates('standard'), rates('mup')];
  const bowls = dataBowls(result);
  const size: SeriesPanel = {
    heading: 'Best rate against model size', x: { label: 'parameters', scale: 'log' }, y: { label: 'best learning rate', scale: 'log' },
    series: [{ name: 'standard parametrisation', ...standard, mark: 'dot', color: 0 }, { name: 'maximal update parametrisation', ...mup, mark: 'ring', color: 1 }, ...powerLines(standard.x, standard.y, stepLawExponents.parameters)],
  };
  const coupled: SeriesPanel = {
    heading: 'Best rate against batch size', x: { label: 'batch size', scale: 'log' }, y: { label: 'best learning rate', scale: 'log' },
    series: bowls.map((one, i) => ({ name: `${one.samples} images`, x: one.batchSizes, y: optima(one).map(({ at }) => 2 ** at), mark: 'both', color: { place: i / Math.max(1, bowls.length - 1) } })),
  };
  const [seen, best] = [bowls.map(({ samples }) => samples), bowls.length > 1 ? bowls.map((one) => 2 ** fit(one).at[1]) : []];
  const data: SeriesPanel = {
    heading: 'Best batch size against data', x: { label: 'images seen', scale: 'log' }, y: { label: 'batch size', scale: 'log' },
    series: [{ name: 'bottom of the fitted bowl', x: seen, y: best, mark: 'dot', color: 0 }, { name: 'largest within 5 % of the best', x: seen, y: bowls.map(edge), mark: 'cross', color: 2 }, ...(best.length > 0 ? powerLines(seen, best, stepLawExponents.batchTokens) : [])],
  };
  return panels([
    { heading: `Test loss, width ${bowl.width}, ${bowl.samples} images`, x: { label: 'batch size', values: bowl.batchSizes }, y: { label: 'log2 of the learning rate', values: bowl.octaves }, cells: bowl.losses, scale: 'log', framed: near.map((row, column) => [column, row] as const) },
    size, coupled, ...(bowls.length > 1 ? [data] : []),
  ], { title: 'The best learning rate falls with model size, the best batch size grows with data', subtitle: 'MLPs with Adam, one pass over MNIST images of 7 by 7 pixels. Framed: the best rate of each batch size.', height: 340, columns: bowls.length > 1 ? 2 : 3 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'step-law', topic: 'landscape',
  source: {
    title: 'Predictable Scale: Part I -- Optimal Hyperparameter Scaling Law in Large Language Model Pretraining', year: 2025, arxiv: '2503.04715',
    authors: ['Houyi Li', 'Wenzhen Zheng', 'Jingcheng Hu', 'Qiufeng Wang', 'Hanshan Zhang', 'Zili Wang', 'Shijie Xuyang', 'Yuantao Fan', 'Shuigeng Zhou', 'Xiangyu Zhang', 'Daxin Jiang'],
  },
  question: 'How should learning rate and batch size be chosen for a model of a given size on a given amount of data?',
  method: 'For each batch size $B$, networks with one start and one order of examples are trained with all learning rates $\\eta$ at once, and the loss on test images is taken after $D$ training images. The best rate at a batch size is the vertex of the parabola in $\\log_2 \\eta$ through the lowest loss and its neighbours. The bowl is a least-squares fit of the loss by $\\{1, a, b, a^2, ab, b^2\\}$, $a = \\log_2 \\eta$, $b = \\log_2 B$, to the cells within 20 % of the lowest loss; its Hessian says whether it is one, and where its gradient vanishes is the best setting. Exponents are slopes of logarithms. The paper\'s law is $\\eta = 1.79\\, N^{-0.713} D^{0.307}$ and $B = 0.58\\, D^{0.571}$ for $N$ parameters and $D$ tokens.',
  deviations: [
    'A stand-in: the paper trains 3700 language models; here a "token" is a MNIST image averaged to 7 by 7 pixels, and a model an MLP 49-h-h-10 with 1200 to 80 000 parameters, far outside of the range that the law was fitted on. Its form is tested, not its constants.',
    'The schedule ends at a tenth of the peak rate. The paper stresses a fixed small final rate: with an end in proportion to the peak the best peak moves down.',
    'The fit takes cells within 20 % of the best: within 5 % a grid of half octaves leaves too few of them.',
    'The lowest cell of a grid jumps by an octave of batch size from seed to seed; therefore the fitted bottom and the largest good batch size are used instead. A linear regression on random features was tried as a stand-in and rejected: its best rate does not depend on size as it should.',
  ],
  built: [
    { name: 'hyperparameterGrid', from: 'thalweg/train', what: 'runs over rates and batch sizes, a row in one program' },
    { name: 'quadraticOptimum', from: 'thalweg/analysis', what: 'the bottom of a sampled bowl' },
    { name: 'lineOptimum', from: 'thalweg/analysis', what: 'the best setting on a line' },
    { name: 'powerLawRegression', from: 'thalweg/analysis', what: 'exponents with errors' },
    { name: 'stepLaw', from: 'thalweg/analysis', what: 'the law itself' },
    { name: 'mupAdam', from: 'thalweg/optim', what: 'Adam in the maximal update parametrisation' },
  ],
  related: ['curvature/learning-rate-transfer'],
  presets: {
    quick: { trainImages: 2 ** 14, widths: [16, 64], widthSeeds: 1, bowls: [{ samples: 2 ** 12, batchSizes: [8, 32, 128] }], bowlSeeds: 1, rateStep: 1, sizeBowls: [] },
    full: {
      trainImages: 60000, widths: [16, 64, 256], widthSeeds: 3, bowlSeeds: 2, rateStep: 0.5, sizeBowls: [16],
      bowls: [{ samples: 2 ** 12, batchSizes: [4, 8, 16, 32, 64, 128, 256] }, { samples: 2 ** 14, batchSizes: [8, 16, 32, 64, 128, 256, 512] }, { samples: 2 ** 16, batchSizes: [16, 32, 64, 128, 256, 512] }],
    },
  },
  run, claims, figure,
});
