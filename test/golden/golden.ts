/** Stored values of JAX: how they are read, and the form that most of them share. */
import { readdirSync, readFileSync } from 'node:fs';
import { array, type DType, type NDArray } from '../../src/core/ndarray.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { mul, sin, sum } from '../../src/ops/index.ts';
import { hvp, valueAndGrad } from '../../src/transforms/index.ts';

/** Named tensors, as the inputs and outputs of a golden. */
export type Tensors = Record<string, Tensor>;

/** One golden written with this library's operations. */
export interface GoldenCase {
  /** All outputs of the file from all its inputs. */
  readonly run: (inputs: Tensors) => Tensors;
  /** Outputs that are computed on the host from the others. */
  readonly finish?: (outputs: Record<string, NDArray>) => Record<string, NDArray>;
  /** Compare against the larger of this and the value instead of against the largest element of the output. */
  readonly absolute?: number;
  /** Float32 error allowed, relative to the output's largest element; default 2e-5. */
  readonly float32?: number;
  /** The operator that ONNX Runtime lacks in float64: there a LoweringError that names it is expected instead of values. */
  readonly lacksFloat64?: string;
}

export type GoldenCases = Readonly<Record<string, GoldenCase>>;

interface Entry {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype?: 'int32';
}

export interface GoldenFile {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, Entry>>;
  readonly outputs: Readonly<Record<string, Entry>>;
}

const folder = new URL('.', import.meta.url);

/** Names of all stored goldens. */
export const goldenNames = (): string[] => readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length)).sort();
export const readGolden = (name: string): GoldenFile => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as GoldenFile;

/** The golden's inputs as host arrays; floating-point ones in the dtype. */
export const hostInputs = (golden: GoldenFile, dtype: DType): Record<string, NDArray> =>
  Object.fromEntries(Object.entries(golden.inputs).map(([key, { data, shape, dtype: own }]) => [key, array(data, shape, own ?? dtype)]));

/** Value, gradient and one joint Hessian-vector product of `loss`, with respect to every K that has an input `v.K`. */
export function derivatives(inputs: Tensors, loss: (arguments_: Tensors) => Tensor): Tensors {
  const keys = Object.keys(inputs).filter((key) => `v.${key}` in inputs);
  const pick = (prefix: string): Tensors => Object.fromEntries(keys.map((key) => [key, inputs[prefix + key]]));
  const f = (moving: Tensors): Tensor => loss({ ...inputs, ...moving });
  const [value, gradient] = valueAndGrad(f)(pick(''));
  return { value, ...prefixed('grad', gradient), ...prefixed('hvp', hvp(f)(pick(''), pick('v.'))) };
}

export const prefixed = (prefix: string, values: Tensors): Tensors =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}.${key}`, value]));

/** A golden whose outputs are the derivatives of a loss. */
export const scalarCase = (loss: (inputs: Tensors) => Tensor, options: Omit<GoldenCase, 'run'> = {}): GoldenCase =>
  ({ run: (inputs) => derivatives(inputs, loss), ...options });

/** A golden of L = sum(c * sin(y)) with y among the outputs; `more` are further outputs. */
export const curvedCase = (y: (inputs: Tensors) => Tensor, more?: (inputs: Tensors) => Tensors, options: Omit<GoldenCase, 'run'> = {}): GoldenCase => ({
  run: (inputs) => ({ y: y(inputs), ...derivatives(inputs, (all) => sum(mul(inputs.c, sin(y(all))))), ...more?.(inputs) }),
  ...options,
});
