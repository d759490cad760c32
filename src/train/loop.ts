/** The course of a training run: steps, what is due between them, and how it ends. @module */
import type { Graph } from '../core/graph.ts';
import type { NDArray } from '../core/ndarray.ts';
import { rounded, type Point, type Problem } from '../problem/index.ts';
import { bytesOf } from '../problem/memory.ts';
import { leaves } from '../tree/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { checkpointOf, restored } from './snapshot.ts';
import { configurationOf, type Configuration } from './configuration.ts';
import { requireSameRun } from './checkpoint.ts';
import type { StepInputs, HostInput } from './inputs.ts';
import { dueInside, finished, record, roundedIn, StepTimes, type BesideProbes, type RunCost } from './measuring.ts';
import { extentOf, type TrainEvent, type TrainOptions } from './options.ts';
import type { InsideProbe } from './probe.ts';
import type { HostCarry, HostOutput, StepCall, TrainingProgram } from './program.ts';
import { provenanceOf, type Provenance } from './provenance.ts';
import { RateSource } from './rates.ts';
import { CALL_INPUT_BYTES, STEPS_PER_CALL, stepsOfCall } from './steps-per-call.ts';
import { MeasurementTable } from './table.ts';
import type { Divergence, TrainingRun } from './train.ts';

/** A step is small when its operations write less: a few milliseconds. */
const SMALL_STEP_BYTES = 32 * 2 ** 20;

/** A function of the step alone, never of measured times, which would make rounding depend on the machine's load. */
function usualStepsPerCall(graph: Graph, input: unknown, microBatch: number | undefined): number {
  const written = graph.nodes.reduce((sum, { primitive, outputs }) => sum + (primitive.cheap === true ? 0 : bytesOf(outputs)), 0);
  const given = STEPS_PER_CALL * bytesOf(leaves<NDArray>(input));
  return microBatch === undefined && written <= SMALL_STEP_BYTES && given <= CALL_INPUT_BYTES ? STEPS_PER_CALL : 1;
}

export interface LoopParts<P, State> {
  readonly problem: Problem<P, State>;
  readonly options: TrainOptions<P, State>;
  readonly start: Point<P, State>;
  readonly dtype: 'float32' | 'float64';
  readonly program: TrainingProgram<P, State>;
  readonly inputs: StepInputs<P>;
  readonly beside: BesideProbes<P, State>;
  readonly inside: readonly InsideProbe[];
  readonly microBatch?: number;
}

/** A carry and the number of steps done before it. */
interface Place<P, State> {
  readonly step: number;
  readonly carry: HostCarry<P, State>;
}

/** One run from its start, or from a checkpoint, to its end. */
export class TrainingLoop<P, State> {
  readonly #parts: LoopParts<P, State>;
  readonly #steps: number;
  readonly #stepsPerEpoch: number;
  readonly #rates: RateSource;
  readonly #times = new StepTimes();
  readonly #started = new Date().toISOString();
  readonly #losses: number[] = [];
  readonly #learningRates: number[] = [];
  #table = new MeasurementTable();
  readonly #saves = { count: 0, seconds: 0 };
  #configuration: Configuration = {};
  #resumedAt: number[] = [];
  #stepsPerCall = 1;
  /** Where the latest call began, and the one before it: what it takes to go back a step. */
  #kept: Place<P, State>[] = [];
  #carry!: HostCarry<P, State>;

  constructor(parts: LoopParts<P, State>) {
    this.#parts = parts;
    const { steps, stepsPerEpoch } = extentOf(parts.problem as never, parts.options);
    this.#steps = steps;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#rates = new RateSource(parts.options.schedule, this.#losses);
  }

  async run(): Promise<TrainingRun<P, State>> {
    await this.#begin();
    this.#parts.options.onEvent?.({ type: 'begin', step: this.#done, steps: this.#steps, table: this.#table });
    const { options: { signal, checkpoint, resume }, beside } = this.#parts;
    const resumed = resume?.record.step;
    while (this.#done < this.#steps) {
      const step = this.#done;
      // What was due where the checkpoint was made is in it.
      if (step !== resumed) {
        if (beside.due(step, this.#steps)) await this.#measureBeside();
        if (checkpoint && step > 0 && step % checkpoint.every === 0 && signal?.aborted !== true) await this.#save();
      }
      if (signal?.aborted === true) {
        // Where nothing was due, all has been done that a checkpoint of this step stands for.
        if (checkpoint && step > 0 && step !== resumed && !beside.due(step, this.#steps)) await this.#save();
        return this.#ended({ reason: 'interrupted' });
      }
      const divergence = await this.#advance();
      if (divergence) return this.#ended(divergence);
    }
    if (this.#done !== resumed) {
      await this.#measureBeside();
      if (signal?.aborted === true) return this.#ended({ reason: 'interrupted' });
      if (checkpoint) await this.#save();
    }
    return this.#ended({ reason: 'finished' });
  }

  get #done(): number { return this.#losses.length; }

  get #isGrouped(): boolean { return this.#stepsPerCall > 1; }

  #epochAt(step: number): number { return step / this.#stepsPerEpoch; }

  async #begin(): Promise<void> {
    const { problem, options, start, program, inputs, beside, microBatch } = this.#parts;
    this.#carry = await program.start(start.params, start.state);
    const input = inputs.at(0, 0);
    const graph = program.graph({ carry: this.#carry, input });
    this.#stepsPerCall = options.stepsPerCall ?? usualStepsPerCall(graph, input, microBatch);
    this.#configuration = configurationOf({ problem, options, steps: this.#steps, microBatch, stepsPerCall: this.#stepsPerCall, start, graph });
    const { resume, checkpoint } = options;
    if (resume === undefined) {
      const other = await checkpoint?.store.latest();
      if (other) throw new ArgumentError({ operation: 'train', required: 'the store of a new run must be empty', received: `one with a checkpoint of step ${other.record.step}`, remedy: 'resume that checkpoint, or another store' });
      return;
    }
    requireSameRun(resume, this.#configuration, this.#steps);
    const found = restored(resume, this.#carry);
    this.#carry = found.carry;
    this.#table = new MeasurementTable(resume.record.columns);
    found.losses.forEach((loss, step) => { this.#tell(step, loss, found.learningRates[step]); });
    for (const { name, entry } of found.entries) this.#table.add(name, entry);
    beside.restore(resume.arrays);
    this.#resumedAt = [...(resume.record.provenance.resumedAt ?? []), resume.record.step];
  }

  /** Adds a step's loss and rate to what is known. */
  #tell(step: number, loss: number, learningRate: number): void {
    const { dtype } = this.#parts;
    const epoch = this.#epochAt(step);
    this.#losses.push(loss);
    this.#learningRates.push(learningRate);
    this.#table.add('loss', { step, epoch, measurement: roundedIn(dtype, loss) });
    this.#table.add('learningRate', { step, epoch, measurement: rounded(learningRate, 0) });
  }

  #count(step: number): number {
    const { options: { checkpoint }, beside, inside } = this.#parts;
    const isStop = (next: number): boolean => beside.due(next, this.#steps) || (checkpoint !== undefined && next % checkpoint.every === 0);
    return stepsOfCall(step, { most: this.#stepsPerCall, steps: this.#steps, inside, isStop, isKnown: (next) => this.#rates.isKnown(next) });
  }

  /** One call of the backend; says why the run cannot go on, if it cannot. */
  async #advance(): Promise<Divergence | undefined> {
    const { program, inputs, inside, options: { signal } } = this.#parts;
    const step = this.#done;
    const due = dueInside(inside, step, this.#steps);
    // Rates before the count looks at those that follow.
    const first = this.#rates.at(step);
    const count = this.#count(step);
    const given = Array.from({ length: count }, (_, k) => inputs.at(step + k, k === 0 ? first : this.#rates.at(step + k)));
    this.#kept = [...this.#kept.slice(-1), { step, carry: this.#carry }];
    const begun = performance.now();
    const { carry, outputs } = await program.run(this.#carry, given, due, this.#isGrouped);
    this.#times.add(due, count, (performance.now() - begun) / 1000);
    for (const [k, output] of outputs.entries()) {
      const loss = output.loss.item();
      if (!Number.isFinite(loss)) return this.#diverged(loss);
      this.#tell(step + k, loss, this.#rates.at(step + k));
      this.#take(step + k, output, due);
      // Stopped by one who heard of this step: the steps after it have not been.
      if (signal?.aborted === true && k < count - 1) {
        this.#carry = await this.#carryAt(step + k + 1);
        return undefined;
      }
    }
    this.#carry = carry;
    return undefined;
  }

  /** Records what a step told, and passes it on. */
  #take(step: number, output: HostOutput, due: readonly string[]): void {
    const { inside, dtype, options: { onEvent } } = this.#parts;
    const epoch = this.#epochAt(step);
    for (const [name, value] of Object.entries(output.report)) record(this.#table, 'optimizer', { [name]: roundedIn(dtype, value.item()) }, step, epoch);
    for (const probe of inside) {
      if (!due.includes(probe.name)) continue;
      const measured = finished(probe, output, dtype);
      record(this.#table, probe.name, measured, step, epoch);
      onEvent?.({ type: 'measured', step, epoch, probe: probe.name, measured });
    }
    if (!onEvent) return;
    const done = step + 1;
    const event: TrainEvent = { type: 'step', step: done, steps: this.#steps, epoch: Math.floor(epoch), loss: this.#losses[step], learningRate: this.#learningRates[step] };
    onEvent(event);
    if (done % this.#stepsPerEpoch === 0) onEvent({ type: 'epoch', step: done, epoch: Math.floor(epoch) });
  }

  async #measureBeside(): Promise<void> {
    const { beside, program, options: { onEvent } } = this.#parts;
    const step = this.#done;
    const epoch = this.#epochAt(step);
    const { params, state, memory } = this.#carry;
    const answer = await program.answer?.(this.#carry);
    await beside.measure({ params, state, memory, step, epoch, learningRate: this.#rates.at(Math.min(step, this.#steps - 1)), ...(answer !== undefined && { answer }) }, this.#steps, (probe, measured) => {
      record(this.#table, probe, measured, step, epoch);
      onEvent?.({ type: 'measured', step, epoch, probe, measured });
    });
  }

  async #save(): Promise<void> {
    const { beside, options: { checkpoint, onEvent } } = this.#parts;
    const begun = performance.now();
    await checkpoint!.store.save(checkpointOf({
      carry: this.#carry, losses: this.#losses, learningRates: this.#learningRates, table: this.#table, probes: beside.save(), provenance: this.#provenance(), configuration: this.#configuration,
    }));
    this.#saves.count++;
    this.#saves.seconds += (performance.now() - begun) / 1000;
    onEvent?.({ type: 'checkpoint', step: this.#done });
  }

  #provenance(): Provenance {
    const { options: { executor, seed } } = this.#parts;
    return provenanceOf({ executor, seed, configuration: this.#configuration, started: this.#started, resumedAt: this.#resumedAt });
  }

  /** What step number `step` is computed from, going on from the latest place kept before it. */
  async #carryAt(step: number): Promise<HostCarry<P, State>> {
    const from = this.#kept.findLast((place) => place.step <= step)!;
    let { carry } = from;
    for (let at = from.step; at < step; at++) ({ carry } = await this.#parts.program.run(carry, [this.#inputAt(at)], [], this.#isGrouped));
    return carry;
  }

  #inputAt(step: number): HostInput<P> { return this.#parts.inputs.at(step, this.#rates.at(step)); }

  /** The loss of the step after those done is not finite. */
  async #diverged(loss: number): Promise<Divergence> {
    const step = this.#done;
    const callAt = async (at: number): Promise<StepCall<P, State>> => ({ carry: await this.#carryAt(at), input: this.#inputAt(at) });
    const canGoBack = this.#kept[0].step < step;
    const before = canGoBack ? await callAt(step - 1) : undefined;
    const message = this.#parts.program.explain(await callAt(step), before);
    this.#carry = before?.carry ?? this.#kept[0].carry;
    return { reason: 'diverged', step: step + 1, loss, message };
  }

  async #ended(end: TrainingRun<P, State>['end']): Promise<TrainingRun<P, State>> {
    const { program, inside, beside, microBatch } = this.#parts;
    const { params, state, memory } = this.#carry;
    const answer = await program.answer?.(this.#carry);
    const { count, seconds } = this.#saves;
    const costs: RunCost[] = [...this.#times.costs(inside), ...beside.costs, ...(count > 0 ? [{ name: 'checkpoints', count, seconds, products: 0 }] : [])];
    return { params, state, memory, ...(answer !== undefined && { answer }), losses: this.#losses, table: this.#table, costs, provenance: this.#provenance(), ...(microBatch !== undefined && { microBatch }), end };
  }
}
