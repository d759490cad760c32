/** The empirical neural tangent kernel of any model, in blocks, by the cheapest of three algorithms. @module */
import type { Executor } from '../core/backend.ts';
import { NDArray, allocate } from '../core/ndarray.ts';
import { DEFAULT_MEMORY_BUDGET } from '../problem/chunk-plan.ts';
import { ParameterSpace, pointOf, type Measurement, type ParameterFilter, type Point } from '../problem/index.ts';
import { compile } from '../transforms/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import type { ExamplePairs, Pairing } from './contraction.ts';
import { nominalSeconds, type PredictedCost } from './flops.ts';
import { inputsOf, outputsOf, type Network } from './network.ts';
import { columnsFor, costOfPlan, planBlocks, rangesOf, type BlockPlan, type KernelExtents, type Range } from './ntk-blocks.ts';
import { ntkImplementations, ntkPrograms, type NtkImplementation, type NtkPrograms } from './ntk-programs.ts';

/** How far a kernel is. */
export interface KernelProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'blocks';
}

/** Options of everything that evaluates a model for a kernel. */
export interface KernelOptions {
  /** Bytes for what is kept, what is in use and the running program together; default 512 MiB. The result comes on top. */
  readonly memoryBudget?: number;
  /** Examples a block; default: chosen by the budget. */
  readonly block?: number;
  /** Backend; default: the one an entry point has set. */
  readonly executor?: Executor;
  /** Stops between blocks; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: KernelProgress) => void;
}

/** Options of `empiricalNtk`. */
export interface EmpiricalNtkOptions extends KernelOptions {
  /** Derivatives with respect to these parameters only; default all. */
  readonly parameters?: ParameterFilter;
  /**
   * Of the pairs of outputs: their trace divided by the number of outputs (`mean`, the default of neural-tangents), their
   * trace (`sum`), each output with itself (`diagonal`), or all pairs (`full`). Default `mean`.
   */
  readonly outputs?: 'mean' | 'sum' | 'diagonal' | 'full';
  /** All pairs of examples, or each example with its counterpart in the other set. Default `all`. */
  readonly pairs?: ExamplePairs;
  /** Default `auto`: the least predicted time. */
  readonly implementation?: NtkImplementation | 'auto';
}

/** A kernel matrix in row-major order. */
export interface KernelMatrix {
  /** Row-major values of `shape`. */
  readonly values: Float64Array;
  /** [rows, columns] or [rows]; then nothing, [outputs], or [outputs, outputs]. */
  readonly shape: readonly number[];
}

/** An empirical tangent kernel and how it was computed. */
export interface EmpiricalKernel extends KernelMatrix {
  readonly implementation: NtkImplementation;
  /** What each implementation that was considered would cost. */
  readonly predicted: Readonly<Partial<Record<NtkImplementation, PredictedCost>>>;
  readonly plan: BlockPlan;
  /** Seconds of the evaluation, programs that are not yet compiled included. */
  readonly seconds: number;
  /** Entry (i, j) carries an error of about this times sqrt(K_ii K_jj): rounding of sums over the parameters. */
  readonly rounding: number;
}

/** Evaluates the tangent kernel of one network between the same examples at many points; keeps its compiled programs. */
export interface NtkEvaluator<P, State> {
  /** @throws the reason of an aborted signal. Points must have the structure and types of the first one. */
  evaluate(point: Point<P, State>): Promise<EmpiricalKernel>;
  dispose(): Promise<void>;
}

/**
 * Prepares `empiricalNtk` for points like `point`: along a training run, or for many seeds. Costs of the implementations are
 * predicted here, once. Options and errors are those of `empiricalNtk`.
 */
export function ntkEvaluator<P, State>(network: Network<P, State>, point: Point<P, State>, first: NDArray, second?: NDArray, options: EmpiricalNtkOptions = {}): NtkEvaluator<P, State> {
  const operation = `empiricalNtk of ${network.name}`;
  const { outputs: wanted = 'mean', pairs = 'all', memoryBudget = DEFAULT_MEMORY_BUDGET, implementation = 'auto', executor } = options;
  requireChoice(operation, 'outputs', wanted, ['mean', 'sum', 'diagonal', 'full']);
  requireChoice(operation, 'pairs', pairs, ['all', 'diagonal']);
  requireChoice(operation, 'implementation', implementation, ['auto', ...ntkImplementations]);
  requireNumber(operation, 'memoryBudget', memoryBudget, 1);
  if (options.block !== undefined) requireInteger(operation, 'block', options.block, 1);
  const space = new ParameterSpace(point.params, options.parameters);
  const rows = inputsOf(operation, 'first', first, space.dtype);
  const columns = second === undefined ? rows : inputsOf(operation, 'second', second, space.dtype);
  requireFitting(operation, rows, columns, pairs);
  const outputs = countOutputs(network, point, rows, executor);
  const kept = wanted === 'mean' || wanted === 'sum' ? 'trace' : wanted;
  const extents: KernelExtents = { rows: rows.shape[0], columns: columns.shape[0], outputs, symmetric: second === undefined, pairs, kept };
  const total = pairs === 'diagonal' ? extents.rows : extents.rows * extents.columns / (extents.symmetric ? 2 : 1);
  const task = { network, space, point: pointOf(point), pairing: { outputs: kept, pairs } as Pairing, pairsPerExample: total / (extents.rows + (extents.symmetric ? 0 : extents.columns)), executor };
  const made = (implementation === 'auto' ? ntkImplementations : [implementation]).map((name) => {
    const programs = ntkPrograms(name, task, rows, outputs);
    const plan = planBlocks(programs, extents, memoryBudget, options.block);
    return { name, programs, plan, cost: costOfPlan(programs, extents, plan) };
  });
  const best = made.reduce((a, b) => (nominalSeconds(b.cost) < nominalSeconds(a.cost) ? b : a));
  const shape = [...(pairs === 'all' ? [extents.rows, extents.columns] : [extents.rows]), ...{ trace: [], diagonal: [outputs], full: [outputs, outputs] }[kept]];
  const predicted = Object.fromEntries(made.map(({ name, cost }) => [name, cost]));
  return {
    async evaluate(at) {
      const start = performance.now();
      const values = await evaluateBlocks({ programs: best.programs, plan: best.plan, extents, point: pointOf(at), rows, columns, dtype: space.dtype }, options);
      if (wanted === 'mean') for (let i = 0; i < values.length; i++) values[i] /= outputs;
      return { values, shape, implementation: best.name, predicted, plan: best.plan, rounding: roundingOf(space), seconds: (performance.now() - start) / 1000 };
    },
    dispose: async () => { for (const { programs } of made) await programs.dispose(); },
  };
}

/**
 * The empirical neural tangent kernel J(x1) J(x2)' of a model (Jacot et al. 2018), J the Jacobian of its outputs with
 * respect to the parameters, in eval mode. `second` absent means the first set again, of which half is computed.
 * `network` is any problem, or a name with a model; inputs are [examples, ...].
 *
 * @throws ArgumentError on impossible options or empty inputs; ShapeError when the sets do not fit each other; the reason of
 * an aborted signal.
 */
export async function empiricalNtk<P, State>(network: Network<P, State>, point: Point<P, State>, first: NDArray, second?: NDArray, options: EmpiricalNtkOptions = {}): Promise<EmpiricalKernel> {
  options.signal?.throwIfAborted();
  const evaluator = ntkEvaluator(network, point, first, second, options);
  try {
    return await evaluator.evaluate(point);
  } finally {
    await evaluator.dispose();
  }
}

/** Unit roundoff times the square root of the number of terms, with a margin for the passes before the last sum. */
const roundingOf = ({ dtype, size }: ParameterSpace): number => 8 * (dtype === 'float32' ? 2 ** -24 : 2 ** -53) * Math.sqrt(size);

function requireChoice(operation: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) throw new ArgumentError({ operation, required: `${name} must be one of ${choices.join(', ')}`, received: `'${value}'` });
}

function requireFitting(operation: string, rows: NDArray, columns: NDArray, pairs: ExamplePairs): void {
  const same = rows.shape.slice(1).join(',') === columns.shape.slice(1).join(',') && rows.dtype === columns.dtype;
  if (!same) throw new ShapeError({ operation, required: `examples of second must be like those of first, ${rows}`, received: String(columns) });
  if (pairs === 'diagonal' && rows.shape[0] !== columns.shape[0]) throw new ShapeError({ operation, required: `with pairs 'diagonal' both sets must have ${rows.shape[0]} examples`, received: String(columns.shape[0]) });
}

/** Number of outputs an example, from a trace. */
function countOutputs<P, State>(network: Network<P, State>, point: Point<P, State>, inputs: NDArray, executor: Executor | undefined): number {
  const one = new NDArray(inputs.data.subarray(0, inputs.size / inputs.shape[0]), [1, ...inputs.shape.slice(1)], inputs.dtype);
  const program = compile((params: P, state: State, x) => outputsOf(network, params, state, x as never), { name: network.name, ...(executor && { executor }) });
  return program.graph(point.params as never, point.state as never, one as never).outputs[0].shape[1];
}

const rowsOf = (array: NDArray, { start, count }: Range): NDArray => {
  const width = array.size / array.shape[0];
  return new NDArray(array.data.subarray(start * width, (start + count) * width), [count, ...array.shape.slice(1)], array.dtype);
};

function seedsOf({ start, count }: Range, outputs: number, dtype: 'float32' | 'float64'): NDArray {
  const data = allocate(dtype, count * outputs);
  for (let i = 0; i < count; i++) data[i * outputs + start + i] = 1;
  return new NDArray(data, [count, outputs], dtype);
}

/** All that a pass over the blocks needs. */
interface Blocks {
  readonly programs: NtkPrograms;
  readonly plan: BlockPlan;
  readonly extents: KernelExtents;
  readonly point: unknown;
  readonly rows: NDArray;
  readonly columns: NDArray;
  readonly dtype: 'float32' | 'float64';
}

async function evaluateBlocks({ programs, plan, extents, point, rows, columns, dtype }: Blocks, { signal, onProgress }: KernelOptions): Promise<Float64Array> {
  const { outputs, symmetric, pairs, kept } = extents;
  const tail = { trace: 1, diagonal: outputs, full: outputs * outputs }[kept];
  const values = new Float64Array(extents.rows * (pairs === 'all' ? extents.columns : 1) * tail);
  const rowRanges = rangesOf(extents.rows, plan.examples);
  const columnRanges = rangesOf(extents.columns, plan.examples);
  const passes = rangesOf(outputs, plan.seeds);
  const total = passes.length * rowRanges.reduce((n, _, i) => n + columnsFor(i, columnRanges.length, extents).length, 0);
  let done = 0;
  for (const pass of passes) {
    const seeds = seedsOf(pass, outputs, dtype);
    const keptBlocks = new Map<number, unknown>();
    const column = async (j: number): Promise<unknown> => {
      const found = keptBlocks.get(j) ?? await programs.prepare(point, rowsOf(columns, columnRanges[j]), seeds);
      if (j < plan.keptColumns) keptBlocks.set(j, found);
      return found;
    };
    for (const [i, row] of rowRanges.entries()) {
      const first = symmetric ? await column(i) : await programs.prepare(point, rowsOf(rows, row), seeds);
      for (const j of columnsFor(i, columnRanges.length, extents)) {
        signal?.throwIfAborted();
        const second = symmetric && j === i ? first : await column(j);
        const block = await programs.block(point, first, second, seeds);
        place(values, block, row, columnRanges[j], pass, extents, tail);
        onProgress?.({ done: ++done, total, unit: 'blocks' });
        // A native session runs on the calling thread: let timers and signals be seen.
        await new Promise<void>((resolve) => { setTimeout(resolve, 0); });
      }
    }
  }
  if (symmetric && pairs === 'all') mirror(values, extents, tail);
  return values;
}

/** Adds a block at its place; ranges of outputs add up in a trace and lie side by side on the diagonal. */
function place(values: Float64Array, { data }: NDArray, row: Range, column: Range, pass: Range, { columns, pairs, kept }: KernelExtents, tail: number): void {
  const offset = kept === 'diagonal' ? pass.start : 0;
  const width = kept === 'diagonal' ? pass.count : tail;
  const inner = pairs === 'all' ? column.count : 1;
  for (let i = 0; i < row.count; i++) {
    for (let j = 0; j < inner; j++) {
      const at = pairs === 'all' ? (row.start + i) * columns + column.start + j : row.start + i;
      for (let c = 0; c < width; c++) values[at * tail + offset + c] += data[(i * inner + j) * width + c];
    }
  }
}

/** Copies the lower triangle to the upper one, outputs exchanged, so that the matrix is symmetric to the last bit. */
function mirror(values: Float64Array, { rows, outputs, kept }: KernelExtents, tail: number): void {
  const k = kept === 'full' ? outputs : tail;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const from = (i * rows + j) * tail;
      const to = (j * rows + i) * tail;
      if (kept !== 'full') for (let c = 0; c < k; c++) values[to + c] = values[from + c];
      else for (let a = 0; a < k; a++) for (let b = 0; b < (i === j ? a : k); b++) values[to + b * k + a] = values[from + a * k + b];
    }
  }
}

/** One entry of a kernel with the rounding it carries, as a measurement. `diagonals` are K_ii and K_jj. */
export const kernelEntry = (kernel: EmpiricalKernel, value: number, diagonals: readonly [number, number]): Measurement =>
  ({ value, error: kernel.rounding * Math.sqrt(Math.abs(diagonals[0] * diagonals[1])), kind: 'rounding' });
