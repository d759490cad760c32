/** The measurements as a user of Thalweg takes them, with a clock at what they call. @module */
import { NDArray } from '../../src/core/ndarray.ts';
import { hessian, hutchinsonTrace, spectralDensity, topEigenpairs, type LinearOperator } from '../../src/curvature/index.ts';
import { empiricalNtk } from '../../src/kernels/index.ts';
import { lossPlane, normalizeDirection } from '../../src/landscape/index.ts';
import type { Host } from '../../src/transforms/index.ts';
import { key } from '../../src/util/random/index.ts';
import { toTree } from '../hvp/cases.ts';
import type { Case } from '../shared/manifest.ts';
import { cases, probeKey, problemOf, samplesOf, type AnyPoint, type AnyProblem, type Settings, type TaskName } from './cases.ts';

/** Where the time of a task goes: the first call (tracing and compilation with it), further calls; the rest is the algorithm's own. */
export class Clock {
  #calls = 0;
  #first = 0;
  #further = 0;

  /** Adds a call, or several that took so long together. */
  add(ms: number, calls = 1): void {
    if (this.#calls === 0) this.#first = ms;
    else this.#further += ms;
    this.#calls += calls;
  }

  /** As the protocol has it. Nothing is prepared: residuals are computed at the first product. */
  record(): { calls: number; prepare_ms: number; call_first_ms: number; call_further_ms: number } {
    return { calls: this.#calls, prepare_ms: 0, call_first_ms: this.#first, call_further_ms: this.#further };
  }
}

/** Results, and what is found out about them outside of the task's time. */
export interface TaskResult {
  readonly results: Readonly<Record<string, NDArray>>;
  readonly residual?: () => Promise<number>;
}
type Task = (loaded: Case, settings: Settings, clock: Clock) => Promise<TaskResult>;

const single = (values: ArrayLike<number>, shape: readonly number[]): NDArray => new NDArray(Float32Array.from(values), shape, 'float32');

function placeOf(loaded: Case, samples: number): { problem: AnyProblem; point: AnyPoint } {
  const like = cases[loaded.model].model.init(key(0));
  const point = { params: toTree(like.params, loaded.parameters), state: toTree(like.state, loaded.constants) } as AnyPoint;
  return { problem: problemOf(loaded.model, samplesOf(loaded, samples)), point };
}

/** The operator with the clock at its products. */
function timed(operator: LinearOperator, clock: Clock): LinearOperator {
  return Object.create(operator, {
    multiply: {
      async value(vectors: readonly Float64Array[]) {
        const start = performance.now();
        const images = await operator.multiply(vectors);
        clock.add(performance.now() - start, vectors.length);
        return images;
      },
    },
  }) as LinearOperator;
}

const products = (loaded: Case, { samples }: Settings): LinearOperator => {
  const { problem, point } = placeOf(loaded, samples);
  return hessian(problem, point);
};

/** Times from one report of progress to the next. */
function laps(clock: Clock): (done: number) => void {
  let before = performance.now();
  let counted = 0;
  return (done) => {
    const now = performance.now();
    clock.add(now - before, done - counted);
    before = now;
    counted = done;
  };
}

/** The largest residual, relative to the eigenvalue, by products with the vectors returned. */
async function largestResidual(operator: LinearOperator, pairs: readonly { readonly value: number; readonly vector: Float64Array }[]): Promise<number> {
  const images = await operator.multiply(pairs.map(({ vector }) => vector));
  return Math.max(...pairs.map(({ value, vector }, i) => Math.sqrt(images[i].reduce((sum, x, j) => sum + (x - value * vector[j]) ** 2, 0)) / Math.abs(value)));
}

/** One function for each task. Random vectors are the shared ones: drawn from the key that the case was written with. */
export const tasks: Readonly<Record<TaskName, Task>> = {
  async eigenpairs(loaded, settings, clock) {
    const operator = products(loaded, settings);
    // The peers check no pair by a further product either.
    const { magnitude } = await topEigenpairs(timed(operator, clock), { magnitude: settings.count, tolerance: settings.tolerance, maxProducts: settings.products, verify: false });
    return {
      results: { values: single(magnitude.map(({ value }) => value), [magnitude.length]) },
      residual: async () => {
        const largest = await largestResidual(operator, magnitude);
        await operator.dispose();
        return largest;
      },
    };
  },
  async density(loaded, settings, clock) {
    const operator = products(loaded, settings);
    const { probes } = await spectralDensity(timed(operator, clock), { steps: settings.steps, probes: settings.probes, key: probeKey(settings.seed) });
    await operator.dispose();
    const shape = [settings.probes, probes[0].nodes.length];
    return { results: { nodes: single(probes.flatMap(({ nodes }) => [...nodes]), shape), weights: single(probes.flatMap(({ weights }) => [...weights]), shape) } };
  },
  async trace(loaded, settings, clock) {
    const operator = products(loaded, settings);
    const { value } = await hutchinsonTrace(timed(operator, clock), { probes: settings.probes, key: probeKey(settings.seed) });
    await operator.dispose();
    return { results: { samples: single([value], [1]) } };
  },
  async plane(loaded, settings, clock) {
    const { problem, point } = placeOf(loaded, settings.samples);
    const [first, second] = loaded.vectors.map((vector) => normalizeDirection<unknown>(toTree(point.params, vector) as Host<unknown>, point.params, { normalization: 'filter' }));
    const { samples } = await lossPlane(problem, point, [first, second], problem.train, { points: settings.points, radius: settings.radius, onProgress: laps(clock) });
    return { results: { loss: single(samples.flatMap((line) => line.map(({ loss }) => loss)), [settings.points, settings.points]) } };
  },
  async ntk(loaded, settings, clock) {
    const { problem, point } = placeOf(loaded, settings.samples);
    const lap = laps(clock);
    const { values } = await empiricalNtk(problem, point, problem.train.inputs, undefined, { onProgress: ({ done }) => lap(done) });
    return { results: { kernel: single(values, [settings.samples, settings.samples]) } };
  },
};
