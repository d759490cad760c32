/** Programs and stacks of transformations drawn from a seed. */
import { NDArray, sizeOf } from '../src/core/ndarray.ts';
import type { Tensor, Type } from '../src/core/tensor.ts';
import * as ops from '../src/ops/index.ts';
import { checkpoint, cond, customJvp, customVjp, grad, jvp, linearize, scan, vjp, vmap, whileLoop } from '../src/transforms/index.ts';
import { key, normal, permutation, split, uniform, type Key } from '../src/util/random/index.ts';

/** A flat function and the shapes of its floating-point inputs. */
export interface Program {
  readonly shapes: readonly (readonly number[])[];
  readonly f: (inputs: readonly Tensor[]) => Tensor[];
  /** Names of what was applied, innermost first. */
  readonly description: string;
  /** Contains a loop without reverse mode. */
  readonly forwardOnly: boolean;
}

/** Draws in order: the n-th call with a seed is always the same. */
class Dice {
  readonly #key: Key;
  #count = 0;
  constructor(key: Key) { this.#key = key; }
  /** An integer from 0 to n - 1. */
  below(n: number): number { return Math.floor(uniform(split(this.#key, this.#count++), 1, { dtype: 'float64' })[0] * n); }
  pick<T>(items: readonly T[]): T { return items[this.below(items.length)]; }
  flip(probability = 0.5): boolean { return this.below(1000) < probability * 1000; }
  order(n: number): number[] { return [...permutation(split(this.#key, this.#count++), n)]; }
}

type Step = (values: Tensor[], dice: Dice) => Tensor;

const any = (values: readonly Tensor[], dice: Dice): Tensor => dice.pick(values);
const ranked = (values: readonly Tensor[], dice: Dice, rank: number): Tensor => {
  const x = any(values, dice);
  return x.rank >= rank ? x : ops.reshape(x, [...x.shape, ...new Array<number>(rank - x.rank).fill(1)]);
};
/** Two values made to broadcast against each other. */
function two(values: readonly Tensor[], dice: Dice): [Tensor, Tensor] {
  const x = any(values, dice);
  const like = values.filter((y) => String(y.shape) === String(x.shape) || y.rank === 0);
  return [x, dice.pick(like)];
}
/** Booleans that depend on positions alone, so that a small step changes none. */
const mask = (x: Tensor, dice: Dice): Tensor => {
  const shift = dice.below(3);
  return ops.reshape(ops.equal(ops.mod(ops.add(ops.arange(sizeOf(x.shape)), shift), 2), 0), x.shape);
};

/** A choice that no small step changes: known when compiled, or from values as far as the engine can tell. */
const predicate = (x: Tensor, dice: Dice): Tensor => {
  const on = dice.below(2);
  return dice.flip(0.3) ? ops.equal(ops.full([], on, 'int32'), 1) : ops.less(ops.tanh(ops.mean(x)), on === 1 ? 1.5 : -1.5);
};

/** Operations that are smooth, or jump nowhere near; results stay of moderate size. */
const steps: Readonly<Record<string, Step>> = {
  tanh: (v, d) => ops.tanh(any(v, d)),
  sin: (v, d) => ops.sin(any(v, d)),
  logistic: (v, d) => ops.logistic(any(v, d)),
  exp: (v, d) => ops.exp(ops.tanh(any(v, d))),
  log: (v, d) => ops.log(ops.add(ops.square(ops.tanh(any(v, d))), 0.5)),
  sqrt: (v, d) => ops.sqrt(ops.add(ops.logistic(any(v, d)), 0.1)),
  div: (v, d) => { const [x, y] = two(v, d); return ops.div(x, ops.add(ops.square(y), 1)); },
  pow: (v, d) => { const [x, y] = two(v, d); return ops.pow(ops.add(ops.logistic(x), 0.5), ops.tanh(y)); },
  add: (v, d) => ops.add(...two(v, d)),
  sub: (v, d) => ops.sub(...two(v, d)),
  mul: (v, d) => ops.tanh(ops.mul(...two(v, d))),
  broadcast: (v, d) => { const x = any(v, d); const at = d.below(x.rank + 1); return x.rank > 2 ? x : ops.broadcastTo(ops.expandDims(x, at), [...x.shape.slice(0, at), 1 + d.below(3), ...x.shape.slice(at)]); },
  sum: (v, d) => { const x = ranked(v, d, 1); return ops.tanh(ops.sum(x, d.below(x.rank), { keepDims: d.flip() })); },
  mean: (v, d) => ops.mean(any(v, d)),
  prod: (v, d) => { const x = ranked(v, d, 1); return ops.prod(ops.tanh(x), d.below(x.rank)); },
  logSumExp: (v, d) => { const x = ranked(v, d, 1); return ops.logSumExp(x, d.below(x.rank)); },
  softmax: (v, d) => { const x = ranked(v, d, 1); return ops.softmax(x, d.below(x.rank)); },
  standardize: (v, d) => { const x = ranked(v, d, 1); return ops.standardize(x, d.below(x.rank), 0.1); },
  matmul: (v, d) => { const x = ranked(v, d, 2); return ops.tanh(ops.matmul(x, ops.moveAxis(any([x, ops.sin(x)], d), -1, -2))); },
  outer: (v, d) => { const x = ops.reshape(any(v, d), [-1]); return ops.tanh(ops.outer(ops.narrow(x, 0, 0, Math.min(3, x.shape[0])), ops.narrow(x, 0, 0, Math.min(2, x.shape[0])))); },
  conv: (v, d) => { const x = ranked(v, d, 2); const rows = ops.reshape(x, [1, 1, -1]); return ops.tanh(ops.conv(rows, ops.reshape(ops.narrow(ops.reshape(x, [-1]), 0, 0, 1), [1, 1, 1]), { padding: [[d.below(2), d.below(2)]], strides: 1 + d.below(2) })); },
  reshape: (v, d) => ops.reshape(any(v, d), [-1]),
  transpose: (v, d) => { const x = ranked(v, d, 2); return ops.transpose(x, d.order(x.rank)); },
  reverse: (v, d) => { const x = ranked(v, d, 1); return ops.reverse(x, d.below(x.rank)); },
  slice: (v, d) => { const x = ranked(v, d, 1); const axis = d.below(x.rank); const from = d.below(x.shape[axis]); return ops.narrow(x, axis, from, from + 1 + d.below(x.shape[axis] - from)); },
  stride: (v, d) => { const x = ranked(v, d, 1); return ops.slice(x, x.shape.map(() => 0), x.shape, x.shape.map(() => 1 + d.below(2))); },
  pad: (v, d) => { const x = ranked(v, d, 1); return sizeOf(x.shape) > 40 ? x : ops.pad(x, x.shape.map(() => d.below(2)), x.shape.map((n) => d.below(2) - (n > 1 ? d.below(2) : 0)), { interior: x.shape.map(() => d.below(2)) }); },
  concat: (v, d) => { const x = ranked(v, d, 1); return ops.concat([x, ops.sin(x)], d.below(x.rank)); },
  where: (v, d) => { const [x, y] = two(v, d); return ops.where(mask(x, d), x, y); },
  gather: (v, d) => { const x = ranked(v, d, 1); const axis = d.below(x.rank); return ops.take(x, ops.constant(new NDArray(Int32Array.from([d.below(x.shape[axis]), d.below(x.shape[axis])]), [2], 'int32')), axis); },
  scatter: (v, d) => { const x = ranked(v, d, 1); return ops.scatterAdd(x, ops.constant(new NDArray(Int32Array.of(d.below(x.shape[0])), [1, 1], 'int32')), ops.sin(ops.narrow(x, 0, 0, 1))); },
  cumsum: (v, d) => { const x = ranked(v, d, 1); return ops.tanh(ops.cumsum(x, d.below(x.rank), { reverse: d.flip() })); },
  scan: (v, d) => {
    const x = ranked(v, d, 1);
    const outer = any(v, d);
    const [last, all] = scan((carry: Tensor, slice: Tensor): [Tensor, Tensor] => {
      const next = ops.tanh(ops.add(ops.mul(carry, 0.7), ops.mul(slice, ops.mean(outer))));
      return [next, ops.mul(next, slice)];
    }, ops.sin(ops.at(x, 0)), x, { reverse: d.flip() });
    return d.flip() ? last : all;
  },
  cond: (v, d) => { const x = any(v, d); const y = any(v, d); return cond(predicate(y, d), (a: Tensor) => ops.sin(ops.mul(a, ops.mean(y))), (a: Tensor) => ops.tanh(a), x); },
  checkpoint: (v, d) => { const [x, y] = two(v, d); return checkpoint((a: Tensor, b: Tensor) => ops.sin(ops.mul(ops.tanh(a), b)))(x, y); },
};

/** A loop with a counter: its length depends on values, as far as the engine knows. */
const loop: Step = (v, d) => {
  const x = any(v, d);
  const rounds = 1 + d.below(3);
  return whileLoop(({ i }: { i: Tensor; y: Tensor }) => ops.less(i, rounds), ({ i, y }) => ({ i: ops.add(i, 1), y: ops.sin(ops.mul(y, 1.3)) }), { i: ops.full([], 0, 'int32'), y: x }).y;
};

/** A program of a few operations over inputs of random shapes. */
function base(seed: Key): Program {
  const dice = new Dice(split(seed, 'base'));
  const shapes = Array.from({ length: 1 + dice.below(3) }, () => Array.from({ length: dice.below(4) }, () => 1 + dice.below(3)));
  const forwardOnly = dice.flip(0.05);
  const names = Array.from({ length: 2 + dice.below(6) }, () => dice.pick(Object.keys(steps)));
  const f = (inputs: readonly Tensor[]): Tensor[] => {
    const draws = new Dice(split(seed, 'operations'));
    const values = [...inputs];
    for (const name of names) values.push(steps[name](values, draws));
    if (forwardOnly) values.push(loop(values, draws));
    const last = values[values.length - 1];
    return draws.flip() ? [last] : [last, ops.mul(any(values, draws), 0.5)];
  };
  return { shapes, f, description: [...names, ...(forwardOnly ? ['while'] : [])].join(' '), forwardOnly };
}

const half = <T>(list: readonly T[], n: number): [T[], T[]] => [list.slice(0, n), list.slice(n)];
type Transformation = (program: Program, typesOf: (program: Program) => Type[], dice: Dice) => Pick<Program, 'shapes' | 'f'>;

/** What is applied to programs; the result is a program again. */
const transformations: Readonly<Record<string, Transformation>> = {
  jvp: ({ shapes, f }) => ({
    shapes: [...shapes, ...shapes],
    f: (inputs) => { const [x, t] = half(inputs, shapes.length); return jvp((...y: Tensor[]) => f(y), x, t)[1]; },
  }),
  linearize: ({ shapes, f }) => ({
    shapes: [...shapes, ...shapes],
    f: (inputs) => { const [x, t] = half(inputs, shapes.length); return linearize((...y: Tensor[]) => f(y), ...x)[1](...t); },
  }),
  vjp: (program, typesOf) => ({
    shapes: [...program.shapes, ...typesOf(program).map(({ shape }) => shape)],
    f: (inputs) => { const [x, ct] = half(inputs, program.shapes.length); return vjp((...y: Tensor[]) => program.f(y), ...x)[1](ct); },
  }),
  grad: ({ shapes, f }) => ({
    shapes, f: (inputs) => grad((x: Tensor[]) => f(x).map((y) => ops.sum(ops.sin(y))).reduce((a, b) => ops.add(a, b)))([...inputs]),
  }),
  vmap: ({ shapes, f }, _, dice) => {
    const mapped = shapes.map((_, i) => i === 0 || dice.flip(0.7));
    return {
      shapes: shapes.map((shape, i) => (mapped[i] ? [2, ...shape] : shape)),
      f: (inputs) => vmap((...x: Tensor[]) => f(x), { inAxes: mapped.map((flag) => (flag ? 0 : null)) })(...inputs),
    };
  },
  checkpoint: ({ shapes, f }) => ({ shapes, f: (inputs) => checkpoint((...x: Tensor[]) => f(x))(...inputs) }),
  scan: ({ shapes, f }) => ({
    shapes: shapes.map((shape, i) => (i === 0 ? [2, ...shape] : shape)),
    f: ([stack, ...rest]) => scan((carry: Tensor, slice: Tensor): [Tensor, Tensor[]] => {
      const out = f([ops.add(slice, ops.mul(carry, 0.3)), ...rest]);
      return [ops.tanh(ops.add(carry, ops.mean(out[0]))), out];
    }, ops.mean(stack), stack).flat() as Tensor[],
  }),
  customJvp: ({ shapes, f }) => ({ shapes, f: (inputs) => customJvp((...x: Tensor[]) => f(x), (x, t) => jvp((...y: Tensor[]) => f(y), x, t)[1])(...inputs) }),
  customVjp: ({ shapes, f }) => ({
    shapes, f: (inputs) => customVjp((...x: Tensor[]) => f(x), (...x: Tensor[]) => [f(x), x] as const, (x, ct) => vjp((...y: Tensor[]) => f(y), ...x)[1](ct))(...inputs),
  }),
  cond: ({ shapes, f }, _, dice) => {
    const seed = dice.below(1000);
    return { shapes, f: (inputs) => cond(predicate(inputs[0], new Dice(key(seed))), (...x: Tensor[]) => f(x), (...x: Tensor[]) => f(x).map((y) => ops.sin(y)), ...inputs) };
  },
};

/** Wraps a program in a loop that runs it once, as far as only the counter knows. */
const inLoop: Transformation = (program, typesOf) => {
  const types = typesOf(program);
  return {
    shapes: program.shapes,
    f: (inputs) => whileLoop(({ i }: { i: Tensor; out: Tensor[] }) => ops.less(i, 1), ({ i, out }) => ({ i: ops.add(i, 1), out: program.f(inputs).map((y, k) => ops.add(y, ops.mul(out[k], 0.1))) }),
      { i: ops.full([], 0, 'int32'), out: types.map(({ shape }) => ops.full(shape, 0.5, inputs[0].dtype)) }).out,
  };
};

/** A random program under a random stack of up to three transformations. */
export function randomProgram(seed: number, typesOf: (program: Program) => Type[]): Program {
  const root = split(key(seed), 'random program');
  const dice = new Dice(split(root, 'transformations'));
  let program = base(root);
  const depth = dice.below(4);
  for (let i = 0; i < depth; i++) {
    const names = Object.keys(transformations).filter((name) => !(program.forwardOnly && ['vjp', 'grad', 'customVjp'].includes(name)));
    // Programs of many inputs are differentiated no further: their number doubles each time.
    const name = dice.pick(program.shapes.length > 6 ? ['vmap', 'checkpoint', 'scan', 'cond', 'customJvp'] : names);
    program = { ...program, ...transformations[name](program, typesOf, dice), description: `${program.description} | ${name}` };
  }
  if (dice.flip(0.05)) program = { ...inLoop(program, typesOf, dice), description: `${program.description} | while`, forwardOnly: true };
  return program;
}

/** Normal values of the program's inputs. */
export const inputsOf = ({ shapes }: Program, seed: number): NDArray[] =>
  shapes.map((shape, i) => new NDArray(normal(split(key(seed), 'inputs', i), sizeOf(shape), { dtype: 'float64' }), shape, 'float64'));
