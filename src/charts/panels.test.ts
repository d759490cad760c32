/** Panels of series and grids: values where the axes say, gaps, refusals, snapshots. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { linspace } from './example-data.test-helper.ts';
import { panels, type GridPanel, type SeriesPanel } from './index.ts';
import { axisTicks, elementsOf, linearAxis, numberOf, parseFigure, vertices } from './svg.test-helper.ts';

const title = 'A finding';
const x = linspace(0, 10, 11);
const plain = (series: SeriesPanel['series'], more: Partial<SeriesPanel> = {}): SeriesPanel => ({ x: { label: 'step' }, y: { label: 'loss' }, series, ...more });
const draw = (panel: SeriesPanel | GridPanel): Document => parseFigure(panels([panel], { title }));

const everything = (): string => panels([
  plain([
    { name: 'mean', x, y: x.map((t) => Math.exp(-t / 4)), low: x.map((t) => 0.8 * Math.exp(-t / 4)), high: x.map((t) => 1.2 * Math.exp(-t / 4)) },
    { name: 'theory', x, y: x.map((t) => Math.exp(-t / 3)), dashed: true, color: 'muted' },
    { name: 'measured', x: [2, 5, 8], y: [0.6, 0.3, 0.15], low: [0.5, 0.25, 0.1], high: [0.7, 0.35, 0.2], mark: 'dot' },
    { name: 'predicted', x: [2, 5, 8], y: [0.62, 0.28, 0.13], mark: 'ring', color: 2 }, { name: 'excluded', x: [9], y: [0.5], mark: 'cross', color: 'muted' },
  ], { heading: 'Curves', y: { label: 'loss', scale: 'log' }, rules: [{ axis: 'y', at: 0.1, label: 'floor' }, { axis: 'x', at: 1, label: 'start' }, { axis: 'x', at: 9, label: 'end' }], bands: [{ from: 0, to: 3, label: 'early' }, { from: 3, to: 10 }] }),
  { heading: 'Grid', x: { label: 'rate', values: [0.1, 1, 10] }, y: { label: 'width', values: [4, 16] }, cells: [[1, 10, 100], [5, NaN, 'diverged']], scale: 'log', framed: [[1, 0]] },
], { title, subtitle: 'with its conditions' });

const rounded = (svg: string): string => svg.replace(/(\d+\.\d+)/g, (n) => String(Math.round(Number(n) * 10) / 10)).replaceAll('><', '>\n<');

describe('the whole figure', () => {
  test('is a function of its data, without ids or references', () => {
    expect(everything()).toBe(everything());
    expect(everything()).not.toMatch(/\sid=|url\(|<script|href=|NaN,|,NaN|undefined/);
  });

  test('matches its snapshot', async () => { await expect(rounded(everything())).toMatchFileSnapshot('__snapshots__/panels.svg'); });

  test('describes its panels and series to those who cannot see it, and escapes what it is told', () => {
    expect(parseFigure(everything()).querySelector('desc')?.textContent).toBe('2 panels: Curves; Grid. Series: mean, theory, measured, predicted, excluded.');
    const hostile = panels([plain([{ name: '<script>', x: [1], y: [1] }], { heading: '</text><script>' })], { title: '</title><script>' });
    expect(hostile).not.toContain('<script');
    expect(panels([plain([{ name: 'loss < 1 & "x"', x, y: x }])], { title })).toContain('aria-description="loss &lt; 1 &amp; &quot;x&quot;"');
  });

  test('has as many panels in a row as asked', () => {
    const one = plain([{ name: 'a', x, y: x }]);
    const places = (columns?: number): (string | null)[][] => [...parseFigure(panels([one, one, one], { title, columns })).querySelectorAll('svg.panel')].map((panel) => [panel.getAttribute('x'), panel.getAttribute('width')]);
    expect(places()).toEqual([['0', '430'], ['430', '430'], ['0', '430']]);
    expect(places(1)).toEqual([['0', '640'], ['0', '640'], ['0', '640']]);
    expect(places(3).map(([at]) => at)).toEqual(['0', '430', '860']);
  });
});

describe('series', () => {
  test('lines pass through their points', () => {
    const svg = draw(plain([{ name: 'a', x, y: x.map((t) => t * t) }]));
    vertices(elementsOf(svg, 'a', 'path')[0]).forEach(([px, py], i) => {
      expect(linearAxis(svg, 'x')(px)).toBeCloseTo(x[i], 1);
      expect(linearAxis(svg, 'y')(py)).toBeCloseTo(x[i] ** 2, 0);
    });
  });

  test('a logarithmic axis is one: powers of ten are evenly spaced', () => {
    const svg = draw(plain([{ name: 'a', x: [1, 2, 3, 4], y: [1e-3, 1e-1, 1e1, 1e3] }], { y: { label: 'loss', scale: 'log' } }));
    const heights = vertices(elementsOf(svg, 'a', 'path')[0]).map(([, py]) => py);
    for (let i = 1; i < heights.length; i++) expect(heights[i] - heights[i - 1]).toBeCloseTo((heights[3] - heights[0]) / 3, 1);
    expect(axisTicks(svg, 'y').map(({ label }) => label)).toContain('10⁻²');
  });

  test('values that have no place leave a gap: NaN, infinity, and on a logarithmic axis zero', () => {
    const gaps = (y: readonly number[], scale: 'linear' | 'log'): number => (elementsOf(draw(plain([{ name: 'a', x: [0, 1, 2, 3, 4], y }], { y: { label: 'y', scale } })), 'a', 'path')[0].getAttribute('d')?.match(/M/g)?.length ?? 0) - 1;
    expect(gaps([1, 2, NaN, 3, 4], 'linear')).toBe(1);
    expect(gaps([1, 2, 0, 3, 4], 'log')).toBe(1);
    expect(gaps([1, 2, -1, 3, 4], 'linear')).toBe(0);
    expect(elementsOf(draw(plain([{ name: 'a', x: [0, 1, 2], y: [1, NaN, 2], mark: 'dot' }])), 'a', '*')).toHaveLength(2);
  });

  test('points beyond a given domain are left out, and the axis keeps it', () => {
    const svg = draw(plain([{ name: 'a', x, y: x, mark: 'dot' }], { x: { label: 'x', domain: [0, 5] }, y: { label: 'y', domain: [0, 3] } }));
    expect(elementsOf(svg, 'a', '*')).toHaveLength(4);
    expect(axisTicks(svg, 'x').at(-1)?.label).toBe('5');
  });

  test('bands reach from low to high, error bars too', () => {
    const one = { name: 'a', x: [0, 1, 2], y: [4, 5, 6], low: [3, 4, 5], high: [6, 7, 9] };
    const band = draw(plain([one]));
    const heights = vertices(elementsOf(band, 'band', 'path')[0]).map(([, py]) => linearAxis(band, 'y')(py));
    expect(Math.max(...heights)).toBeCloseTo(9, 0);
    expect(Math.min(...heights)).toBeCloseTo(3, 0);
    const bars = draw(plain([{ ...one, mark: 'dot' }]));
    const lines = elementsOf(bars, 'error bar', 'line').map((line) => [numberOf(line, 'y1'), numberOf(line, 'y2')].map(linearAxis(bars, 'y')).sort((a, b) => a - b));
    [[3, 6], [4, 7], [5, 9]].forEach(([low, high], i) => { expect(lines[i][0]).toBeCloseTo(low, 0); expect(lines[i][1]).toBeCloseTo(high, 0); });
  });

  test('more than three names are coloured by their order on one scale, and muted ones take no colour', () => {
    const paints = (svg: Document): (string | null)[] => [...svg.querySelectorAll('g.legend path')].map((path) => path.getAttribute('stroke'));
    const named = (names: readonly string[]): SeriesPanel['series'] => names.map((name) => ({ name, x, y: x }));
    expect(new Set(paints(draw(plain(named(['a', 'b', 'c', 'd', 'e'])))))).toHaveProperty('size', 5);
    expect(paints(draw(plain([...named(['a', 'b', 'c']), { name: 'reference', x, y: x, color: 'muted' }])))).toEqual(['var(--thalweg-blue)', 'var(--thalweg-vermillion)', 'var(--thalweg-green)', 'var(--thalweg-muted)']);
  });

  test('labels of upright rules stay inside, and apart where rules are near each other', () => {
    const svg = draw(plain([{ name: 'a', x, y: x }], { rules: [{ axis: 'x', at: 0.2, label: 'first' }, { axis: 'x', at: 0.6, label: 'second' }, { axis: 'x', at: 9.8, label: 'last' }] }));
    const label = (name: string): Element => [...svg.querySelectorAll('text')].find((text) => text.textContent === name)!;
    const anchor = (name: string): string | null | undefined => label(name).closest('[text-anchor]')?.getAttribute('text-anchor');
    expect([anchor('first'), anchor('second'), anchor('last')]).toEqual(['start', 'start', 'end']);
    const height = (name: string): string | undefined => /,(-?[\d.]+)\)/.exec(label(name).closest('g[transform]')?.getAttribute('transform') ?? '')?.[1];
    expect(height('second')).not.toBe(height('first'));
  });

  test('refuses what it cannot draw', () => {
    expect(() => panels([], { title })).toThrow(ArgumentError);
    expect(() => draw(plain([{ name: 'a', x: [], y: [] }]))).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: panels: x of a must have at least one element, got none.]`);
    expect(() => draw(plain([{ name: 'a', x: [1, 2], y: [1] }]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: panels: y must have the 2 elements of x of a, got 1.]`);
    expect(() => draw(plain([{ name: 'a', x: [1, 2], y: [1, 2], low: [0] }]))).toThrow(ShapeError);
    expect(() => draw(plain([{ name: 'a', x: [1, 2], y: [0, -1] }], { y: { label: 'y', scale: 'log' } }))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: panels: a logarithmic y axis needs a positive value, got none.
        Try: take scale: 'linear'.]
    `);
  });

  test('constant values, a single point and values that are all NaN still make a figure', () => {
    for (const y of [[2, 2, 2], [NaN, NaN, NaN]]) expect(draw(plain([{ name: 'a', x: [0, 1, 2], y }])).querySelectorAll('svg.panel')).toHaveLength(1);
    expect(draw(plain([{ name: 'a', x: [3], y: [0.5] }], { y: { label: 'y', scale: 'log' } })).querySelectorAll('svg.panel')).toHaveLength(1);
  });
});

describe('grids', () => {
  const grid: GridPanel = { x: { label: 'rate', values: [1, 2, 3] }, y: { label: 'width', values: ['small', 'large'] }, cells: [[1, 2, 3], [4, NaN, 6]], framed: [[2, 1]] };
  const rects = (svg: Document): Element[] => [...svg.querySelectorAll('g[aria-label=cell] rect')].filter((rect) => rect.getAttribute('fill') !== 'none' && !rect.parentElement?.getAttribute('fill')?.includes('none'));

  test('the first row is at the bottom, and NaN leaves a cell empty', () => {
    const svg = draw(grid);
    const texts = [...svg.querySelectorAll('text')].map((text) => text.textContent);
    for (const text of ['1', '2', '3', '4', '6', 'small', 'large', 'width', 'rate']) expect(texts).toContain(text);
    const cells = rects(svg);
    expect(cells).toHaveLength(5);
    expect(numberOf(cells[0], 'y')).toBeGreaterThan(numberOf(cells[3], 'y'));
    expect(numberOf(cells[1], 'x')).toBeGreaterThan(numberOf(cells[0], 'x'));
  });

  test('a logarithmic scale spaces colours by ratios, and leaves out what is not positive', () => {
    const fills = (scale: 'linear' | 'log'): (string | null)[] => rects(draw({ ...grid, cells: [[1, 10, 100], [1, 10, 0]], scale })).map((rect) => rect.getAttribute('fill'));
    expect(fills('log')).toHaveLength(5);
    expect(fills('linear')).toHaveLength(6);
    expect(fills('log')[1]).not.toBe(fills('linear')[1]);
  });

  test('many columns have no numbers in their cells and few labels', () => {
    const values = linspace(0, 39, 40);
    const svg = draw({ x: { label: 'i', values }, y: { label: 'j', values: [0] }, cells: [values] });
    expect(axisTicks(svg, 'x').length).toBeLessThanOrEqual(7);
    expect([...svg.querySelectorAll('text')].map((text) => text.textContent)).not.toContain('37');
  });

  test('refuses cells that do not fit the axes', () => {
    expect(() => draw({ ...grid, cells: [[1, 2, 3]] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: panels: cells must be 2 rows of 3, got 1 rows of 3.]`);
    expect(() => draw({ ...grid, cells: [[1, 2, 3], [1, 2]] })).toThrow(ShapeError);
  });
});
