/** The reference interpreter as a backend: slow, any dtype, no dependencies. @module */
import type { Executor } from '../core/backend.ts';
import { evaluate } from '../core/evaluate.ts';

/** Runs compiled functions by the primitives' own definitions, in plain TypeScript and float64 arithmetic. */
export const referenceExecutor: Executor = {
  name: 'reference',
  prepare(graph, constants = new Map()) {
    return Promise.resolve({
      run(inputs) {
        let next = 0;
        return Promise.resolve(evaluate(graph, graph.inputs.map((_, i) => constants.get(i) ?? inputs[next++])));
      },
      dispose: () => Promise.resolve(),
    });
  },
};
