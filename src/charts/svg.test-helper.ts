/** Reads figures back for tests: elements by the mark they belong to, axes as functions from pixels to values. @module */
import { DOMParser } from 'linkedom/worker';

/** The figure as a document; throws when it is not well formed. */
export const parseFigure = (svg: string): Document => new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document;

/** Elements of the mark described as `description`, or labelled so by Plot. */
export function elementsOf(svg: Document, description: string, selector: string): Element[] {
  return [...svg.querySelectorAll(`g[aria-description="${description}"] ${selector}, g[aria-label="${description}"] ${selector}`)];
}

export const numberOf = (element: Element, name: string): number => Number(element.getAttribute(name));

/** Positions of the ticks of an axis with their labels, from the first panel unless told. */
export function axisTicks(svg: Document, axis: 'x' | 'y', panel = 0): { label: string; at: number }[] {
  const groups = [...svg.querySelectorAll('svg.panel')][panel].querySelectorAll(`g[aria-label="${axis}-axis tick label"] text`);
  return [...groups].map((text) => {
    const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(text.getAttribute('transform') ?? '') ?? [];
    return { label: text.textContent ?? '', at: Number(axis === 'x' ? x : y) };
  });
}

/** The value at a pixel of a linear axis, from its first and last tick. */
export function linearAxis(svg: Document, axis: 'x' | 'y', panel = 0): (pixel: number) => number {
  const ticks = axisTicks(svg, axis, panel).map(({ label, at }) => ({ value: Number(label.replace('−', '-')), at }));
  const first = ticks[0];
  const last = ticks[ticks.length - 1];
  return (pixel) => first.value + ((pixel - first.at) / (last.at - first.at)) * (last.value - first.value);
}

/** Vertices of a path of straight lines. */
export const vertices = (path: Element): [number, number][] =>
  [...(path.getAttribute('d') ?? '').matchAll(/([-\d.]+),([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
