/** The whole site: what is in it, that links lead somewhere, that it is the same each time. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyOutcome, loadedFixture, type Fixture } from './fixtures.test-helper.ts';
import { writeGallery } from './index.node.ts';
import { lineUsing, sourceHtml } from './source-code.ts';

const hostile = '</script><script>alert("1")</script> & \'quoted\' <b>';
const fixtures: Fixture[] = [
  { topic: 'landscape', id: 'connectivity', title: 'Landscaping connectivity', related: ['curvature/hessian'] },
  { topic: 'curvature', id: 'hessian', title: 'Spectra of $H$', presets: ['quick'], authors: ['Léon Example', 'and others'] },
  { topic: 'games', id: 'hostile', title: hostile, authors: [hostile], question: `${hostile}?`, method: hostile, built: [{ name: 'x<y', from: 'thalweg/<b>', what: hostile }], claims: [{ ...everyOutcome[0], text: hostile, source: hostile }] },
  { topic: 'games', id: 'not-run', presets: [] },
];

let folder = '';
const site = (name = 'site'): string => join(folder, name);
const read = (name: string): string => readFileSync(join(site(), name), 'utf8');
const files = (name: string): string[] => readdirSync(site(name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(site(name), join(entry.parentPath, entry.name))).sort();
const documentOf = (name: string): Document => parseHTML(read(name)).document as unknown as Document;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-gallery-'));
  expect(await writeGallery({ entries: fixtures.map((fixture) => loadedFixture(fixture, folder)), out: site() })).toEqual({ pages: 5 });
}, 60_000);
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const pages = ['index.html', 'landscape/connectivity.html', 'curvature/hessian.html', 'games/hostile.html', 'games/not-run.html'];

describe.each(pages)('%s', (name) => {
  test('refers to nothing but files of the folder, places in pages, and arXiv', () => {
    const page = documentOf(name);
    const addresses = [...page.querySelectorAll('[href], [src]')].map((element) => element.getAttribute('href') ?? element.getAttribute('src') ?? '');
    expect(addresses.length).toBeGreaterThan(5);
    for (const address of addresses) {
      if (address.startsWith('https://arxiv.org/abs/')) continue;
      expect(address).not.toMatch(/^[a-z]+:|^\//);
      const [file, hash] = address.split('#');
      const target = file === '' ? name : normalize(join(dirname(name), file));
      expect(existsSync(join(site(), target)), `${name}: ${address}`).toBe(true);
      // What follows `#` on the first page is what is asked of it; elsewhere it is a place.
      if (hash !== undefined && target !== 'index.html') expect(documentOf(target).getElementById(hash), `${name}: ${address}`).not.toBeNull();
    }
  });

  test('has one first heading, no heading that skips a level, distinct ids, and names for its pictures', () => {
    const page = documentOf(name);
    const levels = [...page.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.forEach((level, i) => expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1));
    const ids = [...page.querySelectorAll('[id]')].map((element) => element.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const image of page.querySelectorAll('img')) expect(image.getAttribute('alt')).toMatch(/\w/);
    expect(page.documentElement.getAttribute('lang')).toBe('en');
  });

  test('escapes what entries say', () => {
    expect(read(name)).not.toMatch(/<script>alert|<b>'?$/);
    expect([...documentOf(name).querySelectorAll('script')].filter((script) => script.getAttribute('src') === null && script.getAttribute('type') !== 'application/json')).toEqual([]);
  });
});

test('an entry shows question, formulas, verdicts, comparisons, pieces, commands and its program', () => {
  const page = documentOf('landscape/connectivity.html');
  const text = page.body.textContent ?? '';
  expect(page.querySelectorAll('.katex').length).toBeGreaterThan(8);
  const claims = [...page.querySelectorAll('.claim')].map((claim) => claim.querySelector('.badge')?.textContent);
  expect(claims).toEqual(['✓holds', '≈holds with deviation', '✕fails, as documented', '✕fails', '✓holds']);
  expect(text).toContain('1.870 ± 0.020');
  expect(text).toContain('holds for the control as well: share explained by chance');
  expect(text).toContain('thalweg atlas run landscape/connectivity --preset full');
  expect(page.querySelector('.built a')?.getAttribute('href')).toBe('#L5');
  expect(page.querySelector('#L5')?.textContent).toContain('linearBarrier(a, b)');
  expect(page.querySelectorAll('.strip').length).toBe(everyOutcome.reduce((sum, claim) => sum + claim.checks(undefined).length + claim.controls(undefined).length, 0));
  expect(page.querySelector('.related a')?.getAttribute('href')).toBe('../curvature/hessian.html');
  expect(page.querySelector('a[rel=prev]')?.getAttribute('href')).toBe('../games/not-run.html');
});

test('a claim is shown at the larger size that tested it; one that needs another size says so', () => {
  expect(documentOf('curvature/hessian.html').querySelector('#only-full')?.textContent).toContain('needs the full size');
  expect(documentOf('games/not-run.html').querySelector('.badges')?.textContent).toContain('5 not tested yet');
  expect(documentOf('landscape/connectivity.html').querySelector('#only-full .outcome')?.textContent).toContain('holds');
});

test('the list has a card and search data for each paper, and style sheets need no network', () => {
  const page = documentOf('index.html');
  expect([...page.querySelectorAll('.card')].map((card) => card.getAttribute('data-path'))).toEqual(['curvature/hessian', 'games/hostile', 'games/not-run', 'landscape/connectivity']);
  const data = JSON.parse(page.querySelector('#papers-data')!.textContent ?? '') as { path: string; title: string; verdicts: string[] }[];
  expect(data[0].title).toBe('Spectra of H');
  expect(data[3].verdicts).toEqual(['holds', 'deviation', 'fails']);
  const styles = ['gallery.css', 'katex.css'].map((name) => read(`assets/${name}`)).join('');
  const files = [...styles.matchAll(/url\(([^)]+)\)/g)].map(([, address]) => address);
  expect(files.length).toBeGreaterThan(15);
  for (const file of files) expect(existsSync(join(site(), 'assets', file)), file).toBe(true);
});

test('the same entries in another order make the same bytes', async () => {
  await writeGallery({ entries: [...fixtures].reverse().map((fixture) => loadedFixture(fixture, folder)), out: site('again') });
  expect(files('again')).toEqual(files('site'));
  for (const name of files('site')) expect(readFileSync(join(site('again'), name)).equals(readFileSync(join(site(), name))), name).toBe(true);
}, 60_000);

test('a formula that cannot be read stops it before anything is written', async () => {
  const broken = loadedFixture({ topic: 'kernels', id: 'broken', method: 'By $\\frac{a}$.' }, folder);
  await expect(writeGallery({ entries: [broken], out: site('broken') })).rejects.toThrow(/gallery, kernels\/broken, method: formulas must be TeX that KaTeX reads, got \$\\frac\{a\}\$/);
  expect(existsSync(site('broken'))).toBe(false);
});

test('source is escaped, coloured by kind and numbered', () => {
  const html = sourceHtml("/* a\n b */\nconst x = 'if <b>'; // 1\nreturn `a\n${x}` + 0.5e3;\n");
  expect(html.match(/class="line"/g)).toHaveLength(5);
  expect(html).toContain('<span class="comment">/* a</span>');
  expect(html).toContain('<span class="comment"> b */</span>');
  expect(html).toContain('<span class="keyword">const</span> x = <span class="string">&#39;if &lt;b&gt;&#39;</span>; <span class="comment">// 1</span>');
  expect(html).toContain('<span class="number">0.5e3</span>');
  expect(lineUsing("import { f } from 'x';\nconst g = f(1);\n", 'f')).toBe(2);
  expect(lineUsing('nothing', 'f')).toBeUndefined();
});
