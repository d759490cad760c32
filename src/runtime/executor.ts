/** Graphs on a model runtime: lower, make a session, run. @module */
import type { Executor, ModelRuntime } from '../core/backend.ts';
import { lower } from '../onnx/lower.ts';

/** An executor over ONNX Runtime (or anything else that runs ONNX models). */
export function onnxExecutor(runtime: ModelRuntime): Executor {
  return {
    name: runtime.name,
    prepare(graph, constants) {
      const model = lower(graph, runtime, constants);
      return runtime.createSession(model.bytes, model.inputs, model.outputs);
    },
  };
}
