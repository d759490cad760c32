/** The backend for Node: ONNX Runtime's native build, loaded when first asked for. Importing this makes it the default. @module */
import { availableParallelism } from 'node:os';
import { setDefaultExecutor, type Executor, type ModelRuntime } from '../core/backend.ts';
import { onnxExecutor } from './executor.ts';
import { requireThreadCount } from './threads.ts';
import { createOrtBackend, type OrtOptions } from './ort.ts';

export interface NodeRuntimeOptions extends Partial<OrtOptions> {
  /** Threads of one operation. Default: as many as the machine gives this process. */
  readonly threads?: number;
}

/**
 * A backend on the CPU (or on what `providers` names). A session runs on the calling thread and its helpers: the event
 * loop stands still while it does.
 *
 * @throws ArgumentError when `threads` is not a positive integer.
 */
export async function nodeRuntime(options: NodeRuntimeOptions = {}): Promise<ModelRuntime> {
  const threads = requireThreadCount('nodeRuntime', options.threads ?? availableParallelism());
  const ort = await import('onnxruntime-node');
  return createOrtBackend(ort, 'onnxruntime-node', { providers: ['cpu'], ...options, threads });
}

/** Runs compiled functions on ONNX Runtime's native build, which is loaded at the first use. */
export function nodeExecutor(options: NodeRuntimeOptions = {}): Executor {
  let executor: Promise<Executor> | undefined;
  return {
    name: 'onnxruntime-node',
    async prepare(graph, constants) {
      executor ??= nodeRuntime(options).then(onnxExecutor);
      return (await executor).prepare(graph, constants);
    },
  };
}

setDefaultExecutor(nodeExecutor());
