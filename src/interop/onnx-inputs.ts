/** Which input of an imported model is the data, which value its output, and what the other inputs are given. @module */
import { filled, NDArray, sizeOf, toDtype, type DType } from '../core/ndarray.ts';
import type { Shape } from '../core/ndarray.ts';
import { INTEGER_RANGE, isFloatType, type DeclaredValue, type ImportedNode, type ImportedProgram, type OnnxType } from '../onnx/import/index.ts';
import { ArgumentError, DataError } from '../util/errors.ts';

/** `float[batch,3,?]`: a declared input or output in messages. */
export const describeDeclared = ({ name, type, shape }: DeclaredValue): string =>
  `'${name}' ${type ?? 'of any type'}${shape === undefined ? '' : `[${shape.map((n) => n ?? '?').join(',')}]`}`;

/** The input that takes the data: the named one, or the only one. @throws ArgumentError that lists the inputs otherwise. */
export function dataInput({ graph: { inputs } }: ImportedProgram, name: string | undefined, values: ReadonlySet<string>): DeclaredValue {
  const open = inputs.filter((input) => !values.has(input.name));
  const list = inputs.map(describeDeclared).join(', ');
  if (name !== undefined) {
    const found = inputs.find((input) => input.name === name);
    if (found === undefined) throw new ArgumentError({ operation: 'importOnnx', required: 'option input must name an input of the model', received: `'${name}'; it has ${list || 'none'}` });
    return found;
  }
  if (open.length !== 1) {
    throw new ArgumentError({ operation: 'importOnnx', required: 'one input must be the data', received: open.length === 0 ? 'a model without such an input' : list, remedy: open.length > 1 ? 'name it by option input, and give the others numbers or arrays by option values' : undefined });
  }
  return open[0];
}

/** `fed` are the inputs that take data, and targets. @throws ArgumentError when an input that is neither fed nor given has no value. */
export function requireValues({ graph: { inputs } }: ImportedProgram, fed: readonly DeclaredValue[], values: Readonly<Record<string, number | NDArray>>): void {
  const names = new Set(inputs.map(({ name }) => name));
  const own = new Set(fed.map(({ name }) => name));
  const unknown = Object.keys(values).find((name) => !names.has(name) || own.has(name));
  if (unknown !== undefined) throw new ArgumentError({ operation: 'importOnnx', required: `option values must name inputs other than ${fed.length === 1 ? 'the data ' : ''}${fed.map(({ name }) => `'${name}'`).join(' and ')}`, received: `'${unknown}'` });
  const missing = inputs.filter((input) => !own.has(input.name) && !Object.hasOwn(values, input.name));
  if (missing.length > 0) throw new ArgumentError({ operation: 'importOnnx', required: 'every input but the data needs a value', received: `none for ${missing.map(describeDeclared).join(', ')}`, remedy: "option values, e.g. { values: { mask: 1 } }: a number for all elements, or an array" });
}

/** The output that is looked at, and the activation that was left off to get it. */
export interface ChosenOutput {
  readonly name: string;
  /** The loss that belongs to the activation left off. */
  readonly loss?: 'cross-entropy' | 'binary-cross-entropy';
  readonly notice?: string;
}

/** Activations that losses contain already. */
const FINAL = { Softmax: 'cross-entropy', LogSoftmax: 'cross-entropy', Sigmoid: 'binary-cross-entropy' } as const;

/**
 * The named value, which may be any of the main graph; or the first floating-point output, without a final Softmax, LogSoftmax or Sigmoid,
 * since losses take logits. The probabilities that scikit-learn's classifiers give as a list by class, or as a pair of two, count too.
 * @throws ArgumentError when nothing has the name, or no output is floating-point.
 */
export function chosenOutput({ graph }: ImportedProgram, name: string | undefined): ChosenOutput {
  if (name !== undefined) {
    const isMade = graph.nodes.some(({ outputs }) => outputs.includes(name)) || graph.outputs.some((output) => output.name === name);
    if (!isMade || name === '') throw new ArgumentError({ operation: 'importOnnx', required: 'option output must name a value that a node of the main graph makes', received: `'${name}'; its outputs are ${graph.outputs.map(describeDeclared).join(', ')}` });
    return { name };
  }
  const makerOf = (value: string): ImportedNode | undefined => {
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(value));
    return maker?.operator === 'Identity' && maker.domain === '' ? makerOf(maker.inputs[0]) : maker;
  };
  const isList = ({ name: output }: DeclaredValue): boolean => { const maker = makerOf(output); return maker?.domain === 'ai.onnx.ml' && maker.operator === 'ZipMap'; };
  const first = graph.outputs.find((output) => output.type === undefined || isFloatType(output.type as OnnxType) || isList(output));
  if (first === undefined) throw new ArgumentError({ operation: 'importOnnx', required: 'some output must be floating-point', received: graph.outputs.map(describeDeclared).join(', ') || 'none', remedy: 'name a value before it by option output' });
  const whole = isList(first) ? makerOf(first.name)!.inputs[0] : first.name;
  const last = makerOf(whole);
  const maker = sigmoidOfPair(last, makerOf) ?? last;
  const loss = maker?.domain === '' ? (FINAL as Readonly<Record<string, ChosenOutput['loss']>>)[maker.operator] : undefined;
  if (maker === undefined || loss === undefined) return { name: whole };
  return { name: maker.inputs[0], loss, notice: `the output is taken before the final ${maker.operator}, which the loss contains; option output: '${whole}' takes it after` };
}

/** The Sigmoid s of probabilities [1 - s, s], as scikit-learn's classifiers of two classes end. */
function sigmoidOfPair(maker: ImportedNode | undefined, makerOf: (value: string) => ImportedNode | undefined): ImportedNode | undefined {
  if (maker?.domain !== '' || maker.operator !== 'Concat' || maker.inputs.length !== 2) return undefined;
  const [other, sigmoid] = maker.inputs.map(makerOf);
  return sigmoid?.operator === 'Sigmoid' && sigmoid.domain === '' && other?.operator === 'Sub' && other.domain === '' && other.inputs[1] === maker.inputs[1] ? sigmoid : undefined;
}

/** One number for all elements of a larger input is refused: a damaged file may declare anything. */
const LARGEST_FILLED = 2 ** 26;

/** Extents of a declared shape, names bound by the data's own and by `dimensions`. @throws ArgumentError naming what is open, or when the input has more than 2^26 elements. */
export function extentsOf(input: DeclaredValue, bound: ReadonlyMap<string, number>): Shape {
  if (input.shape === undefined) throw new ArgumentError({ operation: 'importOnnx', required: `the shape of input '${input.name}' must be declared`, received: 'none', remedy: 'give it an array by option values' });
  const shape = input.shape.map((extent, axis) => {
    if (typeof extent === 'number') return extent;
    const known = extent === undefined ? undefined : bound.get(extent);
    if (known === undefined) throw new ArgumentError({ operation: 'importOnnx', required: `axis ${axis} of input '${input.name}' must be known`, received: extent === undefined ? 'an open extent' : `the name '${extent}', which the data do not have`, remedy: 'option dimensions, e.g. { dimensions: { sequence: 16 } }, or an array by option values' });
    return known;
  });
  if (sizeOf(shape) > LARGEST_FILLED) throw new ArgumentError({ operation: 'importOnnx', required: `an input that is one number everywhere must have at most ${LARGEST_FILLED} elements`, received: `'${input.name}' [${shape.join(',')}]`, remedy: 'give it an array by option values' });
  return shape;
}

/** Names of dimensions by the extents that the data have. @throws DataError when the data contradict the declaration. */
export function bindDimensions(input: DeclaredValue, shape: Shape, batchAxis: number, dimensions: Readonly<Record<string, number>>): Map<string, number> {
  const bound = new Map(Object.entries(dimensions));
  if (input.shape === undefined) return bound;
  if (input.shape.length !== shape.length) throw new DataError({ operation: 'importOnnx', required: `the data must fit input ${describeDeclared(input)}`, received: `an array [${shape.join(',')}]` });
  input.shape.forEach((extent, axis) => {
    if (typeof extent === 'string') bound.set(extent, shape[axis]);
    else if (extent !== undefined && extent !== shape[axis] && axis !== batchAxis) throw new DataError({ operation: 'importOnnx', required: `the data must fit input ${describeDeclared(input)}`, received: `an array [${shape.join(',')}]` });
  });
  return bound;
}

/** @throws DataError naming the first element of integer data that the declared type of their input does not hold. */
export function requireDataRange({ name, type }: DeclaredValue, { data, dtype }: NDArray, what: string): void {
  const range = type !== undefined && dtype === 'int32' ? INTEGER_RANGE[type as OnnxType] : undefined;
  const at = range === undefined ? -1 : data.findIndex((x) => x < range[0] || x > range[1]);
  if (range !== undefined && at >= 0) throw new DataError({ operation: 'importOnnx', required: `${what} of input '${name}' must lie in ${range[0]}..${range[1]}, as ${type} does`, received: `${data[at]} at element ${at}` });
}

/** A value for an input that is not the data, in the engine's type. @throws ArgumentError when an integer input would be given fractions, or what does not fit 32 bits. */
export function fixedArray(value: number | NDArray, shape: () => Shape, dtype: DType): NDArray {
  if (dtype === 'int32') {
    const elements = typeof value === 'number' ? [value] : value.data;
    const at = elements.findIndex((x) => !Number.isInteger(x) || x < -2147483648 || x > 2147483647);
    if (at >= 0) throw new ArgumentError({ operation: 'importOnnx', required: 'values of an integer input must be integers that fit 32 bits', received: `${elements[at]}${typeof value === 'number' ? '' : ` at element ${at}`}` });
  }
  return typeof value === 'number' ? filled(shape(), value, dtype) : toDtype(value, dtype);
}
