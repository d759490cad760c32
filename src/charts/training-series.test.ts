import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { axisTicks, elementsOf, linearAxis, parseFigure, vertices } from './svg.test-helper.ts';
import { trainingSeries, type NamedSeries } from './training-series.ts';

const steps = [0, 10, 20, 30];
const sharpness: NamedSeries = { name: 'sharpness', steps, values: [10, 30, 41, 39], errors: [0.5, 1, NaN, 2] };
const text = (svg: Document): string => svg.documentElement.textContent ?? '';

describe('one series', () => {
  test('passes through its values, and its band is as wide as its errors', () => {
    const svg = parseFigure(trainingSeries({ series: [sharpness] }, { scale: 'linear' }));
    const [toX, toY] = [linearAxis(svg, 'x'), linearAxis(svg, 'y')];
    vertices(elementsOf(svg, 'sharpness', 'path')[0]).forEach(([x, y], i) => {
      expect(toX(x)).toBeCloseTo(steps[i], 0);
      expect(toY(y)).toBeCloseTo(sharpness.values[i], 1);
    });
    const band = vertices(elementsOf(svg, 'band', 'path')[0]).map(([, y]) => toY(y));
    // Upper side from left to right, lower side back; an error that is not known has no width.
    expect(band.map((y) => Math.round(10 * y) / 10)).toEqual([10.5, 31, 41, 41, 37, 41, 29, 9.5]);
    expect(text(svg)).toContain('± error');
  });

  test('is compared with a threshold that moves', () => {
    const svg = parseFigure(trainingSeries({ series: [sharpness], reference: { name: '2 / learning rate', steps, values: [20, 25, 30, 40] } }));
    const toY = linearAxis(svg, 'y');
    const [line] = elementsOf(svg, '2 / learning rate', 'path');
    expect(vertices(line).map(([, y]) => Math.round(toY(y)))).toEqual([20, 25, 30, 40]);
    expect(elementsOf(svg, '2 / learning rate', 'path')[0].parentElement?.getAttribute('stroke-dasharray') ?? line.getAttribute('stroke-dasharray')).toBe('5,4');
    expect(text(svg)).toContain('2 / learning rate');
  });

  test('a threshold far above the values neither flattens them nor is drawn', () => {
    const far = { name: 'threshold', steps, values: [40, 1e6, Infinity, 1e9] };
    const top = (svg: string): number => Math.max(...axisTicks(parseFigure(svg), 'y').map(({ label }) => Number(label)));
    expect(top(trainingSeries({ series: [sharpness], reference: far }))).toBe(top(trainingSeries({ series: [sharpness] })));
    expect(vertices(elementsOf(parseFigure(trainingSeries({ series: [sharpness], reference: far })), 'threshold', 'path')[0])).toHaveLength(1);
  });

  test('takes a logarithmic axis where values span decades, and leaves gaps where they are not finite or not positive', () => {
    const svg = parseFigure(trainingSeries({ series: [{ name: 'loss', steps, values: [1, 0.1, NaN, 0.001] }] }));
    expect(axisTicks(svg, 'y').map(({ label }) => label)).toEqual(expect.arrayContaining(['1', '0.1', '0.01', '0.001']));
    const forced = trainingSeries({ series: [{ name: 'loss', steps, values: [1, -0.1, NaN, 0.001] }] }, { scale: 'log' });
    // A logarithmic axis cannot show what is negative: a linear one does.
    expect(linearAxis(parseFigure(forced), 'y')(vertices(elementsOf(parseFigure(forced), 'loss', 'path')[0])[1][1])).toBeCloseTo(-0.1, 2);
    expect(forced).not.toMatch(/NaN,|,NaN/);
  });

  test('of many values is drawn as means with their range, and says so', () => {
    const long = Array.from({ length: 1000 }, (_, i) => i);
    expect(text(parseFigure(trainingSeries({ series: [{ name: 'cosine', steps: long, values: long.map((i) => i % 2) }] })))).toContain('mean and range of 3 measurements');
  });
});

describe('several series', () => {
  const many = (count: number): NamedSeries[] => Array.from({ length: count }, (_, i) => ({ name: `layer ${i}`, steps, values: steps.map((s) => s + i) }));
  const paints = (svg: Document, count: number): Set<string | null | undefined> => new Set(many(count).map(({ name }) => elementsOf(svg, name, 'path')[0].parentElement?.getAttribute('stroke')));

  test.each([2, 3, 4, 30])('%d differ in colour', (count) => {
    expect(paints(parseFigure(trainingSeries({ series: many(count) })), count).size).toBe(count);
  });

  test('the legend names at most nine of them, the first and the last included', () => {
    const svg = parseFigure(trainingSeries({ series: many(30) }));
    const named = [...svg.querySelectorAll('g.legend text')].map((label) => label.textContent);
    expect(named.length).toBeLessThanOrEqual(9);
    expect([named[0], named.at(-1)]).toEqual(['layer 0', 'layer 29']);
  });
});

describe('several panels', () => {
  const panel = (heading: string, names: readonly string[], factor: number) => ({ heading, series: names.map((name, i) => ({ name, steps, values: steps.map((s) => factor * (s + i)) })) });

  test('have axes of their own, headings, and one colour a name', () => {
    const svg = parseFigure(trainingSeries([panel('weights', ['a', 'b'], 1), panel('biases', ['b', 'a'], 100)]));
    expect([...svg.querySelectorAll('text.heading')].map((heading) => heading.textContent)).toEqual(['weights', 'biases']);
    const [first, second] = [0, 1].map((i) => Math.max(...axisTicks(svg, 'y', i).map(({ label }) => Number(label))));
    expect([first <= 31, second > 1000]).toEqual([true, true]);
    const strokes = (name: string): (string | null | undefined)[] => elementsOf(svg, name, 'path').map((path) => path.parentElement?.getAttribute('stroke'));
    expect(new Set(strokes('a')).size).toBe(1);
    expect(strokes('a')[0]).not.toBe(strokes('b')[0]);
    expect([...svg.querySelectorAll('g.legend text')].map((label) => label.textContent)).toEqual(['a', 'b']);
  });

  test('of one curve each need no legend', () => {
    const svg = parseFigure(trainingSeries([panel('NC1', ['nc1'], 1), panel('NC2', ['nc2'], 1)]));
    expect([...svg.querySelectorAll('g.legend text')]).toEqual([]);
  });
});

test('refuses what does not fit', () => {
  expect(() => trainingSeries([])).toThrow(ArgumentError);
  expect(() => trainingSeries({ series: [] })).toThrow(ArgumentError);
  expect(() => trainingSeries({ series: [{ name: 'a', steps: [], values: [] }] })).toThrow(ArgumentError);
  expect(() => trainingSeries({ series: [{ name: 'a', steps: [1, 1], values: [1, 2] }] })).toThrow(ArgumentError);
  expect(() => trainingSeries({ series: [{ name: 'a', steps: [1, 2], values: [1] }] })).toThrow(ShapeError);
});
