/** Students of random teachers have better features than their teachers, the more so the nearer to them they start. @module */
import { NDArray } from 'thalweg';
import { featureCollector, linearProbe, neighbourProbe, type FeatureSet } from 'thalweg/analysis';
import { defineEntry, extremeOver, meanOver, type Check, type EntryContext } from 'thalweg/atlas';
import { panels, type PanelSeries } from 'thalweg/charts';
import { pooledImages } from 'thalweg/data';
import { mnist } from 'thalweg/data/node';
import { variancePreservingMix } from 'thalweg/landscape';
import { crossEntropy } from 'thalweg/losses';
import { mlp, type MlpParameters } from 'thalweg/nn';
import { adam } from 'thalweg/optim';
import { distillation, type Point, type Problem } from 'thalweg/problem';
import { key, normal, split } from 'thalweg/random';
import { pointRecorder, trainEnsemble } from 'thalweg/train';

interface Settings {
  readonly images: number;
  readonly steps: number;
  /** Steps between two looks at the features. */
  readonly every: number;
  readonly batch: number;
  readonly teachers: number;
  /** Distances of the students' starts from the teacher; 0.2 and 1 among them. */
  readonly distances: readonly number[];
  /** Whether noise inputs and a teacher that is not sharpened are tried as well. */
  readonly contrasts: boolean;
}

/** Test accuracies of the two probes. */
interface Probed { readonly linear: number; readonly neighbours: number }
/** A student: its probes before training and after, the linear one along the way. */
interface Student { readonly before: Probed; readonly after: Probed; readonly course: readonly number[] }
interface Trial { readonly teacher: Probed; readonly students: readonly Student[]; readonly noise: Student | null; readonly equal: Student | null }
interface Result { readonly steps: readonly number[]; readonly distances: readonly number[]; readonly trials: readonly Trial[] }

type Place = Point<MlpParameters>;
const [SIDE, HIDDEN, EMBEDDING, OUTPUTS, TESTS, MAIN] = [14, 256, 32, 256, 1000, 0.2];
const model = mlp({ sizes: [SIDE * SIDE, HIDDEN, HIDDEN, EMBEDDING, OUTPUTS], activation: 'relu', initializer: 'he-normal' });

async function run({ settings: { images, steps, every, batch, teachers, distances, contrasts }, seed, executor, signal, progress }: EntryContext<Settings>): Promise<Result> {
  const data = pooledImages(await mnist(), { side: SIDE, train: images, test: TESTS });
  const problem: Problem<MlpParameters> = { name: 'images', model, loss: crossEntropy, train: data.train, test: data.test };
  const like = model.init(key(seed));
  // Features are what the last linear map reads: the embedding.
  const collectors = [data.train, data.test].map((one) => featureCollector(problem, like, { split: one, executor }));
  const features = (point: Place): Promise<FeatureSet[]> => Promise.all(collectors.map((collector) => collector.collect(point)));
  const linear = ([train, test]: FeatureSet[]): number => linearProbe(train, { test, ridge: 0.01, standardize: true }).testAccuracy!.value;
  const probed = async (point: Place): Promise<Probed> => {
    const found = await features(point);
    return { linear: linear(found), neighbours: neighbourProbe(found[0], found[1]).value };
  };
  const trials: Trial[] = [];
  for (let i = 0; i < teachers; i++) {
    const own = split(key(seed), 'trial', i);
    const [teacher, other] = ['teacher', 'other'].map((name) => model.init(split(own, name)));
    const inputs = new NDArray(normal(split(own, 'noise'), [images, SIDE * SIDE]), [images, SIDE * SIDE], 'float32');
    const learn = async (what: string, stage: number, from: readonly number[], options: { inputs?: NDArray; teacherTemperature: number }): Promise<Student[]> => {
      const at = (i + stage / 3) / teachers;
      await progress(at, `${what}, teacher ${i + 1} of ${teachers}`);
      const starts = from.map((distance) => variancePreservingMix<MlpParameters, Record<string, never>>(teacher, other, distance));
      const recorder = pointRecorder<MlpParameters, Record<string, never>>({ every });
      const distilled = await distillation(problem, teacher, { ...options, executor });
      const { replicas } = await trainEnsemble(distilled, { start: starts, schedule: 0.001, optimizer: adam(), batchSize: batch, steps, seed: 100 * seed + i, executor, signal, probes: [recorder] });
      const students: Student[] = [];
      for (const [r, start] of starts.entries()) {
        await progress(at, `probes of ${what}, teacher ${i + 1} of ${teachers}`);
        const [before, after] = [await probed(start), await probed(replicas[r])];
        const passed = recorder.points.filter((point, k) => k % starts.length === r && point.step > 0 && point.step < steps);
        const course: number[] = [];
        for (const point of passed) course.push(linear(await features(point)));
        students.push({ before, after, course: [before.linear, ...course, after.linear] });
      }
      return students;
    };
    const students = await learn('images', 0, distances, { teacherTemperature: 0.1 });
    const noise = contrasts ? (await learn('noise', 1, [MAIN], { teacherTemperature: 0.1, inputs }))[0] : null;
    const equal = contrasts ? (await learn('equal temperatures', 2, [MAIN], { teacherTemperature: 1 }))[0] : null;
    trials.push({ teacher: await probed(teacher), students, noise, equal });
  }
  await Promise.all(collectors.map((collector) => collector.dispose()));
  return { steps: Array.from({ length: Math.ceil(steps / every) }, (_, k) => k * every).concat(steps), distances, trials };
}

type Which = keyof Probed;
/** What a student's probe gained over the teacher's, by trial. */
const gains = ({ trials }: Result, which: Which, of: (trial: Trial) => Probed): number[] => trials.map((trial) => of(trial)[which] - trial.teacher[which]);
const at = ({ distances }: Result, distance: number, when: 'before' | 'after' = 'after') => ({ students }: Trial): Probed => students[distances.indexOf(distance)][when];
const differences = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => x - b[i]);

const beats = (who: string, result: Result, of: (trial: Trial) => Probed): Check[] => [
  { what: `${who}: smallest gain of the linear probe over the teacher's`, measured: extremeOver('smallest', gains(result, 'linear', of)), relation: '>', threshold: 0.05 },
  { what: `${who}: mean gain of the linear probe`, measured: meanOver(gains(result, 'linear', of)), relation: '>', threshold: 0.07 },
  { what: `${who}: mean gain of the nearest neighbours`, measured: meanOver(gains(result, 'neighbours', of)), relation: '>', threshold: 0.06 },
];
const nearness = (who: string, result: Result, when: 'before' | 'after'): Check => ({
  what: `${who}: mean gain of the linear probe at distance 0.2 less that at distance 1`, relation: '>', threshold: 0.03,
  measured: meanOver(differences(gains(result, 'linear', at(result, MAIN, when)), gains(result, 'linear', at(result, 1, when)))),
});
const asGoodAs = (distance: number, result: Result): Check => ({
  what: `mean gain of the linear probe at distance ${distance} less that at 0.2`, relation: 'within', threshold: [-0.03, 0.03],
  measured: meanOver(differences(gains(result, 'linear', at(result, distance)), gains(result, 'linear', at(result, MAIN)))),
});
const moreThan = (what: string, result: Result, of: (trial: Trial) => Probed): Check[] => (['linear', 'neighbours'] as const).map((which) => ({
  what: `mean gain on images less that ${what}, ${which === 'linear' ? 'linear probe' : 'nearest neighbours'}`, relation: '>', threshold: 0.01,
  measured: meanOver(differences(gains(result, which, at(result, MAIN)), gains(result, which, of))),
}));
const isLevel = (who: string, result: Result, of: (trial: Trial) => Probed): Check => ({
  what: `${who}: mean gain of the linear probe`, measured: meanOver(gains(result, 'linear', of)), relation: 'within', threshold: [-0.02, 0.02],
});

/** Gains at successive places, each a mean over teachers with its standard error. */
function meanSeries(name: string, x: readonly number[], gainsAt: (place: number) => readonly number[], look: Partial<PanelSeries>): PanelSeries {
  const all = x.map((_, place) => meanOver(gainsAt(place)));
  return { name, x, y: all.map(({ value }) => value), low: all.map(({ value, error }) => value - error), high: all.map(({ value, error }) => value + error), mark: 'both', ...look };
}

function figure(result: Result): string {
  const { steps, distances, trials } = result;
  const along = (name: string, color: 0 | 1 | 2 | 'muted', of: (trial: Trial) => Student): PanelSeries => meanSeries(name, steps, (k) => trials.map((trial) => of(trial).course[k] - trial.teacher.linear), { color });
  const after = (name: string, which: Which, place: number): PanelSeries => meanSeries(name, distances, (k) => gains(result, which, at(result, distances[k])), { color: { place }, dashed: true });
  const student = (distance: number) => ({ students }: Trial): Student => students[distances.indexOf(distance)];
  const level = [{ axis: 'y', at: 0, label: 'teacher' }] as const;
  return panels([
    {
      heading: 'Linear probe along the distillation', x: { label: 'step' }, y: { label: 'gain in test accuracy over the teacher' }, rules: level,
      series: [
        along('images, start at distance 0.2', 0, student(MAIN)), along('images, independent start', 1, student(1)),
        ...(trials[0].noise === null ? [] : [along('noise, start at distance 0.2', 2, ({ noise }) => noise!)]), ...(trials[0].equal === null ? [] : [along('equal temperatures', 'muted', ({ equal }) => equal!)]),
      ],
    },
    {
      heading: 'Both probes after it', x: { label: 'distance of the start from the teacher' }, y: { label: 'gain in test accuracy over the teacher' }, rules: level,
      series: [after('linear probe', 'linear', 0.1), after('nearest neighbours', 'neighbours', 0.8)],
    },
  ], { title: 'Students of random teachers surpass them', subtitle: `Mean over ${trials.length} teachers, with its standard error.` });
}

export const entry = defineEntry<Settings, Result>({
  id: 'random-teachers', topic: 'landscape',
  source: { title: 'Random Teachers are Good Teachers', authors: ['Felix Sarnthein', 'Gregor Bachmann', 'Sotiris Anagnostidis', 'Thomas Hofmann'], year: 2023, arxiv: '2302.12091' },
  question: 'Can a network learn useful features by imitating a teacher that knows nothing, being random itself?',
  method: 'A teacher with random weights $\\theta_T$ is frozen. A student with the same layers learns, without labels, to give the same distribution over 256 arbitrary outputs: it minimises the cross-entropy of $\\mathrm{softmax}(f_S(x))$ under $\\mathrm{softmax}(f_T(x)/\\tau)$. It starts at $\\theta_S = ((1-\\alpha)\\,\\theta_T + \\alpha\\,\\tilde\\theta)/\\sqrt{\\alpha^2 + (1-\\alpha)^2}$ with an independent draw $\\tilde\\theta$, so that $\\alpha$ is its distance from the teacher and the weights keep their variance. Then the heads are dropped, and the embeddings of 32 numbers compared: by a ridge regression to the labels on standardised embeddings, and by the five nearest neighbours in angle, both trained and tested on the same images for teacher and student.',
  deviations: [
    'The paper distils ResNet-18 and VGG-11 encoders on CIFAR-10, CIFAR-100, STL-10 and TinyImageNet, with a projection head of 2,048 units and 65,536 outputs; here it is a fully connected encoder on MNIST averaged to 14 by 14 pixels, with 256 outputs.',
    'The teacher is sharpened by a temperature of 0.1. With equal temperatures, as in the paper, the student hardly moves for starts near the teacher, and probes fall for independent starts; a bottleneck of unit norm, encoders of 4, 6 and 8 layers, and temperatures from 0.03 to 0.3 on both sides did not change that.',
    'The number of steps was fixed beforehand and is the same for all students; much longer training, or a rate of 0.003, loses part of the gain. With an embedding of 64 the random features are good already and the gain is smaller.',
    'Not found: that the student lies at the border of a linearly connected basin. Two supervised runs from the student had higher barriers (0.41, 0.46) than two from the teacher (0.19, 0.14). Sparse subnetworks and the transfer between data sets are not tried.',
    'Noise inputs weaken the effect here and do not destroy it, as they do in the paper for convolutional networks.',
  ],
  built: [
    { name: 'distillation', from: 'thalweg/problem', what: 'the problem of imitating a teacher' }, { name: 'variancePreservingMix', from: 'thalweg/landscape', what: 'starts at a distance from the teacher' },
    { name: 'linearProbe', from: 'thalweg/analysis', what: 'ridge regression on frozen features' }, { name: 'neighbourProbe', from: 'thalweg/analysis', what: 'nearest neighbours among frozen features' },
    { name: 'trainEnsemble', from: 'thalweg/train', what: 'all students of one teacher in one program' },
  ],
  presets: {
    quick: { images: 2000, steps: 100, every: 100, batch: 64, teachers: 4, distances: [MAIN, 1], contrasts: false },
    full: { images: 4000, steps: 400, every: 50, batch: 128, teachers: 12, distances: [0, 0.02, MAIN, 0.5, 1], contrasts: true },
  },
  run,
  claims: [
    {
      id: 'student-surpasses-teacher', text: 'The embedding of a student that starts near its random teacher is better than the teacher\'s, by both probes.',
      deviation: 'the teacher\'s distributions are sharpened by a temperature of 0.1; with equal temperatures this network gains nothing.',
      checks: (result) => beats('distance 0.2', result, at(result, MAIN)), controls: (result) => beats('distance 0.2, before training', result, at(result, MAIN, 'before')),
    },
    {
      id: 'nearness-helps', text: 'A student that starts near the teacher ($\\alpha = 0.2$) gains more than one that starts independently ($\\alpha = 1$).',
      deviation: 'with a sharpened teacher.',
      checks: (result) => [nearness('after distillation', result, 'after')], controls: (result) => [nearness('before distillation', result, 'before')],
    },
    {
      id: 'start-at-the-teacher', text: 'A start at the teacher itself ($\\alpha = 0$) is as good as one near it.', only: 'full',
      deviation: 'with a sharpened teacher; with equal temperatures a start at the teacher is a minimum already.',
      checks: (result) => [asGoodAs(0, result)], controls: (result) => [asGoodAs(1, result)],
    },
    {
      id: 'data-matter', text: 'Distillation on Gaussian noise in place of images gains less.', only: 'full',
      deviation: 'noise weakens the gain and does not destroy it, as it does in the paper: of a gain of 0.1 it takes about 0.02. Three teachers in a first trial had shown 0.05; the difference is compared with 0.01, since 0.02 lies within a standard error of what twelve show.',
      checks: (result) => moreThan('on noise', result, ({ noise }) => noise!.after), controls: (result) => moreThan('on images from a start at the teacher', result, at(result, 0)),
    },
    {
      id: 'sharpening-drives', text: 'With equal temperatures the student gains nearly nothing: it is the sharpened targets that move the features, and the gain is not one of fitting the probe again.', only: 'full',
      checks: (result) => [isLevel('equal temperatures', result, ({ equal }) => equal!.after)], controls: (result) => [isLevel('sharpened teacher', result, at(result, MAIN))],
    },
  ],
  figure,
});
