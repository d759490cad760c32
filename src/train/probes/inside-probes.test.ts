import { describe, expect, test } from 'vitest';
import { norm } from '../../curvature/basis.ts';
import '../../runtime/node.ts';
import { array } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { mul } from '../../ops/index.ts';
import { sgd } from '../../optim/index.ts';
import { evaluate, layerOf, ParameterSpace, type Problem } from '../../problem/index.ts';
import { tinyClassification, type Layers } from '../../problem/tiny-problems.test-helper.ts';
import { referenceExecutor } from '../../runtime/reference.ts';
import { key } from '../../util/random/index.ts';
import type { Probe } from '../probe.ts';
import { train } from '../train.ts';
import { directionalSharpness } from './directional-sharpness.ts';
import { distance } from './distance.ts';
import { gradientCosine } from './gradient-cosine.ts';
import { gradientNorm } from './gradient-norm.ts';
import { denseDerivatives, quadratic } from './probes.test-helper.ts';
import { samSharpness } from './sam-sharpness.ts';
import { updateRatio } from './update-ratio.ts';

const problem = tinyClassification(20, [3, 5, 3]);
const STEPS = 4;
const RATE = 0.4;
const space = new ParameterSpace(problem.model.init(key(0)).params);
const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Places of a run of momentum, stepped here, with dense derivatives. */
async function path(): Promise<{ w: Float64Array; gradient: Float64Array; hessian: Float64Array }[]> {
  const out: { w: Float64Array; gradient: Float64Array; hessian: Float64Array }[] = [];
  let w = space.flatten();
  let velocity = new Float64Array(space.size);
  for (let step = 0; step <= STEPS; step++) {
    const { gradient, hessian } = await denseDerivatives(problem, { params: space.unflatten(w) } as never);
    out.push({ w, gradient, hessian });
    velocity = velocity.map((v, i) => 0.5 * v + gradient[i]) as Float64Array<ArrayBuffer>;
    w = w.map((x, i) => x - RATE * velocity[i]);
  }
  return out;
}

async function measured(probe: Probe) {
  const run = await train<Layers, Record<string, never>>(problem, {
    optimizer: sgd({ momentum: 0.5 }), schedule: RATE, steps: STEPS, batchSize: 'full', seed: 0, start: problem.model.init(key(0)) as never, probes: [probe], executor: referenceExecutor,
  });
  return (name: string): readonly number[] => run.table.series(name).values;
}

/** Euclidean norms of the coordinates of each layer. */
const byLayer = (vector: Float64Array): Record<string, number> => {
  const squares: Record<string, number> = {};
  for (const { name, offset, size } of space.ranges) squares[layerOf(name)] = (squares[layerOf(name)] ?? 0) + dot(vector.subarray(offset, offset + size), vector.subarray(offset, offset + size));
  return Object.fromEntries(Object.entries(squares).map(([layer, x]) => [layer, Math.sqrt(x)]));
};

const expectClose = (values: readonly number[], wanted: readonly number[]): void => {
  expect(values).toHaveLength(wanted.length);
  values.forEach((value, i) => { if (Number.isNaN(wanted[i])) expect(value).toBeNaN(); else expect(value).toBeCloseTo(wanted[i], 11); });
};

describe('inside the step, against dense derivatives of the same path', async () => {
  const places = await path();
  const steps = places.slice(0, STEPS);

  test('gradient-norm, whole and by layer', async () => {
    const column = await measured(gradientNorm({ layers: true }));
    expectClose(column('gradient-norm'), steps.map(({ gradient }) => norm(gradient)));
    for (const layer of ['layers.0', 'layers.1']) expectClose(column(`gradient-norm.${layer}`), steps.map(({ gradient }) => byLayer(gradient)[layer]));
  });

  test('gradient-cosine: not a number before there are two', async () => {
    const cosine = (i: number): number => dot(places[i].gradient, places[i - 1].gradient) / norm(places[i].gradient) / norm(places[i - 1].gradient);
    expectClose((await measured(gradientCosine()))('gradient-cosine'), [NaN, cosine(1), cosine(2), cosine(3)]);
    // At a lower cadence too, the gradient before is that of the step before.
    expectClose((await measured(gradientCosine({ every: 2 })))('gradient-cosine'), [NaN, cosine(2), cosine(3)]);
  });

  test('distance: from the start, and along the path until then', async () => {
    const column = await measured(distance());
    expectClose(column('distance.start'), steps.map(({ w }) => norm(minus(w, places[0].w))));
    let length = 0;
    expectClose(column('distance.path'), steps.map((_, i) => (i === 0 ? 0 : (length += norm(minus(places[i].w, places[i - 1].w))))));
  });

  test('update-ratio by layer', async () => {
    const column = await measured(updateRatio());
    for (const layer of ['layers.0', 'layers.1']) expectClose(column(`update-ratio.${layer}`), steps.map(({ w }, i) => byLayer(minus(places[i + 1].w, w))[layer] / byLayer(w)[layer]));
  });

  test('directional-sharpness along the gradient and along the step', async () => {
    const column = await measured(directionalSharpness({ every: 1 }));
    const along = (d: Float64Array, hessian: Float64Array): number => quadratic(d, hessian, d) / dot(d, d);
    expectClose(column('directional-sharpness.gradient'), steps.map(({ gradient, hessian }) => along(gradient, hessian)));
    expectClose(column('directional-sharpness.update'), steps.map(({ w, hessian }, i) => along(minus(places[i + 1].w, w), hessian)));
  });

  test('sam-sharpness: the rise one step up the gradient', async () => {
    const column = await measured(samSharpness({ radius: 0.3 }));
    const lossAt = async (w: Float64Array): Promise<number> => (await evaluate(problem, { params: space.unflatten(w), state: {} } as never, problem.train, { executor: referenceExecutor })).loss.value;
    const wanted = await Promise.all(steps.map(async ({ w, gradient }) => await lossAt(w.map((x, i) => x + (0.3 * gradient[i]) / norm(gradient))) - await lossAt(w)));
    expectClose(column('sam-sharpness'), wanted);
    expect(Math.min(...wanted)).toBeGreaterThan(0);
  });
});

describe('where rounding or a missing gradient could spoil a number', () => {
  /** One weight w, which starts at one, under a loss of it. */
  const weight = (loss: (w: Tensor) => Tensor): Problem<{ w: Tensor }> => ({
    name: 'weight', loss, train: { inputs: array([1], [1]), targets: array([0], [1]), size: 1 },
    model: { name: 'weight', init: () => ({ params: { w: array([1], []) }, state: {} }), apply: ({ w }, inputs) => ({ outputs: mul(w, inputs), state: {} }) },
  });
  const run = async (problem: Problem<{ w: Tensor }>, schedule: number, steps: number) =>
    (await train(problem, { optimizer: sgd(), schedule, steps, batchSize: 'full', seed: 0, probes: [distance({ every: steps }), samSharpness({ every: steps, radius: 0.5 })] })).table;

  test('a path in float32 loses nothing, however many steps it takes', async () => {
    // w -> -0.9999 w: back and forth, and hardly shorter every time.
    const steps = 3001;
    const path = (await run(weight((w) => mul(w, w)), 0.99995, steps)).last('distance.path')!.measurement.value;
    let [exact, naive, w] = [0, 0, 1];
    for (let step = 1; step < steps; step++) {
      const next = Math.fround(w - Math.fround(Math.fround(0.99995) * 2 * w));
      exact += Math.abs(next - w);
      naive = Math.fround(naive + Math.fround(Math.abs(next - w)));
      w = next;
    }
    expect(exact).toBeGreaterThan(5000);
    // Half a unit in the last place of such a number, and what it would be off without compensation.
    expect(Math.abs(path - exact)).toBeLessThan(2.5e-4);
    expect(Math.abs(naive - exact)).toBeGreaterThan(5e-4);
  });

  test('sam-sharpness is radius times slope on a plane, and zero where it is level', async () => {
    expect((await run(weight((w) => mul(2, w)), 0.1, 2)).last('sam-sharpness')!.measurement.value).toBeCloseTo(1, 6);
    expect((await run(weight((w) => mul(0, w)), 0.1, 2)).last('sam-sharpness')!.measurement.value).toBe(0);
  });
});
