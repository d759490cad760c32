/** The samples of all primitives as functions and values, for the suites over them. */
import { Graph } from '../src/core/graph.ts';
import { allocate, isFloat, NDArray, sizeOf, toDtype, type DType } from '../src/core/ndarray.ts';
import { bind, placeholder, type Primitive, type Sample, type SampleInput, type Tensor } from '../src/core/tensor.ts';
import { primitives } from '../src/prims/registry.ts';
import { key, permutation, split, uniform, type Key } from '../src/util/random/index.ts';

/** One application of a primitive. */
export interface Case {
  /** `dot #3`. */
  readonly title: string;
  readonly primitive: Primitive;
  readonly sample: Sample<unknown>;
  /** The primitive as a function of its inputs. */
  readonly f: (...inputs: Tensor[]) => readonly Tensor[];
  /** Values of the inputs, in the sample's domains; other seeds give other values. */
  readonly values: (seed?: number) => NDArray[];
  /** A batch of two values of each flagged input, along axis 0. */
  readonly batches: (flags: readonly boolean[]) => NDArray[];
}

export const cases: readonly Case[] = primitives.flatMap((primitive) => primitive.samples().map((sample, i): Case => ({
  title: `${primitive.name} #${i}`, primitive, sample: sample as Sample<unknown>,
  f: (...inputs) => bind(primitive, sample.params as unknown, inputs),
  values: (seed = 0) => sampleValues(sample, split(key(seed), primitive.name, i)),
  batches: (flags) => sampleValues(sample, split(key(0), primitive.name, i)).map((value, k) =>
    (flags[k] ? pair(value, second(sample.inputs[k], sampleValues(sample, split(key(1), primitive.name, i))[k])) : value)),
})));

/** Elementwise operations: no parameters, all inputs and outputs of one shape. */
export const isElementwise = ({ sample, primitive }: Case): boolean => Object.keys(sample.params as object).length === 0
  && sample.inputs.length > 0 && primitive.shape(sample.params, sample.inputs).every((type) => String(type.shape) === String(sample.inputs[0].shape));

/** All ways to choose some of n, the empty one excepted. */
export const subsets = (n: number): boolean[][] => Array.from({ length: 2 ** n - 1 }, (_, k) => Array.from({ length: n }, (_, i) => ((k + 1) >> i & 1) === 1));

function sampleValues({ inputs }: Sample<unknown>, key: Key): NDArray[] {
  return inputs.map((input, i) => inputValues(input, i, split(key, i)));
}

function inputValues({ shape, dtype, domain, distinct, values }: SampleInput, position: number, key: Key): NDArray {
  const n = sizeOf(shape);
  const data = allocate(dtype, n);
  const [low, high] = domain ?? [-2, 2];
  const draws = uniform(split(key, 'values'), n, { dtype: 'float64' });
  const places = permutation(split(key, 'places'), n);
  for (let i = 0; i < n; i++) {
    if (values !== undefined) data[i] = values[i];
    else if (dtype === 'bool') data[i] = Number(draws[i] < 0.5);
    else if (dtype === 'int32') data[i] = Math.floor(low + (high - low + 1) * draws[i]);
    // A shuffled grid off the integers and halves; another offset for each input, so that inputs do not tie either.
    else if (distinct === true) data[i] = low + (high - low) * (places[i] + 0.37 + 0.21 * position + 0.05 * draws[i]) / n;
    else data[i] = low + (high - low) * draws[i];
  }
  return new NDArray(data, shape, dtype);
}

/** Fixed values for the second element of a batch: the points of indices in reverse order, the other branch. */
function second({ values, dtype, shape }: SampleInput, drawn: NDArray): NDArray {
  if (values === undefined) return drawn;
  if (dtype === 'bool') return new NDArray(Uint8Array.from(values, (v) => 1 - v), shape, dtype);
  const depth = shape[shape.length - 1];
  const rows = Array.from({ length: values.length / depth }, (_, i) => values.slice(i * depth, (i + 1) * depth));
  return new NDArray(Int32Array.from(rows.reverse().flat()), shape, 'int32');
}

function pair(a: NDArray, b: NDArray): NDArray {
  const data = allocate(a.dtype, 2 * a.size);
  data.set(a.data);
  data.set(b.data, a.size);
  return new NDArray(data, [2, ...a.shape], a.dtype);
}

/** Values with their floating-point parts of another type. */
export const withFloat = (values: readonly NDArray[], dtype: DType): NDArray[] => values.map((value) => (isFloat(value.dtype) ? toDtype(value, dtype) : value));

/** The case with float32 in place of float64 throughout: parameters, constants and nested graphs. */
export const inFloat32 = ({ primitive, sample }: Case): ((...inputs: Tensor[]) => readonly Tensor[]) => {
  const params = retype(sample.params);
  return (...inputs) => bind(primitive, params, inputs);
};

function retype(value: unknown): unknown {
  if (value === 'float64') return 'float32';
  if (value instanceof NDArray) return isFloat(value.dtype) ? toDtype(value, 'float32') : value;
  if (value instanceof Graph) return retypeGraph(value);
  if (Array.isArray(value)) return value.map(retype);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, retype(item)]));
  return value;
}

/** The graph with float32 in place of float64. */
export function retypeGraph(graph: Graph): Graph {
  const map = new Map<Tensor, Tensor>();
  const inputs = graph.inputs.map((input) => {
    const made = placeholder({ shape: input.shape, dtype: input.dtype === 'float64' ? 'float32' : input.dtype }, input.label);
    map.set(input, made);
    return made;
  });
  for (const node of graph.nodes) {
    const made = bind(node.primitive, retype(node.params), node.inputs.map((input) => map.get(input)!));
    node.outputs.forEach((output, i) => map.set(output, made[i]));
  }
  return new Graph(inputs, graph.outputs.map((output) => map.get(output)!));
}
