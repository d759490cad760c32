/** The course of replicas that are trained at once: steps, what is due between them, and how each ends. @module */
import { NDArray } from '../core/ndarray.ts';
import { rounded } from '../problem/index.ts';
import { bytesOf } from '../problem/memory.ts';
import type { Host } from '../transforms/index.ts';
import { flatten, leaves } from '../tree/index.ts';
import type { EnsembleEvent } from './ensemble-options.ts';
import type { EnsembleInput, EnsembleInputs } from './ensemble-inputs.ts';
import type { EnsembleProbes } from './ensemble-probes.ts';
import type { EnsembleProgram } from './ensemble-program.ts';
import type { ReplicaRun } from './ensemble.ts';
import type { Replica } from './ensemble-vary.ts';
import { sliceOf } from './inputs.ts';
import { dueInside, finished, record, roundedIn, StepTimes, type RunCost } from './measuring.ts';
import type { InsideProbe, Measured } from './probe.ts';
import type { HostCarry, HostOutput, StepCall } from './program.ts';
import { RateSource } from './rates.ts';
import { CALL_INPUT_BYTES, stepsOfCall } from './steps-per-call.ts';
import { MeasurementTable } from './table.ts';
import type { Divergence } from './train.ts';

/** The steps of a run. */
export interface Extent {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly stepsPerCall: number;
}

export interface EnsembleLoopParts<P, State> {
  readonly replicas: readonly Replica<P, State>[];
  /** The place of the first among all replicas. */
  readonly first: number;
  readonly extent: Extent;
  readonly dtype: 'float32' | 'float64';
  readonly program: EnsembleProgram<P, State>;
  readonly inputs: EnsembleInputs<P>;
  /** Whether rates may differ between replicas. */
  readonly ownRates: boolean;
  readonly beside: EnsembleProbes<P, State>;
  readonly inside: readonly InsideProbe[];
  /** Says where a replica's loss that is not finite comes from. */
  readonly explain: (replica: number, call: StepCall<P, State>, before: StepCall<P, State> | undefined) => Promise<string>;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: ((event: EnsembleEvent) => void) | undefined;
}

/** A replica whose loss is not finite at a step. */
interface Found {
  readonly replica: number;
  readonly step: number;
  readonly loss: number;
}

interface Place<P, State> {
  readonly step: number;
  readonly carry: HostCarry<P, State>;
}

/** Some replicas, from their start to their ends. Replicas are counted from zero here; events count all of them. */
export class EnsembleLoop<P, State> {
  readonly #parts: EnsembleLoopParts<P, State>;
  readonly #losses: number[][];
  readonly #tables: MeasurementTable[];
  readonly #rates: readonly RateSource[];
  readonly #times = new StepTimes();
  readonly #diverged = new Map<number, { readonly end: Divergence; readonly carry: HostCarry<P, State> }>();
  /** Where the latest call began, and the one before it: what it takes to go back a step. */
  #kept: Place<P, State>[] = [];
  #carry: HostCarry<P, State>;
  #done = 0;
  #begun = 0;

  /** `carry` is that of `program.start`. */
  constructor(parts: EnsembleLoopParts<P, State>, carry: HostCarry<P, State>) {
    this.#parts = parts;
    this.#carry = carry;
    const { replicas, ownRates } = parts;
    this.#losses = replicas.map(() => []);
    this.#tables = replicas.map(() => new MeasurementTable());
    this.#rates = replicas.slice(0, ownRates ? undefined : 1).map(({ schedule }, r) => new RateSource(schedule, this.#losses[r]));
  }

  async run(): Promise<ReplicaRun<P, State>[]> {
    const { beside, signal, extent: { steps } } = this.#parts;
    this.#begun = performance.now();
    while (this.#done < steps && this.#live.length > 0) {
      if (beside.due(this.#done, steps)) await this.#measureBeside();
      if (signal?.aborted === true) return this.#ended('interrupted');
      await this.#advance();
    }
    if (this.#live.length > 0) await this.#measureBeside();
    return this.#ended(signal?.aborted === true ? 'interrupted' : 'finished');
  }

  get costs(): RunCost[] { return [...this.#times.costs(this.#parts.inside), ...this.#parts.beside.costs]; }

  /** Replicas that have not diverged. */
  get #live(): number[] { return this.#losses.flatMap((_, r) => (this.#diverged.has(r) ? [] : [r])); }

  #epochAt(step: number): number { return step / this.#parts.extent.stepsPerEpoch; }

  /** The rate of a replica; zero for one that has diverged, whose schedule may look at losses that it has not. */
  #rateAt(replica: number, step: number): number {
    const { ownRates } = this.#parts;
    return ownRates && this.#diverged.has(replica) ? 0 : this.#rates[ownRates ? replica : 0].at(step);
  }

  #inputAt(step: number): EnsembleInput<P> {
    return this.#parts.inputs.at(step, this.#losses.map((_, r) => this.#rateAt(r, step)));
  }

  #count(step: number, one: EnsembleInput<P>): number {
    const { beside, inside, extent: { steps, stepsPerCall } } = this.#parts;
    const most = Math.min(stepsPerCall, Math.max(1, Math.floor(CALL_INPUT_BYTES / bytesOf(leaves<NDArray>(one)))));
    return stepsOfCall(step, { most, steps, inside, isStop: (next) => beside.due(next, steps), isKnown: (next) => this.#rates.every((rates) => rates.isKnown(next)) });
  }

  /** One call of the backend. */
  async #advance(): Promise<void> {
    const { program, inside, extent: { steps } } = this.#parts;
    const step = this.#done;
    const due = dueInside(inside, step, steps);
    const first = this.#inputAt(step);
    const count = this.#count(step, first);
    const given = Array.from({ length: count }, (_, k) => (k === 0 ? first : this.#inputAt(step + k)));
    this.#kept = [...this.#kept.slice(-1), { step, carry: this.#carry }];
    const begun = performance.now();
    const { carry, outputs } = await program.run(this.#carry, given, due);
    this.#times.add(due, count, (performance.now() - begun) / 1000);
    const lost = outputs.flatMap((output, k) => this.#take(step + k, output, due));
    // A loss that is not finite stays so: the first one counts.
    const found = [...new Map(lost.toReversed().map((each) => [each.replica, each])).values()].sort((a, b) => a.step - b.step || a.replica - b.replica);
    this.#carry = carry;
    this.#done += count;
    if (found.length > 0) await this.#freeze(found);
  }

  /** Records what a step told of the replicas whose loss is finite, and returns the others. */
  #take(step: number, output: HostOutput, due: readonly string[]): Found[] {
    const { inside, dtype, onEvent, first, extent: { steps, stepsPerEpoch } } = this.#parts;
    const epoch = this.#epochAt(step);
    const found: Found[] = [];
    const losses = this.#losses.map(() => NaN);
    for (const r of this.#live) {
      const loss = output.loss.data[r];
      // One that diverged earlier in this call has fewer losses.
      if (!Number.isFinite(loss) || this.#losses[r].length < step) {
        found.push({ replica: r, step, loss });
        continue;
      }
      losses[r] = loss;
      const table = this.#tables[r];
      table.add('loss', { step, epoch, measurement: roundedIn(dtype, loss) });
      table.add('learningRate', { step, epoch, measurement: rounded(this.#rateAt(r, step), 0) });
      this.#losses[r].push(loss);
      for (const [name, { data }] of Object.entries(output.report)) record(table, 'optimizer', { [name]: roundedIn(dtype, data[r]) }, step, epoch);
    }
    if (due.length > 0) {
      const told = this.#live.filter((r) => this.#losses[r].length > step);
      for (const probe of inside) if (due.includes(probe.name)) for (const r of told) this.#tell(probe.name, r, finished(probe, { ...output, measured: { [probe.name]: sliceOf(output.measured[probe.name], r) } }, dtype), step);
    }
    const done = step + 1;
    onEvent?.({ type: 'step', step: done, steps, epoch: Math.floor(epoch), first, losses, stepsPerSecond: (1000 * done) / (performance.now() - this.#begun) });
    if (done % stepsPerEpoch === 0) onEvent?.({ type: 'epoch', step: done, epoch: Math.floor(epoch), first });
    return found;
  }

  #tell(probe: string, replica: number, measured: Measured, step: number): void {
    const epoch = this.#epochAt(step);
    record(this.#tables[replica], probe, measured, step, epoch);
    this.#parts.onEvent?.({ type: 'measured', step, epoch, probe, replica: this.#parts.first + replica, measured });
  }

  /** Replicas that have diverged are looked at where they were frozen, so that programs keep their shapes; it is not recorded. */
  async #measureBeside(): Promise<void> {
    const { beside, program, replicas, extent: { steps } } = this.#parts;
    const step = this.#done;
    const carry = this.#shown();
    const answers = await program.answer?.(carry);
    const moments = replicas.map((_, r) => {
      const { params, state, memory } = sliceOf(carry, r);
      return { params, state, memory, step, epoch: this.#epochAt(step), learningRate: this.#rateAt(r, Math.min(step, steps - 1)), ...(answers !== undefined && { answer: sliceOf(answers, r) }) };
    });
    await beside.measure(moments, steps, (probe, r, measured) => { if (!this.#diverged.has(r)) this.#tell(probe, r, measured, step); });
  }

  /** Goes back to where these replicas were last well, and explains them. The steps of others are not touched. */
  async #freeze(found: readonly Found[]): Promise<void> {
    const { inputs, explain, program, first, onEvent } = this.#parts;
    const [from] = this.#kept;
    let { step: at, carry } = from;
    let before: HostCarry<P, State> | undefined;
    for (const { replica, step, loss } of found) {
      for (; at < step; at++) {
        before = carry;
        ({ carry } = await program.run(carry, [this.#inputAt(at)], []));
      }
      const callAt = (where: number, all: HostCarry<P, State>): StepCall<P, State> => ({ carry: sliceOf(all, replica), input: inputs.of(replica, where, this.#rateAt(replica, where)) });
      const previous = before && callAt(step - 1, before);
      const end: Divergence = { reason: 'diverged', step: step + 1, loss, message: await explain(replica, callAt(step, carry), previous) };
      this.#diverged.set(replica, { end, carry: previous?.carry ?? sliceOf(from.carry, replica) });
      onEvent?.({ type: 'diverged', replica: first + replica, step: end.step, loss, message: end.message });
    }
  }

  /** The carry, with the last good values of the replicas that have diverged. */
  #shown(): HostCarry<P, State> {
    if (this.#diverged.size === 0) return this.#carry;
    const { leaves: arrays, structure } = flatten<NDArray>(this.#carry);
    const copies = arrays.map(({ data, shape, dtype }) => new NDArray(data.slice(), shape, dtype));
    for (const [r, { carry }] of this.#diverged) flatten<NDArray>(carry).leaves.forEach(({ data }, i) => { copies[i].data.set(data, r * data.length); });
    return structure.rebuild(copies) as HostCarry<P, State>;
  }

  async #ended(reason: 'finished' | 'interrupted'): Promise<ReplicaRun<P, State>[]> {
    const { program, replicas } = this.#parts;
    const carry = this.#shown();
    const answers = (await program.answer?.(carry)) as Host<P> | undefined;
    return replicas.map(({ values }, r) => {
      const { params, state, memory } = sliceOf(carry, r);
      return { values, params, state, memory, ...(answers !== undefined && { answer: sliceOf(answers, r) }), losses: this.#losses[r], table: this.#tables[r], end: this.#diverged.get(r)?.end ?? { reason } };
    });
  }
}
