/** The engine of lines, planes and boxes: any metrics at points of an affine subspace, through programs compiled once. @module */
import { ArgumentError, NonFiniteError, ShapeError } from '../util/errors.ts';
import type { Executor } from '../core/backend.ts';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { linearOperator, topEigenpairs } from '../curvature/index.ts';
import type { Split } from '../data/index.ts';
import { add, at, mul, stack, sum } from '../ops/index.ts';
import { chunkedSum, examplesOf, freshStatistics, meanOf, meanState, moments, ParameterSpace, type ChunkCost, type ChunkedSum, type Examples, type Moments, type Point, type Problem } from '../problem/index.ts';
import { hvp, valueAndGrad, type Host } from '../transforms/index.ts';
import { flatten, leaves, mapTree, requireSameStructure } from '../tree/index.ts';
import type { Axis } from './axes.ts';
import { resolveBatchNorm, type BatchNormMode, type BatchNormRecord, type BatchNormSettings } from './batch-norm.ts';
import type { CurvatureMetric, LandscapeMetric } from './metrics.ts';

/** How cells are evaluated. */
export interface CellOptions {
  readonly executor?: Executor;
  /** Examples a chunk; default: chosen by the memory budget. */
  readonly chunk?: number;
  /** Bytes for kept products and the running chunk together; default 512 MiB. */
  readonly memoryBudget?: number;
  /**
   * Whether products of the inputs with the parameters and directions of the first layer are formed once and kept, so that
   * a point costs additions there. Default true; without it the same numbers up to rounding, in less memory.
   */
  readonly distribute?: boolean;
  /** Points evaluated by one call of the compiled program. Default 4. */
  readonly cells?: number;
  /** What batch normalisation does. Default `eval`. */
  readonly batchNorm?: BatchNormMode | BatchNormSettings;
}

/** A metric at a cell. NaN where the loss is not finite. */
export interface CellValue {
  readonly value: number;
  /** See `errorKindOf`. */
  readonly error: number;
}

/** Evaluates metrics at points `point + sum_i c_i axes[i]`. */
export interface CellSampler {
  /** Values for each list of coefficients, [points][metrics]; null for metrics that these outputs and targets do not have. */
  evaluate(points: readonly (readonly number[])[]): Promise<(CellValue | null)[][]>;
  readonly batchNorm: BatchNormRecord;
  /** Points that one call takes at once. */
  readonly cells: number;
  readonly cost: ChunkCost | undefined;
  dispose(): Promise<void>;
}

/** What is bound: the centre and the axes. */
interface Fixed<P, State> {
  readonly params: P;
  readonly state: State;
  readonly directions: readonly P[];
  /** One an axis in the mode `moved`, else none. */
  readonly states: readonly State[];
}

/** Sums over the examples of a batch at one cell. */
interface CellSums<A = Tensor> {
  /** Of the losses: a cell where it is not finite is masked. */
  readonly guard: A;
  /** By the metric's position in the list. */
  readonly moments: { readonly [metric: string]: Moments<A> };
}
type CellOutput<A = Tensor> = CellSums<A> & { readonly gradient: readonly A[] };

const MASKED: CellValue = { value: NaN, error: NaN };
/** In place of what is measured after the sums. */
const PENDING: CellValue = { value: NaN, error: NaN };
const DEFAULT_CELLS = 4;

/**
 * Prepares metrics over the examples of a split at points of the subspace that axes span.
 * @throws TreeError or ShapeError when an axis is not shaped like the parameters; what `resolveBatchNorm` throws.
 */
export function cellSampler<P, State>(problem: Problem<P, State>, { params, state }: Point<P, State>, axes: readonly Pick<Axis<P, State>, 'direction' | 'state'>[], data: Split, metrics: readonly LandscapeMetric[], options: CellOptions = {}): CellSampler {
  requireDirections(params, axes.map(({ direction }) => direction));
  if (metrics.length === 0) throw new ArgumentError({ operation: 'landscape', required: 'at least one metric', received: 'none' });
  const { record, data: recalibration } = resolveBatchNorm(problem, state, data, options.batchNorm ?? 'eval', axes.some((axis) => axis.state !== undefined));
  const moves = record.mode === 'moved';
  const states = moves ? axes.map((axis) => axis.state ?? zerosLikeHost(state)) : [];
  const fixed = { params, state, directions: axes.map(({ direction }) => direction), states } as unknown as Host<Fixed<P, State>>;
  const { dtype } = new ParameterSpace(params);
  const plan: Plan<P, State> = {
    problem, metrics, fixed, dtype, size: data.size, train: record.mode === 'batch', name: `landscape of ${problem.name}`,
    examples: examplesOf(data, dtype), backend: backendOptions(options, record.mode === 'batch' ? record.batch : undefined), distribute: options.distribute ?? true,
    // A gradient a point would multiply what comes back; statistics of its own make a point a call of its own.
    cells: recalibration !== undefined || metrics.some(({ kind }) => kind === 'gradient') ? 1 : options.cells ?? DEFAULT_CELLS,
  };
  const sums = sumSampler(plan);
  const calibrate = recalibration && calibrator(plan, recalibration, record.batch!);
  const curvature = metrics.some(({ kind }) => kind === 'curvature') ? curvatureSampler(plan) : undefined;
  return {
    batchNorm: record, cells: plan.cells,
    get cost() { return sums.cost; },
    async evaluate(points) {
      requireCoefficients(points, axes.length);
      const values: (CellValue | null)[][] = [];
      for (let start = 0; start < points.length; start += plan.cells) {
        const group = points.slice(start, start + plan.cells);
        const own = calibrate && (await calibrate.evaluate(group[0]));
        const found = await sums.evaluate(group, own);
        if (curvature) for (const [i, cell] of found.entries()) await curvature.fill(cell, group[i], own);
        values.push(...found);
      }
      return values;
    },
    async dispose() { await Promise.all([sums.dispose(), calibrate?.dispose(), curvature?.dispose()]); },
  };
}

interface Plan<P, State> {
  readonly problem: Problem<P, State>;
  readonly metrics: readonly LandscapeMetric[];
  readonly fixed: Host<Fixed<P, State>>;
  readonly examples: Examples<NDArray>;
  readonly size: number;
  readonly dtype: 'float32' | 'float64';
  /** Batch normalisation by the statistics of the batch. */
  readonly train: boolean;
  readonly cells: number;
  readonly distribute: boolean;
  readonly backend: { readonly executor?: Executor; readonly chunk?: number; readonly memoryBudget?: number };
  readonly name: string;
}

function backendOptions({ executor, chunk, memoryBudget }: CellOptions, batch: number | undefined): Plan<unknown, unknown>['backend'] {
  if (batch !== undefined && chunk !== undefined && chunk !== batch) throw new ArgumentError({ operation: 'landscape', required: "in the batch normalisation mode 'batch' a chunk is a batch", received: `chunks of ${chunk} and batches of ${batch}` });
  const examples = batch ?? chunk;
  return { ...(executor && { executor }), ...(examples !== undefined && { chunk: examples }), ...(memoryBudget !== undefined && { memoryBudget }) };
}

/** The parameters and statistics at coefficients [axes]; `own` statistics take the place of the centre's. */
function movedTo<P, State>({ params, state, directions, states }: Fixed<P, State>, coefficients: Tensor, own?: State): { params: P; state: State } {
  const along = <T>(from: T, trees: readonly T[]): T => trees.reduce<T>((sum_, tree, i) => mapTree((x: Tensor, d: Tensor) => add(x, mul(at(coefficients, i), d)), sum_, tree) as T, from);
  return { params: along(params, directions), state: own ?? along(state, states) };
}

const outputsOf = <P, State>(problem: Problem<P, State>, train: boolean, params: P, state: State, inputs: Tensor): Tensor =>
  problem.model.apply(params, inputs, { mode: train ? 'train' : 'eval', state }).outputs;

/** Sums of all example metrics, at given parameters and statistics: the same program as `evaluate` has, and more of it. */
export function metricSums<P, State>(problem: Problem<P, State>, metrics: readonly LandscapeMetric[], params: P, state: State, { inputs, targets }: Examples, train = false): CellSums {
  const outputs = outputsOf(problem, train, params, state, inputs);
  const losses = problem.loss(outputs, targets);
  const found = metrics.flatMap((metric, i) => {
    const each = metric.kind === 'examples' ? metric.each(outputs, targets, losses) : null;
    return each === null ? [] : [[String(i), moments(requireExampleValues(metric, each, inputs))] as const];
  });
  return { guard: sum(losses), moments: Object.fromEntries(found) };
}

function requireExampleValues({ name }: LandscapeMetric, each: Tensor, inputs: Tensor): Tensor {
  if (each.rank === 1 && each.shape[0] === inputs.shape[0]) return each;
  throw new ShapeError({ operation: 'landscape', required: `the metric '${name}' must return one number an example, [${inputs.shape[0]}]`, received: each.toString() });
}

/** Example metrics and the gradient, several cells a call. */
function sumSampler<P, State>(plan: Plan<P, State>) {
  const { problem, metrics, train, fixed, examples, size, dtype, cells, distribute, backend, name } = plan;
  const withGradient = metrics.some(({ kind }) => kind === 'gradient');
  const one = (from: Fixed<P, State>, batch: Examples, coefficients: Tensor, own?: State): CellOutput => {
    const moved = movedTo(from, coefficients, own);
    const sums = (params: P): CellSums => metricSums(problem, metrics, params, moved.state, batch, train);
    if (!withGradient) return { ...sums(moved.params), gradient: [] };
    const [[, found], gradient] = valueAndGrad((params: P) => {
      const result = sums(params);
      return [result.guard, result] as const;
    }, { aux: true })(moved.params);
    return { ...found, gradient: leaves<Tensor>(gradient) };
  };
  const several = (from: Fixed<P, State>, batch: Examples, coefficients: Tensor, own: State[]): CellOutput => {
    const found = Array.from({ length: cells }, (_, i) => one(from, batch, at(coefficients, i), own[0]));
    return cells === 1 ? found[0] : mapTree((...parts: Tensor[]) => stack(parts), found[0], ...found.slice(1)) as CellOutput;
  };
  const total = chunkedSum<Fixed<P, State>, Examples, [Tensor, State[]], CellOutput>(several, fixed, examples, { ...backend, distribute, name });
  return {
    get cost() { return total.cost; },
    async evaluate(group: readonly (readonly number[])[], own: Host<State> | undefined): Promise<(CellValue | null)[][]> {
      // The last group repeats its last point: another number of points would be another program.
      const points = Array.from({ length: cells }, (_, i) => group[Math.min(i, group.length - 1)]);
      const coefficients = array(points.flat(), [cells, points[0].length], dtype);
      const { sums, gradients } = await collect(total, coefficients, own === undefined ? [] : [own], withGradient);
      return group.map((_, cell) => metrics.map((metric, i) => {
        if (!Number.isFinite(sums.guard.data[cell])) return metric.kind === 'examples' && !(i in sums.moments) ? null : MASKED;
        if (metric.kind === 'gradient') return gradientNorm(sums.gradient, gradients, size, dtype);
        if (metric.kind === 'curvature') return PENDING;
        const found = sums.moments[i] as Moments<NDArray> | undefined;
        if (found === undefined) return null;
        const { value, error } = meanOf({ sum: found.sum.data[cell], squares: found.squares.data[cell] }, size);
        return Number.isFinite(value) ? { value, error } : MASKED;
      }));
    },
    dispose: () => total.dispose(),
  };
}

/** The sums over all chunks, in float64, and the squared norm of each chunk's mean gradient. */
async function collect<State>(total: ChunkedSum<[Tensor, State[]], CellOutput>, coefficients: NDArray, own: readonly Host<State>[], withGradient: boolean): Promise<{ sums: CellOutput<NDArray>; gradients: number[] }> {
  if (!withGradient) return { sums: await total.evaluate(coefficients, own as never) as unknown as CellOutput<NDArray>, gradients: [] };
  const gradients: number[] = [];
  let like: CellOutput<NDArray> | undefined;
  let added: Float64Array[] = [];
  await total.each([coefficients, own] as never, (value, { count }) => {
    const part = value as unknown as CellOutput<NDArray>;
    gradients.push(squaredNorm(part.gradient) / count ** 2);
    const parts = leaves<NDArray>(part);
    if (like === undefined) added = parts.map(({ data }) => Float64Array.from(data));
    else parts.forEach(({ data }, i) => { for (let j = 0; j < data.length; j++) added[i][j] += data[j]; });
    like ??= part;
  });
  let next = 0;
  return { sums: mapTree(({ shape }: NDArray) => new NDArray(added[next++], shape, 'float64'), like) as CellOutput<NDArray>, gradients };
}

function squaredNorm(parts: readonly NDArray[]): number {
  let squares = 0;
  for (const { data } of parts) for (let i = 0; i < data.length; i++) squares += data[i] ** 2;
  return squares;
}

/** Rounding: eight units of roundoff of the chunks' typical gradient, which cancels in the sum (measured for gradientNoise: 2.5). */
function gradientNorm(gradient: readonly NDArray[], chunks: readonly number[], size: number, dtype: 'float32' | 'float64'): CellValue {
  const value = Math.sqrt(squaredNorm(gradient)) / size;
  const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  const error = 8 * unit * Math.sqrt(chunks.reduce((total, x) => total + x, 0) / chunks.length);
  return Number.isFinite(value) ? { value, error } : MASKED;
}

/** Running statistics computed anew at a cell. */
function calibrator<P, State>(plan: Plan<P, State>, data: Split, batch: number) {
  const { problem, fixed, dtype, distribute, backend } = plan;
  const total = chunkedSum<Fixed<P, State>, Examples, [Tensor], State>(
    (from, { inputs }, coefficients) => freshStatistics(problem, movedTo(from, coefficients).params, from.state, inputs),
    fixed, examplesOf(data, dtype), { ...backend, chunk: batch, distribute, name: `batch statistics of ${problem.name}` },
  );
  const { state } = fixed as unknown as { state: Host<State> };
  return {
    evaluate: async (coefficients: readonly number[]): Promise<Host<State>> => meanState<State>(await total.evaluate(array(coefficients, [coefficients.length], dtype)), state, data.size),
    dispose: () => total.dispose(),
  };
}

/** Ends of the Hessian's spectrum, by products at moved parameters: one program for all cells. */
function curvatureSampler<P, State>(plan: Plan<P, State>) {
  const { problem, metrics, train, fixed, examples, size, dtype, backend } = plan;
  const space = new ParameterSpace((fixed as unknown as { params: unknown }).params);
  const wanted = metrics.flatMap((metric, i) => (metric.kind === 'curvature' ? [{ metric, i }] : []));
  const product = (from: Fixed<P, State>, batch: Examples, coefficients: Tensor, own: State[], vector: Tensor[]): Tensor[] => {
    const moved = movedTo(from, coefficients, own[0]);
    const loss = (chosen: Tensor[]): Tensor => sum(problem.loss(outputsOf(problem, train, space.replace(moved.params, chosen) as P, moved.state, batch.inputs), batch.targets));
    return hvp(loss)(space.pick<Tensor>(moved.params), vector);
  };
  const total = chunkedSum<Fixed<P, State>, Examples, [Tensor, State[], Tensor[]], Tensor[]>(product, fixed, examples, { ...backend, bind: false, name: `Hessian along the landscape of ${problem.name}` });
  const endAt = async (metric: CurvatureMetric, coefficients: readonly number[], own: Host<State> | undefined): Promise<CellValue> => {
    const operator = linearOperator({
      name: `Hessian of ${problem.name} at a cell`, size: space.size, precision: dtype, space,
      apply: (vectors) => Promise.all(vectors.map(async (vector) => {
        const image = await total.evaluate(array(coefficients, [coefficients.length], dtype), (own === undefined ? [] : [own]) as never, space.split([vector], false) as never);
        return space.join(image as unknown as NDArray[]).map((x) => x / size);
      })),
    });
    try {
      const { largest, smallest } = await topEigenpairs(operator, { largest: 0, smallest: 0, [metric.end]: 1, maxProducts: metric.products, tolerance: metric.tolerance });
      const [{ value, error }] = metric.end === 'largest' ? largest : smallest;
      return { value, error };
    } catch (error) {
      if (error instanceof NonFiniteError) return MASKED;
      throw error;
    }
  };
  return {
    /** Puts the eigenvalues in place where the loss is finite. */
    async fill(cell: (CellValue | null)[], coefficients: readonly number[], own: Host<State> | undefined): Promise<void> {
      for (const { metric, i } of wanted) if (cell[i] === PENDING) cell[i] = await endAt(metric, coefficients, own);
    },
    dispose: () => total.dispose(),
  };
}

const zerosLikeHost = <T>(tree: T): T => mapTree(({ shape, size, dtype }: NDArray) => array(new Float64Array(size), shape, dtype), tree) as T;

function requireDirections(params: unknown, directions: readonly unknown[]): void {
  if (directions.length === 0) throw new ArgumentError({ operation: 'sampleLandscape', required: 'at least one direction', received: 'none' });
  const { leaves: values, structure } = flatten<NDArray>(params);
  for (const direction of directions) {
    const other = flatten<NDArray>(direction);
    requireSameStructure('sampleLandscape', structure, other.structure);
    const odd = other.leaves.findIndex((leaf, i) => String(leaf) !== String(values[i]));
    if (odd >= 0) throw new ShapeError({ operation: 'sampleLandscape', required: `a direction must hold ${values[odd]} at '${structure.paths[odd]}'`, received: String(other.leaves[odd]) });
  }
}

function requireCoefficients(points: readonly (readonly number[])[], count: number): void {
  const odd = points.find((point) => point.length !== count);
  if (odd !== undefined) throw new ShapeError({ operation: 'sampleLandscape', required: `each point must have ${count} coefficients`, received: String(odd.length) });
}
