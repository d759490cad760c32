/** What is trained in the comparison: models, optimizers, and the data, weights and batches that all libraries share. @module */
import { NDArray } from '../../src/core/ndarray.ts';
import { batches, epochOrder, makeSplit, subset } from '../../src/data/index.ts';
import { mnist } from '../../src/data/mnist.node.ts';
import { crossEntropy } from '../../src/losses/index.ts';
import { cnn, mlp, type AnyModel } from '../../src/nn/index.ts';
import { adam, muon, sgd, type Optimizer } from '../../src/optim/index.ts';
import type { Point, Problem } from '../../src/problem/index.ts';
import { key, split } from '../../src/util/random/index.ts';
import { toNamed } from '../hvp/cases.ts';
import { writeArray, writeCase, type Case, type NamedArrays } from '../shared/manifest.ts';

export const OPTIMIZERS = ['sgd', 'adam', 'muon'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** Steps that Thalweg does in one call where they are small. It tells of them together, so counted steps begin and end between calls. */
export const STEPS_PER_CALL = 16;

/** The size of a run; warm-up and counted steps are multiples of `STEPS_PER_CALL`. */
export interface Effort {
  /** Training examples of MNIST. */
  readonly examples: number;
  readonly replicas: number;
  /** Steps of a replica before the counted ones. */
  readonly warmup: number;
  /** Counted steps of a replica. */
  readonly steps: number;
  /** Steps in one call of JAX's `scan`; divides both. */
  readonly chunk: number;
}

/** A model with the optimizers that train it. */
export interface TrainCase {
  readonly description: string;
  readonly model: AnyModel;
  /** In bench/peers/models.py. */
  readonly peerModel: string;
  readonly inputShape: readonly number[];
  readonly optimizers: readonly OptimizerName[];
  /** Learning rates other than those of `HYPER`, where rounding would show in the losses after a few steps of these. */
  readonly rates?: Readonly<Partial<Record<OptimizerName, number>>>;
  readonly rounds: number;
  readonly effort: Effort;
  readonly quick: Effort;
}

/** Examples of a step. */
export const BATCH = 128;
const MNIST_SIZE = 60_000;
const QUICK_SIZE = 2_000;

export const cases: Readonly<Record<string, TrainCase>> = {
  mlp: {
    description: 'mlp 784-128-64-10, tanh', model: mlp({ sizes: [784, 128, 64, 10] }) as unknown as AnyModel, peerModel: 'mlp', inputShape: [784], optimizers: OPTIMIZERS, rounds: 10,
    effort: { examples: MNIST_SIZE, replicas: 1, warmup: 64, steps: 512, chunk: 64 },
    quick: { examples: QUICK_SIZE, replicas: 1, warmup: 32, steps: 64, chunk: 16 },
  },
  lenet: {
    description: 'LeNet-like cnn', model: cnn() as unknown as AnyModel, peerModel: 'lenet', inputShape: [1, 28, 28], optimizers: ['sgd', 'adam'], rates: { sgd: 0.01 }, rounds: 7,
    effort: { examples: MNIST_SIZE, replicas: 1, warmup: 32, steps: 96, chunk: 32 },
    quick: { examples: QUICK_SIZE, replicas: 1, warmup: 16, steps: 16, chunk: 16 },
  },
  ensemble: {
    description: 'replicas of mlp 784-32-10, tanh, differing in their seeds', model: mlp({ sizes: [784, 32, 10] }) as unknown as AnyModel, peerModel: 'mlp', inputShape: [784], optimizers: ['sgd'], rounds: 7,
    effort: { examples: MNIST_SIZE, replicas: 64, warmup: 32, steps: 64, chunk: 32 },
    quick: { examples: QUICK_SIZE, replicas: 8, warmup: 16, steps: 16, chunk: 16 },
  },
};

/** Hyper-parameters, as the peers are told them; `othersRate`: of what Muon leaves to AdamW. No rule decays weights. */
export const HYPER: Readonly<Record<OptimizerName, Readonly<Record<string, number>>>> = {
  sgd: { rate: 0.05, momentum: 0.9 },
  adam: { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  muon: { rate: 0.02, momentum: 0.95, othersRate: 0.001 },
};

/** What a request says about a run. */
export type Settings = Readonly<Record<'batch' | 'seed' | keyof Effort, number>> & Readonly<Record<string, number>>;

export function settingsOf(name: string, optimizer: OptimizerName, effort: Effort, seed: number): Settings {
  const rate = cases[name].rates?.[optimizer];
  return { batch: BATCH, seed, ...effort, ...HYPER[optimizer], ...(rate !== undefined && { rate }) };
}

/** The optimizer of a run. */
export function optimizerOf(name: OptimizerName, { rate, momentum, beta1, beta2, epsilon, othersRate }: Settings): Optimizer {
  switch (name) {
    case 'sgd': return sgd({ momentum }) as Optimizer;
    case 'adam': return adam({ beta1, beta2, epsilon }) as Optimizer;
    case 'muon': return muon({ momentum, othersRate: othersRate / rate }) as Optimizer;
  }
}

/** The problem of a case. */
export const problemOf = (name: string, { x, labels }: Pick<Case, 'x' | 'labels'>): Problem<unknown, unknown> =>
  ({ name, model: cases[name].model, loss: (outputs, targets) => crossEntropy(outputs, targets), train: makeSplit(x, labels) }) as Problem<unknown, unknown>;

/** Where `train` starts from a seed. */
const startOf = (name: string, seed: number): Point<unknown, unknown> => cases[name].model.init(split(key(seed), 'init')) as unknown as Point<unknown, unknown>;

/** The examples of each step that `train` draws from a seed, [steps, BATCH]. */
export function orderOf(seed: number, examples: number, steps: number): Int32Array {
  const order = new Int32Array(steps * BATCH);
  const perEpoch = Math.floor(examples / BATCH);
  for (let epoch = 0; epoch * perEpoch < steps; epoch++) {
    const drawn = batches(epochOrder(split(key(seed), 'order'), examples, epoch), { batchSize: BATCH, remainder: 'drop' });
    drawn.slice(0, steps - epoch * perEpoch).forEach((batch, i) => order.set(batch, (epoch * perEpoch + i) * BATCH));
  }
  return order;
}

/** Arrays of replicas along a new first axis. */
function stackNamed(all: readonly NamedArrays[]): NamedArrays {
  return Object.fromEntries(Object.entries(all[0]).map(([name, { shape, size }]) => {
    const data = new Float32Array(all.length * size);
    all.forEach((arrays, r) => data.set(arrays[name].data, r * size));
    return [name, new NDArray(data, [all.length, ...shape], 'float32')];
  }));
}

/** Writes the data directory of a case (see bench/peers/README.md): replica r has the seed `seed + r`, and several are stacked. */
export async function writeTrainCase(directory: string, name: string, { seed, effort: { examples, replicas, warmup, steps } }: { readonly seed: number; readonly effort: Effort }): Promise<void> {
  const { peerModel, inputShape } = cases[name];
  const { inputs, targets } = subset((await mnist()).train, examples);
  const seeds = Array.from({ length: replicas }, (_, r) => seed + r);
  const parameters = seeds.map((each) => toNamed(startOf(name, each).params));
  writeCase(directory, {
    model: peerModel, config: {}, parameters: replicas === 1 ? parameters[0] : stackNamed(parameters), constants: {},
    x: new NDArray(inputs.data, [examples, ...inputShape], 'float32'), labels: targets, vectors: [],
  });
  const orders = seeds.map((each) => orderOf(each, examples, warmup + steps));
  const all = new Int32Array(replicas * (warmup + steps) * BATCH);
  orders.forEach((order, r) => all.set(order, r * order.length));
  writeArray(directory, ORDER_FILE, new NDArray(all, [replicas, warmup + steps, BATCH], 'int32'));
}

/** Batches of all replicas, int32 [replicas, steps, batch]. */
const ORDER_FILE = 'order.bin';
