/** The Hessian at points that move: compiled once a run, multiplied for many replicas at once. @module */
import type { Graph } from '../../core/graph.ts';
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { linearOperator, type LinearOperator } from '../../curvature/index.ts';
import { addRows, BLOCK } from '../../curvature/problem-operator.ts';
import { DEFAULT_MEMORY_BUDGET, planChunks, type ChunkPlan } from '../../problem/chunk-plan.ts';
import { rows } from '../../problem/chunked.ts';
import { examplesOf, lossSum, ParameterSpace, pointOf, type Examples, type Point, type PointTensors } from '../../problem/index.ts';
import { compile, hvp, vmap, type Binder, type Bound, type Compiled } from '../../transforms/index.ts';
import { leaves } from '../../tree/index.ts';
import { stacked } from '../inputs.ts';
import type { Evaluated } from './points.ts';

type Hvp = [PointTensors<unknown, unknown>, Examples, Tensor[]];
type Product = Bound<[Tensor[]], Tensor[]>;

/** Hessians of the mean loss over a split, at any points, by programs that are compiled once. */
export interface MovingHessian<P, State> {
  readonly space: ParameterSpace;
  readonly examples: number;
  /**
   * Runs `task` on the Hessian at each of the points, all at the same time: products that the tasks wait for are carried out
   * together, as one product with the points as a further axis. Results in the order of the points.
   */
  forEach<T>(points: readonly Point<P, State>[], task: (operator: LinearOperator, index: number) => Promise<T>): Promise<T[]>;
  dispose(): Promise<void>;
}

/** A program at one kind of call: a single vector, a block of them, a vector for each replica. */
interface Variant {
  readonly binder: Binder<Hvp, 2, Tensor[]>;
  readonly whole: Compiled<Hvp, Tensor[]>;
  plan?: { readonly replicas: number; readonly chunks: ChunkPlan };
}

/** Prepares Hessians of the mean loss over the examples, model in eval mode. Nothing is compiled before the first product. */
export function movingHessian<P, State>({ problem, executor, dtype, split }: Evaluated<P, State>, start: Point<P, State>): MovingHessian<P, State> {
  const space = new ParameterSpace(start.params);
  const examples = examplesOf(split, dtype);
  const name = `Hessian of ${problem.name}`;
  const product = (point: PointTensors<P, State>, batch: Examples, vector: Tensor[]): Tensor[] =>
    hvp((chosen: Tensor[]) => lossSum(problem, space.replace(point.params, chosen) as P, point.state, batch))(space.pick<Tensor>(point.params), vector);
  const variant = (f: typeof product): Variant => {
    const settings = { name, ...(executor && { executor }) };
    // Not embedded: a session a point would be compiled for convolutions otherwise.
    return { binder: compile(f as never, { ...settings, bind: 2, embed: false }) as never, whole: compile(f as never, settings) as never };
  };
  const variants = {
    single: variant(product),
    block: variant((point, batch, vectors) => vmap((vector: Tensor[]) => product(point, batch, vector))(vectors)),
    replicas: variant((points, batch, vectors) => vmap((point: PointTensors<P, State>, vector: Tensor[]) => product(point, batch, vector))(points, vectors)),
  };

  const planOf = (kind: Variant, replicas: number, at: unknown, vectors: readonly NDArray[]): ChunkPlan => {
    if (kind.plan?.replicas === replicas) return kind.plan.chunks;
    const trace = kind.whole as unknown as { graph(...args: unknown[]): Graph };
    const chunks = planChunks({
      size: split.size, chunk: undefined, memoryBudget: DEFAULT_MEMORY_BUDGET, bound: leaves([at, examples]).length,
      graphAt: (count) => trace.graph(at, rows(examples, 0, count), vectors),
    });
    kind.plan = { replicas, chunks };
    return chunks;
  };

  /** Mean products at one binding of points; residuals are kept for as many chunks as the memory budget holds. */
  const boundProduct = (kind: Variant, at: unknown, replicas: number) => {
    let parts: readonly { readonly run: Product; readonly isKept: boolean }[] | undefined;
    const prepare = async (vectors: readonly NDArray[]) => {
      const { chunk, chunks, kept } = planOf(kind, replicas, at, vectors);
      return Promise.all(Array.from({ length: chunks }, async (_, i) => {
        const slice = rows(examples, i * chunk, Math.min(chunk, split.size - i * chunk));
        return { run: (await kind.binder(at as never, slice as never)) as unknown as Product, isKept: i < kept };
      }));
    };
    return {
      async multiply(vectors: readonly Float64Array[], isStacked: boolean): Promise<Float64Array[]> {
        const arrays = space.split(vectors, isStacked);
        parts ??= await prepare(arrays);
        const means = vectors.map(() => new Float64Array(space.size));
        for (const [i, { run, isKept }] of parts.entries()) {
          addRows(space, (await run(arrays as never)) as unknown as NDArray[], means, i === parts.length - 1 ? split.size : 1);
          if (!isKept) await run.dispose();
        }
        return means;
      },
      async dispose() { for (const { run } of parts ?? []) await run.dispose(); },
    };
  };

  const operatorOf = (block: number, apply: (vectors: readonly Float64Array[]) => Promise<Float64Array[]>): LinearOperator =>
    linearOperator({ name, size: space.size, precision: dtype, block, space, apply });

  return {
    space, examples: split.size,
    async forEach(points, task) {
      if (points.length === 1) {
        const at = pointOf(points[0]);
        const [single, block] = [boundProduct(variants.single, at, 1), boundProduct(variants.block, at, 1)];
        try {
          return [await task(operatorOf(BLOCK, (vectors) => (vectors.length === 1 ? single.multiply(vectors, false) : block.multiply(vectors, true))), 0)];
        } finally {
          await Promise.all([single.dispose(), block.dispose()]);
        }
      }
      const all = boundProduct(variants.replicas, stacked(points.map(pointOf)), points.length);
      const meeting = together(points.length, space.size, (vectors) => all.multiply(vectors, true));
      try {
        return await Promise.all(points.map(async (_, i) => {
          try {
            return await task(operatorOf(1, async ([vector]) => [await meeting.multiply(i, vector)]), i);
          } finally {
            meeting.leave(i);
          }
        }));
      } finally {
        await all.dispose();
      }
    },
    dispose: async () => { await Promise.all(Object.values(variants).flatMap(({ binder, whole }) => [binder.dispose(), whole.dispose()])); },
  };
}

/** Makes single products wait for each other: once every participant that has not left waits, one product answers all. */
export function together(count: number, size: number, multiply: (vectors: readonly Float64Array[]) => Promise<Float64Array[]>) {
  interface Waiting { readonly vector: Float64Array; resolve(result: Float64Array): void; reject(reason: unknown): void }
  const waiting = new Map<number, Waiting>();
  const present = new Set(Array.from({ length: count }, (_, i) => i));
  const idle = new Float64Array(size);
  const check = (): void => {
    if (waiting.size === 0 || waiting.size < present.size) return;
    const answered = new Map(waiting);
    waiting.clear();
    // Those who have left are given zeros, so that the program's signature stays the same.
    multiply(Array.from({ length: count }, (_, i) => answered.get(i)?.vector ?? idle)).then(
      (results) => { for (const [i, { resolve }] of answered) resolve(results[i]); },
      (reason: unknown) => { for (const { reject } of answered.values()) reject(reason); },
    );
  };
  return {
    multiply: (index: number, vector: Float64Array): Promise<Float64Array> => new Promise((resolve, reject) => {
      waiting.set(index, { vector, resolve, reject });
      check();
    }),
    leave(index: number): void {
      present.delete(index);
      check();
    },
  };
}
