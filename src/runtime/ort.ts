/**
 * ONNX Runtime as a backend; the same code over its native and its WebAssembly build, which share one interface.
 *
 * What was measured with version 1.30 and this file relies on:
 * - Inputs are not copied by the native build: they are read while the session runs. Backing by a SharedArrayBuffer is refused.
 * - Outputs are fresh arrays: they never alias inputs, initialisers or earlier outputs, and outlive the session. Handing in
 *   preallocated outputs saves nothing in the native build (they are copied out again), so none are used.
 * - Scalars and arrays without elements work as inputs and as outputs.
 * - Threads of a session spin while idle unless told not to, and every session has threads of its own.
 * @module
 */
import type { InferenceSession as OrtSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { ModelRuntime, Session } from '../core/backend.ts';
import { NDArray, type DType, type TypedArray } from '../core/ndarray.ts';
import { ArgumentError, LoweringError } from '../util/errors.ts';
import { hasCpuKernel } from '../onnx/kernels.ts';

/** What is used of `onnxruntime-common`'s interface. */
export type Ort = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor'> & { readonly env?: { readonly versions?: { readonly common?: string } } };

export interface OrtOptions {
  /** Threads of one operation. */
  readonly threads: number;
  /** Whether idle threads spin: faster by microseconds an operation when one session runs alone, slower by much when several live. Default false. */
  readonly spinning?: boolean;
  /** Execution providers in order of preference (`cpu`, `wasm`, `webgpu`, `cuda`). */
  readonly providers?: readonly string[];
  /** Whether freed buffers are kept for the next run. Default true: without it every run faults its pages in anew. */
  readonly arena?: boolean;
  /** Whether buffers of a run are planned as one block. Default true. */
  readonly memoryPattern?: boolean;
  /** Default `all`; `disabled` runs the model as written. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
}

/** Errors are thrown and carry the text, so nothing below fatal is printed as well. */
const LOG_FATAL = 4;

/** Optimizer that moves a scalar factor into a product's attribute, which is float32 also where the product is float64: errors of 1e-8. */
const FLOAT32_FACTORS = 'MatMulScaleFusion';
/**
 * Optimizer that moves a transpose into a product, which the lowering does by itself for most of them. The new product is not connected
 * to the branch (If) that makes its other input, so when that input is also a result of a loop's body it is renamed and then missing.
 */
const LOST_INPUTS = 'GemmTransposeFusion';

/** A backend over a loaded ONNX Runtime. `name` appears in messages. */
export function createOrtBackend(ort: Ort, name: string, options: OrtOptions): ModelRuntime {
  const sessionOptions = toSessionOptions(options);
  return {
    name,
    ...(ort.env?.versions?.common !== undefined && { version: ort.env.versions.common }),
    threads: options.threads,
    supports: hasCpuKernel,
    async createSession(model, inputNames, outputNames) {
      const session = await ort.InferenceSession.create(model, sessionOptions).catch((cause: unknown) => { throw creationError(name, cause); });
      return createSession(ort, name, session, inputNames, outputNames);
    },
  };
}

/** The options in ONNX Runtime's words. */
function toSessionOptions(options: OrtOptions): OrtSession.SessionOptions {
  return {
    ...(options.providers === undefined ? {} : { executionProviders: options.providers }),
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.optimization ?? 'all',
    enableCpuMemArena: options.arena ?? true,
    enableMemPattern: options.memoryPattern ?? true,
    logSeverityLevel: LOG_FATAL,
    extra: {
      session: { intra_op: { allow_spinning: options.spinning === true ? '1' : '0' } },
      optimization: { disable_specified_optimizers: `${FLOAT32_FACTORS};${LOST_INPUTS}` },
    },
  };
}

function createSession(ort: Ort, name: string, session: OrtSession, inputNames: readonly string[], outputNames: readonly string[]): Session {
  const running = new Set<Promise<unknown>>();
  let disposed = false;

  async function execute(inputs: readonly NDArray[]): Promise<NDArray[]> {
    const feeds = Object.fromEntries(inputs.map((input, i) => [inputNames[i], toOrtTensor(ort, input)]));
    const results = await session.run(feeds, outputNames, { logSeverityLevel: LOG_FATAL }).catch((cause: unknown) => { throw runError(name, cause); });
    return outputNames.map((output) => fromOrtTensor(name, output, results[output] as OrtTensor));
  }

  return {
    async run(inputs) {
      if (disposed) throw new ArgumentError({ operation: `${name}: run`, required: 'the session must not have been disposed', received: 'a disposed session' });
      if (inputs.length !== inputNames.length) {
        throw new ArgumentError({ operation: `${name}: run`, required: `the program takes ${inputNames.length} inputs`, received: `${inputs.length} inputs` });
      }
      const result = execute(inputs);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await Promise.allSettled(running);
      await session.release();
    },
  };
}

/** Wraps the array without a copy, unless its memory is shared, which the native build refuses. */
function toOrtTensor(ort: Ort, { data, shape, dtype }: NDArray): OrtTensor {
  const shared = typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer;
  return new ort.Tensor(dtype, shared ? data.slice() : data, shape);
}

function fromOrtTensor(name: string, output: string, tensor: OrtTensor): NDArray {
  const { type, data, dims } = tensor;
  if (type !== 'float32' && type !== 'float64' && type !== 'int32' && type !== 'bool') {
    throw new LoweringError({ operation: `${name}: run`, required: `output '${output}' must be float32, float64, int32 or bool`, received: type, remedy: 'add a Cast before the output' });
  }
  return new NDArray(data as TypedArray, dims, type satisfies DType);
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).trim();

function creationError(name: string, cause: unknown): LoweringError {
  const text = textOf(cause);
  const operator = /Could not find an implementation for (\S+?)\(\d+\)/.exec(text)?.[1];
  const error = operator === undefined
    ? new LoweringError({ operation: `${name}: load`, required: 'the model must be accepted', received: `this from ONNX Runtime: ${text}` })
    : new LoweringError({
      operation: `${name}: load`, required: `every operation needs a kernel for its element types; ${operator} has none`, received: `this from ONNX Runtime: ${text}`,
      remedy: 'float32, or a backend that has the operation',
    });
  error.cause = cause;
  return error;
}

function runError(name: string, cause: unknown): LoweringError {
  const text = textOf(cause);
  const memory = /alloc/i.test(text);
  const error = new LoweringError({
    operation: `${name}: run`, required: memory ? 'the program must fit in memory' : 'the program must run on these inputs', received: `this from ONNX Runtime: ${text}`,
    remedy: memory ? 'smaller batches, or a smaller memory budget' : undefined,
  });
  error.cause = cause;
  return error;
}
