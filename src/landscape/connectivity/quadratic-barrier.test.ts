import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../../runtime/reference.ts';
import { NDArray } from '../../core/ndarray.ts';
import { directionalDerivatives } from '../../curvature/index.ts';
import { evaluate, ParameterSpace } from '../../problem/index.ts';
import { tinyClassification } from '../../problem/tiny-problems.test-helper.ts';
import { key } from '../../util/random/index.ts';
import { bowl, pointAt } from '../quadratic.test-helper.ts';
import { at, circleProblem } from './double-well.test-helper.ts';
import { quadraticBarrier, quadraticRise } from './quadratic-barrier.ts';

const options = { executor: referenceExecutor };

describe('quadraticRise', () => {
  test('is that of the formula at both ends of the line and between', () => {
    const rise = quadraticRise({ slope: 0.4, curvature: 3 }, { slope: -0.6, curvature: 5 });
    expect(rise.midpoint).toBe((3 + 5) / 16);
    expect(rise.slopes).toBe(0.25);
    expect([rise.at(0), rise.at(1)]).toEqual([0, 0]);
    expect(rise.at(0.25)).toBeCloseTo(0.5 * 0.1875 * (0.25 * 3 + 0.75 * 5), 14);
  });
});

describe('quadraticBarrier', () => {
  test('is exact on a quadratic, where the slopes count', async () => {
    // L = x^2 + 10 y^2 between (1, 1) and (-1, 3): 11, 91 and, at (0, 2), 40 in the middle.
    const derivatives = directionalDerivatives(bowl, pointAt(0, 0), options);
    const { rise, ends, distance } = await quadraticBarrier(derivatives, pointAt(1, 1), pointAt(-1, 3));
    expect(rise.midpoint + rise.slopes).toBeCloseTo(40 - (11 + 91) / 2, 12);
    expect(rise.midpoint).toBeCloseTo((88 + 88) / 16, 12);
    expect(ends.map(({ loss }) => loss)).toEqual([11, 91]);
    expect(distance).toBeCloseTo(Math.sqrt(8), 12);
    await derivatives.dispose();
  });

  test('between the minima of a double well is four times its barrier of one', async () => {
    // L = (w^2 - 1)^2 has second derivative 8 at both minima: (32 + 32) / 16.
    const problem = circleProblem(1, 1);
    const derivatives = directionalDerivatives(problem, at(-1), options);
    const { rise } = await quadraticBarrier(derivatives, at(-1), at(1));
    expect(rise.midpoint).toBeCloseTo(4, 10);
    expect(rise.slopes).toBeCloseTo(0, 12);
    await derivatives.dispose();
  });

  test('moves one layer at a time', async () => {
    const problem = tinyClassification(9);
    const from = problem.model.init(key(0));
    const space = new ParameterSpace(from.params);
    const to = { ...from, params: space.unflatten(space.flatten().map((x, i) => x + 0.01 * Math.cos(i))) as typeof from.params };
    const derivatives = directionalDerivatives(problem, from, options);
    const { layers, distance } = await quadraticBarrier(derivatives, from, to);
    expect(layers.map(({ name }) => name)).toEqual(['layers.0', 'layers.1']);
    expect(Math.hypot(...layers.map((layer) => layer.distance))).toBeCloseTo(distance, 12);
    const half = { ...from, params: { layers: [{ weight: average(from.params.layers[0].weight, to.params.layers[0].weight), bias: average(from.params.layers[0].bias, to.params.layers[0].bias) }, from.params.layers[1]] } };
    const [before, after] = [await evaluate(problem, from, problem.train, options), await evaluate(problem, half as typeof from, problem.train, options)];
    expect(layers[0].measured).toBeCloseTo(after.loss.value - before.loss.value, 12);
    // Twice the distance: four times the prediction.
    const further = { ...from, params: space.unflatten(space.flatten().map((x, i) => x + 0.02 * Math.cos(i))) as typeof from.params };
    const twice = await quadraticBarrier(derivatives, from, further);
    expect(twice.layers[1].predicted / layers[1].predicted).toBeCloseTo(4, 8);
    await derivatives.dispose();
  });
});

function average(a: NDArray, b: NDArray): NDArray {
  return new NDArray(Float64Array.from(a.data, (x, i) => (x + b.data[i]) / 2), a.shape, 'float64');
}
