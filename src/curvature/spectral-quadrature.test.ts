import { describe, expect, test } from 'vitest';
import { key } from '../util/random/index.ts';
import { bulkAndOutliers, inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { diagonalOperator, matrixOperator, type LinearOperator } from './operator.ts';
import { changeByFewerSteps, integrate, lanczosQuadratures, radau, requireInvariants, shortened, type Quadrature } from './spectral-quadrature.ts';

const spectrum = bulkAndOutliers(40, [2, 1]);
const { operator } = rotated(spectrum);
const moment = (power: number) => (x: number): number => x ** power;

describe('Lanczos quadratures', () => {
  test('with all steps give every function, of each probe', async () => {
    const { probes } = await lanczosQuadratures('test', operator, { steps: 40, probes: 2 });
    const short = await lanczosQuadratures('test', operator, { steps: 12, probes: 2 });
    probes.forEach((exact, i) => {
      expect(exact.exact).toBe(true);
      const gauss = short.probes[i];
      expect(gauss.exact).toBe(false);
      for (let power = 0; power <= 23; power++) expect(integrate(gauss, moment(power))).toBeCloseTo(integrate(exact, moment(power)), 8);
      expect(Math.abs(integrate(gauss, moment(24)) - integrate(exact, moment(24)))).toBeGreaterThan(1e-12);
      expect(shortened(exact, 5)).toBe(exact);
      for (let power = 0; power <= 11; power++) expect(integrate(shortened(gauss, 6), moment(power))).toBeCloseTo(integrate(exact, moment(power)), 8);
      expect(changeByFewerSteps([exact], ([rule]) => integrate(rule, moment(30)))).toBe(0);
      // Steps 6, 9 and 11 against 12: of the 21st power the first two differ, and 6 most.
      const change = (steps: number): number => Math.abs(integrate(gauss, moment(21)) - integrate(shortened(gauss, steps), moment(21)));
      expect(changeByFewerSteps([gauss], ([rule]) => integrate(rule, moment(21)))).toBe(Math.max(change(6), change(9), change(11)));
    });
  });

  test.each([-0.5, 2.5, 0.013])('Gauss-Radau has the prescribed node %d, positive weights, and one degree more', async (node) => {
    const exact = (await lanczosQuadratures('test', operator, { steps: 40, probes: 1 })).probes[0];
    const rule = radau((await lanczosQuadratures('test', operator, { steps: 8, probes: 1 })).probes[0], node)!;
    expect(rule.nodes).toHaveLength(9);
    expect(Math.min(...rule.nodes.map((x) => Math.abs(x - node)))).toBeLessThan(1e-12);
    expect(Math.min(...rule.weights)).toBeGreaterThan(0);
    for (let power = 0; power <= 16; power++) expect(integrate(rule, moment(power))).toBeCloseTo(integrate(exact, moment(power)), 8);
    expect(radau(exact, node)).toBeUndefined();
  });

  test('an outlier is found once however many steps, also in float32', async () => {
    for (const op of [operator, inFloat32(operator)]) {
      const { probes } = await lanczosQuadratures('test', op, { steps: 40, probes: 3, key: key(2) });
      for (const { nodes } of probes) expect(Array.from(nodes).filter((x) => x > 0.7).map((x) => x.toFixed(5))).toEqual(['1.00000', '2.00000']);
    }
  });

  test('vectors kept in float32 change no more than the rounding of float32 products does', async () => {
    // 3,000 coordinates: large enough for WebAssembly, with steps enough for outliers to converge many times over.
    const diagonal = Float64Array.from(bulkAndOutliers(3000, [4, 3, 2.5, 2, 1.5, -1]));
    const products = inFloat32(diagonalOperator(diagonal));
    const kept = async (precision: 'float32' | 'float64'): Promise<Quadrature> => {
      const op = Object.create(products, { precision: { value: precision } }) as LinearOperator;
      return (await lanczosQuadratures('test', op, { steps: 80, probes: 1, key: key(5) })).probes[0];
    };
    const [single, double] = [await kept('float32'), await kept('float64')];
    const largest = (a: Float64Array, b: Float64Array): number => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
    expect(single.nodes).not.toEqual(double.nodes);
    // Largest eigenvalue 4: relative to it, 3e-7 is five units in the last place of float32.
    expect(largest(single.diagonal, double.diagonal)).toBeLessThan(4 * 3e-7);
    expect(largest(single.coupling, double.coupling)).toBeLessThan(4 * 3e-7);
    expect(largest(single.nodes, double.nodes)).toBeLessThan(4 * 3e-7);
    for (const { nodes } of [single, double]) expect(Array.from(nodes).filter((x) => Math.abs(x) > 0.8).map((x) => x.toFixed(5))).toEqual(['-1.00000', '1.50000', '2.00000', '2.50000', '3.00000', '4.00000']);
  });

  test('invariants refuse weights that do not sum to one, and first moments of something else', () => {
    const rule = { nodes: Float64Array.of(0, 1), weights: Float64Array.of(0.5, 0.5) };
    expect(() => requireInvariants('test', rule, 0.5)).not.toThrow();
    expect(() => requireInvariants('test', rule, 0.6)).toThrowErrorMatchingInlineSnapshot(`[ThalwegError: test: weights must sum to 1 and the first moment must be 0.6, got 1 and 0.5.]`);
    expect(() => requireInvariants('test', { ...rule, weights: Float64Array.of(0.5, 0.6) }, 0.6)).toThrow('weights must sum to 1');
  });

  test('refuses operators that are not symmetric; stops exactly at an invariant space', async () => {
    await expect(lanczosQuadratures('test', matrixOperator(Float64Array.of(0, 1, 2, 0), 2))).rejects.toThrow('must be symmetric');
    const { probes, cost } = await lanczosQuadratures('test', diagonalOperator(Float64Array.from({ length: 30 }, (_, i) => i % 3)), { probes: 2 });
    expect(probes.map(({ nodes, exact }) => [nodes.length, exact])).toEqual([[3, true], [3, true]]);
    expect(cost.products).toBe(6);
  });
});
