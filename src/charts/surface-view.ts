/** A plane as a surface that readers turn: the page's side of the viewer. @module */
import { interpolateViridis } from 'd3-scale-chromatic';
import { ShapeError } from '../util/errors.ts';
import { requireIncreasing } from './check.ts';
import { finiteExtent } from './scale.ts';
import type { SurfaceData } from './surface-data.ts';

/** A surface of a section. The drawn planes of the same name show a cross where the pointer is on the surface. */
export interface ReportSurface {
  /** Name of the plane, shared with the figures that draw it. */
  readonly plane: string;
  readonly caption: string;
  /** Positions along the axes, increasing. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Losses of each split and their standard errors: `loss[row][column]` at (x[column], y[row]); what is not finite is a hole. */
  readonly grids: readonly { readonly name: string; readonly loss: readonly (readonly number[])[]; readonly standardError?: readonly (readonly number[])[] }[];
}

const COLORS = 64;
const LOG_RATIO = 50;
const masked = (rows: readonly (readonly number[])[]): (number | null)[][] => rows.map((row) => row.map((value) => (Number.isFinite(value) ? Number(value.toPrecision(7)) : null)));

/** @throws ShapeError when a grid is not [rows][columns] or nothing is finite; ArgumentError when positions do not increase. */
export function surfaceData({ x, y, grids }: ReportSurface): SurfaceData {
  requireIncreasing('surfaceData', 'x', x);
  requireIncreasing('surfaceData', 'y', y);
  for (const { name, loss } of grids) {
    if (loss.length !== y.length || loss.some((row) => row.length !== x.length)) {
      throw new ShapeError({ operation: 'surfaceData', required: `${name} must be [${y.length}][${x.length}]`, received: `[${loss.length}][${loss[0]?.length ?? 0}]` });
    }
  }
  const range = finiteExtent(...grids.flatMap(({ loss }) => loss));
  if (range === undefined) throw new ShapeError({ operation: 'surfaceData', required: 'some value must be finite', received: 'none' });
  return {
    x, y, grids: grids.map(({ name, loss, standardError }) => ({ name, loss: masked(loss), ...(standardError && { errors: masked(standardError) }) })),
    colors: Array.from({ length: COLORS }, (_, i) => interpolateViridis(i / (COLORS - 1))),
    logarithmic: range[0] > 0 && range[1] > LOG_RATIO * range[0], digits: 5, center: { x: 0, y: 0 },
  };
}

/** The element that the viewer brings to life. `escape` makes text safe for HTML. */
export function surfaceHtml(surface: ReportSurface, escape: (text: string) => string): string {
  const data = surfaceData(surface);
  const rest = `Drag to turn, arrow keys too; point at the surface to read a loss.${data.logarithmic ? ' Height is logarithmic.' : ''}`;
  const choice = surface.grids.map(({ name }, i) => `<label><input type="radio" name="surface-${escape(surface.plane)}"${i === 0 ? ' checked' : ''}> ${escape(name)}</label>`).join('');
  // "<" ends an element's text nowhere but in "</script": written as an escape, nothing can.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<figure class="surface" data-surface="${escape(surface.plane)}"><div class="plate"><div class="surface-bar">${surface.grids.length > 1 ? choice : ''}<button type="button" class="surface-reset">Reset view</button></div>`
    + `<div class="surface-stage" role="img" aria-label="${escape(surface.caption)}"></div><output class="surface-reading" data-rest="${escape(rest)}">This surface needs a browser that runs scripts.</output></div>`
    + `<figcaption>${escape(surface.caption)}</figcaption><script type="application/json">${json}</script></figure>`;
}
