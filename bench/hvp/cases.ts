/** The benchmarked models and their random weights, data and vectors. @module */
import { NDArray } from '../../src/core/ndarray.ts';
import { cnn, mlp, resnet, transformer, type AnyModel } from '../../src/nn/index.ts';
import { leavesWithPaths, unflatten } from '../../src/tree/tree.ts';
import { ArgumentError, TreeError } from '../../src/util/errors.ts';
import { key, normal, randint, split, uniform, type Key } from '../../src/util/random/index.ts';
import type { Case, NamedArrays } from '../shared/manifest.ts';

export interface Benchmark {
  /** As printed. */
  readonly description: string;
  readonly model: AnyModel;
  readonly config: Readonly<Record<string, number>>;
  readonly batch: number;
  /** Batch of a quick run. */
  readonly quickBatch: number;
  /** Shape of one example, or the number of tokens. */
  readonly inputShape: readonly number[];
  /** Inputs are tokens below this, with a label each, rather than numbers with one label for all. */
  readonly vocabulary?: number;
  readonly classes: number;
  readonly rounds: number;
}

/** The sizes of peers/models.py, under its names. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  mlp: {
    description: 'mlp 784-256-256-10, tanh', model: mlp({ sizes: [784, 256, 256, 10] }) as unknown as AnyModel, config: {},
    batch: 1024, quickBatch: 128, inputShape: [784], classes: 10, rounds: 10,
  },
  lenet: {
    description: 'LeNet-like cnn on 28x28', model: cnn() as unknown as AnyModel, config: {},
    batch: 256, quickBatch: 32, inputShape: [1, 28, 28], classes: 10, rounds: 10,
  },
  resnet20: {
    description: 'ResNet-20, width 16, on 28x28, batch norm in evaluation mode', model: resnet() as unknown as AnyModel, config: {},
    batch: 128, quickBatch: 8, inputShape: [1, 28, 28], classes: 10, rounds: 5,
  },
  transformer: {
    description: 'transformer, width 128, 2 layers, 4 heads, 64 tokens', model: transformer({ vocabulary: 64, context: 64, width: 128, depth: 2, heads: 4 }) as unknown as AnyModel, config: { heads: 4 },
    batch: 16, quickBatch: 2, inputShape: [64], vocabulary: 64, classes: 64, rounds: 10,
  },
};

/** @throws ArgumentError when there is none of this name. */
export function benchmarkNamed(name: string): Benchmark {
  if (Object.hasOwn(benchmarks, name)) return benchmarks[name];
  throw new ArgumentError({ operation: 'bench hvp', required: `models must be among ${Object.keys(benchmarks).join(', ')}`, received: `'${name}'` });
}

/** A tree's arrays by path. */
export const toNamed = (tree: unknown): Record<string, NDArray> => Object.fromEntries(leavesWithPaths(tree) as [string, NDArray][]);

/** `like` with its leaves taken by path. @throws TreeError when paths differ. */
export function toTree(like: unknown, arrays: NamedArrays): unknown {
  const paths = leavesWithPaths(like).map(([path]) => path);
  const odd = [...paths.filter((path) => !Object.hasOwn(arrays, path)), ...Object.keys(arrays).filter((path) => !paths.includes(path))];
  if (odd.length > 0) throw new TreeError({ operation: 'toTree', required: 'arrays must have the names of the tree', received: `'${odd[0]}' on one side only` });
  return unflatten(like, paths.map((path) => arrays[path]));
}

const gaussian = (at: Key, shape: readonly number[], deviation = 1): NDArray => new NDArray(normal(at, shape, { deviation }), shape, 'float32');
const mapNamed = (arrays: NamedArrays, f: (array: NDArray, name: string) => NDArray): NamedArrays => Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, f(array, name)]));

export interface CaseOptions {
  readonly seed: number;
  readonly batch: number;
  /** Number of vectors. */
  readonly vectors: number;
}

/** Weights, data and vectors of a benchmark: a pure function of its name and the options. */
export function makeCase(name: string, { seed, batch, vectors }: CaseOptions): Case {
  const { model, config, inputShape, vocabulary, classes } = benchmarkNamed(name);
  const root = split(key(seed), name);
  const { params, state } = model.init(split(root, 'init'));
  const shift = split(root, 'shift');
  // Biases and scales start at exactly 0 and 1, which would hide errors in what multiplies them.
  const parameters = mapNamed(toNamed(params), (value, path) => {
    if (value.shape.length !== 1) return value;
    const noise = normal(split(shift, path), value.size, { deviation: 0.1 });
    return new NDArray(noise.map((shiftBy, i) => value.data[i] + shiftBy), value.shape, 'float32');
  });
  const constants = mapNamed(toNamed(state), (value, path) =>
    (path.endsWith('variance') ? new NDArray(uniform(split(shift, path), value.size, { low: 1, high: 2 }), value.shape, 'float32') : gaussian(split(shift, path), value.shape, 0.1)));
  const shape = [batch, ...inputShape];
  const integers = (at: string, of: readonly number[], high: number): NDArray => new NDArray(randint(split(root, at), of, { high }), of, 'int32');
  return {
    model: name, config, parameters, constants,
    x: vocabulary === undefined ? gaussian(split(root, 'x'), shape) : integers('x', shape, vocabulary),
    labels: integers('labels', vocabulary === undefined ? [batch] : shape, classes),
    vectors: Array.from({ length: vectors }, (_, i) => mapNamed(parameters, (value, path) => gaussian(split(root, 'vector', i, path), value.shape))),
  };
}
