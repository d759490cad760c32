import * as Plot from '@observablehq/plot';
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { linspace } from './example-data.test-helper.ts';
import { planeContour } from './plane-contour.ts';
import { axisTicks, elementsOf, linearAxis, numberOf, parseFigure, vertices } from './svg.test-helper.ts';

const x = linspace(-2, 2, 9);
// Not symmetric about zero: a plane drawn upside down or transposed must fail.
const y = linspace(-0.4, 1.6, 11);
const f = (a: number, b: number): number => a + 10 * b * b;
const loss = y.map((b) => x.map((a) => f(a, b)));

/** The sample inside the rectangle: outermost cells are cut in half by the frame. */
function sampleOf(rect: Element, svg: Document): [number, number] {
  const centre = [numberOf(rect, 'x') + numberOf(rect, 'width') / 2, numberOf(rect, 'y') + numberOf(rect, 'height') / 2];
  const nearest = (values: readonly number[], at: number): number => values.reduce((best, v) => (Math.abs(v - at) < Math.abs(best - at) ? v : best));
  return [nearest(x, linearAxis(svg, 'x')(centre[0])), nearest(y, linearAxis(svg, 'y')(centre[1]))];
}

describe('planeContour', () => {
  test('each cell has the colour of f at its own x and y, y upward', () => {
    const svg = parseFigure(planeContour({ x, y, loss }, { scale: 'linear' }));
    const colour = Plot.scale({ color: { type: 'linear', domain: [-2, 2 + 10 * 1.6 ** 2], scheme: 'viridis' } });
    const cells = elementsOf(svg, 'cell', 'rect');
    expect(cells).toHaveLength(99);
    for (const cell of cells) expect(cell.getAttribute('fill')).toBe(colour.apply(f(...sampleOf(cell, svg))));
    const ticks = axisTicks(svg, 'y');
    expect(ticks[0].at).toBeGreaterThan(ticks[ticks.length - 1].at);
  });

  test('level lines lie where f has a value of the colour bar, inside the frame', () => {
    const svg = parseFigure(planeContour({ x, y, loss }, { scale: 'linear' }));
    const [toX, toY] = [linearAxis(svg, 'x'), linearAxis(svg, 'y')];
    const levels = axisTicks(svg, 'y', 1).map(({ label }) => Number(label.replace('−', '-')));
    const paths = elementsOf(svg, 'contour', 'path');
    expect(paths).toHaveLength(levels.length);
    paths.forEach((path, i) => {
      for (const [px, py] of vertices(path)) {
        // Linear interpolation of 10 y² over a step of 0.2 is off by at most 10 * 0.1²; pixels are rounded to hundredths.
        expect(Math.abs(f(toX(px), toY(py)) - levels[i])).toBeLessThan(0.15);
        expect(Math.abs(toX(px))).toBeLessThan(2.001);
      }
    });
    expect(paths.reduce((sum, path) => sum + vertices(path).length, 0)).toBeGreaterThan(50);
  });

  test('cells that are not finite are masked and have no colour', () => {
    const holed = loss.map((row) => [...row]);
    holed[10][8] = NaN;
    holed[10][7] = Infinity;
    holed[0][0] = -Infinity;
    const text = planeContour({ x, y, loss: holed }, { scale: 'linear' });
    const svg = parseFigure(text);
    expect(elementsOf(svg, 'cell', 'rect')).toHaveLength(96);
    expect(elementsOf(svg, 'masked cell', 'rect').map((rect) => sampleOf(rect, svg).join())).toEqual(['-2,-0.4', '1.5,1.6', '2,1.6']);
    expect(elementsOf(svg, 'masked', 'path')).toHaveLength(3);
    expect(text).toContain('3 cells not finite, masked');
  });

  test('a wide range of positive losses takes a logarithmic scale', () => {
    const steep = y.map((b) => x.map((a) => Math.exp(3 * (a + b))));
    expect(axisTicks(parseFigure(planeContour({ x, y, loss: steep })), 'y', 1).map((tick) => tick.label))
      .toEqual(['0.001', '0.01', '0.1', '1', '10', '100', '1000', '10000']);
    expect(() => planeContour({ x, y, loss }, { scale: 'log' })).toThrow(ArgumentError);
  });

  test('the marker is where it is told, or absent', () => {
    const svg = parseFigure(planeContour({ x, y, loss }, { center: [1, 0.25] }));
    const [, px, py] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(elementsOf(svg, 'center', 'path')[0].getAttribute('transform') ?? '') ?? [];
    expect(linearAxis(svg, 'x')(Number(px))).toBeCloseTo(1, 2);
    expect(linearAxis(svg, 'y')(Number(py))).toBeCloseTo(0.25, 2);
    expect(elementsOf(parseFigure(planeContour({ x, y, loss }, { center: null })), 'center', 'path')).toHaveLength(0);
  });

  test('a constant plane and the largest standard error', () => {
    const flat = y.map(() => x.map(() => 3));
    expect(planeContour({ x, y, loss: flat, standardError: flat.map((row) => row.map(() => 0.02)) })).toContain('standard error of a cell at most 0.02');
  });

  test('refuses planes that do not fit', () => {
    expect(() => planeContour({ x, y, loss: loss.slice(1) })).toThrow(ShapeError);
    expect(() => planeContour({ x: y, y: x, loss })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: planeContour: loss must have 9 rows (one per y) of 11 (one per x), got 11 rows of 9.]`);
    expect(() => planeContour({ x: [0, 1, 3], y: [0, 1], loss: [[1, 2, 3], [1, 2, 3]] })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: planeContour: x must be evenly spaced, got 1 at 1.]`);
    expect(() => planeContour({ x: [0, 1], y: [0, 1], loss: [[NaN, NaN], [NaN, NaN]] })).toThrow(ArgumentError);
  });
});
