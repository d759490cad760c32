/** Every primitive on its samples: derivatives against finite differences, reverse mode against forward mode, to higher orders. */
import { describe, expect, test } from 'vitest';
import { isFloat, NDArray } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { constant } from '../src/ops/index.ts';
import { evaluateFlat, type FlatFunction } from '../src/testing/evaluate.ts';
import { allClose, checkGrads, evaluateReference, requireClose } from '../src/testing/index.ts';
import { jvp, linearize, linearTranspose, vjp } from '../src/transforms/index.ts';
import { NonlinearError } from '../src/util/errors.ts';
import { key, normal, split } from '../src/util/random/index.ts';
import { cases, isElementwise, subsets, type Case } from './primitive-cases.ts';

/** Operations whose derivative is not that of the function they compute, on purpose. */
const stopped = new Set(['stop_gradient']);
const differentiable = cases.filter(({ sample, primitive }) => sample.inputs.some(({ dtype }) => isFloat(dtype)) && primitive.shape(sample.params, sample.inputs).some(({ dtype }) => isFloat(dtype)));

/** Loops whose length depends on values: forward mode alone. */
const forwardOnly = new Set(['while']);
const modesOf = ({ primitive }: Case) => (forwardOnly.has(primitive.name) ? ['forward', 'linearize'] as const : ['forward', 'reverse', 'linearize'] as const);
const list = (f: Case['f']) => (...inputs: Tensor[]): Tensor[] => [...f(...inputs)];

const checked = differentiable.filter(({ primitive }) => !stopped.has(primitive.name));

describe('second order in every mode', () => {
  test.each(checked)('$title', (entry) => {
    checkGrads(list(entry.f), entry.values(), { order: 2, modes: modesOf(entry), step: 2 ** -8 });
  });
});

describe('third order of elementwise functions of one argument', () => {
  test.each(checked.filter((entry) => isElementwise(entry) && entry.sample.inputs.length === 1))('$title', (entry) => {
    checkGrads(list(entry.f), entry.values(1), { order: 3, step: 2 ** -9 });
  });
});

describe('derivatives with respect to each input alone', () => {
  test.each(checked.filter(({ sample }) => sample.inputs.filter(({ dtype }) => isFloat(dtype)).length > 1))('$title', (entry) => {
    const values = entry.values(2);
    entry.sample.inputs.forEach(({ dtype }, i) => {
      if (!isFloat(dtype)) return;
      checkGrads((x: Tensor) => [...entry.f(...values.map((value, k) => (k === i ? x : constant(value))))], [values[i]], { order: 1, modes: modesOf(entry), step: 2 ** -8 });
    });
  });
});

test('a stopped gradient has derivative zero, in every mode', () => {
  const entries = differentiable.filter(({ primitive }) => stopped.has(primitive.name));
  expect(entries.length).toBe(stopped.size);
  for (const { f, values } of entries) {
    const [x] = values();
    const g = (y: Tensor): Tensor => f(y)[0];
    const zero = new NDArray(new Float64Array(x.size), x.shape, 'float64');
    requireClose(evaluateReference((y: Tensor, t: Tensor) => jvp(g, [y], [t])[1], x, x), zero);
    requireClose(evaluateReference((y: Tensor, t: Tensor) => linearize(g, y)[1](t), x, x), zero);
    requireClose(evaluateReference((y: Tensor, t: Tensor) => vjp(g, y)[1](t)[0], x, x), zero);
  }
});

test('reverse mode through a loop of unknown length is refused', () => {
  const entries = differentiable.filter(({ primitive }) => forwardOnly.has(primitive.name));
  expect(entries.length).toBeGreaterThan(0);
  for (const { f, values, primitive, sample } of entries) {
    const inputs = values();
    const outputs = primitive.shape(sample.params, sample.inputs);
    const ones = outputs.map(({ shape }) => new NDArray(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape, 'float64'));
    expect(() => evaluateFlat((x) => vjp(list(f), ...x)[1](ones.map((one) => constant(one))), inputs)).toThrow(NonlinearError);
  }
});

/** Inputs of a case that a transpose rule serves, written `xy` for the first two. */
const served = new Map<string, Set<string>>();
const refused = new Map<string, Set<string>>();
const note = (map: Map<string, Set<string>>, name: string, flags: readonly boolean[]): void => {
  if (!map.has(name)) map.set(name, new Set());
  map.get(name)!.add(flags.map((flag, i) => (flag ? 'xyz'[i] : '')).join(''));
};

describe('transpose by inner products, wherever the operation is linear', () => {
  const draw = (values: readonly NDArray[], seed: number): NDArray[] => values.map((value, i) => new NDArray(normal(split(key(seed), i), value.size, { dtype: 'float64' }), value.shape, 'float64'));
  const combine = (a: NDArray[], b: NDArray[], sign: number): NDArray[] => a.map((x, k) => new NDArray((x.data as Float64Array).map((v, i) => v + sign * b[k].data[i]), x.shape, 'float64'));
  const inner = (a: readonly NDArray[], b: readonly NDArray[]): number => a.reduce((sum, x, k) => sum + [...x.data].reduce((s, v, i) => s + v * b[k].data[i], 0), 0);

  // Loops of unknown length would not end on arbitrary values; they are refused above.
  test.each(differentiable.filter(({ primitive }) => !forwardOnly.has(primitive.name)))('$title', ({ f, sample, values, primitive }) => {
    const given = values(3);
    for (const flags of subsets(sample.inputs.length)) {
      if (sample.inputs.some(({ dtype }, i) => flags[i] && !isFloat(dtype))) continue;
      const moving = given.filter((_, i) => flags[i]);
      const g: FlatFunction = (x) => {
        let next = 0;
        return f(...given.map((value, i) => (flags[i] ? x[next++] : constant(value)))).filter(({ dtype }) => isFloat(dtype));
      };
      const [x, y, zero] = [draw(moving, 1), draw(moving, 2), moving.map((value) => new NDArray(new Float64Array(value.size), value.shape, 'float64'))];
      const [atX, atY, atBoth, atZero] = [x, y, combine(x, y, 1), zero].map((at) => evaluateFlat(g, at));
      if (!allClose(combine(atX, atY, 1), combine(atBoth, atZero, 1), { absolute: 1e-9, relative: 1e-9 })) continue;
      const cotangents = draw(atX, 3);
      let pulled: NDArray[];
      try {
        pulled = evaluateFlat((ct) => linearTranspose((inputs: Tensor[]) => [...g(inputs)], moving.map((value) => constant(value)))([...ct]), cotangents);
      } catch (error) {
        if (!(error instanceof NonlinearError)) throw error;
        note(refused, primitive.name, flags);
        continue;
      }
      note(served, primitive.name, flags);
      requireClose(inner(pulled, x), inner(cotangents, combine(atX, atZero, -1)), { relative: 1e-10, absolute: 1e-10 });
    }
  });

  test('these operations are linear, in these inputs', () => {
    const text = (map: Map<string, Set<string>>): string[] => [...map].map(([name, inputs]) => `${name}: ${[...inputs].join(' ')}`).sort();
    expect(text(served)).toMatchInlineSnapshot(`
      [
        "add: x y xy",
        "alias: x",
        "broadcast: x",
        "concat: x y xy z xz yz xyz",
        "conv: x y",
        "cumulative_sum: x",
        "custom_linear: y",
        "div: x",
        "dot: x y",
        "gather: x",
        "mul: x y",
        "neg: x",
        "pad: x y xy",
        "reduce_sum: x",
        "reshape: x",
        "reverse: x",
        "scatter: x z xz",
        "select: y z yz",
        "slice: x",
        "sub: x y xy",
        "transpose: x",
      ]
    `);
    // A stopped gradient is linear as a function, and is not to be transposed; constants of zero derivative need no rule.
    expect(text(refused)).toMatchInlineSnapshot(`
      [
        "custom_jvp: y",
        "custom_vjp: y",
        "stop_gradient: x",
      ]
    `);
  });
});
