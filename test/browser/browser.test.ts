/** The same compiled functions in headless Chromium, in Node and by the reference: one engine everywhere. */
import { chromium, type Browser } from 'playwright-core';
import { nodeExecutor } from 'thalweg/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceExecutor } from '../../src/runtime/reference.ts';
import { executablePath, flags, notice, noticeWithoutChromium } from './chromium.ts';
import type { Page, PageOptions, PageReport } from './page.ts';
import { runPrograms, type Results } from './programs.ts';
import { bundle, serve, type Bundle } from './site.ts';

noticeWithoutChromium('The browser tests');

/** Programs whose results differ by more than 1e-5 of the largest number of the same leaf. */
function apart(results: Results, expected: Results): string[] {
  return Object.entries(expected).flatMap(([program, leaves]) => {
    const difference = Math.max(...leaves.map((leaf, i) => {
      const other = results[program]?.[i] ?? [];
      return other.length === leaf.length ? Math.max(...leaf.map((value, j) => Math.abs(value - other[j]))) / Math.max(...leaf.map(Math.abs)) : NaN;
    }));
    return difference < 1e-5 ? [] : [`${program}: relative difference ${difference}`];
  });
}

let page: Bundle;
let reference: Results;
let node: Results;
beforeAll(async () => {
  page = await bundle('test/browser/page.ts');
  reference = await runPrograms(referenceExecutor);
  node = await runPrograms(nodeExecutor());
});

test('the bundle for a page is whole, and imports nothing of Node', () => {
  expect(page.sources).toContain('src/runtime/web.ts');
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

describe.skipIf(executablePath === undefined)('Chromium', () => {
  let browser: Browser;
  beforeAll(async () => { browser = await chromium.launch({ executablePath, args: flags }); });
  afterAll(async () => { await browser?.close(); });

  /** Opens the page, runs the programs in it and closes it; undefined where a GPU is asked for and there is none. */
  async function visit(isolated: boolean, options: PageOptions) {
    const site = await serve(page.script, { isolated });
    const tab = await browser.newPage();
    const said: string[] = [];
    tab.on('console', (message) => { said.push(message.text()); });
    tab.on('pageerror', (error) => { said.push(error.message); });
    try {
      await tab.goto(site.address);
      if (options.provider === 'webgpu' && !await tab.evaluate(() => (globalThis as unknown as { page: Page }).page.hasGpu())) return undefined;
      const report: PageReport = await tab.evaluate((given) => (globalThis as unknown as { page: Page }).page.report(given), options);
      return { report, said, requested: site.requested, workers: tab.workers().length };
    } finally {
      await tab.close();
      await site.close();
    }
  }

  test.each([
    { what: 'an isolated page, on two threads', isolated: true, folder: 'ort/', threads: 2, files: ['/ort/ort-wasm-simd-threaded.mjs', '/ort/ort-wasm-simd-threaded.wasm'] },
    { what: 'any other page, on one thread', isolated: false, folder: 'ort/', threads: 1, files: ['/ort/ort-wasm-simd-threaded.mjs', '/ort/ort-wasm-simd-threaded.wasm'] },
    { what: 'an isolated page without paths', isolated: true, folder: undefined, threads: 2, files: ['/ort-wasm-simd-threaded.mjs', '/ort-wasm-simd-threaded.wasm'] },
    { what: 'any other page without paths', isolated: false, folder: undefined, threads: 1, files: ['/ort-wasm-simd-threaded.wasm'] },
  ])('$what', async ({ isolated, folder, threads, files }) => {
    const visited = await visit(isolated, { folder });
    const { report, said, requested, workers } = visited!;
    expect(said).toEqual([]);
    expect(report).toMatchObject({ executor: 'onnxruntime-web (wasm)', isolated, threads });
    expect(workers).toBe(threads - 1);
    expect(apart(report.results, reference), 'page against reference').toEqual([]);
    expect(apart(report.results, node), 'page against Node').toEqual([]);
    expect([...new Set(requested)].filter((name) => name.includes('ort-')).sort()).toEqual(files);
    // A thread that started from the page's script would run the page once more.
    expect(requested.filter((name) => name === '/page.js')).toHaveLength(1);
  }, 60_000);

  test('WebGPU', async (context) => {
    // Two programs: a GPU played by the processor is slow.
    const only = ['Hessian-vector product, whole', 'gradient of a convolutional network'];
    const visited = await visit(true, { folder: 'ort/', provider: 'webgpu', only });
    if (visited === undefined) {
      notice('The test of WebGPU is SKIPPED: this Chromium offers no adapter.');
      return context.skip();
    }
    expect(visited.report.executor).toBe('onnxruntime-web (webgpu)');
    expect(apart(visited.report.results, Object.fromEntries(only.map((name) => [name, reference[name]]))), 'page against reference').toEqual([]);
    expect([...new Set(visited.requested)].filter((name) => name.includes('ort-')).sort()).toEqual(
      ['/ort/ort-wasm-simd-threaded.asyncify.mjs', '/ort/ort-wasm-simd-threaded.asyncify.wasm']);
  }, 120_000);
});
