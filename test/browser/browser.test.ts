/** The same compiled functions in headless Chromium, in Node and by the reference: one engine everywhere. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { referenceExecutor } from '../../src/runtime/reference.ts';
import { nodeExecutor } from 'thalweg/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageReport } from './page.ts';
import { runPrograms, type Results } from './programs.ts';
import { bundle, serve, type Bundle } from './site.ts';

const candidates = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];
const executablePath = candidates.find((file) => file !== undefined && existsSync(file));
// No sandbox, since containers have none; nothing that reaches for the network.
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

if (executablePath === undefined) {
  process.stderr.write(`\n${'!'.repeat(100)}\nThe browser tests are SKIPPED: no Chromium in ${candidates.slice(1).join(', ')}.\n`
    + `Install it (apt-get install chromium), or name one in CHROMIUM_PATH.\n${'!'.repeat(100)}\n\n`);
}

/** Largest difference of each program's results, relative to the largest number of the same leaf. */
function differences(a: Results, b: Results): [program: string, difference: number][] {
  return Object.keys(b).map((program) => [program, Math.max(...b[program].map((leaf, i) => {
    const other = a[program]?.[i] ?? [];
    const scale = Math.max(...leaf.map(Math.abs));
    return other.length === leaf.length ? Math.max(...leaf.map((value, j) => Math.abs(value - other[j]))) / scale : NaN;
  }))]);
}

const apart = (a: Results, b: Results): string[] =>
  differences(a, b).filter(([, difference]) => !(difference < 1e-5)).map(([program, difference]) => `${program}: relative difference ${difference}`);

describe('the bundle for a page', () => {
  let page: Bundle;
  let reference: Results;
  let node: Results;
  beforeAll(async () => {
    page = await bundle('test/browser/page.ts');
    reference = await runPrograms(referenceExecutor);
    node = await runPrograms(nodeExecutor());
  });

  test('is whole, and imports nothing of Node', () => {
    expect(page.sources).toContain('src/runtime/ort-web.ts');
    expect(page.sources).not.toContain('src/runtime/node.ts');
    expect(page.external).toEqual([]);
  });

  test('the comparison sees a wrong number, a missing leaf and a NaN', () => {
    const right = { f: [[1, 2, 4]], g: [[3]] };
    expect(apart(right, right)).toEqual([]);
    expect(apart({ f: [[1, 2.001, 4]], g: [] }, right)).toHaveLength(2);
    expect(apart({ f: [[1, NaN, 4]], g: [[3]] }, right)).toHaveLength(1);
  });

  test('Node computes what the reference does', () => {
    expect(Object.keys(node)).toEqual(Object.keys(reference));
    for (const leaf of Object.values(reference).flat()) expect(Math.max(...leaf.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(apart(node, reference)).toEqual([]);
  });

  describe.skipIf(executablePath === undefined)('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => { browser = await chromium.launch({ executablePath, args: flags }); });
    afterAll(async () => { await browser?.close(); });

    test.each([
      { what: 'an isolated page, on two threads', isolated: true, folder: 'ort/', threads: 2, files: ['/ort/ort-wasm-simd-threaded.mjs', '/ort/ort-wasm-simd-threaded.wasm'] },
      { what: 'any other page, on one thread', isolated: false, folder: 'ort/', threads: 1, files: ['/ort/ort-wasm-simd-threaded.mjs', '/ort/ort-wasm-simd-threaded.wasm'] },
      { what: 'an isolated page without paths', isolated: true, folder: undefined, threads: 2, files: ['/ort-wasm-simd-threaded.mjs', '/ort-wasm-simd-threaded.wasm'] },
      { what: 'any other page without paths', isolated: false, folder: undefined, threads: 1, files: ['/ort-wasm-simd-threaded.wasm'] },
    ])('$what', async ({ isolated, folder, threads, files }) => {
      const site = await serve(page.script, { isolated });
      const tab = await browser.newPage();
      const said: string[] = [];
      tab.on('console', (message) => { said.push(message.text()); });
      tab.on('pageerror', (error) => { said.push(error.message); });
      try {
        await tab.goto(site.address);
        const report = await tab.evaluate((where) => (globalThis as unknown as { report(folder?: string): Promise<PageReport> }).report(where), folder);
        expect(report).toMatchObject({ executor: 'onnxruntime-web (wasm)', isolated, threads });
        expect(apart(report.results, reference), 'page against reference').toEqual([]);
        expect(apart(report.results, node), 'page against Node').toEqual([]);
        expect([...new Set(site.requested)].filter((name) => name.includes('ort-')).sort()).toEqual(files);
        // A thread that fetched the page's script would run the page once more.
        expect(site.requested.filter((name) => name === '/page.js')).toHaveLength(1);
        expect(said).toEqual([]);
        expect(tab.workers().length).toBe(threads - 1);
      } finally {
        await tab.close();
        await site.close();
      }
    }, 60_000);
  });
});
