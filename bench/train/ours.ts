/** Thalweg's side of the comparison of training: a process of its own that speaks the line protocol of peers/README.md. @module */
import path from 'node:path';
import { setDefaultExecutor } from '../../src/core/backend.ts';
import { NDArray } from '../../src/core/ndarray.ts';
import type { Point } from '../../src/problem/index.ts';
import { nodeExecutor } from '../../src/runtime/node.ts';
import { train, trainEnsemble } from '../../src/train/index.ts';
import { key } from '../../src/util/random/index.ts';
import { toTree } from '../hvp/cases.ts';
import { readCase, writeArray, type Case } from '../shared/manifest.ts';
import { infoOfThalweg, memory, resetPeakMemory, serve, THREADS } from '../shared/server.ts';
import { cases, optimizerOf, problemOf, type OptimizerName, type Settings } from './cases.ts';

interface TrainRequest { readonly task: string; readonly optimizer: OptimizerName; readonly variant: string; readonly settings: Settings; readonly out?: string }

/** When the first loss came, and how long the counted steps took; the losses of each step. */
class Watch {
  readonly #begun = performance.now();
  readonly #warmup: number;
  #started = NaN;
  #latest = NaN;
  first = NaN;
  readonly losses: (readonly number[])[] = [];

  constructor(warmup: number) { this.#warmup = warmup; }

  /** A step is done: losses of all replicas. Steps of one call of the backend are told one right after another. */
  step(losses: readonly number[]): void {
    this.#latest = performance.now();
    if (this.losses.length === 0) this.first = this.#latest - this.#begun;
    this.losses.push(losses);
    if (this.losses.length === this.#warmup) this.#started = this.#latest;
  }

  get counted(): number { return this.#latest - this.#started; }
}

/** Trains as a user of Thalweg does. */
async function run(loaded: Case, task: string, optimizer: OptimizerName, settings: Settings, watch: Watch): Promise<void> {
  const { seed, replicas, rate, warmup, batch } = settings;
  const problem = problemOf(task, loaded);
  const common = { optimizer: optimizerOf(optimizer, settings), schedule: rate, steps: warmup + settings.steps, batchSize: batch, seed };
  if (replicas === 1) {
    const like = cases[task].model.init(key(0));
    const start = { params: toTree(like.params, loaded.parameters), state: like.state } as Point<unknown, unknown>;
    await train(problem, { ...common, start, onEvent: (event) => { if (event.type === 'step') watch.step([event.loss]); } });
  } else {
    // Each replica starts where its seed says: where the stacked parameters of the case come from.
    await trainEnsemble(problem, { ...common, replicas, vary: { seed: true }, replicasAtOnce: replicas, onEvent: (event) => { if (event.type === 'step') watch.step(event.losses); } });
  }
}

let loaded: Case | undefined;

function load({ dir }: { readonly dir: string }): object {
  loaded = readCase(dir);
  return { model: loaded.model, variants: [''] };
}

async function answer({ task, optimizer, settings, out }: TrainRequest): Promise<object> {
  if (loaded === undefined || !Object.hasOwn(cases, task)) throw new Error(`task must be one of ${Object.keys(cases).join(', ')}, after a case has been loaded; got ${task}`);
  resetPeakMemory();
  const watch = new Watch(settings.warmup);
  await run(loaded, task, optimizer, settings, watch);
  const { losses, first, counted } = watch;
  const record = { ms: counted, steps: settings.steps * settings.replicas, first_ms: first, peak_rss_mb: memory('VmHWM') };
  if (out === undefined) return record;
  const dir = path.resolve(out);
  const stacked = Float32Array.from({ length: settings.replicas * losses.length }, (_, i) => losses[i % losses.length][Math.floor(i / losses.length)]);
  return { ...record, dir, results: { losses: writeArray(dir, 'losses.bin', new NDArray(stacked, [settings.replicas, losses.length], 'float32')) } };
}

setDefaultExecutor(nodeExecutor({ threads: THREADS }));
await serve({ info: infoOfThalweg, load, train: answer });
