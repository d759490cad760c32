/** Colours of an ordered sweep: viridis in steps, each darker on light pages at its bright end and lighter on dark pages at its dark end. @module */
import { interpolateViridis } from 'd3-scale-chromatic';
import { themedCss } from './theme.ts';

/** Enough that neighbours among as many curves as can be told apart differ. */
const STEPS = 24;
const NAME = '--thalweg-ramp-';

const channels = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
/** Between a colour and black (0) or white (255). */
const towards = (hex: string, end: 0 | 255, share: number): string =>
  `#${channels(hex).map((value) => Math.round(value + (end - value) * share).toString(16).padStart(2, '0')).join('')}`;

const light = (place: number): string => towards(interpolateViridis(0.05 + 0.8 * place), 0, 0.3 * place);
const dark = (place: number): string => towards(interpolateViridis(0.1 + 0.85 * place), 255, 0.4 * (1 - place));

/** The colour at a place between 0 and 1, as a CSS variable; places beyond are the ends. */
export const rampColor = (place: number): string => `var(${NAME}${Math.round(STEPS * Math.min(1, Math.max(0, place)))})`;

/** The rules that a figure needs for the colours of the sweep it names; empty when it names none. */
export function rampCss(svg: string, selector: string): string {
  const used = [...new Set([...svg.matchAll(new RegExp(`${NAME}(\\d+)`, 'g'))].map(([, step]) => Number(step)))].sort((a, b) => a - b);
  if (used.length === 0) return '';
  const declarations = (paint: (place: number) => string): string => used.map((step) => `${NAME}${step}:${paint(step / STEPS)}`).join(';');
  return themedCss(selector, declarations(light), declarations(dark));
}
