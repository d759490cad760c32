/** The backend for Node: ONNX Runtime's native build, loaded when first asked for. Importing this makes it the default. @module */
import { setDefaultExecutor, type Executor, type ModelRuntime } from '../core/backend.ts';
import { lazyExecutor } from './executor.ts';
import { loadNodeRuntime, type NodeRuntimeOptions } from './ort-node.ts';

export type { NodeRuntimeOptions } from './ort-node.ts';

/**
 * A backend on the CPU (or on what `providers` names). A session runs on the calling thread and its helpers: the event
 * loop stands still while it does. Where `onnxruntime-node` cannot be loaded, its WebAssembly build runs instead, several
 * times slower and on one thread; the backend's `name` says so.
 *
 * @throws ArgumentError when `threads` is not a positive integer, or no build of ONNX Runtime can be loaded.
 */
export function nodeRuntime(options: NodeRuntimeOptions = {}): Promise<ModelRuntime> {
  return loadNodeRuntime(options);
}

/** Runs compiled functions on ONNX Runtime's native build, which is loaded at the first use. */
export function nodeExecutor(options: NodeRuntimeOptions = {}): Executor {
  return lazyExecutor('onnxruntime-node', () => loadNodeRuntime(options));
}

setDefaultExecutor(nodeExecutor());
