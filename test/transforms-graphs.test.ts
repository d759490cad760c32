/** What transformations make of programs, as printed graphs and counts: products stay products, splits stay small, recomputation stays. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../src/core/evaluate.ts';
import { Graph } from '../src/core/graph.ts';
import { printGraph } from '../src/core/print.ts';
import { placeholder, type Tensor, type Type } from '../src/core/tensor.ts';
import { typecheck } from '../src/core/typecheck.ts';
import { array } from '../src/core/ndarray.ts';
import * as ops from '../src/ops/index.ts';
import { evaluateReference, requireClose } from '../src/testing/index.ts';
import { checkpoint, grad, hvp, jvp, optimize, scan, splitGraph, valueAndGrad, vmap } from '../src/transforms/index.ts';
import { sumPrimitive } from '../src/prims/reduce.ts';

const f32 = (...shape: number[]): Type => ({ shape, dtype: 'float32' });
const graphOf = (types: readonly Type[], f: (...inputs: Tensor[]) => Tensor | Tensor[]): Graph => {
  const inputs = types.map((type) => placeholder(type));
  const graph = new Graph(inputs, [f(...inputs)].flat());
  typecheck(graph);
  return graph;
};
const count = (graph: Graph, name: string): number => graph.nodes.reduce((sum, node) => sum + Number(node.primitive.name === name)
  + Object.values(node.params as object).reduce((inner: number, value: unknown) => inner + (value instanceof Graph ? count(value, name) : 0), 0), 0);

/** Two layers, squared error. */
const loss = (w1: Tensor, w2: Tensor, x: Tensor, y: Tensor): Tensor => ops.mean(ops.square(ops.sub(ops.matmul(ops.tanh(ops.matmul(x, w1)), w2), y)));
const layers = [f32(4, 5), f32(5, 2), f32(8, 4), f32(8, 2)];
const gradient = (w1: Tensor, w2: Tensor, x: Tensor, y: Tensor): Tensor[] => grad(([a, b]: Tensor[]) => loss(a, b, x, y))([w1, w2]);
const product = (w1: Tensor, w2: Tensor, x: Tensor, y: Tensor, v1: Tensor, v2: Tensor): Tensor[] => hvp(([a, b]: Tensor[]) => loss(a, b, x, y))([w1, w2], [v1, v2]);

describe('printed graphs', () => {
  test('the text of a small graph is stable', () => {
    const text = (): string => printGraph(graphOf([f32(2, 3), f32(3)], (x, b) => ops.sum(ops.relu(ops.add(x, b)), 1)));
    expect(text()).toBe(text());
    expect(text()).toMatchInlineSnapshot(`
      "{ (a:f32[2,3], b:f32[3]) =>
        c:f32[2,3] = broadcast{shape: [2,3], axes: [1]} b
        d:f32[2,3] = add a c
        e:f32[] = constant 0
        f:f32[2,3] = broadcast{shape: [2,3], axes: []} e
        g:bool[2,3] = less_equal d f
        h:f32[] = constant 0
        i:f32[2,3] = broadcast{shape: [2,3], axes: []} h
        j:f32[2,3] = select g i d
        k:f32[2] = reduce_sum{axes: [1]} j
        return k }"
    `);
  });

  test('the gradient of a network is products, without transposed copies', () => {
    const graph = optimize(graphOf(layers, gradient));
    typecheck(graph);
    expect(count(graph, 'transpose')).toBe(0);
    // Two forward; the weights' gradients, and one cotangent sent back.
    expect(count(graph, 'dot')).toBe(5);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "{ (a:f32[4,5], b:f32[5,2], c:f32[8,4], d:f32[8,2]) =>
        e:f32[] = constant 1
        f:f32[8,5] = broadcast{shape: [8,5], axes: []} e
        g:f32[8,5] = dot{batch: [[],[]], contract: [[1],[0]]} c a
        h:f32[8,5] = tanh g
        i:f32[8,2] = dot{batch: [[],[]], contract: [[1],[0]]} h b
        j:f32[8,2] = sub i d
        k:f32[8,5] = mul h h
        l:f32[8,5] = sub f k
        m:f32[] = constant 0.125
        n:f32[8,2] = broadcast{shape: [8,2], axes: []} m
        o:f32[8,2] = mul n j
        p:f32[5,2] = dot{batch: [[],[]], contract: [[0],[0]]} h o
        q:f32[8,5] = dot{batch: [[],[]], contract: [[1],[1]]} o b
        r:f32[8,5] = mul q l
        s:f32[4,5] = dot{batch: [[],[]], contract: [[0],[0]]} c r
        return s, p }"
    `);
  });
});

describe('sizes of graphs', () => {
  test('a Hessian-vector product shares the forward and backward pass', () => {
    const graph = optimize(graphOf([...layers, layers[0], layers[1]], product));
    typecheck(graph);
    // Of weights at most, never of a value with a row for each sample.
    const transposed = graph.nodes.filter((node) => node.primitive.name === 'transpose').map((node) => String(node.outputs[0]));
    expect(transposed.filter((type) => type.includes('8'))).toEqual([]);
    expect(count(graph, 'dot')).toMatchInlineSnapshot(`11`);
    expect(count(graph, 'tanh')).toBe(1);
  });

  test('split after weights and data, each call runs the tangent pass alone', () => {
    const graph = optimize(graphOf([...layers, layers[0], layers[1]], product));
    const { bound, call } = splitGraph(graph, 4);
    typecheck(bound);
    typecheck(call);
    expect({ bound: count(bound, 'dot'), call: count(call, 'dot') }).toMatchInlineSnapshot(`
      {
        "bound": 3,
        "call": 8,
      }
    `);
    expect(count(call, 'tanh')).toBe(0);
    expect(bound.outputs.map(String)).toMatchInlineSnapshot(`
      [
        "f32[5,2]",
        "f32[8,4]",
        "f32[8,5]",
        "f32[8,5]",
        "f32[8,2]",
        "f32[8,5]",
      ]
    `);
  });

  test('vectors mapped over a product are rows of one larger product', () => {
    const graph = optimize(graphOf([f32(5, 4), f32(6, 4)], (w, rows) => vmap((row: Tensor) => ops.matmul(w, row))(rows)));
    expect(graph.nodes.map((node) => node.primitive.name)).toEqual(['dot']);
    const many = optimize(graphOf([...layers, f32(7, 4, 5), f32(7, 5, 2)], (w1, w2, x, y, v1, v2) => vmap((a: Tensor, b: Tensor) => product(w1, w2, x, y, a, b))(v1, v2)));
    const one = optimize(graphOf([...layers, layers[0], layers[1]], product));
    expect(count(many, 'dot')).toBe(count(one, 'dot'));
  });

  test('a loop is run once forward and once back, and its value comes from the same run', () => {
    const total = (x: Tensor): Tensor => ops.sum(ops.sin(scan((c: Tensor, s: Tensor): [Tensor, Tensor] => [ops.tanh(ops.add(c, s)), c], ops.zeros([3]), x)[1]));
    const graph = optimize(graphOf([f32(5, 3)], (x) => { const [value, gradient] = valueAndGrad(total)(x); return [value, gradient]; }));
    expect(count(graph, 'scan')).toBe(2);
    expect(count(graph, 'tanh')).toBe(1);
  });

  test('what is not asked for is not computed', () => {
    const graph = graphOf([f32(3)], (x) => { const y = ops.sin(x); void ops.exp(y); return y; });
    expect(graph.nodes.map((node) => node.primitive.name)).toEqual(['sin']);
    // The value of a jvp is dead when only the tangent is returned.
    const tangent = optimize(graphOf([f32(3), f32(3)], (x, t) => jvp((y: Tensor) => ops.sin(y), [x], [t])[1]));
    expect(tangent.nodes.map((node) => node.primitive.name)).toEqual(['cos', 'mul']);
  });

  test('passes do not make a graph larger the second time', () => {
    const once = optimize(graphOf([...layers, layers[0], layers[1]], product));
    expect(optimize(once).nodes.length).toBeLessThanOrEqual(once.nodes.length);
  });
});

describe('checkpoint', () => {
  const deep = (x: Tensor): Tensor => { let y = x; for (let i = 0; i < 6; i++) y = ops.sin(ops.mul(y, 1.1)); return y; };
  const plain = (x: Tensor): Tensor => ops.sum(deep(deep(x)));
  const saved = (x: Tensor): Tensor => ops.sum(checkpoint(deep)(checkpoint(deep)(x)));
  const x = array([0.3, -1, 2], [3], 'float64');

  test('changes no value and no derivative', () => {
    requireClose(evaluateReference(saved, x), evaluateReference(plain, x), { relative: 0, absolute: 0 });
    requireClose(evaluateReference(grad(saved), x), evaluateReference(grad(plain), x), { relative: 1e-14 });
    requireClose(evaluateReference((y: Tensor, v: Tensor) => hvp(saved)(y, v), x, x), evaluateReference((y: Tensor, v: Tensor) => hvp(plain)(y, v), x, x), { relative: 1e-12 });
  });

  test('computes the function again in the backward pass, after passes too', () => {
    expect(count(optimize(graphOf([f32(3)], grad(plain))), 'sin')).toBe(11);
    // Six for the value of the first block, then five in the backward pass of each: the last sine has no use there.
    expect(count(optimize(graphOf([f32(3)], grad(saved))), 'sin')).toBe(16);
  });

  test('keeps only the arguments of the blocks between the passes', () => {
    const kept = (f: (y: Tensor) => Tensor): number => {
      const graph = optimize(graphOf([f32(3), f32()], (y, seed) => ops.mul(grad(f)(y), seed)));
      const { bound } = splitGraph(optimize(graphOf([f32(3), f32(3)], (y, t) => jvp((z: Tensor) => f(z), [y], [t])[1])), 1);
      expect(graph.nodes.length).toBeGreaterThan(0);
      return bound.outputs.length;
    };
    expect(kept(plain)).toBe(12);
    expect(kept(saved)).toBeLessThanOrEqual(3);
  });
});

describe('depth', () => {
  test('a chain of ten thousand operations is traced, differentiated, optimised, batched and evaluated', () => {
    const chain = (x: Tensor): Tensor => { let y = x; for (let i = 0; i < 10_000; i++) y = ops.sin(y); return y; };
    const value = evaluateReference((x: Tensor) => grad(chain)(x), 0.5).item();
    let [y, derivative] = [0.5, 1];
    for (let i = 0; i < 10_000; i++) { derivative *= Math.cos(y); y = Math.sin(y); }
    expect(value).toBeCloseTo(derivative, 12);
    const graph = optimize(graphOf([{ shape: [], dtype: 'float64' }], grad(chain)));
    expect(evaluate(graph, [array([0.5], [], 'float64')])[0].item()).toBeCloseTo(derivative, 12);
    expect(evaluateReference((x: Tensor) => vmap(chain)(x), array([0.5, 1], [2], 'float64')).data[0]).toBeCloseTo(y, 12);
    expect(splitGraph(graph, 1).call.nodes.length).toBeLessThan(10);
    expect(printGraph(graph).split('\n').length).toBe(graph.nodes.length + 2);
  });

  test('a wide sum of many terms too', () => {
    const wide = (x: Tensor): Tensor => Array.from({ length: 3000 }, (_, i) => ops.mul(x, i)).reduce((a, b) => ops.add(a, b));
    expect(evaluateReference((x: Tensor) => grad(wide)(x), 2).item()).toBe(2999 * 1500);
  });
});

test('the type checker finds a node whose output has another type than its rule gives', () => {
  const input = placeholder(f32(2, 3));
  const [output] = graphOf([f32(2, 3)], (x) => ops.sum(x, 1)).outputs;
  const node = { ...output.node!, primitive: sumPrimitive as never, params: { axes: [0] }, inputs: [input], outputs: [output] };
  const graph = Object.assign(Object.create(Graph.prototype) as Graph, { inputs: [input], nodes: [node], outputs: [output] });
  expect(() => typecheck(graph)).toThrow(/typecheck: node 0 \(reduce_sum\): output 0 must be f32\[3\], got f32\[2\]/);
});
