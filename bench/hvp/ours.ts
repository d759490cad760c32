/** Thalweg's side of the comparison: a process of its own that speaks the line protocol of peers/README.md. @module */
import path from 'node:path';
import { setDefaultExecutor } from '../../src/core/backend.ts';
import { NDArray } from '../../src/core/ndarray.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { matmul } from '../../src/ops/index.ts';
import { nodeExecutor } from '../../src/runtime/node.ts';
import { compile } from '../../src/transforms/index.ts';
import { leavesWithPaths } from '../../src/tree/tree.ts';
import { key, normal, split } from '../../src/util/random/index.ts';
import { readCase, writeArrays, type Case, type NamedArrays } from '../shared/manifest.ts';
import { infoOfThalweg, memory, milliseconds, resetPeakMemory, serve, THREADS } from '../shared/server.ts';
import { variantsOf, type Variant } from './variants.ts';

/** Extents of the product that the machine's peak is measured with: m, k, n. */
const GEMM = [1024, 4096, 1024] as const;

/** What `load` has read; requests that need it fail without. */
class Server {
  #case: Case | undefined;
  #variants: Readonly<Record<string, Variant>> = {};
  readonly #warm = new Set<string>();
  #gemm: (() => Promise<unknown>) | undefined;

  load({ dir }: { dir: string }): object {
    this.#case = readCase(dir);
    this.#variants = variantsOf(this.#case);
    this.#warm.clear();
    return { model: this.#case.model, vectors: this.#case.vectors.length, variants: Object.keys(this.#variants) };
  }

  #variant(name: string): { variant: Variant; loaded: Case } {
    const variant = this.#variants[name];
    if (variant === undefined || this.#case === undefined) throw new Error(`variant must be one of ${Object.keys(this.#variants).join(', ') || '(load a case first)'}; got ${name}`);
    return { variant, loaded: this.#case };
  }

  async run({ variant: name, repeat, warmup }: { variant: string; repeat: number; warmup: number }): Promise<object> {
    const { variant, loaded } = this.#variant(name);
    resetPeakMemory();
    const before = memory('VmRSS');
    let first: number | null = null;
    if (!this.#warm.has(name)) {
      const [prepared, ms] = await milliseconds(async () => {
        const made = await variant.prepare();
        if (variant.productsInPrepare === 0) await made.product(0);
        return made;
      });
      await prepared.dispose();
      first = ms;
      this.#warm.add(name);
    }
    const [shared, prepareMs] = await milliseconds(() => variant.prepare());
    const at = (i: number): number => i % loaded.vectors.length;
    for (let i = 0; i < warmup; i++) await shared.product(at(i));
    const ms: number[] = [];
    for (let i = 0; i < repeat; i++) ms.push((await milliseconds(() => shared.product(at(i))))[1]);
    await shared.dispose();
    return {
      ms, products_per_call: variant.productsPerCall, products_in_prepare: variant.productsInPrepare, prepare_ms: prepareMs, first_ms: first,
      peak_rss_mb: memory('VmHWM'), rss_before_mb: before,
    };
  }

  async result({ variant: name, out }: { variant: string; out: string }): Promise<object> {
    const { variant, loaded } = this.#variant(name);
    const shared = await variant.prepare();
    const products: NamedArrays[] = [];
    for (let i = 0; i < loaded.vectors.length; i += variant.productsPerCall) {
      const made = leavesWithPaths(await shared.product(i)) as [string, NDArray][];
      for (let j = 0; j < variant.productsPerCall; j++) {
        products.push(Object.fromEntries(made.map(([leaf, value]) => [leaf, variant.productsPerCall === 1 ? value : row(value, j)])));
      }
    }
    await shared.dispose();
    const dir = path.resolve(out);
    return { dir, products: products.map((arrays, i) => writeArrays(dir, String(i), arrays)) };
  }

  async gemm({ repeat }: { repeat: number }): Promise<object> {
    const [m, k, n] = GEMM;
    if (this.#gemm === undefined) {
      const [left, right] = [[m, k], [k, n]].map((shape, i) => new NDArray(normal(split(key(0), i), shape), shape, 'float32'));
      const multiply = compile((a: Tensor, b: Tensor) => matmul(a, b));
      this.#gemm = () => multiply(left, right);
      await this.#gemm();
    }
    const gflops: number[] = [];
    for (let i = 0; i < repeat; i++) gflops.push((2 * m * k * n) / (await milliseconds(this.#gemm))[1] / 1e6);
    return { gflops };
  }
}

/** Element i of axis 0. */
function row({ data, shape }: NDArray, i: number): NDArray {
  const size = data.length / shape[0];
  return new NDArray(data.slice(i * size, (i + 1) * size), shape.slice(1), 'float32');
}

setDefaultExecutor(nodeExecutor({ threads: THREADS }));
const server = new Server();
await serve({ info: infoOfThalweg, load: (request) => server.load(request), run: (request) => server.run(request), result: (request) => server.result(request), gemm: (request) => server.gemm(request) });
