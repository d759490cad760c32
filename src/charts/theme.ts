/** Colours, type sizes and the style sheet of every figure: the only place that knows them. @module */

/**
 * Colours by role, as CSS variables, so that one figure fits a light and a dark page. The hues are those of Okabe and Ito,
 * *Color Universal Design* (2008), told apart by colour-blind readers; series differ by dash or shape as well.
 */
export const color = {
  ink: 'var(--thalweg-ink)',
  muted: 'var(--thalweg-muted)',
  grid: 'var(--thalweg-grid)',
  paper: 'var(--thalweg-paper)',
  train: 'var(--thalweg-blue)',
  test: 'var(--thalweg-vermillion)',
  estimate: 'var(--thalweg-blue)',
  marker: 'var(--thalweg-vermillion)',
  second: 'var(--thalweg-green)',
} as const;

/** Sequential scheme of heatmaps: perceptually uniform, monotone in lightness, the same on light and dark pages. */
export const HEATMAP_SCHEME = 'viridis';

/** Text sizes in pixels of a 640-pixel figure; on a phone, where the figure is scaled down, text grows by `PHONE_GROWTH`. */
export const TEXT_SIZE = 13;
export const TITLE_SIZE = 16;
export const PHONE_GROWTH = 18 / 13;
/** Mean width of a character of a sans-serif face, in ems, on the generous side. */
const CHARACTER_WIDTH = 0.6;

export const FONT_STACK = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** For pages that are read: the report's and the gallery's text. */
export const SERIF_STACK = 'Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", "Palatino Linotype", Georgia, serif';

/** Space to reserve for a line of text, in pixels, at its phone size. */
export const textWidth = (text: string, size = TEXT_SIZE): number => [...text].length * CHARACTER_WIDTH * size * PHONE_GROWTH;

const LIGHT = {
  ink: '#1d2430', muted: '#5c6675', grid: '#dfe3e9', paper: '#ffffff', blue: '#0068a8', vermillion: '#c94f00', green: '#00805c',
} as const;
const DARK: Readonly<Record<keyof typeof LIGHT, string>> = {
  ink: '#e6e9ef', muted: '#a2abb9', grid: '#333b48', paper: '#161b23', blue: '#5fb4ee', vermillion: '#ff8f4d', green: '#36c79c',
};

const declarations = (colors: Readonly<Record<string, string>>): string =>
  Object.entries(colors).map(([name, value]) => `--thalweg-${name}:${value}`).join(';');

/** Declarations for light screens and dark ones; print is always light. */
export const themedCss = (selector: string, light: string, dark: string): string =>
  `${selector}{${light}}@media screen and (prefers-color-scheme:dark){${selector}{${dark}}}`;

/** CSS that defines the colour variables on `selector`. */
export const themeCss = (selector: string): string => themedCss(selector, declarations(LIGHT), declarations(DARK));

/** The style sheet inside each figure, so that an SVG file also stands alone. */
export const figureCss = (): string => [
  themeCss('.thalweg-figure'),
  `.thalweg-figure{font:${TEXT_SIZE}px ${FONT_STACK};color:var(--thalweg-ink);fill:currentColor}`,
  `.thalweg-figure text,.thalweg-figure tspan{white-space:pre}`,
  `.thalweg-figure .title{font-size:${TITLE_SIZE}px;font-weight:600}`,
  `.thalweg-figure .subtitle,.thalweg-figure .legend{fill:var(--thalweg-muted)}`,
  `.thalweg-figure .heading{font-weight:600}`,
  `@media screen and (max-width:520px){.thalweg-figure{font-size:${Math.round(TEXT_SIZE * PHONE_GROWTH)}px}`
    + `.thalweg-figure .title{font-size:${Math.round(TITLE_SIZE * PHONE_GROWTH)}px}}`,
].join('');
