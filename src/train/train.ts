/** The training loop: one compiled step (batch gathering, loss, gradient, update), driven from the host. @module */
import { ArgumentError } from '../util/errors.ts';
import { key, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import type { Executor } from '../core/backend.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { batches, epochOrder } from '../data/index.ts';
import { drawNoise } from '../nn/index.ts';
import { mean, take } from '../ops/index.ts';
import type { Optimizer, Schedule } from '../optim/index.ts';
import type { Problem } from '../problem/index.ts';
import { compile, hvp, valueAndGrad, type Host } from '../transforms/index.ts';

/** What the loop tells while it runs. */
export interface TrainEvent {
  /** Steps done, counted from one. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  /** Mean loss of the step's batch, before its update. */
  readonly loss: number;
}

/** What a run of `train` is a function of, and its hooks. */
export interface TrainOptions<P, State> {
  readonly optimizer: Optimizer<unknown>;
  readonly learningRate: number | Schedule;
  /** Passes over the training set. */
  readonly epochs: number;
  /** Examples a step, drawn without replacement in each epoch; an incomplete last batch is left out. */
  readonly batchSize: number;
  readonly seed: number;
  /** Where to start; default: the model's own initialisation from the seed. */
  readonly start?: { readonly params: Host<P>; readonly state: Host<State> };
  readonly executor?: Executor;
  /** Stops before the next step; what was done is returned. */
  readonly signal?: AbortSignal;
  readonly onStep?: (event: TrainEvent) => void;
  /** Called after each epoch with the parameters reached. */
  readonly onEpoch?: (epoch: number, params: Host<P>, state: Host<State>) => Promise<void> | void;
}

/** Where a run ended and how it got there. */
export interface TrainingRun<P, State> {
  readonly params: Host<P>;
  readonly state: Host<State>;
  /** Batch loss of every step. */
  readonly losses: readonly number[];
  /** Why the run ended. A diverged run keeps the parameters before the step whose loss was not finite. */
  readonly end: { readonly reason: 'finished' | 'interrupted' } | { readonly reason: 'diverged'; readonly step: number; readonly loss: number };
}

/**
 * Trains a problem. The run is a pure function of the options: batch order and initial parameters come from the seed.
 * A loss that is not finite stops the run and keeps everything until then.
 *
 * @throws ArgumentError when the batch is larger than the training set or an option is out of range.
 */
export async function train<P, State>(problem: Problem<P, State>, options: TrainOptions<P, State>): Promise<TrainingRun<P, State>> {
  const { optimizer, epochs, batchSize, seed, signal } = options;
  requireInteger('train', 'epochs', epochs, 1);
  requireInteger('train', 'batchSize', batchSize, 1);
  const { inputs, targets, size } = problem.train;
  if (batchSize > size) throw new ArgumentError({ operation: 'train', required: `batchSize must be at most the ${size} training examples`, received: String(batchSize) });
  const rate = typeof options.learningRate === 'number' ? (): number => options.learningRate as number : options.learningRate;
  const root = key(seed);
  const step = compile(trainingStep(problem, optimizer), { executor: options.executor, name: 'training step' });
  const initial = options.start ?? problem.model.init(split(root, 'init'));
  const initState = compile((p: P) => optimizer.init(p), { executor: options.executor }) as unknown as { (params: unknown): Promise<unknown>; dispose(): Promise<void> };
  let params = initial.params;
  let state = initial.state;
  let memory = await initState(params);
  await initState.dispose();
  const losses: number[] = [];
  const steps = epochs * Math.floor(size / batchSize);
  let end: TrainingRun<P, State>['end'] = { reason: 'finished' };
  loop: for (let epoch = 0; epoch < epochs; epoch++) {
    for (const indices of batches(epochOrder(split(root, 'order'), size, epoch), { batchSize, remainder: 'drop' })) {
      if (signal?.aborted === true) { end = { reason: 'interrupted' }; break loop; }
      const noise = drawNoise(problem.model, [batchSize, ...inputs.shape.slice(1)], split(root, 'step', losses.length));
      const call = [params, state, memory, inputs, targets, new NDArray(indices, [batchSize], 'int32'), rate(losses.length), noise] as never;
      const next = await step(...(call as Parameters<typeof step>)) as unknown as { params: Host<P>; state: Host<State>; memory: unknown; loss: NDArray };
      const loss = next.loss.item();
      if (!Number.isFinite(loss)) { end = { reason: 'diverged', step: losses.length, loss }; break loop; }
      ({ params, state, memory } = next);
      losses.push(loss);
      options.onStep?.({ step: losses.length, steps, epoch, loss });
    }
    await options.onEpoch?.(epoch, params, state);
  }
  await step.dispose();
  return { params, state, losses, end };
}

/** The step as a traced function. */
function trainingStep<P, State>({ model, loss }: Problem<P, State>, optimizer: Optimizer<unknown>) {
  return (params: P, state: State, memory: unknown, inputs: Tensor, targets: Tensor, indices: Tensor, learningRate: Tensor, noise: readonly Tensor[]) => {
    const x = take(inputs, indices);
    const y = take(targets, indices);
    const objective = (p: P): [Tensor, State] => {
      const result = model.apply(p, x, { mode: 'train', state, noise });
      return [mean(loss(result.outputs, y)), result.state];
    };
    const lossOf = (p: P): Tensor => objective(p)[0];
    const [[value, nextState], gradient] = valueAndGrad(objective, { aux: true })(params);
    const next = optimizer.update({
      params, learningRate, loss: () => value, grad: () => gradient, hvp: (v: P) => hvp(lossOf)(params, v), lossAt: lossOf,
    }, memory);
    return { params: next.params, state: nextState, memory: next.state, loss: value };
  };
}

