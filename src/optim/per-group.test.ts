import { describe, expect, test } from 'vitest';
import { array, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, at, concat, constant, expandDims, matmul, mul, slice, square, sub, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, type Host } from '../transforms/index.ts';
import { leaves, mapTree } from '../tree/index.ts';
import { adam, scaleByAdam } from './adam.ts';
import { adamw } from './adamw.ts';
import { chain, descend } from './chain.ts';
import { clipByGlobalNorm } from './clipping.ts';
import { updateContext } from './context.ts';
import { addGradientNoise } from './langevin.ts';
import { lookahead } from './lookahead.ts';
import { masked } from './masked.ts';
import type { LayerFactors, Optimizer, UpdateContext, UpdateRule } from './optimizer.ts';
import { runOptimizer, type OptimizerRun } from './optimizer-run.test-helper.ts';
import { optimizerGroups, perGroup } from './per-group.ts';
import { sam } from './sam.ts';
import { chosenPaths, matricesOnly, restrictedContext } from './selection.ts';
import { scaleByMomentum, sgd } from './sgd.ts';
import { addDecayedWeights } from './weight-decay.ts';

type Params = { layers: [{ weight: Tensor; bias: Tensor }]; scale: Tensor };
const start: Host<Params> = { layers: [{ weight: array([1, 2, -1, 0.5], [2, 2], 'float64'), bias: array([0.3, -0.2], [2], 'float64') }], scale: array([2], [1], 'float64') };
const inputs = array([1, 0.5, -1, 2, 0.1, 1], [3, 2], 'float64');
const loss = ({ layers: [{ weight, bias }], scale }: Params): Tensor => sum(square(sub(mul(scale, add(matmul(constant(inputs), weight), bias)), 1)));
const run = (optimizer: Optimizer, steps = 3, rate = 0.02): Promise<OptimizerRun<Params>> => runOptimizer<Params>(optimizer, loss, start, { steps, rate });
const numbers = (tree: unknown): number[][] => leaves<{ data: Float64Array }>(tree).map(({ data }) => [...data]);
const biases = (path: string): boolean => path.endsWith('bias');
const all = (): boolean => true;

/** A separable loss: groups do not feel each other. */
const separable = ({ layers: [{ weight, bias }], scale }: Params): Tensor => add(add(sum(square(sub(weight, 1))), mul(3, sum(square(bias)))), sum(square(sub(square(scale), 1))));

describe('masked', () => {
  test('a rule for all leaves is the rule', async () => {
    const [whole, plain] = await Promise.all([run(descend('a', masked(scaleByAdam(), all))), run(adam())]);
    expect(numbers(whole.params)).toEqual(numbers(plain.params));
  });
  test('leaves the direction of the others, and has a state for the chosen alone', async () => {
    const rule = masked(scaleByMomentum({ momentum: 0.9 }), biases);
    const settings = { steps: 3, rate: 0.02 };
    const [part, plain, momentum] = await Promise.all([descend('a', rule), sgd(), sgd({ momentum: 0.9 })].map((optimizer) => runOptimizer<Params>(optimizer as Optimizer, separable, start, settings)));
    expect(part.params.layers[0].bias.data).toEqual(momentum.params.layers[0].bias.data);
    expect(part.params.layers[0].weight.data).toEqual(plain.params.layers[0].weight.data);
    expect(part.params.scale.data).toEqual(plain.params.scale.data);
    expect(Object.keys((part.state as { velocity: object }).velocity)).toEqual(['layers.0.bias']);
  });
  test('weight decay of matrices alone, as a mask and as an option', async () => {
    const [option, mask] = await Promise.all([addDecayedWeights(0.5, { decayed: matricesOnly }), masked(addDecayedWeights(0.5), matricesOnly)].map((rule) => run(descend('a', rule), 1)));
    const plain = await run(sgd(), 1);
    expect(numbers(option.params)).toEqual(numbers(mask.params));
    expect(numbers(option.params).slice(1)).toEqual(numbers(plain.params).slice(1));
    expect(numbers((await run(sgd({ weightDecay: 0.5, decayed: matricesOnly }), 1)).params)).toEqual(numbers(option.params));
    const [decaying, bare] = await Promise.all([adamw({ weightDecay: 0.5, decayed: matricesOnly }), adamw({ weightDecay: 0 })].map((optimizer) => run(optimizer, 1)));
    expect(numbers(decaying.params).slice(1)).toEqual(numbers(bare.params).slice(1));
    expect(numbers(decaying.params)[0]).not.toEqual(numbers(bare.params)[0]);
    start.layers[0].weight.data.forEach((w, i) => { expect(option.params.layers[0].weight.data[i]).toBeCloseTo(plain.params.layers[0].weight.data[i] - 0.02 * 0.5 * w, 14); });
  });
});

describe('perGroup', () => {
  const groups = [{ name: 'weights', chosen: matricesOnly, rule: chain(clipByGlobalNorm(1) as UpdateRule, scaleByAdam() as UpdateRule) as UpdateRule }, { name: 'rest', chosen: all, rule: scaleByMomentum({ momentum: 0.5 }) as UpdateRule }];
  test('each group moves as it would alone, and reports under its name', async () => {
    const settings = { steps: 4, rate: 0.05 };
    const [grouped, first, second] = await Promise.all([perGroup(groups), groups[0].rule, groups[1].rule].map((rule) => {
      // The loss of the weights alone, so that the norm that is clipped is theirs.
      const of = rule === groups[0].rule ? (p: Params) => sum(square(sub(p.layers[0].weight, 1))) : separable;
      return runOptimizer<Params>(descend('a', rule as UpdateRule), of, start, settings);
    }));
    expect(grouped.params.layers[0].weight.data).toEqual(first.params.layers[0].weight.data);
    expect(grouped.params.layers[0].bias.data).toEqual(second.params.layers[0].bias.data);
    expect(grouped.params.scale.data).toEqual(second.params.scale.data);
    // Gradient 2 (w - 1) = (0, 2, -4, -1).
    expect(grouped.reports[0]).toEqual({ 'weights.gradientNorm': Math.sqrt(21) });
  });
  test('draws what its groups draw', () => { expect(perGroup([{ ...groups[1], rule: addGradientNoise() as UpdateRule }]).draws).toEqual([{ kind: 'normal' }]); });
  test('refuses parameters without a group, and names that repeat', async () => {
    await expect(run(descend('a', perGroup(groups.slice(0, 1))))).rejects.toThrow(/'layers.0.bias', 'scale'/);
    expect(() => perGroup([groups[0], groups[0]])).toThrow(/no two of one name/);
    expect(() => perGroup([])).toThrow(/at least one group/);
  });
});

describe('optimizerGroups', () => {
  test('each group has its optimizer, state and answer', async () => {
    const optimizer = optimizerGroups([{ name: 'weights', chosen: matricesOnly, optimizer: lookahead(adam(), { every: 2 }) as Optimizer }, { name: 'rest', chosen: all, optimizer: sgd({ momentum: 0.9 }) }]);
    const settings = { steps: 3, rate: 0.02 };
    const [grouped, weights, rest] = await Promise.all([optimizer, lookahead(adam(), { every: 2 }), sgd({ momentum: 0.9 })].map((one) => runOptimizer<Params>(one as Optimizer, separable, start, settings)));
    expect(grouped.params.layers[0].weight.data).toEqual(weights.params.layers[0].weight.data);
    expect(grouped.answer.layers[0].weight.data).toEqual(weights.answer.layers[0].weight.data);
    expect(grouped.answer.layers[0].weight.data).not.toEqual(grouped.params.layers[0].weight.data);
    expect(grouped.answer.scale.data).toEqual(rest.params.scale.data);
    expect(Object.keys(grouped.state as object)).toEqual(['weights', 'rest']);
  });
  test('all see the parameters before the step: one group of sgd each is sgd', async () => {
    const optimizer = optimizerGroups([{ name: 'a', chosen: biases, optimizer: sgd() }, { name: 'b', chosen: all, optimizer: sgd() }]);
    expect(numbers((await run(optimizer)).params)).toEqual(numbers((await run(sgd())).params));
  });
  test('sam within a group goes uphill in that group alone', async () => {
    const optimizer = optimizerGroups([{ name: 'bias', chosen: biases, optimizer: sam(sgd(), { rho: 0.1 }) }, { name: 'rest', chosen: all, optimizer: sgd() }]);
    const held = (params: { bias: Tensor }): Tensor => loss({ layers: [{ weight: constant(start.layers[0].weight), bias: params.bias }], scale: constant(start.scale) });
    const [grouped, alone, plain] = [await run(optimizer, 1), await runOptimizer<{ bias: Tensor }>(sam(sgd(), { rho: 0.1 }), held, { bias: start.layers[0].bias }, { steps: 1, rate: 0.02 }), await run(sgd(), 1)];
    expect(grouped.params.layers[0].bias.data).toEqual(alone.params.bias.data);
    expect(grouped.params.layers[0].weight.data).toEqual(plain.params.layers[0].weight.data);
    expect(grouped.reports[0]['bias.sharpness']).toBe(alone.reports[0].sharpness);
  });
});

describe('a restricted context', () => {
  const evaluate = async <T>(f: (context: UpdateContext<Params>) => T): Promise<Host<T>> => {
    const traced = (params: Params): T => f(updateContext<Params>({ params, step: constant(scalar(0, 'float64')), learningRate: constant(scalar(1, 'float64')), lossAt: loss, ggnvp: (v) => mapTree((x: Tensor) => mul(2, x), v) as Params }));
    return await (compile(traced as never, { executor: referenceExecutor }) as unknown as (p: unknown) => Promise<Host<T>>)(start);
  };
  test('has the blocks of Hessian and Gauss-Newton matrix, and the loss at a part that moves', async () => {
    const result = await evaluate((context) => {
      const paths = chosenPaths(context.params, biases);
      const part = restrictedContext(context, paths);
      const v = { 'layers.0.bias': constant(array([1, -2], [2], 'float64')) };
      // (d^2 L / d bias^2) v = 2 n scale^2 v = 2 * 3 * 4 v.
      return { hvp: part.hvp(v), ggnvp: part.ggnvp(v), moved: sub(part.lossAt(v), loss({ ...context.params, layers: [{ ...context.params.layers[0], bias: v['layers.0.bias'] }] })), grad: sub(part.grad()['layers.0.bias'], context.grad().layers[0].bias) };
    });
    expect(numbers(result.hvp)).toEqual([[24, -48]]);
    expect(numbers(result.ggnvp)).toEqual([[2, -4]]);
    expect([result.moved.item(), ...result.grad.data]).toEqual([0, 0, 0]);
  });

  // A layer of 2 inputs and a bias, 2 outputs, in the form of the factors of a training step.
  const factors: LayerFactors<Params> = {
    names: ['layers.0.weight', 'layers.0.bias'],
    get inputs() { return constant(array([2, 0.5, 1, 0.5, 3, 0.2, 1, 0.2, 1], [3, 3], 'float64')); },
    get slopes() { return constant(array([1, 0.1, 0.1, 2], [2, 2], 'float64')); },
    matrix: ({ layers: [{ weight, bias }] }) => concat([weight, expandDims(bias, 0)], 0),
    leaves: (matrix) => ({ 'layers.0.weight': slice(matrix, [0, 0], [2, 2]), 'layers.0.bias': at(matrix, 2) }),
  };

  test('gives the factors of a layer without its bias, and none for a bias alone', async () => {
    const result = await evaluate((context) => {
      const withFactors = { ...context, layerFactors: () => [factors] };
      const of = (chosen: (path: string, leaf: Tensor) => boolean) => restrictedContext(withFactors, chosenPaths(context.params, chosen));
      const [weights, whole] = [of(matricesOnly), of((path) => path !== 'scale')].map((part) => ({ part, factor: part.layerFactors()[0] }));
      expect(of(biases).layerFactors()).toEqual([]);
      expect([weights.factor.names, whole.factor.names]).toEqual([['layers.0.weight'], ['layers.0.weight', 'layers.0.bias']]);
      const matrices = [weights, whole].map(({ part, factor }) => factor.matrix(part.params));
      return { inputs: weights.factor.inputs, matrices, leaves: [weights, whole].map(({ factor }, i) => factor.leaves(matrices[i])) };
    });
    expect(numbers(result.inputs)).toEqual([[2, 0.5, 0.5, 3]]);
    expect(numbers(result.matrices)).toEqual([[1, 2, -1, 0.5], [1, 2, -1, 0.5, 0.3, -0.2]]);
    expect(numbers(result.leaves)).toEqual([[1, 2, -1, 0.5], [1, 2, -1, 0.5], [0.3, -0.2]]);
  });
});
