/** The compiled programs of a training run, with what it takes to explain a step that failed. @module */
import { ThalwegError } from '../util/errors.ts';
import type { Executor } from '../core/backend.ts';
import { explainNonFinite, firstNonFinite } from '../core/evaluate.ts';
import type { Graph } from '../core/graph.ts';
import { NDArray } from '../core/ndarray.ts';
import type { Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { CompiledPrograms, type Compiled } from './compiled-programs.ts';
import { sliceOf, stacked, type HostInput } from './inputs.ts';
import { batchLoss, severalSteps, trainingStep, type Carry, type Fixed, type StepOutput, type StepSettings } from './step.ts';

/** On the host, what a step hands to the next. */
export type HostCarry<P, State> = Omit<Carry<P, State>, 'params' | 'state'> & { readonly params: Host<P>; readonly state: Host<State> };
type HostFixed<P> = Fixed<Host<P>, NDArray>;
/** On the host, what steps tell. */
export type HostOutput = StepOutput<NDArray>;

/** A step with all it is computed from. */
export interface StepCall<P, State> {
  readonly carry: HostCarry<P, State>;
  readonly input: HostInput<P>;
}

/** The programs of a run. */
export interface TrainingProgram<P, State> {
  /** What the first step is given. */
  start(params: Host<P>, state: Host<State>): Promise<HostCarry<P, State>>;
  /**
   * Steps one after another, in one call; the probes named are measured at each of them. `grouped`: in a loop inside the program, also
   * where it is one step. A backend may round a step in a loop and a step by itself differently, so a run is all of one kind.
   */
  run(carry: HostCarry<P, State>, inputs: readonly HostInput<P>[], due: readonly string[], grouped: boolean): Promise<{ readonly carry: HostCarry<P, State>; readonly outputs: readonly HostOutput[] }>;
  /** The traced step without probes, for predictions and to tell configurations apart. */
  graph(call: StepCall<P, State>): Graph;
  /** What the optimizer gives as its answer; undefined where that is the parameters. */
  readonly answer: ((carry: HostCarry<P, State>) => Promise<Host<P>>) | undefined;
  /**
   * Says where a loss that is not finite comes from: an operation of this step's loss, or, where the parameters were
   * not finite already, of the step before, which made them.
   */
  explain(call: StepCall<P, State>, before: StepCall<P, State> | undefined): string;
  dispose(): Promise<void>;
}

/** Compiles each program when it is first needed. */
export function trainingProgram<P, State>(problem: Problem<P, State>, fixed: HostFixed<P>, settings: StepSettings, executor: Executor | undefined): TrainingProgram<P, State> {
  const programs = new CompiledPrograms(executor);
  type StepProgram<Output> = Compiled<[HostFixed<P>, HostCarry<P, State>, HostInput<P>], Output>;
  const stepProgram = (due: readonly string[], isSeveral: boolean): StepProgram<[HostCarry<P, State>, HostOutput]> => {
    const what = isSeveral ? 'training steps' : 'training step';
    return programs.get(due.length === 0 ? what : `${what} with ${due.join(', ')}`, () => {
      const step = trainingStep(problem, settings, due);
      return isSeveral ? severalSteps(step) : step;
    });
  };
  const { optimizer, probes } = settings;
  const remembering = probes.filter(({ init }) => init !== undefined);
  return {
    async start(params, state) {
      const initial = programs.get<[Host<P>], Pick<Carry<P, State>, 'memory' | 'probes'>>('initial state of the optimizer', () =>
        (at: P) => ({ memory: optimizer.init(at), probes: Object.fromEntries(remembering.map((probe) => [probe.name, probe.init!(at)])) }));
      return { params, state, ...await initial(params) };
    },
    async run(carry, inputs, due, grouped) {
      if (!grouped) {
        const outputs: HostOutput[] = [];
        let next = carry;
        for (const input of inputs) {
          const [after, output] = await stepProgram(due, false)(fixed, next, input);
          next = after;
          outputs.push(output);
        }
        return { carry: next, outputs };
      }
      const [next, outputs] = await stepProgram(due, true)(fixed, carry, stacked(inputs));
      return { carry: next, outputs: inputs.map((_, k) => sliceOf(outputs, k)) };
    },
    graph: ({ carry, input }) => stepProgram([], false).graph(fixed, carry, input),
    answer: optimizer.answer && (async ({ params, memory }) =>
      programs.get<[Host<P>, unknown], Host<P>>('answer of the optimizer', () => (at: P, state: unknown) => optimizer.answer!(at, state))(params, memory)),
    explain({ carry, input }, before) {
      const cameIn = [carry.params, carry.state].some((tree) => leaves<NDArray>(tree).some((leaf) => firstNonFinite(leaf) >= 0));
      if (cameIn && before !== undefined) return firstNonFiniteOperation('update of the step before', stepProgram([], false).graph(fixed, before.carry, before.input), [fixed, before.carry, before.input]);
      const loss: StepProgram<NDArray> = programs.get('batch loss', () => batchLoss(problem, settings));
      return firstNonFiniteOperation('batch loss', loss.graph(fixed, carry, input), [fixed, carry, input]);
    },
    dispose: () => programs.dispose(),
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
