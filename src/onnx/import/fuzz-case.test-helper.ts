/** One damaged file through the importer: a result or one of our errors, and how long it took. */
import { trace } from '../../core/graph.ts';
import { sizeOf } from '../../core/ndarray.ts';
import { importOnnx, type ImportedModel } from '../../interop/onnx-model.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ThalwegError } from '../../util/errors.ts';
import { mutated } from './mutations.test-helper.ts';
import { parseOnnx } from './parse.ts';

/** What became of a case; a finding is what must not happen. */
export interface FuzzResult {
  readonly label: string;
  readonly outcome: 'traced' | 'read' | 'refused';
  /** The message of a refusal, or what went wrong. */
  readonly message: string;
  readonly isFinding: boolean;
  readonly milliseconds: number;
}

/** Larger data would measure the machine and not the importer. */
const LARGEST_INPUT = 1 << 16;

/** Traces the model on data of its declared shape, open extents 2. Returns false where the data would be large. */
function traceModel({ model, input }: ImportedModel): boolean {
  const shape = (input.shape ?? [2, 2]).map((extent) => (typeof extent === 'number' ? extent : 2));
  if (sizeOf(shape) > LARGEST_INPUT || shape.length === 0) return false;
  const { params, state } = model.init(0 as never) as { params: Record<string, { shape: number[]; dtype: 'float32' }>; state: Record<string, { shape: number[]; dtype: 'float32' }> };
  const arrays = [...Object.entries(params), ...Object.entries(state)];
  const count = Object.keys(params).length;
  const dtype = input.type === 'bool' ? 'bool' : input.type?.includes('int') === true ? 'int32' : 'float32';
  trace([...arrays.map(([, { shape: own, dtype: type }]) => ({ shape: own, dtype: type })), { shape, dtype }], (...tensors: Tensor[]) => {
    const named = (from: number, to: number): Record<string, Tensor> => Object.fromEntries(arrays.slice(from, to).map(([name], i) => [name, tensors[from + i]]));
    const { outputs } = model.apply(named(0, count), tensors[arrays.length], { mode: 'eval', state: named(count, arrays.length) } as never) as { outputs: Tensor };
    return [outputs];
  });
  return true;
}

/** Errors are ours as far down as they have causes: a node's error may wrap one that nobody meant to throw. */
function foreign(error: unknown): Error | undefined {
  for (let at = error; at !== undefined; at = (at as Error).cause) if (!(at instanceof ThalwegError)) return at as Error;
  return undefined;
}

/** The first input is the data; the others, known beforehand, are `fill` everywhere: as shapes, limits and repeats they ask for much. */
function importFilled(bytes: Uint8Array, fill: number): ImportedModel {
  const [data, ...others] = parseOnnx(bytes).graph.inputs;
  return importOnnx(bytes, others.length === 0 ? {} : { input: data.name, values: Object.fromEntries(others.map(({ name }) => [name, fill])) });
}

/** Parses, describes and traces a file. */
export function importCase(bytes: Uint8Array, label: string, fill = 1): FuzzResult {
  const started = performance.now();
  const end = (outcome: FuzzResult['outcome'], message: string, isFinding: boolean): FuzzResult => ({ label, outcome, message, isFinding, milliseconds: performance.now() - started });
  try {
    return end(traceModel(importFilled(bytes, fill)) ? 'traced' : 'read', '', false);
  } catch (error) {
    const cause = foreign(error);
    return end('refused', cause === undefined ? (error as Error).message : (cause.stack ?? String(cause)), cause !== undefined);
  }
}

/** What inputs known beforehand are given. */
const FILLS = [0, 1, 2, 3, -1, 1000, 65536, 2 ** 31 - 1];

/** The case of a seed: the file damaged as the seed says. */
export function fuzzCase(original: Uint8Array, seed: number): FuzzResult {
  const { bytes, label } = mutated(original, seed);
  return importCase(bytes, label, FILLS[seed % FILLS.length]);
}
