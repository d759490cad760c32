/** What holds for every optimizer of the registry that works on any loss. */
import { describe, expect, test } from 'vitest';
import { array, NDArray, scalar, type DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, constant, cosh, log, mul, square, sub, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, vmap, type Host } from '../transforms/index.ts';
import { leavesWithPaths, mapTree } from '../tree/index.ts';
import type { DescribedOption } from '../util/options.ts';
import { key, normal, split } from '../util/random/index.ts';
import { distances, entries, made, modelFree, rows, scheduled, updateOn, type Stepped } from './all-optimizers.test-helper.ts';
import type { OptimizerEntry } from './entry.ts';
import type { Optimizer } from './optimizer.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { optimizerNamed } from './registry.ts';

test('every optimizer has a row, and every row an optimizer', () => { expect(entries.map(([name]) => name).sort()).toEqual(Object.keys(rows).sort()); });

type Bowl = { w: Tensor; m: Tensor };
const centre = [2, -1, 0.5, 1];
/** Curvatures from 1 to 20, minimum at w = 1, m = centre. */
const bowl = ({ w, m }: Bowl): Tensor => {
  const weights = (values: number[], shape: number[]): Tensor => constant(array(values, shape, 'float64'));
  return add(sum(mul(weights([1, 3, 10], [3]), square(sub(w, 1)))), sum(mul(weights([2, 5, 0.5, 8], [2, 2]), square(sub(m, weights(centre, [2, 2]))))));
};

describe('convex quadratic to its optimum', () => {
  test.each(modelFree.map(([name]) => name))('%s', async (name) => {
    const trial = rows[name].quadratic!;
    const steps = trial.steps ?? 200;
    const start = { w: array([3, -2, 0.5], [3], 'float64'), m: array([-1, 1, 2, 3], [2, 2], 'float64') };
    const { answer } = await runOptimizer<Bowl>(optimizerNamed(trial.optimizer), bowl, start, { steps, rate: scheduled(trial, steps) });
    expect(Math.max(...distances(answer.w, [1, 1, 1]), ...distances(answer.m, centre)), `${trial.optimizer} at ${trial.rate}`).toBeLessThan(trial.within ?? 0.01);
  });
});

type Nested = { layers: { weight: Tensor; bias: Tensor }[]; kernel: Tensor; scale: Tensor };
const shapes = { layers: [{ weight: [3, 4], bias: [4] }, { weight: [4, 2], bias: [2] }], kernel: [2, 2, 1, 3], scale: [] };
/** Numbers for every leaf, other ones for other seeds. */
const numbers = (seed: number, dtype: DType, replicas?: number): Host<Nested> => {
  let leaf = 0;
  const make = (shape: readonly number[]): NDArray => {
    const one = (replica: number): ArrayLike<number> => normal(split(split(key(seed + replica), leaf), 0), shape, { dtype: 'float64' });
    leaf++;
    if (replicas === undefined) return array([...one(0) as Float64Array], shape, dtype);
    return array(Array.from({ length: replicas }, (_, r) => [...one(r) as Float64Array]).flat(), [replicas, ...shape], dtype);
  };
  return { layers: shapes.layers.map(({ weight, bias }) => ({ weight: make(weight), bias: make(bias) })), kernel: make(shapes.kernel), scale: make(shapes.scale) };
};
/** Not quadratic, and no two leaves alike. */
const curved = ({ layers, kernel, scale }: Nested): Tensor => {
  const parts = [...layers.flatMap(({ weight, bias }) => [weight, bias]), kernel, scale];
  return parts.map((part, i) => sum(log(cosh(add(mul(part, 1 + i / 3), i / 5))))).reduce((total, part) => add(total, part));
};

type Call = Stepped<Nested>;
type Result = { params: Host<Nested>; state: unknown };
const program = (f: (call: Call, more: Record<string, Tensor>) => unknown, dtype: DType) => compile(f as never, { executor: referenceExecutor, dtype }) as unknown as (call: unknown, more: unknown) => Promise<Result>;
const described = (tree: unknown): [string, string][] => leavesWithPaths(tree).map(([path, leaf]) => [path, String((leaf as NDArray).dtype) + JSON.stringify((leaf as NDArray).shape)]);

describe('parameters and state keep their tree, their shapes and their type', () => {
  test.each(modelFree.flatMap(([name, entry]) => (['float32', 'float64'] as const).map((dtype) => [name, dtype, entry] as const)))('%s: %s', async (_, dtype, entry) => {
    const optimizer = made(entry);
    const start = numbers(1, dtype);
    const initial = await (compile(((p: Nested) => optimizer.init(p)) as never, { executor: referenceExecutor, dtype }) as unknown as (p: unknown) => Promise<unknown>)(start);
    const step = program((call) => updateOn(optimizer, curved, call), dtype);
    let current: Result = { params: start, state: initial };
    for (let t = 0; t < 2; t++) current = await step({ ...current, step: scalar(t, dtype), learningRate: scalar(0.01, dtype), normal: numbers(50 + t, dtype) }, {});
    expect(described(current.params)).toEqual(described(start));
    expect(described(current.state)).toEqual(described(initial));
    for (const [path, leaf] of leavesWithPaths(current)) expect([...(leaf as NDArray).data].every(Number.isFinite), path).toBe(true);
  });
});

/** Options that are real numbers: those may be tensors. */
const realOptions = ({ options }: OptimizerEntry): [string, number][] =>
  Object.entries<DescribedOption>(options).flatMap(([name, option]) => (typeof option.default === 'number' && !/integer/.test(option.expects) ? [[name, option.default] as [string, number]] : []));

const replicas = 3;
const stacked = (values: readonly number[]): NDArray => array([...values], [values.length], 'float64');

describe('replicas with hyper-parameters of their own, in one graph, equal separate runs with numbers', () => {
  test.each(modelFree)('%s', async (_, entry) => {
    const options = realOptions(entry);
    // One replica has the default, the others a little less (of those that are zero, more).
    const valuesOf = (replica: number): Record<string, number> => Object.fromEntries(options.map(([name, value]) => [name, value === 0 ? 0.05 * replica : value * (1 - 0.08 * replica)]));
    const rates = [0.01, 0.02, 0.03];
    const hyper = Object.fromEntries(options.map(([name]) => [name, stacked(Array.from({ length: replicas }, (_unused, r) => valuesOf(r)[name]))]));

    const together = program((call, more) => vmap((params: Nested, state: unknown, learningRate: Tensor, noise: Nested, own: Record<string, Tensor>) =>
      updateOn(made(entry, own), curved, { params, state, step: call.step, learningRate, normal: noise }))(call.params, call.state, call.learningRate, call.normal, more), 'float64');
    const begun = compile(((params: Nested, own: Record<string, Tensor>) => vmap((p: Nested, o: Record<string, Tensor>) => made(entry, o).init(p))(params, own)) as never, { executor: referenceExecutor, dtype: 'float64' }) as unknown as (p: unknown, own: unknown) => Promise<unknown>;
    const start = numbers(1, 'float64', replicas);
    let ensemble: Result = { params: start, state: await begun(start, hyper) };
    const steps = 3;
    for (let t = 0; t < steps; t++) ensemble = await together({ ...ensemble, step: scalar(t, 'float64'), learningRate: stacked(rates), normal: numbers(50 + 10 * t, 'float64', replicas) }, hyper);

    for (let replica = 0; replica < replicas; replica++) {
      const optimizer = made(entry, valuesOf(replica));
      const alone = await separately(optimizer, numbers(1 + replica, 'float64'), rates[replica], steps, replica);
      mapTree((one: NDArray, all: NDArray) => {
        const part = [...all.data].slice(replica * one.size, (replica + 1) * one.size);
        const scale = Math.max(...[...one.data].map(Math.abs), 1e-3);
        for (const [i, value] of part.entries()) expect(Math.abs(value - one.data[i]) / scale).toBeLessThan(1e-9);
      }, alone.params, ensemble.params);
    }
  });
});

async function separately(optimizer: Optimizer, start: Host<Nested>, rate: number, steps: number, replica: number): Promise<Result> {
  const step = program((call) => updateOn(optimizer, curved, call), 'float64');
  const initial = compile(((p: Nested) => optimizer.init(p)) as never, { executor: referenceExecutor, dtype: 'float64' }) as unknown as (p: unknown) => Promise<unknown>;
  let current: Result = { params: start, state: await initial(start) };
  for (let t = 0; t < steps; t++) current = await step({ ...current, step: scalar(t, 'float64'), learningRate: scalar(rate, 'float64'), normal: numbers(50 + 10 * t + replica, 'float64') }, {});
  return current;
}
