/** The models of the comparison: trained for a moment on MNIST, with directions and probes that all libraries share. @module */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { NDArray, sizeOf } from '../../src/core/ndarray.ts';
import { probeVector } from '../../src/curvature/estimator.ts';
import { mnist } from '../../src/data/mnist.node.ts';
import { makeSplit, subset, type Split } from '../../src/data/index.ts';
import { gaussianDirection } from '../../src/landscape/index.ts';
import { crossEntropy } from '../../src/losses/index.ts';
import { cnn, mlp, resnet, type AnyModel } from '../../src/nn/index.ts';
import { sgd } from '../../src/optim/index.ts';
import type { Point, Problem } from '../../src/problem/index.ts';
import { train } from '../../src/train/index.ts';
import { key, split, type Key } from '../../src/util/random/index.ts';
import { benchmarkNamed, toNamed } from '../hvp/cases.ts';
import { writeCase, type Case } from '../shared/manifest.ts';

/** Names of the measurements, in the order they are taken. */
export const TASKS = ['eigenpairs', 'density', 'trace', 'plane', 'ntk'] as const;
export type TaskName = (typeof TASKS)[number];
export type Settings = Readonly<Record<string, number>>;

/** A model with the effort of each measurement. */
export interface InstrumentCase {
  readonly description: string;
  readonly model: AnyModel;
  /** Steps of 100 examples before anything is measured. */
  readonly trainingSteps: number;
  readonly quickTrainingSteps: number;
  readonly learningRate: number;
  readonly rounds: number;
  readonly quickRounds: number;
  readonly settings: Readonly<Record<TaskName, Settings>>;
  readonly quick: Readonly<Record<TaskName, Settings>>;
}

const BATCH = 100;
const OUTPUTS = 10;
const TOLERANCE = 1e-3;

interface Effort { products: number; eigenpairs: number; density: readonly [steps: number, probes: number]; trace: number; plane: readonly [points: number, samples: number]; ntk: number }
const settingsOf = ({ products, eigenpairs, density: [steps, probes], trace, plane: [points, samples], ntk }: Effort): InstrumentCase['settings'] => ({
  eigenpairs: { samples: products, count: eigenpairs, tolerance: TOLERANCE, products: 1000 },
  density: { samples: products, steps, probes },
  trace: { samples: products, probes: trace },
  plane: { samples, points, radius: 1 },
  ntk: { samples: ntk, outputs: OUTPUTS },
});

/**
 * The efforts are those of the aims (top 10, 100 steps and 10 probes, 100 probes, 41 x 41 points on 10,000 samples, 500 images) where a run of
 * everything stays near half an hour on two cores: the convolutional nets have fewer points or probes, and ResNet-20 fewer of all.
 */
export const cases: Readonly<Record<string, InstrumentCase>> = {
  mlp: {
    description: 'mlp 784-128-64-10, tanh', model: mlp({ sizes: [784, 128, 64, OUTPUTS] }) as unknown as AnyModel, trainingSteps: 100, quickTrainingSteps: 20, learningRate: 0.1, rounds: 2, quickRounds: 1,
    settings: settingsOf({ products: 2000, eigenpairs: 10, density: [100, 10], trace: 100, plane: [41, 10_000], ntk: 500 }),
    quick: settingsOf({ products: 500, eigenpairs: 3, density: [20, 4], trace: 12, plane: [7, 1000], ntk: 50 }),
  },
  lenet: {
    description: 'LeNet-like cnn', model: cnn() as unknown as AnyModel, trainingSteps: 100, quickTrainingSteps: 20, learningRate: 0.05, rounds: 1, quickRounds: 1,
    settings: settingsOf({ products: 250, eigenpairs: 10, density: [100, 10], trace: 100, plane: [11, 10_000], ntk: 500 }),
    quick: settingsOf({ products: 64, eigenpairs: 3, density: [12, 4], trace: 8, plane: [5, 200], ntk: 20 }),
  },
  resnet20: {
    description: 'ResNet-20, width 16, batch norm in evaluation mode', model: resnet() as unknown as AnyModel, trainingSteps: 30, quickTrainingSteps: 2, learningRate: 0.05, rounds: 1, quickRounds: 0,
    settings: settingsOf({ products: 64, eigenpairs: 10, density: [50, 1], trace: 10, plane: [5, 1000], ntk: 100 }),
    quick: settingsOf({ products: 8, eigenpairs: 1, density: [6, 1], trace: 4, plane: [3, 16], ntk: 5 }),
  },
};

/** A small version of settings that compiles the same programs: samples stay, what repeats is cut. */
export function warmUpOf(task: TaskName, settings: Settings): Settings {
  const least: Readonly<Record<TaskName, Settings>> = {
    // Blocks of four vectors, and single ones, have a program each.
    eigenpairs: { products: 2, count: 1 }, density: { steps: 2, probes: Math.min(4, settings.probes) }, trace: { probes: Math.min(4, settings.probes) }, plane: { points: 3 }, ntk: {},
  };
  return { ...settings, ...least[task] };
}

export type AnyProblem = Problem<unknown, unknown>;
export type AnyPoint = Point<unknown, unknown>;

/** A problem over the samples. */
export const problemOf = (name: string, samples: Split): AnyProblem =>
  ({ name, model: cases[name].model, loss: (outputs, targets) => crossEntropy(outputs, targets), train: samples }) as AnyProblem;

const keyOf = (seed: number, name: string): Key => split(key(seed), 'instrument', name);
/** The key of the shared probes. */
export const probeKey = (seed: number): Key => split(key(seed), 'instrument probes');

/** Trains the model for its number of steps and draws two directions. */
async function makeCase(name: string, seed: number, samples: number, steps: number): Promise<Case> {
  const { learningRate } = cases[name];
  const all = (await mnist()).train;
  const start = cases[name].model.init(split(keyOf(seed, name), 'init')) as unknown as AnyPoint;
  const { params, state } = await train(problemOf(name, subset(all, steps * BATCH)), { optimizer: sgd({ momentum: 0.9 }) as never, schedule: learningRate, epochs: 1, batchSize: BATCH, seed, start });
  const { inputs, targets } = subset(all, samples);
  const direction = (axis: number): Case['vectors'][number] => Object.fromEntries(
    Object.entries(toNamed(gaussianDirection(params as never, split(keyOf(seed, name), 'direction', axis)))).map(([leaf, { data, shape }]) => [leaf, new NDArray(Float32Array.from(data), shape, 'float32')]));
  return {
    model: name, config: {}, parameters: toNamed(params), constants: toNamed(state),
    x: new NDArray(inputs.data, [samples, ...benchmarkNamed(name).inputShape], 'float32'), labels: targets, vectors: [0, 1].map(direction),
  };
}

/** Writes the data directory of a case: see bench/peers/README.md. */
export async function writeInstrumentCase(directory: string, name: string, { seed, settings, steps }: { readonly seed: number; readonly settings: Readonly<Partial<Record<TaskName, Settings>>>; readonly steps: number }): Promise<void> {
  const most = (field: string): number => Math.max(0, ...Object.values(settings).map((values) => values[field] ?? 0));
  const made = await makeCase(name, seed, most('samples'), steps);
  writeCase(directory, made);
  const size = Object.values(made.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  // One byte a sign, read row by row: probes take no memory that the measurements would not.
  writeFileSync(path.join(directory, 'probes.bin'), Buffer.concat(Array.from({ length: most('probes') }, (_, i) => Buffer.from(Int8Array.from(probeVector({ key: probeKey(seed) }, i, size)).buffer))));
}

/** The first samples of a case as a split. */
export function samplesOf({ x, labels }: Case, samples: number): Split {
  const width = x.size / x.shape[0];
  return makeSplit(new NDArray(x.data.subarray(0, samples * width), [samples, ...x.shape.slice(1)], 'float32'), new NDArray(labels.data.subarray(0, samples), [samples], 'int32'));
}
