import { describe, expect, test } from 'vitest';
import { panels, spectralDensity, type SeriesPanel } from './index.ts';
import { exampleDensity } from './example-data.test-helper.ts';
import { figureThumbnail, stackedFigure } from './rearrange.ts';
import { numberOf, parseFigure } from './svg.test-helper.ts';

const panel = (heading?: string): SeriesPanel => ({ heading, x: { label: 'x' }, y: { label: 'y' }, series: ['a', 'b', 'c', 'd'].map((name, i) => ({ name: `series ${name} with a name`, x: [1, 2], y: [i, 1] })) });
const figure = panels([panel('First'), panel('Second'), panel()], { title: 'A title that is long enough to need two lines where the figure is narrow', subtitle: 'and a subtitle', description: 'what it shows' });
const texts = (svg: string): string[] => [...parseFigure(svg).querySelectorAll('svg.thalweg-figure > text')].map((text) => text.textContent ?? '');
const box = (svg: string): number[] => parseFigure(svg).documentElement.getAttribute('viewBox')!.split(' ').map(Number);

describe('figureThumbnail', () => {
  test('keeps the first panel with its heading, and what the figure is called', () => {
    const small = figureThumbnail(figure);
    const root = parseFigure(small).documentElement;
    expect(root.querySelectorAll('svg.panel')).toHaveLength(1);
    expect(root.querySelector('title')?.textContent).toContain('A title');
    expect(root.querySelector('g.legend')).toBeNull();
    expect(texts(small)).toEqual(['First']);
    const [x, y, width, height] = box(small);
    const drawn = root.querySelector('svg.panel')!;
    expect([x, width]).toEqual([0, 430]);
    expect(y + height).toBeCloseTo(numberOf(drawn, 'y') + numberOf(drawn, 'height'), 1);
    expect(y).toBeLessThan(numberOf(root.querySelector('text.heading')!, 'y'));
  });

  test('leaves a text without panels as it is', () => {
    expect(figureThumbnail('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0"/></svg>')).toBe('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0,0"/></svg>');
  });
});

describe('stackedFigure', () => {
  const stacked = stackedFigure(figure)!;
  const root = parseFigure(stacked).documentElement;

  test('panels stand below each other, headings above their own, nothing outside', () => {
    const drawn = [...root.querySelectorAll('svg.panel')];
    const [, , width, height] = box(stacked);
    expect(width).toBe(430);
    const headings = [...root.querySelectorAll('text.heading')];
    drawn.forEach((one, i) => {
      expect(numberOf(one, 'x')).toBe(0);
      const end = numberOf(one, 'y') + numberOf(one, 'height');
      expect(end).toBeLessThanOrEqual(height);
      if (i + 1 < drawn.length) expect(numberOf(drawn[i + 1], 'y')).toBeGreaterThan(end);
      if (i < 2) {
        expect(headings[i].textContent).toBe(['First', 'Second'][i]);
        expect(numberOf(headings[i], 'y')).toBeLessThan(numberOf(one, 'y'));
        if (i > 0) expect(numberOf(headings[i], 'y')).toBeGreaterThan(numberOf(drawn[i - 1], 'y') + numberOf(drawn[i - 1], 'height'));
      }
    });
  });

  test('title and legend are broken anew and lose nothing', () => {
    const lines = [...root.querySelectorAll('text.title')];
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.map((line) => line.textContent).join(' ')).toBe('A title that is long enough to need two lines where the figure is narrow');
    const heights = lines.map((line) => numberOf(line, 'y'));
    expect([...heights].sort((a, b) => a - b)).toEqual(heights);
    const places = [...root.querySelectorAll('g.legend text')].map((text) => {
      const [, dx, dy] = /translate\((-?[\d.]+),(-?[\d.]+)\)/.exec(text.getAttribute('transform')!)!.map(Number);
      return [numberOf(text, 'x') + dx, numberOf(text, 'y') + dy];
    });
    expect(places).toHaveLength(4);
    expect(new Set(places.map(([, y]) => y)).size).toBeGreaterThan(1);
    for (const [x] of places) expect(x).toBeLessThan(400);
    expect(Math.max(...places.map(([, y]) => y))).toBeLessThan(numberOf(root.querySelector('svg.panel')!, 'y'));
  });

  test('figures of one column stay as they are', () => {
    expect(stackedFigure(spectralDensity(exampleDensity()))).toBeUndefined();
    expect(stackedFigure(panels([panel(), panel()], { title: 't', columns: 1 }))).toBeUndefined();
  });
});
