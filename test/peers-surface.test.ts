/** The surface of a report in a browser: what it reads under the pointer is the loss of that place, also after it was turned. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { planeContour, reportPage } from '../src/charts/index.ts';

const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'].find((file) => file !== undefined && existsSync(file));
if (executablePath === undefined) process.stderr.write('\n!!! No Chromium: the surface of reports is NOT tested. Install it (apt-get install chromium), or name one in CHROMIUM_PATH.\n\n');

// Neither grid nor f are symmetric: rows that are read as columns give another loss.
const x = Array.from({ length: 9 }, (_, i) => -2 + 0.5 * i);
const y = Array.from({ length: 11 }, (_, i) => -1 + 0.25 * i);
const f = (a: number, b: number): number => 3 + a + 10 * b * b;
const hole = (row: number, column: number): boolean => row === 10 && column === 0;
const loss = y.map((b, row) => x.map((a, column) => (hole(row, column) ? NaN : f(a, b))));
const standardError = loss.map((row) => row.map((value) => value / 100));

describe.skipIf(executablePath === undefined)('a surface that readers turn', () => {
  test('reads the loss of the place under the pointer, from every side', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'thalweg-surface-'));
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'] });
    try {
      const file = path.join(folder, 'report.html');
      writeFileSync(file, reportPage({
        title: 'surface', provenance: {}, summary: [],
        sections: [{ id: 'plane', heading: 'plane', text: '', surface: { plane: 'plane', caption: 'f', x, y, grids: [{ name: 'train', loss, standardError }] }, figures: [{ svg: planeContour({ x, y, loss }), caption: 'f', plane: 'plane' }] }],
      }));
      const page = await browser.newPage();
      await page.goto(pathToFileURL(file).href);
      const surface = page.locator('figure.surface');
      const canvas = surface.locator('canvas');
      await expect.poll(() => surface.getAttribute('data-state')).toBe('live');
      await canvas.scrollIntoViewIfNeeded();
      const box = (await canvas.boundingBox())!;

      /** What is read at places across the canvas; each must be the loss of a sample, with its error. */
      const readings = async (): Promise<Map<string, string>> => {
        const found = new Map<string, string>();
        for (const across of [0.35, 0.45, 0.55, 0.65]) {
          for (const down of [0.45, 0.6, 0.75]) {
            await page.mouse.move(box.x + across * box.width, box.y + down * box.height);
            const text = (await surface.locator('.surface-reading').textContent())!;
            const [, a, b, value, error] = /^\((-?\d+\.\d+), (-?\d+\.\d+)\): (\d+\.?\d*) ± (\d+\.?\d*)$/.exec(text) ?? [];
            if (value === undefined) continue; // Beside the surface.
            const nearest = (values: readonly number[], at: number): number => values.find((each) => each.toFixed(2) === at.toFixed(2))!;
            const wanted = f(nearest(x, Number(a)), nearest(y, Number(b)));
            expect(Number(value), text).toBeCloseTo(wanted, 2);
            expect(Number(error) / (wanted / 100), text).toBeCloseTo(1, 1);
            expect(await page.locator('[data-plane] .crosshair[d]').count()).toBe(1);
            found.set(`${across} ${down}`, `${a}, ${b}`);
          }
        }
        return found;
      };
      const front = await readings();
      expect(new Set(front.values()).size).toBeGreaterThan(4);
      await canvas.focus();
      for (let i = 0; i < 13; i++) await page.keyboard.press('ArrowRight');
      const turned = await readings();
      expect(new Set(turned.values()).size).toBeGreaterThan(4);
      expect([...turned]).not.toEqual([...front]);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
