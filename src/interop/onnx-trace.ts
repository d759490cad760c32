/** An imported program as a traced function of parameters, data and state. @module */
import { isFloat, type DType, type NDArray, type Shape } from '../core/ndarray.ts';
import { trace } from '../core/graph.ts';
import type { Tensor, Type } from '../core/tensor.ts';
import type { AnyModel, Context, Mode } from '../nn/model.ts';
import { isFloatType, runProgram, storedValue, Value, type BatchNormalisation, type DeclaredValue, type ImportedProgram, type OnnxType, type ReadExternal } from '../onnx/import/index.ts';
import { constant, convert, moveAxis, reshape } from '../ops/index.ts';
import { vmap } from '../transforms/index.ts';
import { DataError } from '../util/errors.ts';
import { bindDimensions, describeDeclared, extentsOf, fixedArray } from './onnx-inputs.ts';

/** A program with the choices made at its import. */
export interface TracedProgram {
  readonly program: ImportedProgram;
  readonly input: DeclaredValue;
  readonly output: string;
  readonly values: Readonly<Record<string, number | NDArray>>;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly parameters: readonly string[];
  readonly statistics: readonly string[];
  readonly batchAxis: number;
  readonly batchNormalisation: BatchNormalisation;
  readonly readExternal: ReadExternal | undefined;
  notice(text: string): void;
}

type Named = Readonly<Record<string, Tensor>>;
type NoiseOf = (shape: Shape) => Tensor | undefined;

/** The model: parameters and state are flat records by the names of the file. */
export function tracedModel(name: string, traced: TracedProgram, dtype: 'float32' | 'float64' | undefined): AnyModel {
  const { initialisers } = traced.program.graph;
  const isDouble = traced.parameters.some((parameter) => initialisers.get(parameter)!.type === 'double');
  const own = dtype ?? (isDouble ? 'float64' : 'float32');
  const arrays = (names: readonly string[]): Record<string, NDArray> => Object.fromEntries(names.map((key) => [key, storedValue(initialisers.get(key)!).array(own)]));
  return {
    name,
    init: () => ({ params: arrays(traced.parameters), state: arrays(traced.statistics) }),
    apply(params: Named, inputs, { mode, state, noise }: Context<Named>) {
      let used = 0;
      return applyBatches(traced, params, inputs, mode, state, () => noise?.[used++]);
    },
    noise(inputShape) {
      const shapes: Shape[] = [];
      const types = [...traced.parameters, ...traced.statistics].map((key): Type => ({ shape: initialisers.get(key)!.shape, dtype: own }));
      trace([...types, { shape: inputShape, dtype: engineTypeOf(traced.input, own) }], (...tensors) => {
        const record = (names: readonly string[], from: number): Named => Object.fromEntries(names.map((key, i) => [key, tensors[from + i]]));
        // Uniform numbers of one half stand in: only their shapes matter here.
        const collect: NoiseOf = (shape) => { shapes.push(shape); return constant(fixedArray(0.5, () => shape, own)); };
        applyBatches(traced, record(traced.parameters, 0), tensors[tensors.length - 1], 'train', record(traced.statistics, traced.parameters.length), collect);
        return [];
      });
      return shapes;
    },
  };
}

/** What an input's type is computed in. */
export const engineTypeOf = ({ type }: DeclaredValue, float: DType): DType => (type === undefined || isFloatType(type as OnnxType) ? float : type === 'bool' ? 'bool' : 'int32');

/** Data in the type that their input declares. @throws DataError when fractions would be lost. */
export function asDeclared(input: DeclaredValue, inputs: Tensor, float: DType): Value {
  const wanted = engineTypeOf(input, float);
  if (isFloat(inputs.dtype) && !isFloat(wanted)) throw new DataError({ operation: 'importOnnx', required: `the data must fit input ${describeDeclared(input)}`, received: inputs.toString() });
  return Value.ofTensor((input.type ?? 'float') as OnnxType, convert(inputs, wanted));
}

/** The declared extent of the batch axis, where it is a number other than the batch at hand. */
function fixedBatch({ input, batchAxis }: TracedProgram, batch: number): number | undefined {
  const extent = input.shape?.[batchAxis];
  return typeof extent === 'number' && extent !== batch ? extent : undefined;
}

interface Applied {
  readonly outputs: Tensor;
  readonly state: Named;
}

/** Operators whose results for an example depend on the whole batch, or on noise drawn for it, in train mode. */
const WHOLE_BATCH = new Set(['BatchNormalization', 'Dropout']);

/** Whether the batch must be run as one. */
function needsWholeBatch({ program, batchNormalisation }: TracedProgram, mode: Mode): boolean {
  if (mode === 'eval' && batchNormalisation === 'eval') return false;
  const nodes = [...program.graph.nodes, ...[...program.functions.values()].flatMap((callee) => callee.nodes)];
  return nodes.some(({ operator }) => WHOLE_BATCH.has(operator));
}

/**
 * A model exported for a fixed batch is applied to one such batch after another: shapes written into it, as `Reshape` to [1, -1], could
 * join examples otherwise. Batch normalisation by the batch and dropout need it as one.
 */
function applyBatches(traced: TracedProgram, params: Named, inputs: Tensor, mode: Mode, state: Named, noise: NoiseOf): Applied {
  const batch = inputs.shape[0];
  const fixed = fixedBatch(traced, batch);
  if (fixed === undefined || needsWholeBatch(traced, mode)) return applyOnce(traced, params, inputs, mode, state, noise);
  if (fixed < 1 || batch % fixed !== 0) throw wrongBatch(traced, batch, `data of ${batch} examples`);
  const groups = reshape(inputs, [batch / fixed, fixed, ...inputs.shape.slice(1)]);
  const outputs = vmap((group: Tensor) => applyOnce(traced, params, group, mode, state, noise).outputs)(groups);
  return { outputs: reshape(outputs, [batch, ...outputs.shape.slice(2)]), state };
}

function applyOnce(traced: TracedProgram, params: Named, inputs: Tensor, mode: Mode, state: Named, noise: NoiseOf): Applied {
  const { program, input, batchAxis } = traced;
  const [some] = Object.values(params);
  const float = some?.dtype ?? (isFloat(inputs.dtype) ? inputs.dtype : 'float32');
  const data = batchAxis === 0 ? inputs : moveAxis(inputs, 0, batchAxis);
  const bound = bindDimensions(input, data.shape, batchAxis, traced.dimensions);
  const feeds = new Map<string, Value>([[input.name, asDeclared(input, data, float)]]);
  for (const other of program.graph.inputs) {
    if (other.name === input.name) continue;
    const array = fixedArray(traced.values[other.name], () => extentsOf(other, bound), engineTypeOf(other, float));
    feeds.set(other.name, Value.ofKnown((other.type ?? 'float') as OnnxType, array.shape, array.data));
  }
  const feed = (record: Named): void => Object.entries(record).forEach(([name, tensor]) => feeds.set(name, Value.ofTensor(program.graph.initialisers.get(name)!.type, tensor, name)));
  feed(params);
  feed(state);
  const renewed: Record<string, Tensor> = { ...state };
  const [value] = runProgram(program, {
    feeds, outputs: [traced.output], readExternal: traced.readExternal,
    settings: {
      float, mode, batchNormalisation: traced.batchNormalisation, noise: (shape) => noise(shape), notice: (text) => traced.notice(text),
      keepStatistic(name, tensor) { if (Object.hasOwn(state, name)) renewed[name] = tensor; },
    },
  });
  if (!value.isFloat) throw new DataError({ operation: 'importOnnx', required: `the value '${traced.output}' must be floating-point`, received: value.toString(), remedy: 'name another by option output' });
  const result = value.tensor(float);
  const outputs = batchAxis === 0 ? result : moveAxis(result, batchAxis, 0);
  if (outputs.shape[0] !== inputs.shape[0]) throw wrongBatch(traced, inputs.shape[0], `[${outputs.shape.join(',')}] from data of ${inputs.shape[0]} examples`);
  return { outputs, state: renewed };
}

const wrongBatch = ({ input, output }: TracedProgram, batch: number, received: string): DataError => new DataError({
  operation: 'importOnnx', required: `the value '${output}' must have the batch of ${batch} along its batch axis; the input is ${describeDeclared(input)}`, received,
  remedy: "export the model with a dynamic batch: torch.onnx.export(..., dynamic_axes={'input': {0: 'batch'}}), or dynamic_shapes with dynamo=True",
});
