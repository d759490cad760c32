/** The figures of topology: what they draw, and what holds of every figure. */
import { describe, expect, test } from 'vitest';
import { barcode, type BarcodeBar } from './barcode.ts';
import type { FigureOptions } from './figure.ts';
import { mergeTreeFigure, type TreeNode } from './merge-tree.ts';
import { elementsOf, linearAxis, numberOf, parseFigure } from './svg.test-helper.ts';

const BARS: readonly BarcodeBar[] = [
  { birth: 0.4, end: 1.1, essential: false }, { birth: 0.1, end: 3, essential: true }, { birth: 0.9, end: 1, essential: false }, { birth: 0.3, end: 2.2, essential: false },
];
/** Three valleys: 0.1 and 0.3 join at 1, both and 0.6 at 2. */
const NODES: readonly TreeNode[] = [
  { value: 0.1, kind: 'leaf', parent: 3 }, { value: 0.3, kind: 'leaf', parent: 3 }, { value: 0.6, kind: 'leaf', parent: 4 },
  { value: 1, kind: 'saddle', parent: 4 }, { value: 2, kind: 'saddle', parent: 5 }, { value: 2.5, kind: 'root', parent: -1 },
];
const FIGURES: Readonly<Record<string, (options?: FigureOptions) => string>> = {
  barcode: (options) => barcode(BARS, { threshold: 0.2, ...options }),
  'merge-tree': (options) => mergeTreeFigure(NODES, options),
};
const rounded = (svg: string): string => svg.replace(/(\d+\.\d+)/g, (n) => String(Math.round(Number(n) * 10) / 10)).replaceAll('><', '>\n<');

describe.each(Object.entries(FIGURES))('%s', (name, draw) => {
  test('is a function of its data, accessible, without ids, and within its width', () => {
    expect(draw()).toBe(draw());
    const svg = draw({ title: '</title><script>', description: 'What it shows', width: 420 });
    expect(svg).not.toMatch(/\sid=|url\(|<script|href=|NaN,|,NaN|undefined/);
    const root = parseFigure(svg).documentElement;
    expect(root.getAttribute('role')).toBe('img');
    expect(root.children[1].textContent).toBe('What it shows');
    for (const panel of root.querySelectorAll('svg.panel')) expect(numberOf(panel, 'x') + numberOf(panel, 'width')).toBeLessThanOrEqual(420.01);
  });

  test('matches its snapshot', async () => { await expect(rounded(draw())).toMatchFileSnapshot(`__snapshots__/${name}.svg`); });
});

describe('barcode', () => {
  const svg = parseFigure(FIGURES.barcode());

  test('draws each bar from birth to end, essential ones first, then by length', () => {
    const level = linearAxis(svg, 'x');
    const bars = elementsOf(svg, 'bars', 'line').map((line) => [level(numberOf(line, 'x1')), level(numberOf(line, 'x2'))]);
    const expected = [[0.1, 3], [0.3, 2.2], [0.4, 1.1], [0.9, 1]];
    bars.forEach(([low, high], i) => {
      expect(low).toBeCloseTo(expected[i][0], 1);
      expect(high).toBeCloseTo(expected[i][1], 1);
    });
    expect(bars).toHaveLength(4);
    expect(elementsOf(svg, 'essential', 'text')).toHaveLength(1);
    expect(elementsOf(svg, 'bars', 'line')[3].getAttribute('stroke')).toBe('var(--thalweg-muted)');
  });

  test('says when it leaves bars out, and refuses infinite ones', () => {
    expect(barcode(BARS, { most: 2 })).toContain('the 2 longest of 4 bars');
    expect(() => barcode([])).toThrow('bars');
    expect(() => barcode([{ birth: 0, end: Infinity, essential: true }])).toThrow('must be finite');
  });
});

describe('merge tree', () => {
  const svg = parseFigure(FIGURES['merge-tree']());

  test('draws extrema and saddles at their values, branches between them', () => {
    const value = linearAxis(svg, 'y');
    expect(elementsOf(svg, 'leaves', 'circle').map((dot) => value(numberOf(dot, 'cy'))).sort().map((v) => Math.round(v * 100) / 100)).toEqual([0.1, 0.3, 0.6]);
    const branches = elementsOf(svg, 'branches', 'line').map((line) => [value(numberOf(line, 'y1')), value(numberOf(line, 'y2'))].map((v) => Math.round(v * 10) / 10 + 0));
    expect(branches).toEqual([[0.1, 1], [0.3, 1], [0.6, 2], [1, 2], [2, 2.5]]);
    expect(elementsOf(svg, 'saddles', 'path')).toHaveLength(2);
  });

  test('no two branches lie on each other', () => {
    const columns = elementsOf(svg, 'leaves', 'circle').map((dot) => numberOf(dot, 'cx'));
    expect(new Set(columns).size).toBe(3);
  });

  test('draws a forest, and refuses what is no tree', () => {
    expect(mergeTreeFigure([{ value: 1, kind: 'leaf', parent: -1 }, { value: 2, kind: 'leaf', parent: -1 }])).toContain('2 leaves and 0 saddles');
    expect(() => mergeTreeFigure([])).toThrow('nodes');
    expect(() => mergeTreeFigure([{ value: 1, kind: 'leaf', parent: 1 }, { value: 2, kind: 'root', parent: 0 }])).toThrow('lead to a top');
    expect(() => mergeTreeFigure([{ value: NaN, kind: 'leaf', parent: -1 }])).toThrow('finite');
  });
});
