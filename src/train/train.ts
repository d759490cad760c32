/** The training loop: compiled steps, driven from the host, with probes and checkpoints between them. @module */
import type { Graph } from '../core/graph.ts';
import { DEFAULT_MEMORY_BUDGET } from '../problem/chunk-plan.ts';
import { examplesOf, ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { key, split } from '../util/random/index.ts';
import { stepInputs, type StepInputs } from './inputs.ts';
import { TrainingLoop } from './loop.ts';
import { besideProbes, isBeside, isInside, type RunCost } from './measuring.ts';
import { planMicroBatch } from './micro-batch-plan.ts';
import { extentOf, requireOptions, type TrainOptions } from './options.ts';
import { trainingProgram } from './program.ts';
import type { Provenance } from './provenance.ts';
import { stepDraws } from './quantities.ts';
import type { MeasurementTable } from './table.ts';

/** A loss that is not finite ended the run. */
export interface Divergence {
  readonly reason: 'diverged';
  /** The step whose loss it was, counted from one. */
  readonly step: number;
  readonly loss: number;
  /** The first operation whose result is not finite, found by evaluating the step again, operation by operation. */
  readonly message: string;
}

/** Where a run ended and how it got there. */
export interface TrainingRun<P, State> {
  /** Where the run ended; diverged, the last parameters whose batch loss was finite (the initial ones if none was). */
  readonly params: Host<P>;
  readonly state: Host<State>;
  /** The optimizer's state there. */
  readonly memory: unknown;
  /** Parameters the optimizer gives as its answer, where they are not `params` (averages of them). */
  readonly answer?: Host<P>;
  /** Batch loss of every step; all finite. */
  readonly losses: readonly number[];
  /** Everything measured. */
  readonly table: MeasurementTable;
  /** Of this process alone, where the run was resumed. */
  readonly costs: readonly RunCost[];
  readonly provenance: Provenance;
  /** Examples evaluated at a time, where it is not the whole batch. */
  readonly microBatch?: number;
  readonly end: { readonly reason: 'finished' | 'interrupted' } | Divergence;
}

/**
 * Trains a problem. The run is a pure function of the options: batch order, dropout, mixing and initial parameters come from
 * the seed. A loss that is not finite stops the run, is explained, and keeps everything until then.
 *
 * @throws ArgumentError when the batch is larger than the training set or an option is out of range; DataError when the checkpoint to
 * resume is of a run of another configuration.
 */
export async function train<P, State>(problem: Problem<P, State>, options: TrainOptions<P, State>): Promise<TrainingRun<P, State>> {
  requireOptions(problem, options);
  const { seed, optimizer, executor, signal, probes = [], batchSize, mixup, distribution } = options;
  const root = key(seed);
  const start: Point<P, State> = options.start ?? problem.model.init(split(root, 'init'));
  const { dtype } = new ParameterSpace(start.params);
  const { examples } = extentOf(problem as never, options);
  const inside = probes.filter(isInside);
  const inputsOf = (size: number | 'full'): StepInputs<P> => stepInputs<P, State>(problem, {
    root, batchSize: size, dtype, mixup, drawsAt: stepDraws(problem, start, optimizer.draws ?? [], { batchSize: size === 'full' ? examples : size, key: split(root, 'draws'), distribution }),
  });
  const inputs = inputsOf(batchSize);
  const data = examplesOf(problem.train, dtype);
  const settings = { optimizer, probes: inside, distribution };
  const microBatch = options.microBatch === 'auto' ? await predictMicroBatch() : options.microBatch;
  const fixed = { data, ...(inside.length > 0 && { initial: start.params }) };
  const program = trainingProgram(problem, fixed, { ...settings, microBatch: microBatch === examples ? undefined : microBatch }, executor);
  try {
    const beside = await besideProbes(probes.filter(isBeside), { problem, optimizer, executor, root, batchSize: examples, start, signal });
    try {
      return await new TrainingLoop({ problem, options, start, dtype, program, inputs, beside, inside, microBatch }).run();
    } finally {
      await beside.dispose();
    }
  } finally {
    await program.dispose();
  }

  async function predictMicroBatch(): Promise<number | undefined> {
    const trial = trainingProgram(problem, { data }, { ...settings, probes: [] }, executor);
    const carry = await trial.start(start.params, start.state);
    const graphAt = (size: number): Graph => trial.graph({ carry, input: inputsOf(size).at(0, 0) });
    const planned = planMicroBatch({ examples, memoryBudget: options.memoryBudget ?? DEFAULT_MEMORY_BUDGET, graphAt, dataInputs: leaves(data).length });
    await trial.dispose();
    return planned;
  }
}
