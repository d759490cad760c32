import { describe, expect, test } from 'vitest';
import { add, mul } from '../prims/binary.ts';
import { constantLike } from '../prims/constant.ts';
import { cos, exp, sin } from '../prims/unary.ts';
import { closeOver, dependents, Graph, inline, nodesOf, substitute } from './graph.ts';
import { printGraph } from './print.ts';
import { placeholder, type Tensor } from './tensor.ts';

const input = (): Tensor => placeholder({ shape: [2], dtype: 'float32' });

describe('graphs', () => {
  test('hold what the outputs need, in the order it was made', () => {
    const x = input();
    const a = sin(x);
    exp(a);
    const b = cos(x);
    expect(nodesOf([add(b, a)]).map((node) => node.primitive.name)).toEqual(['sin', 'cos', 'add']);
  });

  test('refuse values of other traces', () => {
    const [x, y] = [input(), input()];
    expect(() => new Graph([x], [mul(x, y)])).toThrow(/another trace/);
    expect(() => new Graph([x], [y])).toThrow(/another trace/);
  });

  test('print names by position, past the alphabet', () => {
    const x = input();
    let y = x;
    for (let i = 0; i < 27; i++) y = sin(y);
    expect(printGraph(new Graph([x], [y])).split('\n').slice(-3)).toEqual(['  aa:f32[2] = sin z', '  ab:f32[2] = sin aa', '  return ab }']);
  });
});

test('substitution rebuilds only what depends on the replaced values', () => {
  const [x, y] = [input(), input()];
  const [kept, changed] = [sin(x), mul(sin(x), y)];
  const z = input();
  const [first, second] = substitute([kept, changed], new Map([[y, z]]));
  expect(first).toBe(kept);
  expect(second.node!.inputs[1]).toBe(z);
  expect(second.node!.inputs[0]).toBe(changed.node!.inputs[0]);
});

test('a graph can be applied again to other values', () => {
  const x = input();
  const graph = new Graph([x], [sin(mul(x, x))]);
  const y = input();
  expect(printGraph(new Graph([y], inline(graph, [y])))).toBe(printGraph(graph));
});

test('dependents are marked by reachability', () => {
  const [x, y] = [input(), input()];
  const [a, b] = [sin(x), sin(y)];
  const sum = add(a, b);
  const { nodes, depends } = dependents([x], [sum]);
  expect(nodes.map((node) => node.primitive.name)).toEqual(['sin', 'add']);
  expect([a, b, sum, x, y].map(depends)).toEqual([true, false, true, true, false]);
});

test('closing over moves what does not depend on the inputs outside, constants excepted', () => {
  const outer = input();
  const inside = input();
  const { graph, captured } = closeOver([inside], [add(mul(inside, sin(outer)), constantLike(2, inside))]);
  expect(captured).toHaveLength(1);
  expect(captured[0].node!.primitive.name).toBe('sin');
  expect(graph.inputs).toHaveLength(2);
  expect(graph.nodes.map((node) => node.primitive.name)).toEqual(['constant', 'broadcast', 'mul', 'add']);
});
