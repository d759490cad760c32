import { describe, expect, test } from 'vitest';
import { array, scalar } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, square, sub, sum } from '../ops/index.ts';
import { adam } from './adam.ts';
import { asam } from './asam.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { sam } from './sam.ts';
import { sgd } from './sgd.ts';

type Params = { w: Tensor };
const at = (...w: number[]) => ({ w: array(w, [w.length], 'float64') });
const bowl = ({ w }: Params): Tensor => mul(0.5, sum(square(w)));

describe('sam', () => {
  testGoldens([
    { row: 'sam', make: () => sam(sgd({ momentum: 0.9 }), { rho: 0.1 }), rate: 0.03 },
    { row: 'sam adam', make: () => sam(adam(), { rho: 0.05 }), rate: 0.05 },
  ]);

  // w = (3, 4), |g| = 5: up by (0.6, 0.8) rho, where the gradient is that point: w <- w - 0.1 (3.6, 4.8), rho = 1.
  test('one step by hand', async () => {
    const { params } = await runOptimizer<Params>(sam(sgd(), { rho: 1 }), bowl, at(3, 4), { steps: 1, rate: 0.1 });
    expect(params.w.data[0]).toBeCloseTo(2.64, 14);
    expect(params.w.data[1]).toBeCloseTo(3.52, 14);
  });
  test('stays where the gradient is zero', async () => {
    const { params } = await runOptimizer<Params>(sam(sgd()), bowl, at(0, 0), { steps: 2, rate: 0.1 });
    expect([...params.w.data]).toEqual([0, 0]);
  });
  test('with rho = 0 is the optimizer itself', async () => {
    const loss = ({ w }: Params): Tensor => sum(square(sub(square(w), 1)));
    const [one, other] = await Promise.all([sam(adam(), { rho: 0 }), adam()].map((optimizer) => runOptimizer<Params>(optimizer, loss, at(0.3, -2), { steps: 5, rate: 0.1 })));
    expect(one.params.w.data).toEqual(other.params.w.data);
  });
  // Every (0, y) is a minimum, of curvature 1 + y^2: descent stays where it comes to the floor, sam goes on to the flat part.
  test('goes to the flat part of a valley that descent has no reason to leave', async () => {
    type Valley = { x: Tensor; y: Tensor };
    const loss = ({ x, y }: Valley): Tensor => mul(0.5, mul(square(x), add(1, square(y))));
    const start = { x: scalar(0.05, 'float64'), y: scalar(1, 'float64') };
    const [plain, flat] = await Promise.all([sgd(), sam(sgd(), { rho: 0.3 })].map((optimizer) => runOptimizer<Valley>(optimizer, loss, start, { steps: 400, rate: 0.05 })));
    expect(plain.params.y.item()).toBeGreaterThan(0.99);
    expect(Math.abs(flat.params.y.item())).toBeLessThan(0.4);
  });
  test('refuses a negative radius', () => { expect(() => sam(sgd(), { rho: -1 })).toThrow(/rho/); });
});

describe('asam', () => {
  // T = |w| + 1 = (4, 5), g = w: T g = (12, 20), its norm sqrt(544); up by T^2 g / |T g| = (48, 100) / sqrt(544), all scaled.
  test('one step by hand', async () => {
    const everything = () => true;
    const { params } = await runOptimizer<Params>(asam(sgd(), { rho: 1, eta: 1, scaled: everything }), bowl, at(3, 4), { steps: 1, rate: 0.1 });
    const length = Math.sqrt(544);
    expect(params.w.data[0]).toBeCloseTo(3 - 0.1 * (3 + 48 / length), 14);
    expect(params.w.data[1]).toBeCloseTo(4 - 0.1 * (4 + 100 / length), 14);
  });
  test('does not scale biases unless it is told to: there it is sam', async () => {
    const [one, other] = await Promise.all([asam(sgd(), { rho: 0.2 }), sam(sgd(), { rho: 0.2 })].map((optimizer) => runOptimizer<Params>(optimizer, bowl, at(3, 4), { steps: 3, rate: 0.1 })));
    expect(one.params.w.data).toEqual(other.params.w.data);
  });
  // Scaling w1 by c and w2 by 1/c leaves the loss; with eta = 0 the neighbourhood follows, and so does the loss uphill.
  test('its sharpness does not depend on the scale of layers', async () => {
    type Two = { a: Tensor; b: Tensor };
    const loss = ({ a, b }: Two): Tensor => square(sub(sum(mul(a, b)), 3));
    const make = (c: number) => ({ a: array([1 * c, 2 * c], [2, 1], 'float64'), b: array([0.5 / c, 0.7 / c], [2, 1], 'float64') });
    const reports = await Promise.all([1, 10].map(async (c) => sharpnessAfter(asam(sgd(), { rho: 0.3, eta: 0 }), loss, make(c))));
    expect(reports[1]).toBeCloseTo(reports[0], 12);
    expect(reports[0]).toBeGreaterThan(0);
    const plain = await Promise.all([1, 10].map(async (c) => sharpnessAfter(sam(sgd(), { rho: 0.3 }), loss, make(c))));
    expect(plain[1] / plain[0]).toBeGreaterThan(3);
  });
});

/** The sharpness that the first step reports. */
async function sharpnessAfter<P>(optimizer: ReturnType<typeof sam>, loss: (params: P) => Tensor, start: Parameters<typeof runOptimizer<P>>[2]): Promise<number> {
  const { reports } = await runOptimizer<P>(optimizer, loss, start, { steps: 1, rate: 0.01 });
  return reports[0].sharpness;
}
