/** Graphs on a model runtime: lower, make a session, run. @module */
import type { Executor, ModelRuntime } from '../core/backend.ts';
import { lower } from '../onnx/lower.ts';

/** An executor over ONNX Runtime (or anything else that runs ONNX models). */
export function onnxExecutor(runtime: ModelRuntime): Executor {
  return {
    name: runtime.name,
    version: runtime.version,
    prepare(graph, constants) {
      // ONNX Runtime refuses a model without outputs: what a binding that keeps nothing runs first.
      if (graph.outputs.length === 0) return Promise.resolve({ run: () => Promise.resolve([]), dispose: () => Promise.resolve() });
      const model = lower(graph, runtime, constants);
      return runtime.createSession(model.bytes, model.inputs, model.outputs);
    },
  };
}

/** An executor whose runtime is loaded at the first use. `name` holds until then; afterwards it is the runtime's own. */
export function lazyExecutor(name: string, load: () => Promise<ModelRuntime>): Executor {
  let loading: Promise<Executor> | undefined;
  let loaded: Executor | undefined;
  return {
    get name() { return loaded?.name ?? name; },
    get version() { return loaded?.version; },
    async prepare(graph, constants) {
      loading ??= load().then(onnxExecutor);
      loaded = await loading;
      return loaded.prepare(graph, constants);
    },
  };
}
