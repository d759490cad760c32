/** What a probe is: something measured while a network trains. @module */
import type { Executor } from '../core/backend.ts';
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Optimizer, UpdateContext } from '../optim/index.ts';
import type { Measurement, Point, Problem } from '../problem/index.ts';
import type { Host } from '../transforms/index.ts';
import type { Key } from '../util/random/index.ts';

/** Measured numbers by name. A probe of several numbers names them `part`; the table's columns are `probe.part`, or `probe` for the part ''. */
export type Measured = Readonly<Record<string, Measurement>>;

/** When a probe measures: at steps (counted from zero, before the update) that are multiples of `every`; inside the step at the last one too, beside it after the last. */
export interface Cadence {
  readonly every: number;
}

/** What a probe inside the step sees, traced: the update's context and what the step makes of it. */
export interface StepView<P = unknown, State = unknown> extends UpdateContext<P> {
  readonly state: State;
  /** Parameters after the update. */
  readonly next: P;
  /** The optimizer's state before the update and after it. */
  readonly memory: unknown;
  readonly nextMemory: unknown;
  /** The model's outputs on the batch, and the batch's targets. */
  outputs(): Tensor;
  readonly targets: Tensor;
  /** Parameters the run started from. */
  readonly initial: P;
}

/** Measured in the compiled step itself, on its batch: costs next to nothing, and is vectorised over replicas by `vmap`. */
export interface InsideProbe<Memory = unknown> extends Cadence {
  readonly where: 'inside';
  readonly name: string;
  /** What the probe remembers from step to step, before the first one (the last gradient, a path's length); default nothing. Traced. */
  init?<P>(params: P): Memory;
  /** Scalars [] by part; computed at every step when there is a memory, else only when the probe is due. Traced. */
  measure<P>(view: StepView<P>, memory: Memory): { readonly values: Readonly<Record<string, Tensor>>; readonly memory?: Memory };
  /**
   * Measurements of the values: what error they carry. Default: kind `rounding`, one rounding of the value in the parameters' type. The
   * rounding of what it was computed from is not in it: a probe whose terms cancel says more.
   */
  finish?(values: Readonly<Record<string, number>>): Measured;
}

/** What a probe beside the step is prepared with. */
export interface ProbeSetting<P = unknown, State = unknown> {
  readonly problem: Problem<P, State>;
  readonly optimizer: Optimizer;
  readonly executor: Executor | undefined;
  /** Of the probe alone. */
  readonly key: Key;
  readonly batchSize: number;
  /** Where the run starts. */
  readonly start: Point<P, State>;
  readonly signal: AbortSignal | undefined;
}

/** The moment a probe looks at. */
export interface Moment<P = unknown, State = unknown> extends Point<P, State> {
  readonly step: number;
  readonly epoch: number;
  /** The optimizer's state. */
  readonly memory: unknown;
  readonly learningRate: number;
  /** Parameters the optimizer gives as its answer, where they are not `params`. */
  readonly answer?: Host<P>;
}

/** Measured between steps, by compiled programs of its own: anything that takes a problem and a point. */
export interface BesideProbe extends Cadence {
  readonly where: 'beside';
  readonly name: string;
  /** Compiles what the probe needs, once a run: parameters and the like are arguments of its programs, so that no measurement compiles. */
  prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> | Promise<PreparedProbe<P, State>>;
}

/** A probe that is ready to measure: what one run's measurements share. */
export interface PreparedProbe<P = unknown, State = unknown> {
  measure(moment: Moment<P, State>): Promise<Measured>;
  /** The same at the moments of many replicas, in one graph where the probe can; default: one after another. */
  measureAll?(moments: readonly Moment<P, State>[]): Promise<readonly Measured[]>;
  /** What it remembers from one measurement to the next, as arrays by name: kept in checkpoints, so that a resumed run measures the same. */
  save?(): Readonly<Record<string, NDArray>>;
  restore?(memory: Readonly<Record<string, NDArray>>): void;
  dispose(): Promise<void>;
}

/** Anything measured while a network trains. */
export type Probe = InsideProbe<never> | InsideProbe | BesideProbe;
