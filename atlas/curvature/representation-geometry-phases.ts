/** Collapse, expansion and compression of representations while the loss of next-token prediction just falls. @module */
import { NDArray, type Tensor } from 'thalweg';
import { covarianceRank, phaseSplit, rankCorrelation, type PhaseSplit } from 'thalweg/analysis';
import { defineEntry, extremeOver, type Check, type EntryContext, type Quantity } from 'thalweg/atlas';
import { panels, type PanelBand, type PanelSeries, type SeriesPanel } from 'thalweg/charts';
import { zipfContexts } from 'thalweg/data';
import { crossEntropy, squaredError } from 'thalweg/losses';
import { matmul, mul, sum, transpose } from 'thalweg/ops';
import { key, normal, split } from 'thalweg/random';
import { descentPaths, type Descent } from 'thalweg/train';

/** One kind of run. */
interface Arm {
  readonly tokens: number;
  /** Length of a feature vector. */
  readonly width: number;
  /** Exponent of the frequencies. */
  readonly exponent: number;
  readonly unigramShare: number;
  readonly loss: 'cross-entropy' | 'squared error';
  readonly rate: number;
}

interface Settings { readonly steps: number; readonly seeds: number; readonly arms: Readonly<Record<string, Arm>> }

/** What one run passed through, at the recorded steps. */
interface Course {
  readonly rank: readonly number[];
  readonly decay: readonly number[];
  readonly loss: readonly number[];
  /** Frequency of the contexts whose own token is the likeliest. */
  readonly memorised: readonly number[];
  readonly phases: PhaseSplit & Readonly<Record<string, number>>;
}

interface Result { readonly steps: readonly number[]; readonly arms: Readonly<Record<string, readonly Course[]>> }

const base: Arm = { tokens: 64, width: 8, exponent: 1, unigramShare: 0.3, loss: 'cross-entropy', rate: 1 };
const asserted: Readonly<Record<string, Arm>> = {
  base, uniform: { ...base, exponent: 0 }, wide: { ...base, width: 64 }, squared: { ...base, loss: 'squared error', rate: 0.5 },
};
/** The same places for every length of run: 22 of 1 to 20,000, evenly on a logarithmic scale. */
const recordsUpTo = (last: number): number[] => [...new Set([0, ...Array.from({ length: 22 }, (_, i) => Math.round(20_000 ** (i / 21))).filter((step) => step < last), last])];

interface Parameters { readonly features: Tensor; readonly readout: Tensor }
interface Law { readonly frequencies: Tensor; readonly targets: Tensor }

const objective = (loss: typeof crossEntropy) => ({ features, readout }: Parameters, { frequencies, targets }: Law): Tensor =>
  sum(mul(frequencies, loss(matmul(features, transpose(readout)), targets)));

function descentOf({ tokens, width, exponent, unigramShare, rate }: Arm, seed: number): Descent<Parameters, Law> {
  const draw = (name: string): NDArray => new NDArray(normal(split(key(seed), name), [tokens, width], { deviation: 1 / Math.sqrt(width) }), [tokens, width], 'float32');
  const { frequencies, targets } = zipfContexts({ tokens, exponent, unigramShare });
  const data = { frequencies: new NDArray(Float32Array.from(frequencies), [tokens], 'float32'), targets: new NDArray(Float32Array.from(targets), [tokens, tokens], 'float32') };
  return { start: { features: draw('features'), readout: draw('readout') }, data, learningRate: rate };
}

function memorisedShare(features: NDArray, readout: NDArray, frequencies: Float64Array): number {
  const [tokens, width] = features.shape;
  return frequencies.reduce((total, q, i) => {
    const logits = Array.from({ length: tokens }, (_, c) => Array.from({ length: width }, (__, j) => features.data[i * width + j] * readout.data[c * width + j]).reduce((a, b) => a + b, 0));
    return logits.every((logit) => logit <= logits[i]) ? total + q : total;
  }, 0);
}

async function run({ settings: { steps: last, seeds, arms }, seed, executor, progress }: EntryContext<Settings>): Promise<Result> {
  const steps = recordsUpTo(last);
  const results: Record<string, Course[]> = {};
  // Runs of one loss and one shape share a program.
  const groups = new Map<string, string[]>();
  for (const [name, { loss, tokens, width }] of Object.entries(arms)) groups.set(`${loss} ${tokens} ${width}`, [...(groups.get(`${loss} ${tokens} ${width}`) ?? []), name]);
  let finished = 0;
  for (const names of groups.values()) {
    const descents = names.flatMap((name) => Array.from({ length: seeds }, (_, i) => descentOf(arms[name], 100 * seed + i)));
    const paths = await descentPaths(objective(arms[names[0]].loss === 'cross-entropy' ? crossEntropy : squaredError), descents, {
      steps, executor, stepsPerCall: 500, onProgress: (done) => progress((finished + done / last) / groups.size, names.join(', ')),
    });
    names.forEach((name, a) => {
      const { frequencies } = zipfContexts(arms[name]);
      results[name] = paths.slice(a * seeds, (a + 1) * seeds).map(({ params, losses }): Course => {
        const ranks = params.map(({ features }) => covarianceRank({ examples: arms[name].tokens, features: arms[name].width, values: Float64Array.from(features.data) }, frequencies));
        const rank = ranks.map(({ effectiveRank }) => effectiveRank);
        return {
          rank, decay: ranks.map(({ decay }) => decay), loss: losses, memorised: params.map(({ features, readout }) => memorisedShare(features, readout, frequencies)),
          phases: { ...phaseSplit(steps, rank) },
        };
      });
    });
    finished++;
  }
  return { steps, arms: results };
}

const over = (which: 'smallest' | 'largest', { arms }: Result, arm: string, of: (course: Course) => number): Quantity => extremeOver(which, arms[arm].map(of));
const titles: Readonly<Record<string, string>> = { base: 'base', uniform: 'equal frequencies', wide: 'no bottleneck', squared: 'squared error' };
const collapse = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: smallest effective rank at the start over its minimum`, measured: over('smallest', result, arm, ({ phases }) => phases.collapse), relation: '>=', threshold: 1.25 });
const expansion = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: smallest maximum of the effective rank over its minimum`, measured: over('smallest', result, arm, ({ phases }) => phases.expansion), relation: '>=', threshold: 1.5 });
const compression = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: smallest maximum of the effective rank over its end`, measured: over('smallest', result, arm, ({ phases }) => phases.compression), relation: '>=', threshold: 1.04 });
const noCollapse = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: largest effective rank at the start over its minimum`, measured: over('largest', result, arm, ({ phases }) => phases.collapse), relation: '<', threshold: 1.02 });
const noCompression = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: largest maximum of the effective rank over its end`, measured: over('largest', result, arm, ({ phases }) => phases.compression), relation: '<', threshold: 1.01 });
const noExpansion = (result: Result, arm: string): Check => ({ what: `${titles[arm]}: largest maximum of the effective rank over its minimum`, measured: over('largest', result, arm, ({ phases }) => phases.expansion), relation: '<', threshold: 1.3 });
const opposite = (what: string, result: Result, of: (course: Course) => readonly number[]): Check => ({ what: `largest rank correlation of the effective rank and ${what}`, measured: over('largest', result, 'base', (course) => rankCorrelation(course.rank, of(course))), relation: '<', threshold: -0.9 });
/** Largest rise from one record to the next. */
const largestRise = ({ loss }: Course): number => Math.max(...loss.slice(1).map((value, i) => value - loss[i]));

function figure({ steps, arms }: Result): string {
  const shown = steps.map((step) => Math.max(step, 0.5));
  const curves = (name: string, arm: string, of: (course: Course) => readonly number[], look: Partial<PanelSeries> = {}): PanelSeries[] => arms[arm].map((course) => ({ name, x: shown, y: of(course), ...look }));
  const { atMinimum, atMaximum } = arms.base[0].phases;
  const x = { label: 'step (the start at 0.5)', scale: 'log' } as const;
  const bands: PanelBand[] = [
    { from: 0.5, to: atMinimum, label: 'collapse' }, { from: atMinimum, to: atMaximum, label: 'expansion' }, { from: atMaximum, to: steps.at(-1)!, label: 'compression' },
  ];
  const rank = ({ rank: values }: Course): readonly number[] => values;
  const { base: [first] } = arms;
  const panel = (heading: string, label: string, series: readonly PanelSeries[], more: Partial<SeriesPanel> = {}): SeriesPanel => ({ heading, x, y: { label }, series, ...more });
  return panels([
    panel('Width 8 for 64 tokens', 'effective rank', [
      ...curves('cross-entropy, frequencies 1/i', 'base', rank, { color: 0 }), ...curves('equal frequencies', 'uniform', rank, { color: 1 }), ...curves('squared error', 'squared', rank, { color: 2 }),
    ], { bands }),
    panel('Width 64: no bottleneck', 'effective rank', curves('cross-entropy, frequencies 1/i', 'wide', rank, { color: 0 })),
    panel('Width 8: decay of the spectrum', 'exponent of the eigenvalues', curves('cross-entropy, frequencies 1/i', 'base', ({ decay }) => decay, { color: 0 }), { bands }),
    panel('Width 8: loss, and memorised contexts', 'nats; share', [
      ...curves('loss', 'base', ({ loss }) => loss, { color: 'muted' }), { name: 'memorised, share of occurrences', x: shown, y: first.memorised, color: 'muted', dashed: true },
    ], { bands }),
    ...('128 tokens' in arms ? [
      panel('Other shares of the unigram distribution', 'effective rank', ['no unigrams', 'fewer unigrams', 'more unigrams'].flatMap((name, i) => curves(name, name, rank, { color: { place: i / 2 } }))),
      panel('Width 8 for 128 tokens', 'effective rank', curves('cross-entropy, frequencies 1/i', '128 tokens', rank, { color: 0 })),
    ] : []),
  ], { title: 'Rank falls, rises and falls while the loss just falls', subtitle: 'Gradient descent on free features and readout; a line a seed.', height: 250 });
}

export const entry = defineEntry<Settings, Result>({
  id: 'representation-geometry-phases', topic: 'curvature',
  source: {
    title: 'Tracing the Representation Geometry of Language Models from Pretraining to Post-training', year: 2025, arxiv: '2509.23024',
    authors: ['Melody Zixuan Li', 'Kumar Krishna Agrawal', 'Arna Ghosh', 'Komal Kumar Teru', 'Adam Santoro', 'Guillaume Lajoie', 'Blake A. Richards'],
  },
  question: 'Do the representations of a next-token predictor pass through phases that the loss does not show, and what makes them?',
  method: 'Each of $V$ contexts occurs with a frequency $q_i \\propto i^{-z}$ and is followed by a token of its own with probability $1 - s$, else by a draw from $q$. Its feature vector $h_i \\in \\mathbb{R}^d$ is a free parameter, and so is the readout $W$: logits are $W h_i$, the loss is $\\sum_i q_i$ times the cross-entropy, and all is trained by plain gradient descent. The effective rank is the exponential of the entropy of the eigenvalues\' shares of $C = \\sum_i q_i (h_i - m)(h_i - m)^\\top$, between 1 and $d$; the decay is the exponent of a power law fitted to these eigenvalues. Both are measured at steps fixed in advance, and split at the minimum in the first three quarters of the record and the maximum after it. Three runs take one ingredient away each: equal frequencies ($z = 0$), no bottleneck ($d = V$), squared error.',
  deviations: [
    'The paper follows OLMo and Pythia language models up to 12 billion parameters and explains them by such a toy; only the toy is here, so nothing is shown of fine-tuning, preference optimisation or reinforcement learning.',
    'The covariance is weighted by the frequencies of the contexts, centred, and its eigenvalues are taken: unweighted, the rank hardly moves (7.4, 7.3, 7.8, 7.3), since the collapse is in the bulk of tokens and not of types.',
    'The third phase is a fall by 6 %, and needs the unigram share: with targets that are certain ($s = 0$) the rank rises to the end.',
    'With Adam the collapse is hidden (the rank stays within 2 %), because the speeds of rare and frequent tokens become equal; rates above 2 make frequent tokens oscillate and fake a collapse.',
  ],
  built: [
    { name: 'covarianceRank', from: 'thalweg/analysis', what: 'effective rank and decay of weighted features' }, { name: 'phaseSplit', from: 'thalweg/analysis', what: 'fall, rise and fall of a curve' },
    { name: 'zipfContexts', from: 'thalweg/data', what: 'frequencies and continuations' }, { name: 'descentPaths', from: 'thalweg/train', what: 'long descents of any objective, all runs in one program' },
  ],
  presets: {
    quick: { steps: 6000, seeds: 2, arms: asserted },
    full: {
      steps: 20_000, seeds: 3,
      arms: { ...asserted, 'no unigrams': { ...base, unigramShare: 0 }, 'fewer unigrams': { ...base, unigramShare: 0.2 }, 'more unigrams': { ...base, unigramShare: 0.5 }, '128 tokens': { ...base, tokens: 128 } },
    },
  },
  run,
  claims: [
    {
      id: 'three-phases', text: 'With cross-entropy, skewed frequencies and a bottleneck the effective rank falls, rises and falls again, while the loss decreases all the time.',
      checks: (result) => [
        collapse(result, 'base'), expansion(result, 'base'), compression(result, 'base'),
        { what: 'earliest minimum, step', measured: over('smallest', result, 'base', ({ phases }) => phases.atMinimum), relation: 'within', threshold: [3, 60] },
        { what: 'latest minimum, step', measured: over('largest', result, 'base', ({ phases }) => phases.atMinimum), relation: 'within', threshold: [3, 60] },
        { what: 'earliest maximum, step', measured: over('smallest', result, 'base', ({ phases }) => phases.atMaximum), relation: 'within', threshold: [200, 2500] },
        { what: 'latest maximum, step', measured: over('largest', result, 'base', ({ phases }) => phases.atMaximum), relation: 'within', threshold: [200, 2500] },
        { what: 'largest change of the loss from one record to the next', measured: over('largest', result, 'base', largestRise), relation: '<', threshold: 0 },
      ],
      controls: (result) => [collapse(result, 'uniform'), expansion(result, 'uniform'), compression(result, 'uniform'), compression(result, 'wide'), expansion(result, 'squared')],
    },
    {
      id: 'skew-is-needed', text: 'With equal frequencies ($z = 0$) there is neither collapse nor compression.',
      checks: (result) => [noCollapse(result, 'uniform'), noCompression(result, 'uniform')], controls: (result) => [noCollapse(result, 'base'), noCompression(result, 'base')],
    },
    {
      id: 'bottleneck-is-needed', text: 'Without a bottleneck ($d = V$) the rank collapses and expands, but is not compressed.',
      checks: (result) => [noCompression(result, 'wide'), collapse(result, 'wide'), expansion(result, 'wide')], controls: (result) => [noCompression(result, 'base')],
    },
    {
      id: 'cross-entropy-is-needed', text: 'With the squared error in its place there is no expansion that compares.',
      checks: (result) => [noExpansion(result, 'squared')], controls: (result) => [noExpansion(result, 'base')],
    },
    {
      id: 'decay-is-the-mirror', text: 'The exponent of the spectrum\'s decay moves opposite to the effective rank; the loss does not tell of either.',
      checks: (result) => [opposite('the decay', result, ({ decay }) => decay)], controls: (result) => [opposite('the loss', result, ({ loss }) => loss)],
    },
  ],
  figure,
});
