import { describe, expect, test } from 'vitest';
import { opposingOutliers } from './opposing-outliers.ts';

const options = { samples: 300, dimension: 3, share: 0.07, amplitude: 5, bump: 2, signalNorm: 3, seed: 4 };
const { train, groups } = opposingOutliers(options);
const row = (i: number): number[] => Array.from(train.inputs.data.subarray(i * 4, (i + 1) * 4));
const y = train.targets.data;

/** Coefficients of y on the signal inputs of three rows without outlier input, by Cramer's rule. */
function signal(): number[] {
  const three = [...groups.rest.subarray(0, 3)].map((i) => row(i));
  const values = [...groups.rest.subarray(0, 3)].map((i) => y[i]);
  const det = ([a, b, c]: number[][]): number => a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
  return [0, 1, 2].map((column) => det(three.map((x, i) => x.slice(0, 3).map((value, j) => (j === column ? values[i] : value)))) / det(three.map((x) => x.slice(0, 3))));
}

describe('opposing outliers', () => {
  test('groups are the first examples of either sign, and the rest', () => {
    expect([...groups.plus]).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect([...groups.minus]).toEqual(Array.from({ length: 10 }, (_, i) => 10 + i));
    expect(groups.rest).toHaveLength(280);
    for (const [name, o] of [['plus', 5], ['minus', -5], ['rest', 0]] as const) for (const i of groups[name]) expect(row(i)[3]).toBe(o);
  });

  test('targets are the signal, and the bump in both groups', () => {
    const beta = signal();
    expect(Math.hypot(...beta)).toBeCloseTo(3, 4);
    for (let i = 0; i < 300; i++) expect(y[i] - row(i).slice(0, 3).reduce((sum, x, j) => sum + x * beta[j], 0)).toBeCloseTo(i < 20 ? 2 : 0, 4);
  });

  test('at the signal itself the groups pull the outlier weight by A bump each, in opposite directions', () => {
    const beta = signal();
    const pull = (group: Int32Array): number => group.reduce((sum, i) => sum + (row(i).slice(0, 3).reduce((f, x, j) => f + x * beta[j], 0) - y[i]) * row(i)[3], 0) / group.length;
    expect(pull(groups.plus)).toBeCloseTo(-10, 3);
    expect(pull(groups.minus)).toBeCloseTo(10, 3);
  });

  test('the draws do not depend on the amplitude; there may be no outliers', () => {
    const without = opposingOutliers({ ...options, amplitude: 0 });
    expect(without.train.targets).toEqual(train.targets);
    expect(without.train.inputs.data.filter((_, i) => i % 4 < 3)).toEqual(train.inputs.data.filter((_, i) => i % 4 < 3));
    expect(opposingOutliers({ ...options, share: 0 }).groups.rest).toHaveLength(300);
    expect(() => opposingOutliers({ share: 1.2 })).toThrow(/share/);
  });
});
