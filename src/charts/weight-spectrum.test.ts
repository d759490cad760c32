import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../util/errors.ts';
import { exampleWeightSpectrum } from './example-data.test-helper.ts';
import { weightSpectrum } from './index.ts';
import { axisTicks, elementsOf, numberOf, parseFigure, vertices } from './svg.test-helper.ts';

/** The value at a pixel of a logarithmic axis, from its labelled decades. */
function logAxis(svg: Document, axis: 'x' | 'y'): (pixel: number) => number {
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  const value = (label: string): number => {
    const power = /^(?:([\d.]+)×)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/.exec(label);
    return power === null ? Number(label) : Number(power[1] ?? 1) * 10 ** Number([...power[2]].map((c) => (c === '⁻' ? '-' : digits.indexOf(c))).join(''));
  };
  const ticks = axisTicks(svg, axis);
  const [first, last] = [ticks[0], ticks[ticks.length - 1]];
  const rate = Math.log(value(last.label) / value(first.label)) / (last.at - first.at);
  return (pixel) => value(first.label) * Math.exp(rate * (pixel - first.at));
}

describe('weightSpectrum', () => {
  const data = exampleWeightSpectrum();
  const svg = parseFigure(weightSpectrum(data));

  test('bars hold all eigenvalues: their areas add up to one', () => {
    const [toX, toY] = [logAxis(svg, 'x'), logAxis(svg, 'y')];
    const area = elementsOf(svg, 'density', 'rect').reduce((sum, bar) => {
      const x = numberOf(bar, 'x');
      return sum + (toX(x + numberOf(bar, 'width')) - toX(x)) * toY(numberOf(bar, 'y'));
    }, 0);
    expect(area).toBeCloseTo(1, 1);
  });

  test('the law is a straight line of slope -alpha over its tail', () => {
    const points = vertices(elementsOf(svg, 'power law', 'path')[0]).map(([x, y]) => [logAxis(svg, 'x')(x), logAxis(svg, 'y')(y)]);
    const [first, last] = [points[0], points[points.length - 1]];
    expect(first[0]).toBeCloseTo(data.tail!.xmin, 1);
    expect(Math.log(last[1] / first[1]) / Math.log(last[0] / first[0])).toBeCloseTo(-2.5, 1);
    // Sixty of the 320 eigenvalues lie in the tail.
    expect(first[1]).toBeCloseTo(((60 / 320) * 1.5) / data.tail!.xmin, 1);
  });

  test('zeros are left out, nothing but eigenvalues is enough, and nothing positive is refused', () => {
    expect(parseFigure(weightSpectrum({ eigenvalues: [0, 0, -1e-18, 1, 2, 3] })).querySelector('desc')?.textContent).toContain('6 eigenvalues');
    expect(() => weightSpectrum({ eigenvalues: [7] })).not.toThrow();
    expect(() => weightSpectrum({ eigenvalues: [0, 0] })).toThrow(ArgumentError);
  });
});
