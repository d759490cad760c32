/** One-node models through the importer against ONNX Runtime on the same bytes. */
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { isFloat, NDArray } from '../../../core/ndarray.ts';
import { referenceExecutor } from '../../../runtime/reference.ts';
import { nodeExecutor } from '../../../runtime/node.ts';
import { compile } from '../../../transforms/index.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { parseOnnx } from '../parse.ts';
import { runProgram } from '../run.ts';
import { Value, type OnnxType } from '../value.ts';
import { ModelBuilder, type ElementType, type ModelAttribute } from '../../model.ts';
import type { RunSettings } from '../operator.ts';

/** An input: an array, or integers of 64 bits. */
export type CaseInput = NDArray | { readonly int64: readonly number[]; readonly shape?: readonly number[] };

/** One application of an operator. */
export interface OperatorCase {
  readonly operator: string;
  /** Undefined leaves an optional input out. */
  readonly inputs: readonly (CaseInput | undefined)[];
  readonly attributes?: Readonly<Record<string, ModelAttribute>>;
  /** Places of inputs that are initialisers, as shapes and axes are; all integers of 64 bits by default. */
  readonly known?: readonly number[];
  /** Types of the outputs; default one of the type of the first input. */
  readonly outputs?: readonly ElementType[];
  /** Version of the operator set; default 21. */
  readonly opset?: number;
  readonly domain?: string;
  /** Largest error allowed, relative to the largest element, at least 1; default 1e-6. */
  readonly tolerance?: number;
}

const executor = nodeExecutor({ threads: 1 });
const isWide = (input: CaseInput): input is Exclude<CaseInput, NDArray> => !(input instanceof NDArray);
const shapeOf = (input: CaseInput): readonly number[] => (isWide(input) ? input.shape ?? [input.int64.length] : input.shape);
const dtypeOf = (input: CaseInput): ElementType => (isWide(input) ? 'int64' : input.dtype);
const ONNX_TYPES = { float32: 'float', float64: 'double', int32: 'int32', bool: 'bool', int64: 'int64' } as const satisfies Record<ElementType, OnnxType>;

/** Settings of a run in eval mode. */
export const evalSettings = (float: 'float32' | 'float64' = 'float32'): RunSettings =>
  ({ float, mode: 'eval', batchNormalisation: 'eval', keepStatistic: () => undefined, noise: () => undefined, notice: () => undefined });

/** The bytes of a model of one node; inputs that are not known are `x0`, `x1`, ..., outputs `y0`, ... */
function modelOf({ operator, inputs, attributes = {}, outputs, opset = 21, domain = '' }: OperatorCase, isKnown: (at: number) => boolean): Uint8Array {
  const builder = new ModelBuilder();
  const names = inputs.map((input, at) => {
    if (input === undefined) return '';
    if (!isKnown(at)) return builder.input(`x${at}`, dtypeOf(input), shapeOf(input));
    return isWide(input) ? builder.int64(input.int64, [...shapeOf(input)]) : builder.constant(input);
  });
  const types = outputs ?? [dtypeOf(inputs[0]!)];
  const made = builder.node(operator, names, attributes, types.map((_, i) => `y${i}`), domain);
  made.forEach((name, i) => builder.output(name, types[i]));
  return builder.finish({ opset });
}

const toOrt = (input: CaseInput): ort.Tensor => (isWide(input)
  ? new ort.Tensor('int64', BigInt64Array.from(input.int64, BigInt), [...shapeOf(input)]) : new ort.Tensor(input.dtype, input.data as Float32Array, [...input.shape]));

/** What ONNX Runtime makes of the case. */
async function expectedOf(test: OperatorCase, count: number): Promise<{ shape: readonly number[]; data: number[] }[]> {
  const session = await ort.InferenceSession.create(modelOf(test, (at) => isFixed(test, at)), { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const feeds = Object.fromEntries(test.inputs.flatMap((input, at) => (input === undefined || isFixed(test, at) ? [] : [[`x${at}`, toOrt(input)]])));
  const results = await session.run(feeds);
  await session.release();
  return Array.from({ length: count }, (_, i) => ({ shape: results[`y${i}`].dims, data: Array.from(results[`y${i}`].data as ArrayLike<number | bigint>, Number) }));
}

const isFixed = ({ known, inputs }: OperatorCase, at: number): boolean => known?.includes(at) ?? (inputs[at] !== undefined && isWide(inputs[at]));

/** Runs the case through the importer: inputs as arguments of the program, or all of them known beforehand. */
export async function importedOutputs(test: OperatorCase, { isFolded = false, usesReference = false } = {}): Promise<NDArray[]> {
  const isKnown = (at: number): boolean => isFolded || isFixed(test, at);
  const program = parseOnnx(modelOf(test, isKnown));
  const given = test.inputs.flatMap((input, at) => (input === undefined || isKnown(at) ? [] : [{ at, input }]));
  const arrays = given.map(({ input }) => (isWide(input) ? new NDArray(Int32Array.from(input.int64), [...shapeOf(input)], 'int32') : input));
  const float = test.inputs.some((input) => input instanceof NDArray && input.dtype === 'float64') ? 'float64' : 'float32';
  const outputs = (test.outputs ?? ['']).map((_, i) => `y${i}`);
  const run = compile((tensors: Tensor[]) => {
    const feeds = new Map(given.map(({ at, input }, i) => [`x${at}`, Value.ofTensor(ONNX_TYPES[dtypeOf(input)], tensors[i])]));
    const values = runProgram(program, { settings: evalSettings(float), feeds, outputs });
    if (isFolded) expect(values.every((value) => value.isKnown), 'all outputs known beforehand').toBe(true);
    return values.map((value) => value.tensor(float));
  }, { executor: usesReference ? referenceExecutor : executor });
  const results = await run(arrays as never) as unknown as NDArray[];
  await run.dispose();
  return results;
}

/** Expects the importer's outputs, computed by the program and, unless told otherwise, folded beforehand, to be those of ONNX Runtime. */
export async function expectAgreement(test: OperatorCase, { folds = true } = {}): Promise<void> {
  const count = test.outputs?.length ?? 1;
  const expected = await expectedOf(test, count);
  for (const isFolded of folds ? [false, true] : [false]) {
    const received = await importedOutputs(test, { isFolded });
    expected.forEach(({ shape, data }, i) => {
      const label = `${test.operator} output ${i}${isFolded ? ' folded' : ''}`;
      expect(received[i].shape, label).toEqual([...shape]);
      const scale = Math.max(1, ...data.map(Math.abs).filter(Number.isFinite));
      const tolerance = isFloat(received[i].dtype) ? (test.tolerance ?? 1e-6) * scale : 0;
      data.forEach((x, j) => {
        const y = received[i].data[j];
        const isSame = Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance;
        if (!isSame) expect.fail(`${label}: element ${j} is ${y}, ONNX Runtime has ${x}`);
      });
    });
  }
}

/** `count` numbers that look random and stay the same, of [-2, 2]. */
export const numbers = (count: number, seed = 1): number[] => Array.from({ length: count }, (_, i) => 2 * Math.sin((i + 1) * 12.9898 * seed + seed));
/** A float32 array of such numbers. */
export const floats = (shape: readonly number[], seed = 1): NDArray => new NDArray(Float32Array.from(numbers(shape.reduce((a, b) => a * b, 1), seed)), [...shape], 'float32');
/** An int32 array. */
export const ints = (values: readonly number[], shape: readonly number[] = [values.length]): NDArray => new NDArray(Int32Array.from(values), [...shape], 'int32');
/** A bool array. */
export const bools = (values: readonly (0 | 1)[], shape: readonly number[] = [values.length]): NDArray => new NDArray(Uint8Array.from(values), [...shape], 'bool');
