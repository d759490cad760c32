/** From Plot panels to one SVG string: header, legend, stacked panels, accessible text, stable numbers. @module */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom/worker';
import { rampCss } from './ramp.ts';
import { color, figureCss, PHONE_GROWTH, TEXT_SIZE, textWidth, TITLE_SIZE } from './theme.ts';

/** A list of numbers: an array or any typed array. */
export type NumberList = ArrayLike<number>;

/** What every figure takes. */
export interface FigureOptions {
  readonly title?: string;
  /** A muted line under the title. */
  readonly subtitle?: string;
  /** For readers who cannot see the figure; a sentence is made from the data when absent. */
  readonly description?: string;
  /** Width in pixels, 640 by default; the figure scales to its container. */
  readonly width?: number;
}

export const DEFAULT_WIDTH = 640;

/** One entry of the legend, drawn with the shape its mark has in the figure. */
export interface LegendItem {
  readonly label: string;
  readonly color: string;
  readonly shape: 'line' | 'dashed' | 'thin' | 'band' | 'dot' | 'point' | 'ring' | 'line-dot' | 'tick' | 'cross' | 'square';
}

/** A plot placed in a row of the figure. */
export interface Panel {
  readonly plot: Plot.PlotOptions & { readonly width: number; readonly height: number };
  readonly heading?: string;
}

export interface FigureSpec {
  readonly title: string;
  readonly subtitle?: string;
  readonly description: string;
  readonly width?: number;
  readonly legend?: readonly LegendItem[];
  /** Panels from top to bottom, each row from left to right. */
  readonly rows: readonly (readonly Panel[])[];
}

const SVG = 'http://www.w3.org/2000/svg';
/** Left and right of texts, above the first and below the last panel. */
export const PADDING = 4;
/** Height of a line of text, in sizes of its letters. */
export const LINE = 1.35 * PHONE_GROWTH;
/** From the left of a legend's swatch to its label. */
export const LEGEND_GAP = 32;

/** Breaks text into lines of at most `width` pixels at the size it has on a phone. */
export function wrap(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Shortens text in the middle to `count` characters: the ends of parameter paths are what tells them apart. */
export function shorten(text: string, count: number): string {
  const characters = [...text];
  if (characters.length <= count) return text;
  const head = Math.ceil((count - 1) / 2);
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (count - 1 - head)).join('')}`;
}

/** Characters that XML 1.0 forbids would make the file unreadable. */
const printable = (text: string): string => [...text].filter((c) => c >= ' ' || c === '\t' || c === '\n').join('');

const headingHeight = ({ heading }: Panel): number => (heading === undefined ? 0 : TEXT_SIZE * (LINE + 0.6));

/** An SVG under construction: a cursor moves down the page as blocks are added. */
class Sheet {
  readonly document: Document;
  readonly root: SVGElement;
  readonly width: number;
  cursor = PADDING;

  constructor(width: number) {
    this.document = parseHTML('<!doctype html><html><body></body></html>').document as unknown as Document;
    this.root = this.document.createElementNS(SVG, 'svg');
    this.width = width;
  }

  add(parent: Element, name: string, attributes: Readonly<Record<string, string | number>>, text?: string): Element {
    const element = this.document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    if (text !== undefined) element.textContent = printable(text);
    parent.appendChild(element);
    return element;
  }

  lines(className: string, text: string, size: number): void {
    for (const line of wrap(text, size, this.width - 2 * PADDING)) {
      this.add(this.root, 'text', { class: className, x: PADDING, y: this.cursor + size * PHONE_GROWTH }, line);
      this.cursor += size * LINE;
    }
  }

  legend(items: readonly LegendItem[]): void {
    const group = this.add(this.root, 'g', { class: 'legend', 'aria-label': 'legend' });
    let x = PADDING;
    const rowHeight = TEXT_SIZE * LINE + 2;
    for (const item of items) {
      const extent = LEGEND_GAP + 2 + textWidth(item.label) + 10;
      if (x > PADDING && x + extent > this.width) { x = PADDING; this.cursor += rowHeight; }
      const middle = this.cursor + rowHeight / 2;
      this.swatch(group, item, x, middle);
      this.add(group, 'text', { x: x + LEGEND_GAP, y: middle, dy: '0.34em' }, item.label);
      x += extent;
    }
    this.cursor += rowHeight + 4;
  }

  swatch(group: Element, { shape, color: paint }: LegendItem, x: number, y: number): void {
    const line = { fill: 'none', stroke: paint, 'stroke-width': shape === 'thin' ? 1 : 2 };
    const path = (d: string, extra: Readonly<Record<string, string | number>> = {}): Element => this.add(group, 'path', { d, ...line, ...extra });
    if (shape === 'line' || shape === 'thin') path(`M${x},${y}h26`);
    else if (shape === 'dashed') path(`M${x},${y}h26`, { 'stroke-dasharray': '6,4' });
    else if (shape === 'tick') path(`M${x + 13},${y - 7}v14`);
    else if (shape === 'cross') path(`M${x + 8},${y - 5}l10,10m0,-10l-10,10`);
    else if (shape === 'dot') path(`M${x},${y}h26M${x},${y - 4}v8M${x + 26},${y - 4}v8M${x + 9},${y}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0`, { fill: paint, 'stroke-width': 1.5 });
    else if (shape === 'point' || shape === 'ring' || shape === 'line-dot') {
      path(`${shape === 'line-dot' ? `M${x},${y}h26` : ''}M${x + 9},${y}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0`, { 'stroke-width': 1.6, ...(shape !== 'ring' && { fill: paint }) });
    } else this.add(group, 'rect', { x, y: y - 6, width: 26, height: 12, fill: paint, 'fill-opacity': shape === 'band' ? 0.25 : 1 });
  }

  panel(panel: Panel, x: number): void {
    const top = this.cursor + headingHeight(panel);
    if (panel.heading !== undefined) {
      this.add(this.root, 'text', { class: 'heading', x: x + PADDING, y: top - 0.45 * TEXT_SIZE * PHONE_GROWTH }, panel.heading);
    }
    const drawn = Plot.plot({ ...panel.plot, document: this.document, className: 'panel' }) as SVGElement;
    // The sheet's own style sheet replaces Plot's, and its font size is inherited, so that media queries reach the text.
    drawn.querySelector('style')?.remove();
    for (const name of ['font-size', 'font-family', 'fill', 'class']) drawn.removeAttribute(name);
    drawn.setAttribute('class', 'panel');
    drawn.setAttribute('overflow', 'visible');
    drawn.setAttribute('x', String(x));
    drawn.setAttribute('y', String(top));
    this.root.appendChild(drawn);
  }
}

const GEOMETRY = new Set(['d', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'width', 'height', 'cx', 'cy', 'r', 'transform', 'fill-opacity', 'stroke-opacity']);

/** Coordinates (and opacities) to hundredths: half the file, and the same text on every machine. */
function roundGeometry(root: Element): void {
  for (const element of root.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      if (!GEOMETRY.has(name) || !/\.\d{3}|e-/.test(value)) continue;
      element.setAttribute(name, value.replace(/-?\d*\.\d+(e-?\d+)?|-?\d+e-\d+/g, (n) => String(Math.round(Number(n) * 100) / 100)));
    }
  }
}

/** Attributes as XML has them: the document is one of HTML, which writes `<` and `&` in them as they are. */
function escapeAttributes(root: Element): void {
  for (const element of [root, ...root.querySelectorAll('*')]) {
    for (const { name, value } of [...element.attributes]) if (/[<&]/.test(value)) element.setAttribute(name, value.replace(/&/g, '&amp;').replace(/</g, '&lt;'));
  }
}

/** Before a mark's name: it stands for the thing of this name, as do other marks in other figures. */
export const LINK = 'link:';

/** Names that link marks become attributes that a page's script looks for. */
function moveLinks(root: Element): void {
  for (const element of root.querySelectorAll(`[aria-label^="${LINK}"]`)) {
    const link = element.getAttribute('aria-label')!.slice(LINK.length);
    element.setAttribute('data-link', link);
    element.setAttribute('aria-label', link);
  }
}

/** Draws the figure and writes it as an SVG document: the same spec gives the same text, and no element has an id. */
export function composeFigure(spec: FigureSpec): string {
  const width = spec.width ?? DEFAULT_WIDTH;
  const sheet = new Sheet(width);
  sheet.add(sheet.root, 'title', {}, spec.title);
  sheet.add(sheet.root, 'desc', {}, spec.description);
  const style = sheet.add(sheet.root, 'style', {}, figureCss());
  const background = sheet.add(sheet.root, 'rect', { class: 'background', width: '100%', height: '100%', fill: color.paper });
  sheet.lines('title', spec.title, TITLE_SIZE);
  if (spec.subtitle !== undefined) sheet.lines('subtitle', spec.subtitle, TEXT_SIZE);
  sheet.cursor += 2;
  if (spec.legend !== undefined && spec.legend.length > 0) sheet.legend(spec.legend);
  for (const row of spec.rows) {
    let x = 0;
    for (const panel of row) { sheet.panel(panel, x); x += panel.plot.width; }
    sheet.cursor += Math.max(...row.map((panel) => panel.plot.height + headingHeight(panel)));
  }
  const height = Math.ceil(sheet.cursor + PADDING);
  background.setAttribute('height', String(height));
  background.setAttribute('width', String(width));
  const attributes = { xmlns: SVG, class: 'thalweg-figure', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', style: 'max-width:100%;height:auto' };
  for (const [key, value] of Object.entries(attributes)) sheet.root.setAttribute(key, String(value));
  moveLinks(sheet.root);
  roundGeometry(sheet.root);
  escapeAttributes(sheet.root);
  style.textContent += rampCss(sheet.root.outerHTML, '.thalweg-figure');
  return sheet.root.outerHTML;
}
