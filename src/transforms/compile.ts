/** From a function over tensors to an asynchronous function over host arrays. @module */
import { ArgumentError } from '../util/errors.ts';
import { defaultExecutor, type Executor, type Session } from '../core/backend.ts';
import { explainNonFinite, firstNonFinite } from '../core/evaluate.ts';
import { Graph } from '../core/graph.ts';
import { NDArray, type DType } from '../core/ndarray.ts';
import { distributeOverBound } from './distribute.ts';
import { gatherBoundFactors } from './gather-factors.ts';
import { optimize } from './passes.ts';
import { bytesOfTypes, computedResiduals, residualsWorthEmbedding, splitGraph, type SplitGraph } from './split.ts';
import { flattenArguments, traceArguments, type FlatArguments, type TracedFunction } from './signature.ts';
import type { Host, HostInput } from './trees.ts';

export interface CompileOptions {
  /** Backend; default: the one an entry point (`thalweg/node`, `thalweg/web`) has set. */
  readonly executor?: Executor;
  /** Passes before lowering (dead code, common subexpressions, constants, identities). Default true. */
  readonly optimize?: boolean;
  /** Check every floating-point result; a NaN or an infinity raises a NonFiniteError that names its first origin. Default false. */
  readonly requireFinite?: boolean;
  /** Element type of plain numbers among the arguments. Default float32. */
  readonly dtype?: DType;
  /** Name in error messages. */
  readonly name?: string;
}

export interface BindOptions extends CompileOptions {
  /** How many leading arguments are bound. */
  readonly bind: number;
  /**
   * Whether residuals that some operation prefers constant (a convolution's arguments) are built into the program, where
   * the backend rearranges them once, at the price of a new session for each binding. Default true; no effect on
   * programs without such operations.
   */
  readonly embed?: boolean;
  /**
   * Whether products of bound arrays with moving combinations of bound arrays, as at points of a line or plane in parameter
   * space, are distributed so that they can be bound. Costs memory for each product. Default false.
   */
  readonly distribute?: boolean;
}

type Leading<Args extends unknown[], N extends number, Acc extends unknown[] = []> = Acc['length'] extends N ? Acc : Args extends [infer First, ...infer Rest] ? Leading<Rest, N, [...Acc, First]> : Args;
type Following<Args extends unknown[], N extends number, Acc extends unknown[] = []> = Acc['length'] extends N ? Args : Args extends [infer First, ...infer Rest] ? Following<Rest, N, [...Acc, First]> : Args;
/** Host arguments of a traced function's arguments; a scalar may be given as a number. */
export type HostArguments<Args extends unknown[]> = { [K in keyof Args]: HostInput<Args[K]> };

/** A compiled function: host arrays in, host arrays out. */
export interface Compiled<Args extends unknown[], Out> {
  (...args: HostArguments<Args>): Promise<Host<Out>>;
  /** The optimised graph at these arguments' types, for printing and counting. */
  graph(...args: HostArguments<Args>): Graph;
  /** Releases the sessions; the function may not be called afterwards. */
  dispose(): Promise<void>;
}

/** What a binding keeps and what each call runs. */
export interface BindingCost {
  /** Operations run once, when bound. */
  readonly boundOperations: number;
  /** Operations run at each call. */
  readonly callOperations: number;
  /** Values kept from the bound part. */
  readonly residuals: number;
  readonly residualBytes: number;
}

/** A function with its leading arguments bound. */
export interface Bound<Args extends unknown[], Out> {
  (...args: HostArguments<Args>): Promise<Host<Out>>;
  /** What the latest call kept and ran; undefined before the first. */
  readonly cost: BindingCost | undefined;
  /** Releases what was kept. */
  dispose(): Promise<void>;
}

/** A function to be bound: call it with the leading arguments. */
export interface Binder<Args extends unknown[], N extends number, Out> {
  (...args: HostArguments<Leading<Args, N>>): Promise<Bound<Following<Args, N>, Out>>;
  /** The optimised graph of all arguments, those to be bound first, at these types: what a binding is made of. */
  graph(...args: HostArguments<Args>): Graph;
  dispose(): Promise<void>;
}

/**
 * Compiles `f`: traced once for each signature of its arguments (structure, shapes, dtypes), optimised, and run by the
 * backend. With `{ bind: n }` the first n arguments are bound first: what depends on them alone runs once, and each call
 * runs only the rest, so k Hessian-vector products at one point cost one gradient and k tangent passes.
 *
 * @throws ArgumentError when there is no backend or an argument is not a host array; whatever tracing `f` throws.
 */
export function compile<Args extends unknown[], Out, const N extends number>(f: (...args: Args) => Out, options: BindOptions & { readonly bind: N }): Binder<Args, N, Out>;
export function compile<Args extends unknown[], Out>(f: (...args: Args) => Out, options?: CompileOptions): Compiled<Args, Out>;
export function compile<Args extends unknown[], Out>(f: (...args: Args) => Out, options: CompileOptions & Partial<BindOptions> = {}): unknown {
  const program = new Program(f as (...args: never[]) => unknown, options);
  return options.bind === undefined ? compiled(program) : binder(program, { bind: options.bind, embed: options.embed ?? true, distribute: options.distribute ?? false });
}

interface Traced extends TracedFunction {
  readonly key: string;
}

/** The traces of one function, by signature. */
class Program {
  readonly name: string;
  readonly options: CompileOptions;
  readonly #function: (...args: never[]) => unknown;
  readonly #traces = new Map<string, Traced>();

  constructor(f: (...args: never[]) => unknown, options: CompileOptions) {
    this.#function = f;
    this.options = options;
    this.name = options.name ?? (f.name === '' ? 'compiled function' : f.name);
  }

  get executor(): Executor { return this.options.executor ?? defaultExecutor(); }

  flatten(args: readonly unknown[]): FlatArguments { return flattenArguments(this.name, args, this.options.dtype ?? 'float32'); }

  trace(flat: FlatArguments, count: number): Traced {
    let traced = this.#traces.get(flat.key);
    if (traced === undefined) {
      const raw = traceArguments(this.name, this.#function, flat, count);
      traced = { ...raw, key: flat.key, graph: this.options.optimize === false ? raw.graph : optimize(raw.graph) };
      this.#traces.set(flat.key, traced);
    }
    return traced;
  }

  /** @throws NonFiniteError when results are to be finite and are not. */
  check(graph: Graph, inputs: readonly NDArray[], outputs: readonly NDArray[]): void {
    if (this.options.requireFinite === true && outputs.some((output) => firstNonFinite(output) >= 0)) explainNonFinite(this.name, graph, inputs);
  }
}

/** Sessions made once for each key; a failed one may be tried again. */
class SessionCache {
  readonly #sessions = new Map<string, Promise<Session>>();

  get(key: string, make: () => Promise<Session>): Promise<Session> {
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = make();
      session.catch(() => this.#sessions.delete(key));
      this.#sessions.set(key, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    const all = await Promise.allSettled([...this.#sessions.values()]);
    this.#sessions.clear();
    await Promise.all(all.map((result) => (result.status === 'fulfilled' ? result.value.dispose() : Promise.resolve())));
  }
}

function compiled(program: Program): Compiled<unknown[], unknown> {
  const sessions = new SessionCache();
  const call = async (...args: unknown[]): Promise<unknown> => {
    const flat = program.flatten(args);
    const traced = program.trace(flat, args.length);
    const session = await sessions.get(flat.key, () => program.executor.prepare(traced.graph));
    const outputs = await session.run(flat.leaves);
    program.check(traced.graph, flat.leaves, outputs);
    return traced.rebuild(outputs);
  };
  return Object.assign(call, {
    graph: (...args: unknown[]) => program.trace(program.flatten(args), args.length).graph,
    dispose: () => sessions.dispose(),
  }) as Compiled<unknown[], unknown>;
}

interface Binding { readonly bind: number; readonly embed: boolean; readonly distribute: boolean }

function binder(program: Program, binding: Binding): Binder<unknown[], number, unknown> {
  const { bind: count } = binding;
  if (!Number.isInteger(count) || count < 0) throw new ArgumentError({ operation: 'compile', required: 'bind must be the number of leading arguments to bind', received: String(count) });
  const sessions = new SessionCache();
  const splits = new Map<string, SplitGraph>();
  const bindArguments = (...bound: unknown[]): Promise<Bound<unknown[], unknown>> => {
    if (bound.length !== count) throw new ArgumentError({ operation: program.name, required: `${count} arguments to bind`, received: String(bound.length) });
    const boundFlat = program.flatten(bound);
    return Promise.resolve(boundFunction(program, binding, sessions, splits, bound, boundFlat.leaves));
  };
  return Object.assign(bindArguments, {
    graph: (...args: unknown[]) => program.trace(program.flatten(args), args.length).graph,
    dispose: () => sessions.dispose(),
  });
}

/** The split, after the rewrites that move work to the bound side. */
function splitForBinding(graph: Graph, count: number, optimized: boolean, distribute: boolean): SplitGraph {
  if (!optimized) return splitGraph(graph, count);
  const distributed = distribute ? distributeOverBound(graph, count) : graph;
  return splitGraph(optimize(gatherBoundFactors(distributed, count)), count);
}

/** Values of the residuals; those that are bound arguments themselves are handed on without a copy. */
async function computeResiduals(bound: Graph, leaves: readonly NDArray[], session: (graph: Graph) => Promise<Session>): Promise<NDArray[]> {
  const computed = computedResiduals(bound);
  const values = computed.length === 0 ? [] : await (await session(new Graph(bound.inputs, computed))).run(leaves);
  return bound.outputs.map((output) => (output.node === null ? leaves[bound.inputs.indexOf(output)] : values[computed.indexOf(output)]));
}

/** The call side of a binding: residuals are computed at the first call of each signature and kept. */
function boundFunction(program: Program, { bind: count, embed, distribute }: Binding, sessions: SessionCache, splits: Map<string, SplitGraph>, bound: readonly unknown[], boundLeaves: readonly NDArray[]): Bound<unknown[], unknown> {
  const residuals = new Map<string, Promise<NDArray[]>>();
  const own = new SessionCache();
  let cost: BindingCost | undefined;
  const call = async (...rest: unknown[]): Promise<unknown> => {
    const flat = program.flatten([...bound, ...rest]);
    const traced = program.trace(flat, count + rest.length);
    const { key } = flat;
    let split = splits.get(key);
    if (split === undefined) splits.set(key, (split = splitForBinding(traced.graph, boundLeaves.length, program.options.optimize !== false, distribute)));
    const parts = split;
    let kept = residuals.get(key);
    if (kept === undefined) {
      kept = computeResiduals(parts.bound, boundLeaves, (graph) => sessions.get(`bound ${key}`, () => program.executor.prepare(graph)));
      residuals.set(key, kept);
    }
    const values = await kept;
    cost = {
      boundOperations: parts.bound.nodes.length, callOperations: parts.call.nodes.length, residuals: values.length,
      residualBytes: bytesOfTypes(computedResiduals(parts.bound)),
    };
    const callLeaves = flat.leaves.slice(boundLeaves.length);
    const embedded = new Map((embed ? residualsWorthEmbedding(parts) : []).map((i) => [i, values[i]]));
    const session = embedded.size > 0
      ? await own.get(key, () => program.executor.prepare(parts.call, embedded))
      : await sessions.get(`call ${key}`, () => program.executor.prepare(parts.call));
    const outputs = await session.run([...values.filter((_, i) => !embedded.has(i)), ...callLeaves]);
    program.check(traced.graph, flat.leaves, outputs);
    return traced.rebuild(outputs);
  };
  const dispose = async (): Promise<void> => {
    residuals.clear();
    await own.dispose();
  };
  return Object.defineProperty(Object.assign(call, { dispose }), 'cost', { get: () => cost }) as unknown as Bound<unknown[], unknown>;
}
