/** From arrays under names to a data set: which are inputs and targets, what kind they are, and whether they fit. @module */
import { isFloat, NDArray, sizeOf } from '../core/ndarray.ts';
import { divide, makeSplit, standardized, subset, type Dataset, type DatasetKind, type Split } from '../data/index.ts';
import { DataError } from '../util/errors.ts';
import type { NpyArray } from './npy.ts';

/** What is taken of a file and how. */
export interface DataArraysOptions {
  /** Names of the arrays; by default the usual ones: x, images, inputs, ...; y, labels, targets, ... */
  readonly x?: string;
  readonly y?: string;
  readonly testX?: string;
  readonly testY?: string;
  /** `classification` takes whole floating-point targets as labels, `regression` integers as numbers, `sequence` inputs as tokens. Default: by their types. */
  readonly kind?: DatasetKind;
  /** Share of the examples that is held out as a test set where the file has none; a stratified choice by the seed. Default 0. */
  readonly split?: number;
  /** So many training examples, a stratified choice by the seed. */
  readonly samples?: number;
  /** Of `split` and `samples`. Default 0. */
  readonly seed?: number;
  /** Inputs shifted and scaled to mean 0 and deviation 1 by the training examples. Default false. */
  readonly standardize?: boolean;
}

/** A data set and what was decided on the way, in sentences for the user. */
export interface DataArrays {
  readonly dataset: Dataset;
  readonly notices: readonly string[];
}

const NAMES = {
  x: ['x', 'x_train', 'train_x', 'images', 'inputs', 'input', 'input_ids', 'tokens', 'data', 'features', 'train_images', 'arr_0'],
  y: ['y', 'y_train', 'train_y', 'labels', 'label', 'targets', 'target', 'train_labels', 'arr_1'],
  testX: ['x_test', 'test_x', 'test_images', 'x_val', 'x_valid'],
  testY: ['y_test', 'test_y', 'test_labels', 'y_val', 'y_valid'],
} as const;
const FLAGS = { x: 'x', y: 'y', testX: 'test-x', testY: 'test-y' } as const;

const TOKEN_NAMES = /token|input_ids|^ids$/i;
/** More distinct values than this are no classes. */
const MOST_CLASSES = 100_000;
const IGNORED = -100;

type Refuse = (required: string, received: string, remedy?: string) => never;

/**
 * Makes a data set of named arrays. Images are [n, channels, height, width]; integer inputs of two axes are tokens; integer targets are
 * labels; tokens without targets predict the next one.
 * @throws DataError naming the array and the first offending index.
 */
export function datasetOfArrays(arrays: ReadonlyMap<string, NpyArray>, name: string, options: DataArraysOptions = {}): DataArrays {
  const refuse: Refuse = (required, received, remedy) => { throw new DataError({ operation: `data ${name}`, required, received, remedy }); };
  const notices: string[] = [];
  const found = (role: keyof typeof NAMES): string | undefined => arrayNamed(arrays, role, options[role], refuse);
  const xName = found('x') ?? refuse('there must be an array of inputs: x, images, inputs or data', [...arrays.keys()].join(', ') || 'no array', `name it: ${name}:x=NAME`);
  const isTokens = options.kind === 'sequence' || (options.kind === undefined && isTokenArray(xName, arrays.get(xName)!));
  const part = (x: string, y: string | undefined): Split => {
    const inputs = isTokens ? tokensOf(x, arrays.get(x)!, refuse) : numbersOf(x, arrays.get(x)!, refuse);
    if (y === undefined && !isTokens) return refuse('there must be an array of targets: y, labels or targets', [...arrays.keys()].join(', '), `name it: ${name}:y=NAME`);
    const targets = y === undefined ? shifted(inputs) : targetsOf(y, arrays.get(y)!, options.kind, notices, refuse);
    if (y === undefined) notices.push(`there is no array of targets: each token of '${x}' predicts the next`);
    if (inputs.shape[0] !== targets.shape[0]) refuse(`'${x}' and '${y}' must have as many examples`, `${inputs.shape[0]} and ${targets.shape[0]}`);
    return makeSplit(inputs, targets);
  };
  const whole = part(xName, found('y'));
  const testX = found('testX');
  const test = testX === undefined ? undefined : part(testX, found('testY'));
  if (test !== undefined && (test.targets.dtype !== whole.targets.dtype || sizeOf(test.inputs.shape.slice(1)) !== sizeOf(whole.inputs.shape.slice(1)))) {
    refuse('test examples must look like the training examples', `${whole.inputs} with ${whole.targets} and ${test.inputs} with ${test.targets}`);
  }
  return { dataset: finished(whole, test, name, isTokens, options, notices, refuse), notices };
}

function arrayNamed(arrays: ReadonlyMap<string, NDArray>, role: keyof typeof NAMES, asked: string | undefined, refuse: Refuse): string | undefined {
  if (asked !== undefined) return arrays.has(asked) ? asked : refuse(`the array ${FLAGS[role]}=${asked} must be in the file`, [...arrays.keys()].join(', ') || 'no array');
  const names = [...arrays.keys()];
  return NAMES[role].map((usual) => names.find((one) => one.toLowerCase() === usual)).find((one) => one !== undefined);
}

/** Bytes are pixels unless the name says that they are tokens. */
const isTokenArray = (name: string, { dtype, shape, descr }: NpyArray): boolean => dtype === 'int32' && shape.length === 2 && (TOKEN_NAMES.test(name) || !/[ui]1$/.test(descr ?? ''));

function requireExamples(name: string, { shape, size }: NDArray, refuse: Refuse): void {
  if (shape.length === 0) refuse(`'${name}' must have an axis of examples`, 'a single number');
  if (size === 0) refuse(`'${name}' must have examples`, `shape [${shape.join(',')}]`);
}

function tokensOf(name: string, value: NDArray, refuse: Refuse): NDArray {
  requireExamples(name, value, refuse);
  if (value.dtype !== 'int32' || value.shape.length !== 2) refuse(`tokens '${name}' must be integers [examples, positions]`, value.toString());
  const at = value.data.findIndex((token) => token < 0);
  if (at >= 0) refuse(`tokens '${name}' must not be negative`, `${value.data[at]} at ${place(at, value.shape)}`);
  return value;
}

function numbersOf(name: string, value: NDArray, refuse: Refuse): NDArray {
  requireExamples(name, value, refuse);
  if (value.shape.length === 1) return numbersOf(name, new NDArray(value.data, [value.shape[0], 1], value.dtype), refuse);
  const at = isFloat(value.dtype) ? value.data.findIndex((x) => !Number.isFinite(x)) : -1;
  if (at >= 0) refuse(`'${name}' must hold finite numbers`, `${value.data[at]} at ${place(at, value.shape)}`, 'leave the example out or fill the value in');
  return new NDArray(Float32Array.from(value.data), value.shape, 'float32');
}

const place = (at: number, shape: readonly number[]): string => {
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return `index [${index.join(', ')}]`;
};

function targetsOf(name: string, given: NpyArray, kind: DatasetKind | undefined, notices: string[], refuse: Refuse): NDArray {
  requireExamples(name, given, refuse);
  const value = given.shape.length === 2 && given.shape[1] === 1 ? new NDArray(given.data, [given.shape[0]], given.dtype) : given;
  const isWhole = value.data.every((x: number) => Number.isInteger(x));
  if (kind === 'regression' || (kind === undefined && isFloat(value.dtype) && !(isWhole && value.shape.length === 1 && new Set(value.data).size <= Math.min(MOST_CLASSES, value.size / 2)))) return numbersOf(name, given, refuse);
  if (!isWhole) {
    const at = value.data.findIndex((x) => !Number.isInteger(x));
    return refuse(`labels '${name}' must be whole numbers`, `${value.data[at]} at ${place(at, value.shape)}`, 'kind=regression, if they are measurements');
  }
  if (isFloat(value.dtype)) notices.push(`'${name}' holds whole floating-point numbers, which are taken as labels; kind=regression takes them as numbers`);
  const isSequence = value.shape.length > 1;
  const at = value.data.findIndex((x) => (x < 0 && !(isSequence && x === IGNORED)) || x >= MOST_CLASSES);
  if (at >= 0) refuse(`labels '${name}' must be from 0 to ${MOST_CLASSES - 1}${isSequence ? ', or -100 where none counts' : ''}`, `${value.data[at]} at ${place(at, value.shape)}`);
  return new NDArray(Int32Array.from(value.data), value.shape, 'int32');
}

/** What each position predicts: the token after it; the last none. */
function shifted({ data, shape }: NDArray): NDArray {
  const [examples, positions] = shape;
  const next = new Int32Array(data.length).fill(IGNORED);
  for (let n = 0; n < examples; n++) next.set(data.subarray(n * positions + 1, (n + 1) * positions), n * positions);
  return new NDArray(next, shape, 'int32');
}

const largest = (values: ArrayLike<number>): number => {
  let most = -1;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
};

function finished(whole: Split, test: Split | undefined, name: string, isTokens: boolean, { split = 0, samples, seed = 0, standardize = false, kind }: DataArraysOptions, notices: string[], refuse: Refuse): Dataset {
  let [train, held] = [whole, test];
  if (held === undefined) {
    const { chosen, rest } = divide(whole, Math.round(split * whole.size), seed);
    [train, held] = [rest, chosen];
    if (split > 0) notices.push(`${chosen.size} of ${whole.size} examples are held out as a test set (seed ${seed})`);
  }
  if (samples !== undefined) {
    if (samples > train.size) refuse(`samples must be at most the ${train.size} training examples`, String(samples));
    if (samples < train.size) notices.push(`${samples} of ${train.size} training examples are used (seed ${seed})`);
    train = subset(train, samples, seed);
  }
  const labels = train.targets.dtype === 'int32' ? [train, held].flatMap(({ targets }) => Array.from(new Set(targets.data))) : [];
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const vocabulary = isTokens ? [train, held].reduce((most, { inputs }) => Math.max(most, largest(inputs.data) + 1), classes) : undefined;
  const dataset: Dataset = {
    name, kind: isTokens ? 'sequence' : kind ?? (train.targets.dtype === 'int32' ? 'classification' : 'regression'), train, test: held,
    ...(classes > 0 && { classes: Array.from({ length: vocabulary ?? classes }, (_, label) => String(label)) }), ...(vocabulary !== undefined && { vocabulary }),
    inputShape: train.inputs.shape.slice(1), licence: 'as stated by their owner', source: name,
  };
  if (!standardize) return dataset;
  if (isTokens) return refuse('standardize must be for numbers', 'tokens');
  notices.push('inputs are shifted and scaled by mean and deviation of the training examples');
  return standardized(dataset);
}
