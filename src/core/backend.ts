/** What a runtime offers the compiler: sessions made from a serialised program, host arrays in and out. @module */
import { ArgumentError } from '../util/errors.ts';
import type { Graph } from './graph.ts';
import type { DType, NDArray } from './ndarray.ts';

/** A compiled program on a backend: host arrays in, host arrays out, in the graph's order. */
export interface Session {
  run(inputs: readonly NDArray[]): Promise<NDArray[]>;
  dispose(): Promise<void>;
}

/** A backend that executes ONNX models. The core knows only this interface; an entry point injects the implementation. */
export interface ModelRuntime {
  readonly name: string;
  /** Of the library behind it. */
  readonly version?: string;
  readonly threads: number;
  /** Whether the backend has a kernel of this ONNX operator (`Conv`, `com.microsoft:FusedMatMul`) for the element type. */
  supports(opType: string, dtype: DType): boolean;
  createSession(model: Uint8Array, inputNames: readonly string[], outputNames: readonly string[]): Promise<Session>;
}

/** Runs graphs: what `compile` needs. Made of a `ModelRuntime` and the lowering, or of the reference interpreter. */
export interface Executor {
  readonly name: string;
  /** Of the library behind it, where it has one and is loaded. */
  readonly version?: string | undefined;
  /** Prepares a graph; `constants` fixes the values of some inputs (by position), which `run` then does not take. */
  prepare(graph: Graph, constants?: ReadonlyMap<number, NDArray>): Promise<Session>;
}

let current: Executor | null = null;

/** Makes `executor` the one that compiled functions use unless told otherwise. Returns the previous one. */
export function setDefaultExecutor(executor: Executor | null): Executor | null {
  const previous = current;
  current = executor;
  return previous;
}

/** The executor that an entry point (`thalweg/node`, `thalweg/web`) or the caller has set. @throws ArgumentError when there is none. */
export function defaultExecutor(): Executor {
  if (current === null) {
    throw new ArgumentError({
      operation: 'compile', required: 'a backend must have been chosen', received: 'none',
      remedy: "import 'thalweg/node' (or 'thalweg/web' in a browser) once, or pass { executor }",
    });
  }
  return current;
}
