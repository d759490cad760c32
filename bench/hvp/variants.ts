/** The ways in which Thalweg computes Hessian-vector products of a case. @module */
import type { Graph } from '../../src/core/graph.ts';
import { NDArray } from '../../src/core/ndarray.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { crossEntropy } from '../../src/losses/index.ts';
import { mean } from '../../src/ops/index.ts';
import { compile, hvp, vmap } from '../../src/transforms/index.ts';
import { residualsWorthEmbedding, splitGraph } from '../../src/transforms/split.ts';
import { leaves, type Tree } from '../../src/tree/tree.ts';
import { key } from '../../src/util/random/index.ts';
import { benchmarkNamed, toTree } from './cases.ts';
import { flops } from './flops.ts';
import type { Case, NamedArrays } from '../shared/manifest.ts';

type Tensors = Tree<Tensor>;
type Arrays = Tree<NDArray>;
type Call = (...args: Arrays[]) => Promise<Arrays>;
/** `compile` for functions of trees whose structure is not known statically. */
const compileTrees = compile as unknown as {
  (f: (...args: Tensors[]) => Tensors): Call & { graph(...args: Arrays[]): Graph };
  (f: (...args: Tensors[]) => Tensors, options: { readonly bind: number; readonly embed?: boolean }): (...args: Arrays[]) => Promise<Call & { dispose(): Promise<void> }>;
};
/** Leading arguments: parameters, inputs, labels, state. */
const BOUND = 4;

/** A way to compute products: `prepare` returns what multiplies vector i (all vectors, for blocks). */
export interface Variant {
  readonly productsPerCall: number;
  /** Products that `prepare` makes itself: residuals are computed at a bound function's first call. */
  readonly productsInPrepare: number;
  prepare(): Promise<{ product(i: number): Promise<Arrays>; dispose(): Promise<void> }>;
}

function stackVectors(vectors: readonly NamedArrays[]): NamedArrays {
  return Object.fromEntries(Object.entries(vectors[0]).map(([name, { shape, size }]) => {
    const data = new Float32Array(vectors.length * size);
    vectors.forEach((vector, i) => data.set(vector[name].data, i * size));
    return [name, new NDArray(data, [vectors.length, ...shape], 'float32')];
  }));
}

/** The traced product and its leading arguments, of which parameters, data and state are bound. */
function productOf({ model: name, parameters, constants, x, labels }: Case): { product: (...args: Tensors[]) => Tensors; point: Arrays[]; like: unknown } {
  const { model } = benchmarkNamed(name);
  const like = model.init(key(0));
  const loss = (params: Tensors, inputs: Tensors, targets: Tensors, state: Tensors): Tensor =>
    mean(crossEntropy(model.apply(params, inputs as Tensor, { mode: 'eval', state }).outputs, targets as Tensor));
  return {
    product: (params, inputs, targets, state, vector) => hvp(loss)(params, vector, inputs, targets, state),
    point: [toTree(like.params, parameters), x, labels, toTree(like.state, constants)] as Arrays[], like: like.params,
  };
}

/** What a case costs before anything runs. */
export interface Count {
  /** 10^9 floating-point operations of a product on its own. */
  readonly whole: number;
  /** Of what each further product at the same point needs. */
  readonly bound: number;
  /** Whether binding builds residuals into the program. */
  readonly embeds: boolean;
}

/** Counts the operations of one product: see `flops`. */
export function countOperations(loaded: Case): Count {
  const { product, point, like } = productOf(loaded);
  const graph = compileTrees(product).graph(...point, toTree(like, loaded.vectors[0]) as Arrays);
  const parts = splitGraph(graph, leaves(point).length);
  return { whole: flops(graph) / 1e9, bound: flops(parts.call) / 1e9, embeds: residualsWorthEmbedding(parts).length > 0 };
}

/** All ways; a block is `vmap` over the case's vectors. Nothing is traced before it is first prepared or run. */
export function variantsOf(loaded: Case): Record<string, Variant> {
  const { product, point, like } = productOf(loaded);
  const directions = loaded.vectors.map((vector) => toTree(like, vector) as Arrays);
  const block = toTree(like, stackVectors(loaded.vectors)) as Arrays;
  const blockProduct = (...args: Tensors[]): Tensors =>
    (vmap((vector: unknown) => product(...args.slice(0, BOUND), vector as Tensors)) as (many: unknown) => Tensors)(args[BOUND]);
  const whole = compileTrees(product);
  const bound = (f: typeof product, embed: boolean, argument: (i: number) => Arrays, count: number): Variant => {
    const bind = compileTrees(f, { bind: BOUND, embed });
    return {
      productsPerCall: count, productsInPrepare: count,
      async prepare() {
        const multiply = await bind(...point);
        await multiply(argument(0));
        return { product: (i) => multiply(argument(i)), dispose: () => multiply.dispose() };
      },
    };
  };
  const one = (i: number): Arrays => directions[i];
  return {
    whole: {
      productsPerCall: 1, productsInPrepare: 0,
      prepare: () => Promise.resolve({ product: (i) => whole(...point, directions[i]), dispose: () => Promise.resolve() }),
    },
    bound: bound(product, true, one, 1),
    'bound-unembedded': bound(product, false, one, 1),
    'bound-block': bound(blockProduct, true, () => block, directions.length),
  };
}
