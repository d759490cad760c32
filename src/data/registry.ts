/** Datasets by name. @module */
import { ArgumentError } from '../util/errors.ts';
import { flag, fraction, nonNegative, nonNegativeInteger, parseOptions, positiveInteger, positiveIntegers, type OptionKinds } from '../util/options.ts';
import type { Dataset } from './dataset.ts';
import { gaussianClusters } from './gaussian-clusters.ts';
import type { GaussianClustersOptions } from './gaussian-clusters.ts';
import { iris } from './iris.ts';
import type { IrisOptions } from './iris.ts';
import { mixedEntropyBigram, type MixedEntropyBigramDataset, type MixedEntropyBigramOptions } from './mixed-entropy-bigram.ts';
import { modularArithmetic } from './modular-arithmetic.ts';
import type { ModularArithmeticOptions } from './modular-arithmetic.ts';
import { opposingOutliers, type OpposingOutliersDataset, type OpposingOutliersOptions } from './opposing-outliers.ts';
import { sparseParity } from './sparse-parity.ts';
import type { SparseParityDataset, SparseParityOptions } from './sparse-parity.ts';
import { spirals } from './spirals.ts';
import type { SpiralsOptions } from './spirals.ts';
import { teacherStudent } from './teacher-student.ts';
import type { TeacherStudentDataset, TeacherStudentOptions } from './teacher-student.ts';

/** A dataset that can be had by name; loading may read files, so it is asynchronous. */
export interface DatasetEntry {
  /** One line for lists. */
  readonly description: string;
  /** Options that can be written as text. */
  readonly options?: OptionKinds;
  load(options?: object): Promise<Dataset>;
}

/** Registries by dataset name. */
export type DatasetRegistry = Readonly<Record<string, DatasetEntry>>;

const synthetic = { seed: nonNegativeInteger, samples: positiveInteger, testSamples: nonNegativeInteger };

/** The datasets that need no file system. */
export const datasets = {
  iris: {
    description: '150 flowers of three species, 4 features', options: { seed: nonNegativeInteger, testSamples: nonNegativeInteger, standardize: flag },
    load: async (options?: IrisOptions): Promise<Dataset> => iris(options),
  },
  'gaussian-clusters': {
    description: 'normal clusters, one a class', options: { ...synthetic, classes: positiveInteger, dimension: positiveInteger, separation: nonNegative, radius: nonNegative, labelNoise: fraction },
    load: async (options?: GaussianClustersOptions): Promise<Dataset> => gaussianClusters(options),
  },
  spirals: {
    description: 'interleaved spirals in the plane', options: { ...synthetic, arms: positiveInteger, turns: nonNegative, noise: nonNegative },
    load: async (options?: SpiralsOptions): Promise<Dataset> => spirals(options),
  },
  'teacher-student': {
    description: 'regression on a random tanh network', options: { ...synthetic, dimension: positiveInteger, hidden: positiveIntegers, outputs: positiveInteger, noise: nonNegative },
    load: async (options?: TeacherStudentOptions): Promise<TeacherStudentDataset> => teacherStudent(options),
  },
  'opposing-outliers': {
    description: 'a linear signal, and two groups of outliers that cancel', options: { ...synthetic, dimension: positiveInteger, share: fraction, amplitude: nonNegative, bump: nonNegative, signalNorm: nonNegative },
    load: async (options?: OpposingOutliersOptions): Promise<OpposingOutliersDataset> => opposingOutliers(options),
  },
  'sparse-parity': {
    description: 'parity of a few of many bits', options: { ...synthetic, dimension: positiveInteger, order: positiveInteger },
    load: async (options?: SparseParityOptions): Promise<SparseParityDataset> => sparseParity(options),
  },
  'mixed-entropy-bigram': {
    description: 'pairs of tokens, half of them with one successor', options: { ...synthetic, tokens: positiveInteger, successors: positiveInteger },
    load: async (options?: MixedEntropyBigramOptions): Promise<MixedEntropyBigramDataset> => mixedEntropyBigram(options),
  },
  'modular-arithmetic': {
    description: 'a + b mod p, as sequences of tokens', options: { seed: nonNegativeInteger, modulus: positiveInteger, trainFraction: fraction, equalsToken: flag },
    load: async (options?: ModularArithmeticOptions): Promise<Dataset> => modularArithmetic(options),
  },
} as const satisfies DatasetRegistry;

/**
 * A function from texts such as `mnist` or `modular-arithmetic:modulus=59,trainFraction=0.4` to datasets.
 * It throws ArgumentError when there is none of that name or an option is wrong; what the dataset itself throws.
 */
export const datasetParser = (registry: DatasetRegistry) => async (text: string): Promise<Dataset> => {
  const [name] = text.split(':', 1);
  const { options = {}, load } = requireEntry('datasetNamed', registry, name);
  return await load(parseOptions(`dataset ${name}`, text.slice(name.length + 1), options));
};

function requireEntry(operation: string, registry: DatasetRegistry, name: string): DatasetEntry {
  if (Object.hasOwn(registry, name)) return registry[name];
  throw new ArgumentError({ operation, required: 'name must be that of a dataset', received: `'${name}'`, remedy: Object.keys(registry).join(', ') });
}

/** One of the portable datasets from a text, as `datasetParser`. */
export const datasetNamed = datasetParser(datasets);

/** A `loadDataset(name, options)` over a registry; options and result have the types of the entry. */
export function datasetLoader<R extends DatasetRegistry>(registry: R) {
  /** Loads a dataset by name. @throws ArgumentError when there is none of that name; what the dataset itself throws. */
  return async function loadDataset<N extends keyof R & string>(
    name: N, options?: Parameters<R[N]['load']>[0],
  ): Promise<Awaited<ReturnType<R[N]['load']>>> {
    requireEntry('loadDataset', registry, name);
    return await registry[name].load(options) as Awaited<ReturnType<R[N]['load']>>;
  };
}

/** Loads one of the portable datasets by name. */
export const loadDataset = datasetLoader(datasets);
