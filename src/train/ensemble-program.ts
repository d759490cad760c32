/** The compiled programs of an ensemble: the step of `train`, vectorised over replicas. @module */
import type { Executor } from '../core/backend.ts';
import type { Graph } from '../core/graph.ts';
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Examples, Problem } from '../problem/index.ts';
import { scan, vmap, type Host } from '../transforms/index.ts';
import { CompiledPrograms, type Compiled } from './compiled-programs.ts';
import type { EnsembleInput } from './ensemble-inputs.ts';
import { optimizerOf, type EnsembleOptimizer, type HyperParameters } from './ensemble-vary.ts';
import { sliceOf, stacked } from './inputs.ts';
import type { HostCarry, HostOutput } from './program.ts';
import { trainingStep, type Carry, type Step, type StepInput, type StepOutput, type StepSettings } from './step.ts';

/** What does not change during a run and differs between replicas: leaves [replicas, ...]. */
export interface OwnFixed<P, A = Tensor> {
  readonly hyper: Readonly<Record<string, A>>;
  /** Where the replicas started; present when a probe inside the step may ask for it. */
  readonly initial?: P;
}

/** How the steps of an ensemble are made. */
export interface EnsembleStepSettings extends Omit<StepSettings, 'optimizer'> {
  readonly optimizer: EnsembleOptimizer;
}

/** The programs of some replicas that are trained at once. Leaves of carries and outputs are [replicas, ...]. */
export interface EnsembleProgram<P, State> {
  start(params: Host<P>, state: Host<State>): Promise<HostCarry<P, State>>;
  /** Steps one after another, in one call; an output a step. */
  run(carry: HostCarry<P, State>, inputs: readonly EnsembleInput<P>[], due: readonly string[]): Promise<{ readonly carry: HostCarry<P, State>; readonly outputs: readonly HostOutput[] }>;
  /** The traced step without probes. */
  graph(carry: HostCarry<P, State>, input: EnsembleInput<P>): Graph;
  /** What the optimizers give as their answers; undefined where that is the parameters. */
  readonly answer: ((carry: HostCarry<P, State>) => Promise<Host<P>>) | undefined;
  dispose(): Promise<void>;
}

type TracedInput<P> = { readonly shared: Partial<StepInput<P>>; readonly own: Partial<StepInput<P>> };
type EnsembleStep<P, State> = (data: Examples, fixed: OwnFixed<P>, carry: Carry<P, State>, input: TracedInput<P>) => readonly [Carry<P, State>, StepOutput];

/** The step of all replicas: data and shared inputs have no axis of replicas, so that what follows from them alone is computed once. */
function ensembleStep<P, State>(problem: Problem<P, State>, settings: EnsembleStepSettings, due: readonly string[]): EnsembleStep<P, State> {
  return (data, fixed, carry, { shared, own }) => vmap((each: { readonly fixed: OwnFixed<P>; readonly carry: Carry<P, State>; readonly own: Partial<StepInput<P>> }) => {
    const { hyper, initial } = each.fixed;
    const step: Step<P, State> = trainingStep(problem, { ...settings, optimizer: optimizerOf(settings.optimizer, hyper) }, due);
    return step({ data, ...(initial !== undefined && { initial }) }, each.carry, { ...shared, ...each.own } as StepInput<P>);
  })({ fixed, carry, own });
}

/** Compiles each program when it is first needed. */
export function ensembleProgram<P, State>(problem: Problem<P, State>, data: Examples<NDArray>, fixed: OwnFixed<Host<P>, NDArray>, settings: EnsembleStepSettings, like: Optimizer, executor: Executor | undefined): EnsembleProgram<P, State> {
  const programs = new CompiledPrograms(executor);
  const stepProgram = (due: readonly string[], isSeveral: boolean): Compiled => {
    const what = isSeveral ? 'training steps of an ensemble' : 'training step of an ensemble';
    return programs.get(due.length === 0 ? what : `${what} with ${due.join(', ')}`, () => {
      const step = ensembleStep(problem, settings, due);
      if (!isSeveral) return step;
      return (examples: Examples, own: OwnFixed<P>, carry: Carry<P, State>, inputs: TracedInput<P>) =>
        scan((before: Carry<P, State>, input: TracedInput<P>) => step(examples, own, before, input), carry, inputs);
    });
  };
  const remembering = settings.probes.filter(({ init }) => init !== undefined);
  const { hyper } = fixed;
  return {
    async start(params, state) {
      const initial = programs.get('initial states of the optimizers', () => (at: P, values: HyperParameters) => vmap((own: P, each: HyperParameters) => ({
        memory: optimizerOf(settings.optimizer, each).init(own), probes: Object.fromEntries(remembering.map((probe) => [probe.name, probe.init!(own)])),
      }))(at, values));
      return { params, state, ...(await initial(params, hyper)) as Pick<HostCarry<P, State>, 'memory' | 'probes'> };
    },
    async run(carry, inputs, due) {
      if (inputs.length === 1) {
        const [next, output] = (await stepProgram(due, false)(data, fixed, carry, inputs[0])) as [HostCarry<P, State>, HostOutput];
        return { carry: next, outputs: [output] };
      }
      const [next, outputs] = (await stepProgram(due, true)(data, fixed, carry, stacked(inputs))) as [HostCarry<P, State>, HostOutput];
      return { carry: next, outputs: inputs.map((_, k) => sliceOf(outputs, k)) };
    },
    graph: (carry, input) => stepProgram([], false).graph(data, fixed, carry, input),
    answer: like.answer && (async ({ params, memory }) => (await programs.get('answers of the optimizers', () => (at: P, state: unknown, values: HyperParameters) =>
      vmap((own: P, each: unknown, one: HyperParameters) => optimizerOf(settings.optimizer, one).answer!(own, each))(at, state, values))(params, memory, hyper)) as Host<P>),
    dispose: () => programs.dispose(),
  };
}
