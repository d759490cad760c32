/** Runs that share their beginning and then part: how early training decides where it ends (Frankle, Dziugaite, Roy, Carbin 2020). @module */
import { ParameterSpace, type Point, type Problem } from '../problem/index.ts';
import type { Schedule } from '../optim/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { key, randint, split } from '../util/random/index.ts';
import { requireInteger } from '../util/require.ts';
import { trainEnsemble } from './ensemble.ts';
import type { TrainOptions } from './options.ts';
import { pointRecorder } from './probes/point-recorder.ts';
import { train } from './train.ts';

/** Options of `forkExperiment`: those of the whole run, from its start. */
export interface ForkOptions<P, State> extends Pick<TrainOptions<P, State>, 'optimizer' | 'schedule' | 'batchSize' | 'seed' | 'start' | 'executor' | 'signal'> {
  /** Of the whole run: a branch that parts after k steps does steps - k. */
  readonly steps: number;
  /** After how many shared steps runs part; 0 for the common start alone. */
  readonly forks: readonly number[];
  /** Steps between two records of a branch's geometry. Default: its end alone. */
  readonly every?: number;
}

/** Where two branches A and B of a fork at W stand at one moment. */
export interface BranchGeometry {
  /** Steps since the start, the shared ones included. */
  readonly step: number;
  /** |A - W| and |B - W|. */
  readonly travelled: readonly [number, number];
  /** |A - B|. */
  readonly apart: number;
  /** Cosine between A - W and B - W: 1 where both went the same way, 0 where their ways share nothing. */
  readonly cosine: number;
}

/** Two branches that share all before the fork and have batches of their own after it. */
export interface Fork<P, State> {
  /** Shared steps. */
  readonly shared: number;
  /** Where they part. */
  readonly from: Point<P, State>;
  readonly branches: readonly [Point<P, State>, Point<P, State>];
  /** In the order of steps, the end last. */
  readonly geometry: readonly BranchGeometry[];
}

/** A shared run, from which pairs of branches part. */
export interface ForkExperiment<P, State> {
  /** Trains the two branches of one of the forks. @throws ArgumentError when it is not among the forks. */
  fork(shared: number): Promise<Fork<P, State>>;
}

/**
 * Trains the shared run as far as the last fork; `fork(k)` then trains two branches from where it stood after k steps, at the rates of the
 * steps that are left, with different orders of batches. A branch begins with an optimizer without memory. Everything is a function of the seed.
 *
 * @throws ArgumentError when a fork is not below the steps, or the loss of a run is not finite; the signal's reason when it is aborted.
 */
export async function forkExperiment<P, State>(problem: Problem<P, State>, options: ForkOptions<P, State>): Promise<ForkExperiment<P, State>> {
  const { steps, forks, every, optimizer, schedule, batchSize, seed, executor, signal } = options;
  requireInteger('forkExperiment', 'steps', steps, 1);
  forks.forEach((fork, i) => requireInteger('forkExperiment', `forks[${i}]`, fork, 0, steps - 1));
  const root = key(seed);
  const start: Point<P, State> = options.start ?? problem.model.init(split(root, 'init'));
  const common = { optimizer, batchSize, ...(executor && { executor }), ...(signal && { signal }) };
  const last = Math.max(0, ...forks);
  const trunk = pointRecorder<P, State>({ every: stride(forks) });
  if (last > 0) requireFinished((await train(problem, { ...common, schedule, steps: last, seed, start, probes: [trunk] })).end, signal);
  const orders = [0, 1].map((branch) => randint(split(root, 'branch', branch), [1], { high: 2 ** 30 })[0]);
  return {
    async fork(shared) {
      if (!forks.includes(shared)) throw new ArgumentError({ operation: 'forkExperiment', required: `a fork must be one of ${forks.join(', ')}`, received: String(shared) });
      const from = shared === 0 ? start : trunk.points.find(({ step }) => step === shared)!;
      const branches = pointRecorder<P, State>({ every: every ?? steps });
      const { replicas } = await trainEnsemble(problem, { ...common, schedule: delayed(schedule, shared), steps: steps - shared, seed, start: { params: from.params, state: from.state }, vary: { order: orders }, probes: every === undefined ? [] : [branches] });
      replicas.forEach(({ end }) => requireFinished(end, signal));
      const [a, b] = replicas.map(({ params, state }): Point<P, State> => ({ params, state }));
      // Points of the two branches alternate; the last are those of the end.
      const courses = [0, 1].map((branch) => branches.points.filter((_, i) => i % 2 === branch && branches.points[i].step > 0 && branches.points[i].step < steps - shared));
      const geometry = courses[0].map(({ step, params }, i) => geometryOf(shared + step, from.params, params, courses[1][i].params));
      return { shared, from, branches: [a, b], geometry: [...geometry, geometryOf(steps, from.params, a.params, b.params)] };
    },
  };
}

/** The largest step that leads to all forks. */
function stride(forks: readonly number[]): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  return Math.max(1, forks.reduce(divisor, 0));
}

const delayed = (schedule: number | Schedule, shared: number): number | Schedule => (typeof schedule === 'number' ? schedule : (step, history) => schedule(step + shared, history));

function requireFinished(end: { readonly reason: string }, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
  if (end.reason === 'diverged') throw new ArgumentError({ operation: 'forkExperiment', required: 'losses must stay finite', received: 'a run that diverged', remedy: 'lower the learning rate' });
}

function geometryOf(step: number, from: unknown, a: unknown, b: unknown): BranchGeometry {
  const origin = new ParameterSpace(from).flatten();
  const [u, v] = [a, b].map((params) => new ParameterSpace(params).flatten().map((x, i) => x - origin[i]));
  let [uu, vv, uv] = [0, 0, 0];
  for (let i = 0; i < u.length; i++) {
    uu += u[i] * u[i];
    vv += v[i] * v[i];
    uv += u[i] * v[i];
  }
  return { step, travelled: [Math.sqrt(uu), Math.sqrt(vv)], apart: Math.sqrt(Math.max(0, uu + vv - 2 * uv)), cosine: uv / Math.sqrt(uu * vv) };
}
