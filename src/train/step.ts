/** One step of training as a traced function: batch, loss, derivatives, update, and the probes inside. @module */
import type { Tensor } from '../core/tensor.ts';
import type { DistributionChoice, DistributionName } from '../curvature/index.ts';
import { take } from '../ops/index.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Examples, Problem } from '../problem/index.ts';
import { scan } from '../transforms/index.ts';
import { microBatchObjective } from './micro-batch.ts';
import { mixed, type Mix } from './mixup.ts';
import { batchObjective, type BatchObjective } from './objective.ts';
import type { InsideProbe, StepView } from './probe.ts';
import type { StepDraws } from './quantities.ts';

/** What does not change during a run. */
export interface Fixed<P, A = Tensor> {
  /** All training examples. */
  readonly data: Examples<A>;
  /** Where the run started; present when a probe inside the step may ask for it. */
  readonly initial?: P;
}

/** What a step hands to the next. */
export interface Carry<P, State> {
  readonly params: P;
  readonly state: State;
  /** The optimizer's state. */
  readonly memory: unknown;
  /** What probes inside the step remember, by name. */
  readonly probes: Readonly<Record<string, unknown>>;
}

/** What is new in a step. */
export interface StepInput<P, A = Tensor> {
  /** Examples of the batch; absent where the batch is the whole data set. */
  readonly indices?: A;
  /** Steps done before this one. */
  readonly step: A;
  readonly learningRate: A;
  /** What noisy layers read. */
  readonly noise: readonly A[];
  readonly draws: StepDraws<P, A>;
  readonly mix?: Mix<A>;
}

/** What a step tells. */
export interface StepOutput<A = Tensor> {
  readonly loss: A;
  /** What the optimizer reports. */
  readonly report: Readonly<Record<string, A>>;
  /** Values of the probes that are due, by probe and part. */
  readonly measured: Readonly<Record<string, Readonly<Record<string, A>>>>;
}

/** How steps are made. */
export interface StepSettings {
  readonly optimizer: Optimizer;
  /** All probes inside the step. */
  readonly probes: readonly InsideProbe[];
  /** Examples of a part; default: the batch is evaluated whole. */
  readonly microBatch?: number;
  readonly distribution?: DistributionName | DistributionChoice;
}

/** A step: what it hands on, and what it tells. */
export type Step<P, State> = (fixed: Fixed<P>, carry: Carry<P, State>, input: StepInput<P>) => readonly [Carry<P, State>, StepOutput];

/** The step of a problem, in which the probes named by `due` measure; probes with a memory keep it up to date in any case. */
export function trainingStep<P, State>(problem: Problem<P, State>, settings: StepSettings, due: readonly string[] = []): Step<P, State> {
  const { optimizer, probes } = settings;
  return (fixed, carry, input) => {
    const { memory } = carry;
    const { objective, targets } = objectiveOf(problem, settings, fixed, carry, input);
    const next = optimizer.update(objective.context, memory);
    const state = objective.state();
    const view: StepView<P, State> = {
      ...objective.context, state: carry.state, next: next.params, memory, nextMemory: next.state, outputs: () => objective.outputs(), targets, initial: fixed.initial as P,
    };
    const remembered: Record<string, unknown> = {};
    const measured: Record<string, Readonly<Record<string, Tensor>>> = {};
    for (const probe of probes) {
      const isDue = due.includes(probe.name);
      if (!isDue && probe.init === undefined) continue;
      const result = probe.measure(view, carry.probes[probe.name]);
      if (probe.init !== undefined) remembered[probe.name] = result.memory;
      if (isDue) measured[probe.name] = result.values;
    }
    return [{ params: next.params, state, memory: next.state, probes: remembered }, { loss: objective.context.loss(), report: next.report ?? {}, measured }];
  };
}

/** Several steps in one program: inputs are stacked along a new first axis, and so is what the steps tell. */
export const severalSteps = <P, State>(step: Step<P, State>): Step<P, State> =>
  (fixed, carry, inputs) => scan((before: Carry<P, State>, input: StepInput<P>) => step(fixed, before, input), carry, inputs);

/** The batch loss alone, to explain where it is not finite. */
export const batchLoss = <P, State>(problem: Problem<P, State>, settings: StepSettings) =>
  (fixed: Fixed<P>, carry: Carry<P, State>, input: StepInput<P>): Tensor => objectiveOf(problem, settings, fixed, carry, input).objective.context.loss();

function objectiveOf<P, State>(problem: Problem<P, State>, { microBatch, distribution }: StepSettings, { data }: Fixed<P>, { params, state }: Carry<P, State>, input: StepInput<P>): { readonly objective: BatchObjective<P, State>; readonly targets: Tensor } {
  const { indices, mix, ...rest } = input;
  const drawn = indices === undefined ? data : { inputs: take(data.inputs, indices), targets: take(data.targets, indices) };
  const { batch, loss } = mix === undefined ? { batch: drawn, loss: problem.loss } : mixed(drawn, problem.loss, mix);
  const occasion = { ...rest, params, state, batch, distribution };
  const changed = { ...problem, loss };
  return { objective: microBatch === undefined ? batchObjective(changed, occasion) : microBatchObjective(changed, occasion, microBatch), targets: drawn.targets };
}
