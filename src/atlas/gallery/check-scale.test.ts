import { describe, expect, test } from 'vitest';
import type { Check, JudgedCheck } from '../claim.ts';
import { checkScale, checkStrip } from './check-scale.ts';
import { claimHtml, comparisonsOf, conditionText, errorText, valueText } from './claims-html.ts';

const check = (value: number, error: number, relation: Check['relation'], threshold: Check['threshold']): Check => ({ what: 'w', measured: { value, error, kind: 'bound' }, relation, threshold });

describe('the scale of a comparison', () => {
  test('is linear with room for errors, or logarithmic where values span decades', () => {
    const near = checkScale([check(2, 0.5, '>', 1), check(0, 0.1, '>', 1)]);
    expect(near.isLogarithmic).toBe(false);
    const [a, b, c] = [0, 1, 2].map((value) => near.place(value)!);
    expect(b - a).toBeCloseTo(c - b, 9);
    const far = checkScale([check(1e-6, 0, '<', 1e-3), check(1, 0, '<', 1e-3)]);
    expect(far.isLogarithmic).toBe(true);
    expect(far.place(1e-3)! - far.place(1e-6)!).toBeCloseTo(far.place(1)! - far.place(1e-3)!, 9);
    expect(far.place(0)).toBeUndefined();
  });

  test('an error much larger than all values does not squeeze them together, and goes to the edge', () => {
    const wide = checkScale([check(2, 1e9, '>', 1)]);
    expect(wide.place(2)! - wide.place(1)!).toBeGreaterThan(20);
    expect(checkStrip(check(2, 1e9, '>', 1), 'check', wide)).toContain('x1="0%" x2="100%"');
  });

  test('values that are not finite, and a value that is the threshold, are drawn without NaN', () => {
    for (const one of [check(NaN, NaN, '>', 1), check(Infinity, 0, '>', 1), check(3, 0, 'within', [3, 3]), check(0, 0, '>=', 0), check(1, NaN, 'within', [0, Infinity])]) {
      const strip = checkStrip(one, 'check', checkScale([one]));
      expect(strip).not.toMatch(/NaN|Infinity|undefined/);
      expect(strip.includes('<circle')).toBe(Number.isFinite(one.measured.value));
    }
  });

  test('the admitted stretch lies on the side of the threshold that the relation says', () => {
    const stretch = (relation: Check['relation'], threshold: Check['threshold']): number[] => {
      const all = [check(0, 0, relation, threshold), check(10, 0, relation, threshold)];
      const [, x, width] = /class="admitted" x="([\d.]+)%" width="([\d.]+)%"/.exec(checkStrip(all[0], 'check', checkScale(all)))!.map(Number);
      return [x, x + width];
    };
    expect(stretch('<', 5)).toEqual([0, 50]);
    expect(stretch('>=', 5)).toEqual([50, 100]);
    expect(stretch('within', [0, 10])).toEqual([7, 93]);
  });
});

test('checks and controls with the same condition stand on one scale, checks first', () => {
  const judged = (what: string, relation: Check['relation'], threshold: number, holds: boolean): JudgedCheck => ({ ...check(1, 0, relation, threshold), what, holds });
  const groups = comparisonsOf({ checks: [judged('a', '>', 1, true), judged('b', '<', 2, true), judged('c', '>', 1, true)], controls: [judged('d', '>', 1, false)] });
  expect(groups.map(({ rows }) => rows.map(({ check: { what }, role }) => `${role} ${what}`))).toEqual([['check a', 'check c', 'control d'], ['check b']]);
});

test('values, errors and conditions in words', () => {
  expect(conditionText({ relation: '<=', threshold: 0.4 })).toBe('≤ 0.4');
  expect(conditionText({ relation: 'within', threshold: [0.5, 1.6] })).toBe('between 0.5 and 1.6');
  expect(conditionText({ relation: 'within', threshold: [2, 2] })).toBe('= 2');
  expect(valueText({ value: 1.2345, error: 0.05, kind: 'standard error', samples: 3 })).toBe('1.23 ± 0.05');
  expect(valueText({ value: 3, error: 0, kind: 'exact' })).toBe('3');
  expect(errorText({ value: 1, error: NaN, kind: 'standard error', samples: 1 })).toBe('one run, so no error');
  expect(errorText({ value: 1, error: 0.1, kind: 'deviation over runs', samples: 5 })).toBe('± deviation over 5 runs');
});

test('a claim that nothing has tested says so, and at which size it would be', () => {
  const html = claimHtml({ definition: { id: 'c', text: 'It is <so>.', only: 'full', checks: () => [], controls: () => [] } }, 'quick', 'topic/id');
  expect(html).toContain('not tested yet');
  expect(html).toContain('needs the full size');
  expect(html).toContain('It is &lt;so&gt;.');
});
