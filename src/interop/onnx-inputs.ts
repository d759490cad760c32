/** Which input of an imported model is the data, which value its output, and what the other inputs are given. @module */
import { filled, NDArray, sizeOf, toDtype, type DType } from '../core/ndarray.ts';
import type { Shape } from '../core/ndarray.ts';
import { isFloatType, type DeclaredValue, type ImportedNode, type ImportedProgram, type OnnxType } from '../onnx/import/index.ts';
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

/** @throws ArgumentError when an input that is neither the data nor given has no value. */
export function requireValues({ graph: { inputs } }: ImportedProgram, data: DeclaredValue, values: Readonly<Record<string, number | NDArray>>): void {
  const names = new Set(inputs.map(({ name }) => name));
  const unknown = Object.keys(values).find((name) => !names.has(name) || name === data.name);
  if (unknown !== undefined) throw new ArgumentError({ operation: 'importOnnx', required: `option values must name inputs other than the data '${data.name}'`, received: `'${unknown}'` });
  const missing = inputs.filter((input) => input.name !== data.name && !Object.hasOwn(values, input.name));
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
 * since losses take logits.
 * @throws ArgumentError when nothing has the name, or no output is floating-point.
 */
export function chosenOutput({ graph }: ImportedProgram, name: string | undefined): ChosenOutput {
  if (name !== undefined) {
    const isMade = graph.nodes.some(({ outputs }) => outputs.includes(name)) || graph.outputs.some((output) => output.name === name);
    if (!isMade || name === '') throw new ArgumentError({ operation: 'importOnnx', required: 'option output must name a value that a node of the main graph makes', received: `'${name}'; its outputs are ${graph.outputs.map(describeDeclared).join(', ')}` });
    return { name };
  }
  const first = graph.outputs.find(({ type }) => type === undefined || isFloatType(type as OnnxType));
  if (first === undefined) throw new ArgumentError({ operation: 'importOnnx', required: 'some output must be floating-point', received: graph.outputs.map(describeDeclared).join(', ') || 'none', remedy: 'name a value before it by option output' });
  const makerOf = (value: string): ImportedNode | undefined => graph.nodes.find(({ outputs }) => outputs.includes(value));
  let maker = makerOf(first.name);
  while (maker?.operator === 'Identity' && maker.domain === '') maker = makerOf(maker.inputs[0]);
  const loss = maker?.domain === '' ? (FINAL as Readonly<Record<string, ChosenOutput['loss']>>)[maker.operator] : undefined;
  if (maker === undefined || loss === undefined) return { name: first.name };
  return { name: maker.inputs[0], loss, notice: `the output is taken before the final ${maker.operator}, which the loss contains; option output: '${first.name}' takes it after` };
}

/** One number for all elements of a larger input is refused: a damaged file may declare anything. */
const LARGEST_FILLED = 2 ** 28;

/** Extents of a declared shape, names bound by the data's own and by `dimensions`. @throws ArgumentError naming what is open, or when the input has more than 2^28 elements. */
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

/** A value for an input that is not the data, in the engine's type. */
export const fixedArray = (value: number | NDArray, shape: () => Shape, dtype: DType): NDArray => (typeof value === 'number' ? filled(shape(), value, dtype) : toDtype(value, dtype));
