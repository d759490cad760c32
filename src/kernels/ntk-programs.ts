/** The compiled programs of an empirical tangent kernel, and what they are predicted to cost. @module */
import type { Executor } from '../core/backend.ts';
import { filled, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { bytesOf, peakBytes } from '../problem/memory.ts';
import type { Graph } from '../core/graph.ts';
import type { ParameterSpace, PointTensors } from '../problem/index.ts';
import { compile, vmap, type Host } from '../transforms/index.ts';
import { contractFactors, directionalBlock, type Pairing } from './contraction.ts';
import { factorsOf, type ChooseForm, type Factors } from './factors.ts';
import { combined, costOfGraph, type PredictedCost } from './flops.ts';
import type { Network } from './network.ts';

/**
 * `jacobian-contraction`: per-example Jacobians, multiplied. `structured-derivatives`: the same, with weights of dense and
 * convolutional layers kept as factors where that is cheaper. `ntk-vector-products`: no Jacobian; a directional derivative
 * for each gradient. They compute the same kernel.
 */
export type NtkImplementation = 'jacobian-contraction' | 'structured-derivatives' | 'ntk-vector-products';
/** All implementations, in the order they are tried where costs tie. */
export const ntkImplementations: readonly NtkImplementation[] = ['jacobian-contraction', 'structured-derivatives', 'ntk-vector-products'];

/** What the programs are made for. */
export interface NtkTask<P, State> {
  readonly network: Network<P, State>;
  readonly space: ParameterSpace;
  /** A point whose types tell the programs'; any like it may be given later. */
  readonly point: Host<PointTensors<P, State>>;
  readonly pairing: Pairing;
  /** Pairs of examples to be computed for each example that is prepared. */
  readonly pairsPerExample: number;
  readonly executor: Executor | undefined;
}

/** A size: examples, and seeded outputs. */
export interface BlockSize {
  readonly examples: number;
  readonly seeds: number;
}

/** Memory of a block size. */
export interface BlockMemory {
  /** Bytes of what is prepared for each block of examples. */
  readonly prepared: number;
  /** Peak bytes of either program, beside the prepared blocks it reads. */
  readonly working: number;
}

/** Prepares blocks of examples, then computes blocks of the kernel from two prepared ones. */
export interface NtkPrograms {
  prepare(point: unknown, inputs: NDArray, seeds: NDArray): Promise<unknown>;
  block(point: unknown, first: unknown, second: unknown, seeds: NDArray): Promise<NDArray>;
  memory(size: BlockSize): BlockMemory;
  /** Cost of preparing a block, and of a block of the kernel. */
  cost(size: BlockSize): { readonly prepare: PredictedCost; readonly block: PredictedCost };
  dispose(): Promise<void>;
}

/** @throws whatever tracing the network throws. `sample` tells the type of one example. */
export function ntkPrograms<P, State>(implementation: NtkImplementation, task: NtkTask<P, State>, sample: NDArray, outputs: number): NtkPrograms {
  return implementation === 'ntk-vector-products' ? directionalPrograms(task, sample, outputs) : factorPrograms(task, sample, outputs, implementation === 'structured-derivatives');
}

function factorPrograms<P, State>(task: NtkTask<P, State>, sample: NDArray, outputs: number, structured: boolean): NtkPrograms {
  const { network, space, point, pairing, executor } = task;
  const options = { name: `tangent kernel of ${network.name}`, ...(executor && { executor }) };
  const choose = structured ? formChooser(pairing, outputs, task.pairsPerExample) : undefined;
  const prepare = compile((at: PointTensors<P, State>, inputs: Tensor, seeds: Tensor): Factors =>
    vmap((input: Tensor) => factorsOf({ network, space, point: at }, input, seeds, choose))(inputs), options) as unknown as Untyped<Host<Factors>>;
  const contract = compile((first: Factors, second: Factors) => contractFactors(first, second, pairing), options) as unknown as Untyped<NDArray>;
  const trial = ({ examples, seeds }: BlockSize): Trial => {
    const graph = prepare.graph(point, zerosLike(sample, examples), filled([seeds, outputs], 0, space.dtype));
    const made = factorsAt(graph.outputs.map(({ shape, dtype }) => filled(shape, 0, dtype)));
    const pair = contract.graph(made, made);
    return { prepare: costOfGraph(graph), block: costOfGraph(pair), prepared: bytesOf(graph.outputs), preparing: peakBytes(graph), contracting: peakBytes(pair) - bytesOf(pair.inputs) };
  };
  return {
    prepare: (at, inputs, seeds) => prepare(at, inputs, seeds),
    block: (_, first, second) => contract(first, second),
    ...predictions(trial, pairing, outputs),
    dispose: async () => { await prepare.dispose(); await contract.dispose(); },
  };
}

function directionalPrograms<P, State>(task: NtkTask<P, State>, sample: NDArray, outputs: number): NtkPrograms {
  const { network, space, point, pairing, executor } = task;
  const block = compile((at: PointTensors<P, State>, first: Tensor, second: Tensor, seeds: Tensor) =>
    directionalBlock({ network, space, point: at }, first, second, seeds, pairing), { name: `tangent kernel of ${network.name}`, ...(executor && { executor }) }) as unknown as Untyped<NDArray>;
  const trial = ({ examples, seeds }: BlockSize): Trial => {
    const inputs = zerosLike(sample, examples);
    const graph = block.graph(point, inputs, inputs, filled([seeds, outputs], 0, space.dtype));
    return { prepare: NOTHING, block: costOfGraph(graph), prepared: 0, preparing: 0, contracting: peakBytes(graph) };
  };
  return {
    prepare: (_, inputs) => Promise.resolve(inputs),
    block: (at, first, second, seeds) => block(at, first, second, seeds),
    ...predictions(trial, pairing, outputs),
    dispose: () => block.dispose(),
  };
}

/** A compiled function whose argument types are the caller's business. */
interface Untyped<Out> {
  (...args: unknown[]): Promise<Out>;
  graph(...args: unknown[]): Graph;
  dispose(): Promise<void>;
}

/** What the graphs at one block size say. */
interface Trial {
  readonly prepare: PredictedCost;
  readonly block: PredictedCost;
  readonly prepared: number;
  readonly preparing: number;
  readonly contracting: number;
}

const NOTHING: PredictedCost = { flops: 0, bytes: 0 };
const zerosLike = (sample: NDArray, examples: number): NDArray => filled([examples, ...sample.shape.slice(1)], 0, sample.dtype);

/** The flat results of a preparing program as a tree: pairs of factors first, which only they make of rank four. */
function factorsAt(arrays: readonly NDArray[]): Host<Factors> {
  const count = arrays.filter(({ shape }) => shape.length === 4).length;
  return { products: Array.from({ length: count }, (_, i) => ({ a: arrays[2 * i], d: arrays[2 * i + 1] })), jacobians: arrays.slice(2 * count) };
}

/**
 * Costs and memory of any block size from graphs at the smallest: preparing is affine in the examples, a block of the kernel
 * quadratic, both are affine in the number of seeds (which is fixed where all pairs of outputs are wanted).
 */
function predictions(trialAt: (size: BlockSize) => Trial, { outputs: kept, pairs }: Pairing, outputs: number): Pick<NtkPrograms, 'memory' | 'cost'> {
  const known = new Map<string, Trial>();
  const trial = (examples: number, seeds: number): Trial => {
    const key = `${examples},${seeds}`;
    const found = known.get(key) ?? trialAt({ examples, seeds });
    known.set(key, found);
    return found;
  };
  const atSeeds = (seeds: number, value: (trial: Trial, examples: number) => PredictedCost, examples: number): PredictedCost => {
    if (kept === 'full') return value(trial(examples, outputs), examples);
    const one = value(trial(examples, 1), examples);
    const two = value(trial(examples, 2), examples);
    return combined(2 - seeds, one, seeds - 1, two);
  };
  const affine = (examples: number, seeds: number, value: (trial: Trial) => PredictedCost): PredictedCost =>
    combined(2 - examples, atSeeds(seeds, value, 1), examples - 1, atSeeds(seeds, value, 2));
  // Through the values at 1, 2 and 3 examples.
  const quadratic = (examples: number, seeds: number, value: (trial: Trial) => PredictedCost): PredictedCost => {
    if (pairs === 'diagonal') return affine(examples, seeds, value);
    const [one, two, three] = [1, 2, 3].map((n) => atSeeds(seeds, value, n));
    const ends = combined(((examples - 2) * (examples - 3)) / 2, one, ((examples - 1) * (examples - 2)) / 2, three);
    return combined(1, ends, -(examples - 1) * (examples - 3), two);
  };
  const bytes = (value: (trial: Trial) => number) => (t: Trial): PredictedCost => ({ flops: 0, bytes: value(t) });
  return {
    memory({ examples, seeds }) {
      const prepared = affine(examples, seeds, bytes((t) => t.prepared)).bytes;
      const preparing = affine(examples, seeds, bytes((t) => t.preparing)).bytes;
      const contracting = quadratic(examples, seeds, bytes((t) => t.contracting)).bytes;
      return { prepared, working: Math.max(preparing, contracting) };
    },
    cost: ({ examples, seeds }) => ({ prepare: affine(examples, seeds, (t) => t.prepare), block: quadratic(examples, seeds, (t) => t.block) }),
  };
}

/** Operations for each pair of examples by factors, against writing the Jacobian out (shared by an example's pairs) and contracting it. */
function formChooser({ outputs: kept }: Pairing, outputs: number, pairsPerExample: number): ChooseForm {
  const outputPairs = kept === 'full' ? outputs * outputs : outputs;
  return ({ positions, inputs, outputs: width }) => {
    const byFactors = positions * positions * (inputs + outputPairs * (width + 1));
    const written = outputPairs * inputs * width + (outputs * positions * inputs * width) / pairsPerExample;
    return byFactors < written ? 'factors' : 'jacobian';
  };
}
