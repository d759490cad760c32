/** Wrappers under `vmap`, with hyper-parameters that differ between the replicas: each replica moves as it would alone. */
import { expect, test } from 'vitest';
import { array, scalar, type NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, at, mul, square, sub, sum } from '../ops/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { compile, vmap } from '../transforms/index.ts';
import { leaves } from '../tree/index.ts';
import { asam } from './asam.ts';
import { withExponentialAverage, withStochasticWeightAverage } from './averaging.ts';
import { adaptiveGradientClipping, clipByGlobalNorm, clipByNorm, clipByValue } from './clipping.ts';
import { updateContext } from './context.ts';
import { addGradientNoise, langevin } from './langevin.ts';
import { lookahead } from './lookahead.ts';
import type { Optimizer, UpdateRule } from './optimizer.ts';
import { optimizerGroups } from './per-group.ts';
import { sam } from './sam.ts';
import { scheduleFreeAdamw, scheduleFreeSgd } from './schedule-free.ts';
import { matricesOnly } from './selection.ts';
import { sgd } from './sgd.ts';
import { withGradientRule } from './wrapping.ts';

type Params = { w: Tensor; b: Tensor };
const loss = ({ w, b }: Params): Tensor => add(sum(square(sub(mul(w, b), 1))), mul(0.1, sum(square(w))));
const ruled = (rule: object): Optimizer => withGradientRule(sgd(), rule as UpdateRule) as Optimizer;
const cases: Record<string, (x: Tensor) => unknown> = {
  sam: (x) => sam(sgd(), { rho: x }),
  asam: (x) => asam(sgd(), { rho: x, eta: x }),
  lookahead: (x) => lookahead(sgd(), { every: 2, share: x }),
  'exponential average': (x) => withExponentialAverage(sgd(), { decay: x }),
  'weight average': () => withStochasticWeightAverage(sgd(), { start: 2, every: 2 }),
  'schedule-free sgd': (x) => scheduleFreeSgd({ beta: x, weightPower: x, weightDecay: x }),
  'schedule-free adamw': (x) => scheduleFreeAdamw({ beta: x, beta2: x, epsilon: x, weightDecay: x }),
  langevin: (x) => langevin({ temperature: x, weightDecay: x }),
  'gradient noise': (x) => ruled(addGradientNoise({ eta: x, gamma: x })),
  'clip by global norm': (x) => ruled(clipByGlobalNorm(x)),
  'clip by norm': (x) => ruled(clipByNorm(x)),
  'clip by value': (x) => ruled(clipByValue(x)),
  'adaptive clipping': (x) => ruled(adaptiveGradientClipping({ clipping: x, epsilon: x })),
  groups: (x) => optimizerGroups([{ name: 'matrices', chosen: matricesOnly, optimizer: sam(sgd({ momentum: x }), { rho: x }) }, { name: 'rest', chosen: () => true, optimizer: sgd({ momentum: x }) }]),
};

/** Parameters, state and answer after three steps. */
function threeSteps(make: (x: Tensor) => Optimizer) {
  return (w: Tensor, b: Tensor, x: Tensor, zero: Tensor): Tensor[] => {
    const optimizer = make(x);
    let params: Params = { w, b };
    let state = optimizer.init(params);
    for (let i = 0; i < 3; i++) {
      const context = updateContext<Params>({ params, step: add(zero, i), learningRate: add(zero, 0.05), lossAt: loss, normal: () => ({ w: sub(1, w), b: sub(2, b) }) });
      ({ params, state } = optimizer.update(context, state));
    }
    return [...leaves<Tensor>(params), ...leaves<Tensor>(state), ...leaves<Tensor>(optimizer.answer?.(params, state) ?? params)];
  };
}

const w = array([1, -2, 0.5, 3, 0.4, 0.1, -1, 2], [2, 2, 2], 'float64');
const b = array([0.3, 2, 1, -1], [2, 2], 'float64');
const x = array([0.3, 0.7], [2], 'float64');
const settings = { executor: referenceExecutor } as const;

test.each(Object.entries(cases))('%s', async (_, make) => {
  const steps = threeSteps(make as (x: Tensor) => Optimizer);
  const together = compile(((W: Tensor, B: Tensor, X: Tensor, zero: Tensor) => vmap(((p: Tensor, q: Tensor, h: Tensor) => steps(p, q, h, zero)) as never)(...([W, B, X] as unknown as never[])) as unknown as Tensor[]) as never, settings) as unknown as (...args: NDArray[]) => Promise<NDArray[]>;
  const alone = compile(((W: Tensor, B: Tensor, X: Tensor, zero: Tensor) => [0, 1].map((i) => steps(at(W, i), at(B, i), at(X, i), zero))) as never, settings) as unknown as (...args: NDArray[]) => Promise<NDArray[][]>;
  const zero = scalar(0, 'float64');
  const [batched, each] = await Promise.all([together(w, b, x, zero), alone(w, b, x, zero)]);
  expect(batched.length).toBe(each[0].length);
  batched.forEach((leaf, k) => {
    const expected = each.flatMap((replica) => [...replica[k].data]);
    expect(leaf.size === expected.length || leaf.size === expected.length / 2, 'a leaf for each replica').toBe(true);
    expected.forEach((value, i) => { expect(Math.abs(leaf.data[i] - value)).toBeLessThan(1e-12 * (1 + Math.abs(value))); });
  });
  expect(each[0][0].data).not.toEqual(w.data.slice(0, 4));
});
