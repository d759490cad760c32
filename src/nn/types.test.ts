import { expect, expectTypeOf, test } from 'vitest';
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Problem } from '../problem/problem.ts';
import { crossEntropy } from '../losses/index.ts';
import { mean } from '../ops/index.ts';
import { compile, grad } from '../transforms/index.ts';
import { batchNorm, cnn, dense, dropout, mlp, named, parseModel, resnet, sequential, transformer, type AnyModel, type Empty, type Model, type MlpParameters, type ParametersOf, type ResnetState, type StateOf } from './index.ts';

type Dense = { weight: Tensor; bias: Tensor };

test('the gradient of a loss of a model has the type of its parameters', () => {
  const model = mlp({ sizes: [2, 3, 2] });
  const loss = (params: MlpParameters, x: Tensor, labels: Tensor): Tensor => mean(crossEntropy(model.apply(params, x, { mode: 'eval', state: {} }).outputs, labels));
  const gradient = compile(grad(loss));
  expectTypeOf<{ layers: { weight: NDArray; bias: NDArray }[] }>().toExtend<Parameters<typeof gradient>[0]>();
  expectTypeOf<Awaited<ReturnType<typeof gradient>>>().toEqualTypeOf<{ layers: { weight: NDArray; bias: NDArray }[] }>();
});

test('trees of combinators are inferred: functions and layers without state leave no trace', () => {
  const net = named({ a: dense({ inputs: 1, outputs: 2 }), f: (x: Tensor) => x, b: sequential(dropout(0.5), dense({ inputs: 2, outputs: 2, bias: false })) });
  expectTypeOf<ParametersOf<typeof net>>().toEqualTypeOf<{ a: Dense; b: [Empty, { weight: Tensor }] }>();
  expectTypeOf<StateOf<typeof net>>().toEqualTypeOf<Empty>();
  const withNorm = named({ norm: batchNorm(2), rest: net });
  expectTypeOf<StateOf<typeof withNorm>>().toEqualTypeOf<{ norm: { mean: Tensor; variance: Tensor } }>();
  expectTypeOf<StateOf<ReturnType<typeof resnet>>>().toEqualTypeOf<ResnetState>();
});

test('models of every kind fit where a model is asked for', () => {
  const keep = <P, State>(model: Model<P, State>): Problem<P, State>['model'] => model;
  expectTypeOf(keep(mlp({ sizes: [1, 2] }))).toEqualTypeOf<Model<MlpParameters>>();
  expectTypeOf(keep(cnn()).init).returns.toHaveProperty('params');
  const any: AnyModel[] = [cnn(), resnet(), transformer({ vocabulary: 2, context: 2 }), parseModel('mlp', { inputShape: [2], classes: 2 })];
  const fixed: Model<MlpParameters> = any[0];
  expect(fixed).toBe(any[0]);
});
