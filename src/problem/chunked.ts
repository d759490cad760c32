/** Sums over the examples of a data set, chunk by chunk, within a memory budget. @module */
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { Executor } from '../core/backend.ts';
import { NDArray, type DType } from '../core/ndarray.ts';
import { compile, type Binder, type Bound, type Compiled, type Host, type HostArguments } from '../transforms/index.ts';
import { flatten, leaves, mapTree } from '../tree/index.ts';
import { DEFAULT_MEMORY_BUDGET, planChunks, type ChunkPlan } from './chunk-plan.ts';

/**
 * A traced function whose every result is a sum over the examples of `batch`, so that results of parts add up.
 * `fixed` is any tree of tensors; `batch` a tree of tensors with examples along axis 0.
 */
export type SumFunction<Fixed, Batch, Call extends unknown[], Out> = (fixed: Fixed, batch: Batch, ...call: Call) => Out;

export interface ChunkOptions {
  /** Examples a chunk; default: chosen so that a chunk's working set is a sixteenth of the memory budget. */
  readonly chunk?: number;
  /** Bytes for kept residuals and the running chunk together; default 512 MiB. */
  readonly memoryBudget?: number;
  /** Backend; default: the one an entry point has set. */
  readonly executor?: Executor;
}

export interface ChunkedSumOptions extends ChunkOptions {
  /**
   * Whether what depends on `fixed` and `batch` alone is computed once and kept (see `compile`'s `bind`). Default true;
   * false for functions where little does, such as the loss at changing parameters.
   */
  readonly bind?: boolean;
  /** Whether products of bound arrays with moving combinations of bound arrays are bound too (see `compile`). Default false. */
  readonly distribute?: boolean;
  /** Element type of plain numbers among the arguments. */
  readonly dtype?: DType;
  /** Name in error messages. */
  readonly name?: string;
}

/** What an evaluation in chunks kept and recomputed. */
export interface ChunkCost {
  readonly examples: number;
  /** Examples of a full chunk. */
  readonly chunk: number;
  readonly chunks: number;
  /** Examples of the last chunk when it is smaller; 0 when all are equal. */
  readonly remainder: number;
  /** Chunks whose residuals are kept between calls. */
  readonly kept: number;
  /** Chunks whose bound part is computed anew at every call, for want of memory. */
  readonly recomputed: number;
  /** Bytes of the residuals kept now. */
  readonly residualBytes: number;
  /** Predicted bytes alive while a chunk runs. */
  readonly workingBytes: number;
  /** Calls since the object was made. */
  readonly calls: number;
}

/** Which examples a partial sum is over. */
export interface ChunkRange {
  readonly start: number;
  readonly count: number;
}

/** A function of whole data sets, made of one over batches. */
export interface ChunkedSum<Call extends unknown[], Out> {
  /** The sums over all examples, added in float64 whatever the backend computes in. */
  evaluate(...call: HostArguments<Call>): Promise<Host<Out>>;
  /** The sums of each chunk, in order, in the backend's own type. */
  each(call: HostArguments<Call>, visit: (part: Host<Out>, range: ChunkRange) => void): Promise<void>;
  /** Of the latest call; undefined before the first. */
  readonly cost: ChunkCost | undefined;
  dispose(): Promise<void>;
}

type Program = Compiled<unknown[], unknown>;
type Evaluator = (...call: unknown[]) => Promise<unknown>;

/** The chunks of one call signature, each with its own bound function. */
interface Prepared {
  readonly key: string;
  readonly plan: ChunkPlan;
  readonly parts: readonly { readonly range: ChunkRange; readonly run: Evaluator; readonly release: () => Promise<void>; readonly bytes: () => number }[];
}

/**
 * Prepares `f(fixed, batch, ...call)` for evaluation over all examples of `batch` in equal chunks (and a smaller last one).
 * What depends on `fixed` and the chunk alone is kept for as many chunks as the memory budget holds and recomputed for the
 * others; the kept values belong to one signature of the call arguments at a time. Calls are carried out one after another.
 *
 * @throws ShapeError when leaves of `batch` differ in their number of examples; ArgumentError when there is none.
 */
export function chunkedSum<Fixed, Batch, Call extends unknown[], Out>(
  f: SumFunction<Fixed, Batch, Call, Out>, fixed: Host<Fixed>, batch: Host<Batch>, options: ChunkedSumOptions = {},
): ChunkedSum<Call, Out> {
  const { bind = true, memoryBudget = DEFAULT_MEMORY_BUDGET, name = 'chunkedSum' } = options;
  const size = examplesOf(name, batch);
  if (options.chunk !== undefined) requireInteger(name, 'chunk', options.chunk, 1);
  requireNumber(name, 'memoryBudget', memoryBudget, 0);
  const settings = { name, ...(options.executor && { executor: options.executor }), ...(options.dtype && { dtype: options.dtype }) };
  const whole = compile(f as never, settings) as Program;
  const binder = compile(f as never, { ...settings, bind: 2, distribute: options.distribute ?? false }) as unknown as Binder<[unknown, unknown, ...unknown[]], 2, unknown>;
  let prepared: Prepared | undefined;
  let cost: ChunkCost | undefined;
  let calls = 0;
  let tail: Promise<unknown> = Promise.resolve();

  const prepare = async (call: readonly unknown[]): Promise<Prepared> => {
    const key = flatten<NDArray>(call).leaves.map(String).join(';');
    if (prepared?.key === key) return prepared;
    for (const part of prepared?.parts ?? []) await part.release();
    const plan = planChunks({
      size, chunk: options.chunk, memoryBudget, bound: bind ? leaves([fixed, batch]).length : undefined,
      // Of the program that will run: what is traced here is not traced again.
      graphAt: (examples) => (bind ? binder : whole).graph(fixed, rows(batch, 0, examples), ...call),
    });
    prepared = { key, plan, parts: await Promise.all(ranges(size, plan.chunk).map((range) => part(range))) };
    return prepared;
  };

  const part = async (range: ChunkRange): Promise<Prepared['parts'][number]> => {
    const slice = rows(batch, range.start, range.count);
    if (!bind) return { range, run: (...call) => whole(fixed, slice, ...call), release: () => Promise.resolve(), bytes: () => 0 };
    const bound = (await binder(fixed as never, slice as never)) as unknown as Bound<unknown[], unknown>;
    return { range, run: (...call) => bound(...call), release: () => bound.dispose(), bytes: () => bound.cost?.residualBytes ?? 0 };
  };

  const visitAll = async (call: readonly unknown[], visit: (part: unknown, range: ChunkRange) => void): Promise<void> => {
    const { plan, parts } = await prepare(call);
    for (const [i, { range, run, release }] of parts.entries()) {
      visit(await run(...call), range);
      if (i >= plan.kept) await release();
    }
    cost = costOf(size, plan, parts.slice(0, plan.kept).reduce((sum, { bytes }) => sum + bytes(), 0), ++calls, bind);
  };

  // One call at a time: the kept values belong to one signature.
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = tail.then(work);
    tail = turn.catch(() => undefined);
    return turn;
  };

  return {
    async evaluate(...call) {
      let total: unknown;
      await inTurn(() => visitAll(call, (value) => { total = total === undefined ? widened(value) : added(total, value); }));
      return total as Host<Out>;
    },
    each: (call, visit) => inTurn(() => visitAll(call, visit as (part: unknown, range: ChunkRange) => void)),
    get cost() { return cost; },
    async dispose() {
      await tail;
      for (const { release } of prepared?.parts ?? []) await release();
      prepared = undefined;
      await Promise.all([whole.dispose(), binder.dispose()]);
    },
  };
}

function costOf(examples: number, plan: ChunkPlan, residualBytes: number, calls: number, bind: boolean): ChunkCost {
  const { chunk, chunks, kept, workingBytes } = plan;
  return { examples, chunk, chunks, remainder: examples % chunk, kept, recomputed: bind ? chunks - kept : 0, residualBytes, workingBytes, calls };
}

function examplesOf(operation: string, batch: unknown): number {
  const { leaves: arrays, structure } = flatten<NDArray>(batch);
  const sizes = arrays.map((leaf) => leaf.shape[0]);
  if (arrays.length === 0 || !(sizes[0] > 0)) throw new ArgumentError({ operation, required: 'batch must hold at least one example', received: arrays.length === 0 ? 'no array' : String(arrays[0]) });
  const odd = sizes.findIndex((n) => n !== sizes[0]);
  if (odd >= 0) throw new ShapeError({ operation, required: `all leaves of batch must have ${sizes[0]} examples along axis 0`, received: `${arrays[odd]} at '${structure.paths[odd]}'` });
  return sizes[0];
}

const ranges = (size: number, chunk: number): ChunkRange[] =>
  Array.from({ length: Math.ceil(size / chunk) }, (_, i) => ({ start: i * chunk, count: Math.min(chunk, size - i * chunk) }));

/** Views of a range of examples of every array of a batch: nothing is copied. */
export function rows<T>(batch: T, start: number, count: number): T {
  return mapTree((leaf: NDArray) => {
    const width = leaf.size / leaf.shape[0];
    return new NDArray(leaf.data.subarray(start * width, (start + count) * width), [count, ...leaf.shape.slice(1)], leaf.dtype);
  }, batch) as T;
}

const widened = (tree: unknown): unknown => mapTree((leaf: NDArray) => new NDArray(Float64Array.from(leaf.data), leaf.shape, 'float64'), tree);

/** Adds into `total`, which is ours alone. */
function added(total: unknown, value: unknown): unknown {
  const parts = leaves<NDArray>(value);
  leaves<NDArray>(total).forEach(({ data }, i) => {
    const part = parts[i].data;
    for (let j = 0; j < data.length; j++) data[j] += part[j];
  });
  return total;
}
