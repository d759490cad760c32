import { describe, expect, test } from 'vitest';
import { Graph } from '../core/graph.ts';
import { evaluate } from '../core/evaluate.ts';
import { array } from '../core/ndarray.ts';
import { placeholder, type Tensor, type Type } from '../core/tensor.ts';
import { typecheck } from '../core/typecheck.ts';
import { mul, neg, sin, tanh } from '../ops/index.ts';
import { gatherBoundFactors } from './gather-factors.ts';
import { splitGraph } from './split.ts';

const vector: Type = { shape: [3], dtype: 'float64' };

function graphOf(f: (x: Tensor, t: Tensor) => Tensor[]): Graph {
  const inputs = [placeholder(vector, 'x'), placeholder(vector, 't')];
  return new Graph(inputs, f(inputs[0], inputs[1]));
}
const count = (graph: Graph, name: string): number => graph.nodes.filter((node) => node.primitive.name === name).length;
const values = [array([0.3, -1.2, 2], [3], 'float64'), array([1.5, 0.1, -0.7], [3], 'float64')];

describe('gatherBoundFactors', () => {
  test('a chain of bound factors becomes one product a call', () => {
    const graph = graphOf((x, t) => [neg(mul(mul(mul(t, sin(x)), tanh(x)), x))]);
    const better = gatherBoundFactors(graph, 1);
    typecheck(better);
    expect(count(splitGraph(graph, 1).call, 'mul') + count(splitGraph(graph, 1).call, 'neg')).toBe(4);
    expect(splitGraph(better, 1).call.nodes.map((node) => node.primitive.name)).toEqual(['mul']);
    evaluate(better, values)[0].data.forEach((value, i) => expect(value).toBeCloseTo(evaluate(graph, values)[0].data[i], 14));
  });

  test('an inner product that is used elsewhere stays', () => {
    const graph = graphOf((x, t) => { const inner = mul(t, sin(x)); return [inner, mul(inner, x)]; });
    const { call } = splitGraph(gatherBoundFactors(graph, 1), 1);
    expect(count(call, 'mul')).toBe(2);
    expect(evaluate(gatherBoundFactors(graph, 1), values).map(({ data }) => [...data].map((x) => x.toFixed(12)))).toEqual(evaluate(graph, values).map(({ data }) => [...data].map((x) => x.toFixed(12))));
  });

  test('products of two moving values are left alone', () => {
    const graph = graphOf((x, t) => [mul(mul(t, t), x), mul(sin(t), mul(t, x))]);
    const better = gatherBoundFactors(graph, 1);
    expect(count(better, 'mul')).toBe(4);
    expect(evaluate(better, values)[1].data).toEqual(evaluate(graph, values)[1].data);
  });
});
