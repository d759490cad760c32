import { expect, test } from 'vitest';
import { rampColor, rampCss } from './ramp.ts';

const places = Array.from({ length: 25 }, (_, i) => i / 24);
const css = rampCss(places.map(rampColor).join(' '), '.figure');
/** Colours of light pages, then of dark ones. */
const [light, dark] = css.split('@media').map((part) => [...part.matchAll(/--thalweg-ramp-\d+:(#[\da-f]{6})/g)].map(([, paint]) => paint));

/** Relative luminance and contrast of WCAG 2.2. */
const luminance = (hex: string): number => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
  const value = parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16) / 255;
  return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
}, 0);
const contrast = (a: string, b: string): number => ((Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05));

test('every colour of a sweep stands out from the page, light or dark', () => {
  expect([light.length, dark.length]).toEqual([25, 25]);
  for (const paint of light) expect(contrast(paint, '#ffffff')).toBeGreaterThan(3);
  for (const paint of dark) expect(contrast(paint, '#161b23')).toBeGreaterThan(3);
});

test('the order is that of lightness, and all steps differ', () => {
  for (const paints of [light, dark]) {
    expect(new Set(paints).size).toBe(25);
    paints.slice(1).forEach((paint, i) => { expect(luminance(paint)).toBeGreaterThan(luminance(paints[i])); });
  }
});

test('only what a figure names is declared; places beyond are the ends', () => {
  expect(rampCss('no sweep', '.figure')).toBe('');
  expect(rampCss(rampColor(0.5), '.figure').match(/ramp-/g)).toHaveLength(2);
  expect([rampColor(-1), rampColor(2)]).toEqual([rampColor(0), rampColor(1)]);
});
