/** Many replicas of a training run in one program. @module */
import { array, NDArray } from '../core/ndarray.ts';
import type { Graph } from '../core/graph.ts';
import type { Optimizer } from '../optim/index.ts';
import { DEFAULT_MEMORY_BUDGET } from '../problem/chunk-plan.ts';
import { examplesOf, ParameterSpace, type Examples, type Problem } from '../problem/index.ts';
import { bytesOf, peakBytes } from '../problem/memory.ts';
import type { Host } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { configurationOf, scheduleText, type Configuration } from './configuration.ts';
import { ensembleInputs, type EnsembleInputs } from './ensemble-inputs.ts';
import { EnsembleLoop } from './ensemble-loop.ts';
import { planSlices, type SlicePlan } from './ensemble-memory.ts';
import type { EnsembleOptions } from './ensemble-options.ts';
import { ensembleProbes } from './ensemble-probes.ts';
import { ensembleProgram, type EnsembleProgram, type EnsembleStepSettings } from './ensemble-program.ts';
import { optimizerOf, replicasOf, type EnsembleSchedule, type HyperParameters, type Replica, type Variation } from './ensemble-vary.ts';
import { stacked, stepInputs } from './inputs.ts';
import { isBeside, isInside, type RunCost } from './measuring.ts';
import { extentOf, requireOptions } from './options.ts';
import { trainingProgram, type HostCarry, type StepCall } from './program.ts';
import { provenanceOf, type Provenance } from './provenance.ts';
import { stepDraws } from './quantities.ts';
import { STEPS_PER_CALL } from './steps-per-call.ts';
import type { TrainingRun } from './train.ts';

/** One replica of an ensemble: what `train` would have returned of it. */
export interface ReplicaRun<P, State> extends Omit<TrainingRun<P, State>, 'costs' | 'provenance' | 'microBatch'> {
  /** What it differs in, by name. */
  readonly values: Readonly<Record<string, number>>;
}

/** Replicas trained together. */
export interface EnsembleRun<P, State> {
  readonly replicas: readonly ReplicaRun<P, State>[];
  /** Replicas trained at a time: one number where memory holds all of them. */
  readonly slices: readonly number[];
  /** Predicted bytes of a step of the largest slice, besides the training set. */
  readonly bytes: number;
  /** Over all slices; measurements of probes beside the step are counted a replica. */
  readonly costs: readonly RunCost[];
  readonly provenance: Provenance;
}

/**
 * Trains replicas of a problem in one program, vectorised over them: seeds, rates, initial scales and any hyper-parameter of the optimizer
 * may differ, as `vary` says. Each replica is what `train` gives with the same values, up to rounding: its random numbers are those of
 * its own seed. A replica whose loss is not finite stays at its last good parameters and is explained; the others go on.
 *
 * Where memory does not hold all replicas, they are trained in slices one after another, with the same results. Interrupted, the
 * ensemble ends after the call of the backend that was running, and keeps what is done. It has no checkpoints.
 *
 * @throws ArgumentError when an option is out of range, or the optimizer does not use a hyper-parameter that `vary` names.
 */
export async function trainEnsemble<P, State>(problem: Problem<P, State>, options: EnsembleOptions<P, State>): Promise<EnsembleRun<P, State>> {
  const setup = prepare(problem, options);
  const { replicas, steps, memoryBudget } = setup;
  const { onEvent, executor, seed } = options;
  const started = new Date().toISOString();
  const { sizes, bytes } = await predictSlices(setup);
  onEvent?.({ type: 'begin', steps, replicas: replicas.length, slices: sizes, bytes, memoryBudget });
  const runs: ReplicaRun<P, State>[] = [];
  const costs: RunCost[][] = [];
  let configuration: Configuration | undefined;
  for (const [slice, size] of sizes.entries()) {
    const first = runs.length;
    onEvent?.({ type: 'slice', slice, first, replicas: size });
    const part = partOf(setup, replicas.slice(first, first + size));
    try {
      const carry = await part.start();
      if (configuration === undefined) {
        const graph = part.graph(carry);
        requireUsed(setup);
        configuration = configurationFor(setup, carry, graph);
      }
      const beside = await ensembleProbes((options.probes ?? []).filter(isBeside), { problem, optimizer: options.optimizer, executor, batchSize: setup.examples, signal: options.signal, replicas: part.replicas });
      try {
        const loop = new EnsembleLoop<P, State>({ ...part, first, extent: setup, dtype: setup.dtype, ownRates: setup.ownRates, beside, inside: setup.settings.probes, signal: options.signal, onEvent }, carry);
        runs.push(...await loop.run());
        costs.push(loop.costs);
      } finally {
        await beside.dispose();
      }
    } finally {
      await part.program.dispose();
    }
  }
  return { replicas: runs, slices: sizes, bytes, costs: summed(costs), provenance: provenanceOf({ executor, seed, configuration: configuration!, started, resumedAt: [] }) };
}

function configurationFor<P, State>({ problem, options, replicas, steps, stepsPerCall, like }: Setup<P, State>, { params, state }: HostCarry<P, State>, graph: Graph): Configuration {
  const { onEvent: _, start: __, ...rest } = options;
  const labels = { replicas: String(replicas.length), values: JSON.stringify(replicas.map(({ values }) => values)) };
  const configuration = configurationOf<P, State>({ problem, options: { ...rest, optimizer: like, schedule: replicas[0].schedule, labels }, steps, microBatch: options.microBatch, stepsPerCall, start: { params, state }, graph });
  return { ...configuration, schedule: typeof options.schedule === 'object' ? options.schedule.map(scheduleText).join('; ') : configuration.schedule };
}

/** What all slices have in common. */
interface Setup<P, State> {
  readonly problem: Problem<P, State>;
  readonly options: EnsembleOptions<P, State>;
  readonly replicas: readonly Replica<P, State>[];
  readonly dtype: 'float32' | 'float64';
  readonly data: Examples<NDArray>;
  readonly examples: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly stepsPerCall: number;
  readonly memoryBudget: number;
  readonly ownRates: boolean;
  readonly settings: EnsembleStepSettings;
  /** The optimizer of the first replica: what does not depend on hyper-parameters. */
  readonly like: Optimizer;
  /** Hyper-parameters that the optimizer was made with. */
  readonly used: Set<string>;
}

function prepare<P, State>(problem: Problem<P, State>, options: EnsembleOptions<P, State>): Setup<P, State> {
  const { vary = { seed: true }, seed, start, schedule, optimizer, probes = [], microBatch, distribution } = options;
  requireOptions(problem, { ...options, optimizer: undefined, schedule: 0, onEvent: undefined } as never);
  requireInteger('trainEnsemble', 'seed', seed);
  if (options.replicasAtOnce !== undefined) requireInteger('trainEnsemble', 'replicasAtOnce', options.replicasAtOnce, 1);
  const replicas = replicasOf(problem, { replicas: options.replicas, vary, seed, schedule, start });
  const { dtype } = new ParameterSpace(replicas[0].start.params);
  const { examples, steps, stepsPerEpoch } = extentOf(problem as never, options);
  const used = new Set<string>();
  const watched = typeof optimizer === 'function' ? (hyper: HyperParameters) => optimizer(noticing(hyper, used)) : optimizer;
  // Made of numbers once, which are checked; the tensors of the step cannot be.
  const [like] = replicas.map(({ hyper }) => optimizerOf(watched, hyper));
  const settings = { optimizer: watched, probes: probes.filter(isInside), distribution, microBatch: microBatch === examples ? undefined : microBatch };
  return {
    problem, options, replicas, dtype, data: examplesOf(problem.train, dtype), examples, steps, stepsPerEpoch, settings, like, used,
    stepsPerCall: options.stepsPerCall ?? STEPS_PER_CALL, memoryBudget: options.memoryBudget ?? DEFAULT_MEMORY_BUDGET, ownRates: ratesDiffer(vary, schedule),
  };
}

/** A schedule may look at losses, which differ. */
const ratesDiffer = (vary: Variation, schedule: EnsembleSchedule | undefined): boolean => vary.learningRateFactor !== undefined || typeof schedule !== 'number';

/** Notes which hyper-parameters are asked for. */
const noticing = (hyper: HyperParameters, used: Set<string>): HyperParameters => new Proxy(hyper, {
  get(target, name) {
    used.add(String(name));
    return target[String(name)];
  },
});

function requireUsed({ replicas: [{ hyper }], used, like }: Setup<unknown, unknown>): void {
  const unused = Object.keys(hyper).find((name) => !used.has(name));
  if (unused === undefined) return;
  throw new ArgumentError({ operation: 'trainEnsemble', required: `vary.${unused} must be a hyper-parameter that the optimizer is made with`, received: `'${like.name}', which does not use it`, remedy: `optimizer: (hyper) => adamw({ ${unused}: hyper.${unused} })` });
}

/** Replicas that are trained at a time. */
interface Part<P, State> {
  readonly replicas: readonly Replica<P, State>[];
  readonly program: EnsembleProgram<P, State>;
  readonly inputs: EnsembleInputs<P>;
  start(): Promise<HostCarry<P, State>>;
  graph(carry: HostCarry<P, State>): Graph;
  explain(replica: number, call: StepCall<P, State>, before: StepCall<P, State> | undefined): Promise<string>;
}

function partOf<P, State>(setup: Setup<P, State>, replicas: readonly Replica<P, State>[]): Part<P, State> {
  const { problem, options: { batchSize, mixup, distribution, executor }, settings, data, dtype, examples, ownRates, like } = setup;
  const { params, state } = stacked(replicas.map(({ start }) => ({ params: start.params, state: start.state })));
  const initial = settings.probes.length > 0 ? { initial: params as Host<P> } : {};
  const names = Object.keys(replicas[0].hyper);
  const hyper = Object.fromEntries(names.map((name) => [name, array(replicas.map((replica) => replica.hyper[name]), [replicas.length], dtype)]));
  const program = ensembleProgram(problem, data, { hyper, ...initial }, settings, like, executor);
  const inputs = ensembleInputs<P>({
    seeds: replicas.map(({ seed }) => seed), ownRates, dtype,
    inputsOf: (seed) => stepInputs<P, State>(problem, {
      root: key(seed), batchSize, dtype, mixup, drawsAt: stepDraws(problem, replicas[0].start, like.draws ?? [], { batchSize: examples, key: split(key(seed), 'draws'), distribution }),
    }),
  });
  return {
    replicas, program, inputs,
    start: () => program.start(params as Host<P>, state as Host<State>),
    graph: (carry) => program.graph(carry, inputs.at(0, replicas.map(() => 0))),
    async explain(replica, call, before) {
      const { start, hyper: values } = replicas[replica];
      const alone = trainingProgram(problem, { data, ...(settings.probes.length > 0 && { initial: start.params }) }, { ...settings, optimizer: optimizerOf(settings.optimizer, values) }, executor);
      const message = alone.explain(call, before);
      await alone.dispose();
      return message;
    },
  };
}

const besidesData = (graph: Graph, data: Examples<NDArray>): number => peakBytes(graph) - bytesOf(graph.inputs.slice(0, leaves(data).length));

/** Slices that fit, predicted from the steps of a few replicas. */
async function predictSlices<P, State>(setup: Setup<P, State>): Promise<SlicePlan> {
  const { replicas, memoryBudget, data, options: { replicasAtOnce } } = setup;
  const bytesOfParts = new Map<number, number>();
  for (const count of new Set([2, 4].map((trial) => Math.min(trial, replicas.length)))) {
    const part = partOf(setup, replicas.slice(0, count));
    try {
      bytesOfParts.set(count, besidesData(part.graph(await part.start()), data));
    } finally {
      await part.program.dispose();
    }
  }
  return planSlices({ replicas: replicas.length, memoryBudget, most: replicasAtOnce, bytesAt: (count) => bytesOfParts.get(count)! });
}

/** Costs of slices by name. */
function summed(slices: readonly (readonly RunCost[])[]): RunCost[] {
  const total = new Map<string, RunCost>();
  for (const { name, count, seconds, products } of slices.flat()) {
    const before = total.get(name) ?? { count: 0, seconds: 0, products: 0 };
    total.set(name, { name, count: before.count + count, seconds: before.seconds + seconds, products: before.products + products });
  }
  return [...total.values()];
}
