/** One training step as compiled programs, with what it takes to explain a step that failed. @module */
import { ThalwegError } from '../util/errors.ts';
import { split, type Key } from '../util/random/index.ts';
import type { Executor } from '../core/backend.ts';
import { explainNonFinite, firstNonFinite } from '../core/evaluate.ts';
import type { Graph } from '../core/graph.ts';
import { NDArray, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { drawNoise } from '../nn/index.ts';
import { mean, take } from '../ops/index.ts';
import { updateContext, type Optimizer, type Schedule } from '../optim/index.ts';
import { examplesOf, type Examples, type Problem } from '../problem/index.ts';
import { compile, valueAndGrad, type Host } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';

/** What a step is computed from, on the host or traced. */
export interface StepArguments<P, State, A = NDArray> {
  readonly params: A extends NDArray ? Host<P> : P;
  readonly state: A extends NDArray ? Host<State> : State;
  /** The optimizer's state. */
  readonly memory: unknown;
  /** All training examples. */
  readonly data: Examples<A>;
  /** Those of the batch. */
  readonly indices: A;
  /** Steps done before this one. */
  readonly step: A;
  readonly learningRate: A;
  readonly noise: readonly A[];
}

interface StepResult<P, State> {
  readonly params: Host<P>;
  readonly state: Host<State>;
  readonly memory: unknown;
  readonly loss: NDArray;
}

type Traced<P, State> = StepArguments<P, State, Tensor>;

/** A compiled function of one tree; the types of its leaves are known to the caller. */
interface Program<In, Out> {
  (input: In): Promise<Out>;
  graph(input: In): Graph;
  dispose(): Promise<void>;
}
const compileTree = <In, Out>(f: (input: never) => unknown, executor: Executor | undefined, name: string): Program<In, Out> => compile(f, { executor, name }) as unknown as Program<In, Out>;

export interface ProgramOptions {
  readonly optimizer: Optimizer<unknown>;
  readonly executor: Executor | undefined;
  readonly dtype: 'float32' | 'float64';
  /** Where the random numbers of the steps come from. */
  readonly key: Key;
  readonly rateAt: Schedule;
}

/** The programs of a training run. */
export function trainingProgram<P, State>(problem: Problem<P, State>, { optimizer, executor, dtype, key, rateAt }: ProgramOptions) {
  const data = examplesOf(problem.train, dtype);
  const initial = compileTree<Host<P>, unknown>((params: P) => optimizer.init(params), executor, 'initial state of the optimizer');
  const step = compileTree<StepArguments<P, State>, StepResult<P, State>>(stepOf(problem, optimizer), executor, 'training step');
  const batchLoss = compileTree<StepArguments<P, State>, NDArray>((call: Traced<P, State>) => objectiveOf(problem, call)(call.params)[0], executor, 'batch loss');
  return {
    initialMemory: (params: Host<P>) => initial(params),
    argumentsOf: ({ indices, step, ...point }: Pick<StepArguments<P, State>, 'params' | 'state' | 'memory'> & { readonly indices: Int32Array; readonly step: number }): StepArguments<P, State> => ({
      ...point, data, indices: new NDArray(indices, [indices.length], 'int32'), step: scalar(step, dtype), learningRate: scalar(rateAt(step), dtype),
      noise: drawNoise(problem.model, [indices.length, ...data.inputs.shape.slice(1)], split(key, step)),
    }),
    step: (call: StepArguments<P, State>) => step(call),
    /**
     * Says where a loss that is not finite comes from: an operation of this step's loss, or, where the parameters were
     * not finite already, of the step before, which made them.
     */
    explain: (call: StepArguments<P, State>, before: StepArguments<P, State> | undefined): string => {
      const cameIn = [call.params, call.state].some((tree) => leaves<NDArray>(tree).some((leaf) => firstNonFinite(leaf) >= 0));
      return cameIn && before !== undefined ? firstNonFiniteOperation('update of the step before', step.graph(before), before) : firstNonFiniteOperation('batch loss', batchLoss.graph(call), call);
    },
    dispose: async () => { await Promise.all([initial.dispose(), step.dispose(), batchLoss.dispose()]); },
  };
}

function firstNonFiniteOperation(where: string, graph: Graph, call: unknown): string {
  try {
    return explainNonFinite(where, graph, leaves<NDArray>(call));
  } catch (error) {
    if (error instanceof ThalwegError) return error.message;
    throw error;
  }
}

/** The batch loss as a function of the parameters, with the state after it. */
function objectiveOf<P, State>({ model, loss }: Problem<P, State>, { state, data, indices, noise }: Traced<P, State>) {
  const inputs = take(data.inputs, indices);
  const targets = take(data.targets, indices);
  return (params: P): [Tensor, State] => {
    const result = model.apply(params, inputs, { mode: 'train', state, noise });
    return [mean(loss(result.outputs, targets)), result.state];
  };
}

/** The step as a traced function. */
function stepOf<P, State>(problem: Problem<P, State>, optimizer: Optimizer<unknown>) {
  return (call: Traced<P, State>) => {
    const { params, memory, step, learningRate } = call;
    const objective = objectiveOf(problem, call);
    const lossAt = (at: P): Tensor => objective(at)[0];
    const [[loss, state], gradient] = valueAndGrad(objective, { aux: true })(params);
    const context = updateContext({ params, step, learningRate, batchSize: call.indices.shape[0], lossAt, atParams: () => ({ loss, gradient }) });
    const next = optimizer.update(context, memory);
    return { params: next.params, state, memory: next.state, loss };
  };
}
