/** Models of several nodes through the importer against ONNX Runtime on the same bytes. */
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { isFloat, type NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { nodeExecutor } from '../../../runtime/node.ts';
import { compile } from '../../../transforms/index.ts';
import { ModelBuilder } from '../../model.ts';
import { evalSettings } from './agreement.test-helper.ts';
import { parseOnnx } from '../parse.ts';
import { runProgram } from '../run.ts';
import { Value } from '../value.ts';

/** A model over inputs `x0`, `x1`, ...; `build` returns the names of its outputs, which it has declared. */
export interface ModelCase {
  readonly build: (builder: ModelBuilder, inputs: readonly string[]) => string[];
  readonly inputs: readonly NDArray[];
  readonly opset?: number;
  /** Largest error of floating-point outputs; default 1e-6. */
  readonly tolerance?: number;
}

const TYPES = { float32: 'float', float64: 'double', int32: 'int32', bool: 'bool' } as const;
const executor = nodeExecutor({ threads: 1 });

/** The model's bytes and the names of its outputs. */
export function modelBytes({ build, inputs, opset = 21 }: ModelCase): { bytes: Uint8Array; outputs: string[] } {
  const builder = new ModelBuilder();
  const outputs = build(builder, inputs.map((input, i) => builder.input(`x${i}`, input.dtype, input.shape)));
  return { bytes: builder.finish({ opset }), outputs };
}

/** The model as a traced function of its inputs. */
export function modelFunction(model: ModelCase, float: 'float32' | 'float64' = 'float32'): (...inputs: Tensor[]) => Tensor[] {
  const { bytes, outputs } = modelBytes(model);
  const program = parseOnnx(bytes);
  return (...inputs) => {
    const feeds = new Map(inputs.map((input, i) => [`x${i}`, Value.ofTensor(TYPES[model.inputs[i].dtype], input)]));
    return runProgram(program, { settings: evalSettings(float), feeds, outputs }).map((value) => value.tensor(float));
  };
}

/** Expects the importer's outputs to be those of ONNX Runtime, integers exactly. */
export async function expectModelAgreement(model: ModelCase): Promise<void> {
  const { bytes, outputs } = modelBytes(model);
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const results = await session.run(Object.fromEntries(model.inputs.map((input, i) => [`x${i}`, new ort.Tensor(input.dtype, input.data as Float32Array, [...input.shape])])));
  await session.release();
  const run = compile((inputs: Tensor[]) => modelFunction(model)(...inputs), { executor });
  const received = await run([...model.inputs] as never) as unknown as NDArray[];
  await run.dispose();
  outputs.forEach((name, i) => {
    expect(received[i].shape, name).toEqual([...results[name].dims]);
    const expected = Array.from(results[name].data as ArrayLike<number | bigint>, Number);
    const tolerance = isFloat(received[i].dtype) ? model.tolerance ?? 1e-6 : 0;
    expected.forEach((x, j) => {
      const y = received[i].data[j];
      if (x !== y && !(Math.abs(x - y) <= tolerance) && !(Number.isNaN(x) && Number.isNaN(y))) expect.fail(`${name}: element ${j} is ${y}, ONNX Runtime has ${x}`);
    });
  });
}
