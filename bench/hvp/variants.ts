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
import type { Case, NamedArrays } from './manifest.ts';

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
  readonly gflop: number;
  prepare(): Promise<{ product(i: number): Promise<Arrays>; dispose(): Promise<void> }>;
}

function stackVectors(vectors: readonly NamedArrays[]): NamedArrays {
  return Object.fromEntries(Object.entries(vectors[0]).map(([name, { shape, size }]) => {
    const data = new Float32Array(vectors.length * size);
    vectors.forEach((vector, i) => data.set(vector[name].data, i * size));
    return [name, new NDArray(data, [vectors.length, ...shape], 'float32')];
  }));
}

/** All ways; a block is `vmap` over the case's vectors. */
export function variantsOf({ model: name, parameters, constants, x, labels, vectors }: Case): Record<string, Variant> {
  const { model } = benchmarkNamed(name);
  const like = model.init(key(0));
  const point: Arrays[] = [toTree(like.params, parameters), x, labels, toTree(like.state, constants)] as Arrays[];
  const directions = vectors.map((vector) => toTree(like.params, vector) as Arrays);
  const block = toTree(like.params, stackVectors(vectors)) as Arrays;
  const loss = (params: Tensors, inputs: Tensors, targets: Tensors, state: Tensors): Tensor =>
    mean(crossEntropy(model.apply(params, inputs as Tensor, { mode: 'eval', state }).outputs, targets as Tensor));
  const product = (params: Tensors, inputs: Tensors, targets: Tensors, state: Tensors, vector: Tensors): Tensors => hvp(loss)(params, vector, inputs, targets, state);
  const blockProduct = (params: Tensors, inputs: Tensors, targets: Tensors, state: Tensors, many: Tensors): Tensors =>
    (vmap((vector: unknown) => product(params, inputs, targets, state, vector as Tensors)) as (many: unknown) => Tensors)(many);

  const whole = compileTrees(product);
  const graph = whole.graph(...point, directions[0]);
  const parts = splitGraph(graph, leaves(point).length);
  const gflop = flops(parts.call) / 1e9;
  const bound = (f: typeof product, embed: boolean, argument: (i: number) => Arrays, count: number): Variant => {
    const bind = compileTrees(f as (...args: Tensors[]) => Tensors, { bind: BOUND, embed });
    return {
      productsPerCall: count, productsInPrepare: count, gflop,
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
      productsPerCall: 1, productsInPrepare: 0, gflop: flops(graph) / 1e9,
      prepare: () => Promise.resolve({ product: (i) => whole(...point, directions[i]), dispose: () => Promise.resolve() }),
    },
    bound: bound(product, true, one, 1),
    // Only where something is built into the program by default.
    ...(residualsWorthEmbedding(parts).length > 0 && { 'bound-unembedded': bound(product, false, one, 1) }),
    'bound-block': bound(blockProduct, true, () => block, vectors.length),
  };
}
