/** The gallery opened from disk in headless Chromium, as a reader would: search, filters, pages, formulas, widths. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadedFixture, type Fixture } from '../../src/atlas/gallery/fixtures.test-helper.ts';
import { writeGallery } from '../../src/atlas/gallery/index.node.ts';
import { executablePath, flags, noticeWithoutChromium } from './chromium.ts';

noticeWithoutChromium('The tests of the gallery in a browser');

const fixtures: Fixture[] = [
  { topic: 'landscape', id: 'connectivity', title: 'Landscaping connectivity', authors: ['Emmy Noether', 'Ada Example'], year: 2024 },
  { topic: 'landscape', id: 'teachers', title: 'Random teachers', year: 2023, method: 'A student follows a teacher that was never trained; distillation alone.' },
  { topic: 'curvature', id: 'hessian', title: 'Spectra of the Hessian', authors: ['Léon Example'], year: 2017, presets: ['quick'], method: `A long formula, $${Array.from({ length: 12 }, (_, i) => `\\frac{a_{${i}}}{b_{${i}}}`).join('')}$, and $$\\sum_{i=1}^{N} ${Array.from({ length: 20 }, (_, i) => `x_{${i}}`).join(' + ')}.$$` },
  { topic: 'dynamics', id: 'catapult', title: 'Catapults and a-very-long-word-without-any-place-where-a-line-could-be-broken-in-two', year: 2020, presets: [] },
];

describe.skipIf(executablePath === undefined)('the gallery', () => {
  let folder = '';
  let browser: Browser;
  let tab: Page;
  let said: string[] = [];
  let requested: string[] = [];
  const address = (name: string): string => new URL(name, `${pathToFileURL(path.join(folder, 'site')).href}/`).href;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'thalweg-gallery-page-'));
    await writeGallery({ entries: fixtures.map((fixture) => loadedFixture(fixture, folder)), out: path.join(folder, 'site') });
    browser = await chromium.launch({ executablePath, args: flags });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    [said, requested] = [[], []];
    tab.on('console', (message) => { said.push(message.text()); });
    tab.on('pageerror', (error) => { said.push(error.message); });
    tab.on('requestfailed', (request) => { said.push(`failed: ${request.url()}`); });
    tab.on('request', (request) => { requested.push(request.url()); });
  });
  afterEach(async () => {
    await tab.close();
    expect(said, 'said on the console').toEqual([]);
    expect(requested.filter((url) => !url.startsWith(address('')) && !url.startsWith('data:')), 'requests that leave the folder').toEqual([]);
  });

  const shown = (): Promise<string[]> => tab.locator('.card h3').allTextContents();

  test('finds words, marks them, and says where else they stand', async () => {
    await tab.goto(address('index.html'));
    expect(await shown()).toHaveLength(4);
    expect(await tab.locator('.group').count()).toBe(3);
    await tab.keyboard.press('/');
    await tab.keyboard.type('hessian');
    expect(await shown()).toEqual(['Spectra of the Hessian']);
    expect(await tab.locator('.card mark').allTextContents()).toEqual(['Hessian']);
    expect(await tab.locator('#count').textContent()).toBe('1 of 4 papers');
    await tab.fill('[name=q]', 'distillation');
    expect(await tab.locator('.excerpt:visible').textContent()).toContain('distillation alone');
    expect(await tab.locator('.excerpt mark').textContent()).toBe('distillation');
    await tab.fill('[name=q]', '');
    expect(await tab.locator('mark').count()).toBe(0);
    expect(await shown()).toHaveLength(4);
  });

  test('filters combine with each other and with the search, and stand in the address', async () => {
    await tab.goto(address('index.html'));
    await tab.check('[name=topic][value=landscape]');
    expect((await shown()).sort()).toEqual(['Landscaping connectivity', 'Random teachers']);
    await tab.selectOption('[name=author]', 'Emmy Noether');
    expect(await shown()).toEqual(['Landscaping connectivity']);
    expect(new URL(tab.url()).hash).toBe('#topic=landscape&author=Emmy+Noether');
    await tab.fill('[name=q]', 'teachers');
    expect(await shown()).toEqual([]);
    expect(await tab.locator('#nothing').textContent()).toContain('No paper matches “teachers” with landscape with Emmy Noether.');
    await tab.click('#nothing-clear');
    expect(await shown()).toHaveLength(4);
    await tab.selectOption('[name=sort]', 'newest');
    expect((await shown())[0]).toBe('Landscaping connectivity');
  });

  test('an address with a question opens so, and going back returns to it', async () => {
    await tab.goto(address('index.html#q=random&topic=landscape&sort=title'));
    expect(await shown()).toEqual(['Random teachers']);
    expect(await tab.inputValue('[name=q]')).toBe('random');
    await tab.click('.card h3 a');
    await tab.waitForURL('**/landscape/teachers.html');
    expect(await tab.locator('h1').textContent()).toBe('Random teachers');
    await tab.goBack();
    expect(await shown()).toEqual(['Random teachers']);
    await tab.goto(address('landscape/connectivity.html'));
    await tab.click('.authors a >> text=Ada Example');
    await tab.waitForURL('**/index.html#author=Ada+Example');
    expect((await shown()).sort()).toEqual(['Catapults and a-very-long-word-without-any-place-where-a-line-could-be-broken-in-two', 'Landscaping connectivity', 'Random teachers']);
  });

  test('a misspelt word is forgiven, and nothing found offers a way out', async () => {
    await tab.goto(address('index.html#q=hessain'));
    expect(await shown()).toEqual(['Spectra of the Hessian']);
    await tab.fill('[name=q]', 'hessian qqqqqqqq');
    expect(await tab.locator('#nothing').isVisible()).toBe(true);
  });

  test('cards and filters are reached by the keyboard', async () => {
    await tab.goto(address('index.html'));
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      await tab.keyboard.press('Tab');
      seen.add(await tab.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.getAttribute('name') ?? document.activeElement?.closest('.card')?.getAttribute('data-path') ?? ''}`));
    }
    for (const stop of ['INPUT q', 'INPUT topic', 'SELECT author', 'SELECT year', 'SELECT verdict', 'SELECT sort', 'A curvature/hessian', 'A landscape/teachers']) expect([...seen]).toContain(stop);
  });

  test('formulas are set in their own fonts, with MathML beside them', async () => {
    await tab.goto(address('landscape/connectivity.html'));
    await tab.evaluate(() => document.fonts.ready);
    expect(await tab.locator('.katex-html').count()).toBeGreaterThan(5);
    expect(await tab.locator('.katex-mathml math').count()).toBeGreaterThan(5);
    expect(await tab.evaluate(() => [...document.fonts].filter((font) => font.status === 'loaded').map((font) => font.family))).toContain('KaTeX_Math');
    expect(await tab.locator('.claim').first().locator('.strip circle').count()).toBe(5);
    expect(await tab.locator('figure svg:visible').first().isVisible()).toBe(true);
  });

  test.each([360, 390, 1280])('nothing is wider than a page of %i pixels, on light and dark screens', async (width) => {
    await tab.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme });
      for (const name of ['index.html', 'index.html#q=zzzz', ...fixtures.map(({ topic, id }) => `${topic}/${id}.html`)]) {
        await tab.goto(address(name));
        await tab.evaluate(() => document.fonts.ready);
        // On a busy machine the layout settles a little after the fonts.
        await expect.poll(() => tab.evaluate(() => document.documentElement.scrollWidth), { message: `${name} at ${width}`, timeout: 10_000 }).toBeLessThanOrEqual(width);
      }
      await expect.poll(() => tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), { timeout: 10_000 }).toBe(colorScheme === 'light' ? 'rgb(251, 250, 247)' : 'rgb(17, 21, 27)');
    }
  });

  test('on a phone the panels of a figure stand below each other', async () => {
    const visible = async (width: number): Promise<(string | null)[]> => {
      await tab.setViewportSize({ width, height: 800 });
      await tab.goto(address('landscape/connectivity.html'));
      return tab.locator('.plate:visible').evaluateAll((plates) => plates.map((plate) => plate.querySelector('svg')!.getAttribute('viewBox')!.split(' ')[2]));
    };
    expect(await visible(1280)).toEqual(['860']);
    expect(await visible(390)).toEqual(['430']);
  });
});
