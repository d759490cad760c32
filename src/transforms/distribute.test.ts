import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import type { Graph } from '../core/graph.ts';
import { NDArray, type Shape } from '../core/ndarray.ts';
import { printGraph } from '../core/print.ts';
import type { Tensor } from '../core/tensor.ts';
import { typecheck } from '../core/typecheck.ts';
import { add, at, conv, matmul, mul, sum, tanh } from '../ops/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { compile } from './compile.ts';
import { distributeOverBound } from './distribute.ts';
import { optimize } from './passes.ts';
import { splitGraph } from './split.ts';

const draw = (name: string, shape: Shape): NDArray => new NDArray(normal(split(key(4), name), [...shape], { dtype: 'float64' }), shape, 'float64');
const coefficient = new NDArray(Float64Array.of(0.7), [], 'float64');

/** The graph after distribution and its two parts; the last argument moves. */
function distributed<Args extends Tensor[]>(f: (...args: Args) => Tensor, ...args: NDArray[]): { before: Graph; after: Graph; bound: Graph; call: Graph } {
  const before = compile(f as (...args: Tensor[]) => Tensor).graph(...args);
  const after = optimize(distributeOverBound(before, args.length - 1));
  typecheck(after);
  return { before, after, ...splitGraph(after, args.length - 1) };
}

const products = (graph: Graph): number => graph.nodes.filter(({ primitive }) => ['dot', 'conv'].includes(primitive.name)).length;

describe('distribution over bound arrays', () => {
  const line = (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => matmul(x, add(w, mul(a, d)));
  const args = [draw('x', [4, 3]), draw('w', [3, 2]), draw('d', [3, 2]), coefficient];

  test('x (W + a D): both products are bound, a call scales and adds', () => {
    const { bound, call } = distributed(line, ...args);
    expect(printGraph(bound)).toMatchInlineSnapshot(`
      "{ (a:f64[4,3], b:f64[3,2], c:f64[3,2]) =>
        d:f64[4,2] = dot{batch: [[],[]], contract: [[1],[0]]} a b
        e:f64[4,2] = dot{batch: [[],[]], contract: [[1],[0]]} a c
        return d, e }"
    `);
    expect(printGraph(call)).toMatchInlineSnapshot(`
      "{ (a:f64[4,2], b:f64[4,2], c:f64[]) =>
        d:f64[4,2] = broadcast{shape: [4,2], axes: []} c
        e:f64[4,2] = mul d b
        f:f64[4,2] = add a e
        return f }"
    `);
  });

  test('(W + a D) x: the moving factor may stand on either side', () => {
    const { bound, call } = distributed((x: Tensor, w: Tensor, d: Tensor, a: Tensor) => matmul(add(w, mul(a, d)), x), draw('x', [2, 4]), ...args.slice(1));
    expect([products(bound), products(call)]).toEqual([2, 0]);
  });

  test('a plane: three products are bound', () => {
    const f = (x: Tensor, w: Tensor, d: Tensor, e: Tensor, c: Tensor): Tensor => tanh(matmul(x, add(add(w, mul(at(c, 0), d)), mul(at(c, 1), e))));
    const { bound, call } = distributed(f, draw('x', [4, 3]), draw('w', [3, 2]), draw('d', [3, 2]), draw('e', [3, 2]), draw('c', [2]));
    expect([products(bound), products(call)]).toEqual([3, 0]);
  });

  test('a product of two moving factors stays', () => {
    const f = (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => matmul(mul(a, x), add(w, mul(a, d)));
    const { before, after, call } = distributed(f, ...args);
    expect(printGraph(after)).toBe(printGraph(before));
    expect(products(call)).toBe(1);
  });

  test('what is no linear combination stays', () => {
    const f = (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => matmul(x, tanh(add(w, mul(a, d))));
    const { before, after } = distributed(f, ...args);
    expect(printGraph(after)).toBe(printGraph(before));
  });

  test('an elementwise coefficient is no scalar: it stays', () => {
    const { before, after } = distributed((x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => matmul(x, add(w, mul(a, d))), draw('x', [4, 3]), draw('w', [3, 2]), draw('d', [3, 2]), draw('a', [3, 2]));
    expect(printGraph(after)).toBe(printGraph(before));
  });

  test.each([
    ['dense layers', (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => sum(tanh(matmul(tanh(matmul(x, add(w, mul(a, d)))), add(w, mul(a, d))))), [[5, 4], [4, 4], [4, 4]]],
    ['convolutions', (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => tanh(conv(x, add(w, mul(a, d)), { padding: 'same', strides: 2 })), [[2, 3, 6, 6], [4, 3, 3, 3], [4, 3, 3, 3]]],
    ['grouped convolutions', (x: Tensor, w: Tensor, d: Tensor, a: Tensor): Tensor => conv(x, add(w, mul(a, d)), { groups: 2 }), [[2, 4, 5, 5], [6, 2, 3, 3], [6, 2, 3, 3]]],
  ] as const)('changes no value: %s', async (_, f, shapes) => {
    const fixed = shapes.map((shape, i) => draw(`argument ${i}`, shape)) as [NDArray, NDArray, NDArray];
    const plain = await compile(f, { executor: referenceExecutor })(...fixed, coefficient);
    for (const distribute of [true, false]) {
      const bound = await compile(f, { executor: referenceExecutor, bind: 3, distribute })(...fixed);
      const result = await bound(coefficient);
      result.data.forEach((x, i) => expect(x).toBeCloseTo(plain.data[i], 11));
      await bound.dispose();
    }
  });
});
