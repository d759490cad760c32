/** Values and their errors are drawn where the axes say. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { wilsonInterval } from '../util/wilson-interval.ts';
import { confusionMatrix } from './confusion-matrix.ts';
import { costBars } from './cost-bars.ts';
import { eigenvalueChart } from './eigenvalue-chart.ts';
import { exampleCosts, exampleDensity, linspace } from './example-data.test-helper.ts';
import { layerBars } from './layer-bars.ts';
import { lineProfiles } from './line-profiles.ts';
import { spectralDensity } from './spectral-density.ts';
import { axisTicks, elementsOf, linearAxis, numberOf, parseFigure, vertices } from './svg.test-helper.ts';
import { trainingCurves } from './training-curves.ts';

/** The logarithm at a pixel of a logarithmic axis. */
function logAxis(svg: Document, panel = 0): (pixel: number) => number {
  const ticks = axisTicks(svg, 'y', panel);
  const value = (label: string): number => {
    const power = /10([⁻⁰-⁹¹²³]+)$/.exec(label);
    return power === null ? Math.log10(Number(label)) : Number([...power[1]].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'.indexOf(c)).map((d) => (d === 10 ? '-' : d)).join(''));
  };
  const [first, last] = [ticks[0], ticks[ticks.length - 1]];
  return (pixel) => value(first.label) + ((pixel - first.at) / (last.at - first.at)) * (value(last.label) - value(first.label));
}

describe('spectralDensity', () => {
  const data = exampleDensity();
  const svg = parseFigure(spectralDensity(data));

  test('the curve passes through the density, and never below the axis', () => {
    const points = vertices(elementsOf(svg, 'density', 'path')[0]);
    expect(points).toHaveLength(500);
    points.forEach(([px, py], i) => {
      expect(linearAxis(svg, 'x')(px)).toBeCloseTo(data.grid[i], 1);
      expect(logAxis(svg)(py)).toBeCloseTo(Math.log10(Math.max(data.density[i], 1e-8 * Math.max(...Array.from(data.density)))), 1);
    });
  });

  test('the band reaches one standard error up and down', () => {
    const edge = vertices(elementsOf(svg, 'standard error', 'path')[0]);
    const peak = Array.from(data.density).indexOf(Math.max(...Array.from(data.density)));
    const highest = Math.min(...edge.map(([, py]) => py));
    const expected = Math.max(...Array.from(data.density, (d, i) => d + data.standardError[i]));
    expect(logAxis(svg)(highest)).toBeCloseTo(Math.log10(expected), 1);
    expect(edge).toHaveLength(1000);
    expect(data.grid[peak]).toBeCloseTo(0.02, 1);
  });

  test('eigenvalues are ticks with bounds', () => {
    const bounded = parseFigure(spectralDensity({ ...data, eigenvalues: [{ value: 10, bound: 2 }] }));
    const toX = linearAxis(bounded, 'x');
    expect(toX(numberOf(elementsOf(bounded, 'eigenvalue', 'line')[0], 'x1'))).toBeCloseTo(10, 1);
    const bar = elementsOf(bounded, 'error bar', 'line')[0];
    expect(toX(numberOf(bar, 'x1'))).toBeCloseTo(8, 1);
    expect(toX(numberOf(bar, 'x2'))).toBeCloseTo(12, 1);
  });

  test('refuses lists that differ in length', () => {
    expect(() => spectralDensity({ ...data, standardError: [1] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: spectralDensity: standardError must have the 500 elements of grid, got 1.]`);
    expect(() => spectralDensity({ grid: [1, 0], density: [1, 1], standardError: [0, 0] })).toThrow(ArgumentError);
  });
});

describe('rows with error bars', () => {
  test('eigenvalues, their bounds and their numbers', () => {
    const svg = parseFigure(eigenvalueChart({ largest: [{ value: 30, bound: 1 }, { value: 20, bound: 4 }], smallest: [{ value: -2, bound: 0.5 }] }));
    const bars = elementsOf(svg, 'error bar', 'line').filter((line) => line.getAttribute('y1') === line.getAttribute('y2'));
    const ends = bars.map((bar, i) => ['x1', 'x2'].map((name) => linearAxis(svg, 'x', i < 2 ? 0 : 1)(numberOf(bar, name))));
    [[29, 31], [16, 24], [-2.5, -1.5]].forEach(([low, high], i) => {
      expect(ends[i][0]).toBeCloseTo(low, 1);
      expect(ends[i][1]).toBeCloseTo(high, 1);
    });
    expect(svg.documentElement.textContent).toContain('20 ± 4');
    expect(svg.documentElement.textContent).toContain('−2.0 ± 0.5');
  });

  test('layers: one error bar a number, and values that are not finite only as text', () => {
    const text = layerBars([
      { name: 'a <b>', trace: { value: 10, error: 2 }, topEigenvalue: { value: 3, error: 0.1 } },
      { name: 'c', trace: { value: NaN, error: NaN } },
    ]);
    const svg = parseFigure(text);
    expect(elementsOf(svg, 'error bar', 'line')).toHaveLength(6);
    expect(text).toContain('a &lt;b&gt;');
    expect(elementsOf(svg, 'bar', 'rect')).toHaveLength(2);
    expect(() => layerBars([{ name: 'empty' }])).toThrow(ArgumentError);
  });

  test('costs have bars as long as the seconds, and shares', () => {
    const svg = parseFigure(costBars(exampleCosts));
    const toX = linearAxis(svg, 'x');
    const bars = elementsOf(svg, 'bar', 'rect').slice(0, exampleCosts.length);
    bars.forEach((bar, i) => {
      expect(toX(numberOf(bar, 'x') + numberOf(bar, 'width')) - toX(numberOf(bar, 'x'))).toBeCloseTo(exampleCosts[i].seconds, 1);
    });
    expect(svg.documentElement.textContent).toContain('14.8 s · 31 %');
  });
});

describe('lineProfiles', () => {
  const position = linspace(-1, 1, 21);

  test('train and test lines pass through their values in the panel of their axis', () => {
    const svg = parseFigure(lineProfiles([1, 2].map((k) => ({
      name: `axis ${k}`, position, trainLoss: position.map((t) => k * t * t), testLoss: position.map((t) => k * t * t + 0.5),
    }))));
    const toY = linearAxis(svg, 'y');
    const lines = elementsOf(svg, 'train loss', 'path');
    expect(lines).toHaveLength(2);
    lines.forEach((line, k) => vertices(line).forEach(([, py], i) => expect(toY(py)).toBeCloseTo((k + 1) * position[i] ** 2, 1)));
    expect(toY(vertices(elementsOf(svg, 'test loss', 'path')[1])[10][1])).toBeCloseTo(0.5, 1);
  });

  test('bands are drawn where errors are given, gaps where values are not finite', () => {
    const trainLoss = position.map((t, i) => (i === 5 ? NaN : 1 + t));
    const svg = parseFigure(lineProfiles([{ name: 'a', position, trainLoss, testLoss: position.map(() => 1), testError: position.map(() => 0.25) }]));
    expect(elementsOf(svg, 'train loss', 'path')[0].getAttribute('d')?.match(/M/g)).toHaveLength(2);
    const band = elementsOf(svg, 'standard error', 'path').at(-1) as Element;
    const heights = vertices(band).map(([, py]) => linearAxis(svg, 'y')(py));
    expect(Math.max(...heights)).toBeCloseTo(1.25, 1);
    expect(Math.min(...heights)).toBeCloseTo(0.75, 1);
  });

  test('refuses lists that differ in length', () => {
    expect(() => lineProfiles([{ name: 'a', position, trainLoss: [1] }])).toThrow(ShapeError);
    expect(() => lineProfiles([])).toThrow(ArgumentError);
  });
});

describe('trainingCurves', () => {
  test('short series are drawn as they are, with standard errors', () => {
    const svg = parseFigure(trainingCurves({
      trainLoss: { steps: [0, 50, 100], values: [3, 2, 1] },
      testAccuracy: { steps: [0, 100], values: [0.5, 0.9], errors: [0.05, 0.02] },
    }, { lossScale: 'linear' }));
    const points = vertices(elementsOf(svg, 'train', 'path')[0]);
    points.forEach(([px, py], i) => {
      expect(linearAxis(svg, 'x')(px)).toBeCloseTo([0, 50, 100][i], 0);
      expect(linearAxis(svg, 'y')(py)).toBeCloseTo([3, 2, 1][i], 1);
    });
    const band = vertices(elementsOf(svg, 'band', 'path').at(-1) as Element).map(([, py]) => linearAxis(svg, 'y', 1)(py));
    expect(Math.min(...band)).toBeCloseTo(45, 0);
    expect(Math.max(...band)).toBeCloseTo(92, 0);
  });

  test('long series say that a point is a mean', () => {
    const steps = Array.from({ length: 1000 }, (_, i) => i);
    expect(trainingCurves({ trainLoss: { steps, values: steps.map((s) => 1 / (1 + s)) } })).toContain('mean and range of 7 steps');
  });

  test('losses that reach zero or diverge still make a figure', () => {
    const svg = trainingCurves({ trainLoss: { steps: [0, 1, 2, 3], values: [1, 0, NaN, 2] } });
    expect(parseFigure(svg).querySelectorAll('svg.panel')).toHaveLength(1);
    expect(() => trainingCurves({ trainLoss: { steps: [0, 0], values: [1, 1] } })).toThrow(ArgumentError);
  });
});

describe('confusionMatrix', () => {
  test('rows are true classes, columns predictions', () => {
    const svg = parseFigure(confusionMatrix({ counts: [[8, 2, 0], [0, 5, 5], [0, 0, 0]], labels: ['cat', 'dog', 'owl'] }));
    const texts = elementsOf(svg, 'count', 'text').map((text) => text.textContent);
    expect(texts).toEqual(['8', '2', '0', '0', '5', '5', '0', '0', '0']);
    const cells = elementsOf(svg, 'cell', 'rect');
    expect(numberOf(cells[1], 'x')).toBeGreaterThan(numberOf(cells[0], 'x'));
    expect(numberOf(cells[3], 'y')).toBeGreaterThan(numberOf(cells[0], 'y'));
    expect(cells.map((cell) => numberOf(cell, 'fill-opacity'))).toEqual([0.4, 0.3, 0, 0, 0.25, 0.75, 0, 0, 0]);
    expect(elementsOf(svg, 'recall', 'text')[0].textContent).toBe('80.0 [49.0, 94.3]');
    expect(elementsOf(svg, 'recall', 'text')[2].textContent).toBe('NaN [NaN, NaN]');
  });

  test('the Wilson interval against published values', () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, method 3.
    const published = [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]];
    for (const [k, n, low, high] of published) {
      expect(wilsonInterval(k, n)[0]).toBeCloseTo(low, 4);
      expect(wilsonInterval(k, n)[1]).toBeCloseTo(high, 4);
    }
  });

  test('refuses counts that are not square', () => {
    expect(() => confusionMatrix({ counts: [[1, 2]] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: confusionMatrix: counts must be square with one label a class, got rows of 2 and 1 labels.]`);
  });
});
