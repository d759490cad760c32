/** Finished figures laid out anew for less room: one panel for a card, panels below each other for a phone. @module */
import { DOMParser } from 'linkedom/worker';
import { LEGEND_GAP, LINE, PADDING, wrap } from './figure.ts';
import { TEXT_SIZE, textWidth, TITLE_SIZE, PHONE_GROWTH } from './theme.ts';

/** Room of a heading above its panel, as `composeFigure` leaves it. */
const HEADING = TEXT_SIZE * (LINE + 0.6);

/** Between panels below each other: an axis' label and the next heading must not meet. */
const BETWEEN = 10;

const numberOf = (element: Element, name: string): number => Number(element.getAttribute(name));
const place = (element: Element, attributes: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(Math.round(value * 100) / 100));
};

/** The figure's root, its panels in reading order, and the headings above them. */
function partsOf(svg: string): { readonly root: Element; readonly panels: readonly Element[]; readonly headingOf: (panel: Element) => Element | undefined } {
  const root = (new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document).documentElement;
  const headings = [...root.querySelectorAll(':scope > text.heading')];
  const headingOf = (panel: Element): Element | undefined => headings.find((heading) => {
    const [above, right] = [numberOf(panel, 'y') - numberOf(heading, 'y'), numberOf(heading, 'x') - numberOf(panel, 'x')];
    return above >= 0 && above < HEADING && right >= 0 && right < numberOf(panel, 'width');
  });
  return { root, panels: [...root.querySelectorAll(':scope > svg.panel')], headingOf };
}

function setSize(root: Element, x: number, y: number, width: number, height: number): string {
  root.setAttribute('viewBox', [x, y, width, height].map((value) => Math.round(value * 100) / 100).join(' '));
  place(root, { width, height });
  const background = root.querySelector(':scope > rect.background');
  if (background !== null) place(background, { x, y, width, height });
  return root.outerHTML;
}

/**
 * The first panel of a figure with its axes, without the figure's title, legend and other panels, which cannot be read at the
 * size of a card. The title and description for readers who cannot see it stay. A text without panels is returned as it is.
 */
export function figureThumbnail(svg: string): string {
  const { root, panels: [first, ...others], headingOf } = partsOf(svg);
  if (first === undefined) return svg;
  const heading = headingOf(first);
  for (const element of root.querySelectorAll(':scope > text, :scope > g.legend')) if (element !== heading) element.remove();
  for (const panel of others) panel.remove();
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => numberOf(first, name));
  const top = heading === undefined ? y : y - HEADING;
  return setSize(root, x, top, width, y + height - top);
}

/** Lines of one class as they stand, written anew within a width; returns where they end. */
function rewrap(root: Element, className: string, size: number, width: number, top: number): number {
  const lines = [...root.querySelectorAll(`:scope > text.${className}`)];
  if (lines.length === 0) return top;
  const texts = wrap(lines.map((line) => line.textContent ?? '').join(' '), size, width - 2 * PADDING);
  texts.forEach((text, i) => {
    const line = lines[i] ?? root.insertBefore(lines[0].cloneNode(false), lines.at(-1)!.nextSibling) as Element;
    if (lines[i] === undefined) lines.push(line);
    line.textContent = text;
    place(line, { y: top + i * size * LINE + size * PHONE_GROWTH });
  });
  for (const line of lines.slice(texts.length)) line.remove();
  return top + texts.length * size * LINE;
}

/** The items of the legend in rows of a width; returns where they end. */
function reflowLegend(root: Element, width: number, top: number): number {
  const legend = root.querySelector(':scope > g.legend');
  if (legend === null) return top;
  const rowHeight = TEXT_SIZE * LINE + 2;
  let [x, y] = [PADDING, top];
  for (const text of [...legend.querySelectorAll('text')]) {
    const swatch = text.previousElementSibling!;
    const extent = LEGEND_GAP + 2 + textWidth(text.textContent ?? '') + 10;
    if (x > PADDING && x + extent > width) [x, y] = [PADDING, y + rowHeight];
    const move = `translate(${Math.round(100 * (x + LEGEND_GAP - numberOf(text, 'x'))) / 100},${Math.round(100 * (y + rowHeight / 2 - numberOf(text, 'y'))) / 100})`;
    for (const part of [swatch, text]) part.setAttribute('transform', move);
    x += extent;
  }
  return y + rowHeight + 4;
}

/**
 * A figure with panels side by side, with the panels below each other instead, title and legend broken for the smaller width: on a
 * phone its text is as large as that of a figure of one column. Undefined when no panels are side by side.
 */
export function stackedFigure(svg: string): string | undefined {
  const { root, panels, headingOf } = partsOf(svg);
  if (panels.every((panel) => numberOf(panel, 'x') === 0)) return undefined;
  const width = Math.max(...panels.map((panel) => numberOf(panel, 'width')));
  let bottom = rewrap(root, 'title', TITLE_SIZE, width, PADDING);
  bottom = reflowLegend(root, width, rewrap(root, 'subtitle', TEXT_SIZE, width, bottom) + 2);
  const headings = panels.map(headingOf);
  panels.forEach((panel, i) => {
    const heading = headings[i];
    if (heading !== undefined) {
      bottom += HEADING;
      place(heading, { x: PADDING, y: bottom - 0.45 * TEXT_SIZE * PHONE_GROWTH });
    }
    place(panel, { x: 0, y: bottom });
    bottom += numberOf(panel, 'height') + BETWEEN;
  });
  return setSize(root, 0, 0, width, Math.ceil(bottom - BETWEEN + PADDING));
}
