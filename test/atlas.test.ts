/** Every entry of the atlas at quick size, by the command as it is installed: each runs, its claims hold or are known to fail, and no verdict is another than the stored one. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { parseRecord, type EntryRecord } from 'thalweg/atlas';
import { entries } from 'thalweg/atlas/entries';
import { describe, expect, test } from 'vitest';
import { checkRegistry, loadEntries, loadRegistry, type SnapshotReport } from '../src/atlas/node.ts';
import { skeleton } from '../scripts/new-entry-text.ts';
import { installedCommand } from './command.ts';

const paths = Object.keys(entries);
// Ten seconds an entry at most on an idle machine; this one may be shared.
const patience = 120_000 + 60_000 * paths.length;

const { run: thalweg, at } = installedCommand('atlas', { without: [] });

interface Result { readonly entry: string; readonly kind: string; readonly message?: string; readonly record?: EntryRecord; readonly snapshot?: SnapshotReport }

describe('the registry', () => {
  test('names every file of the atlas, and each is the entry that its place says', async () => {
    expect(await checkRegistry()).toEqual([]);
    expect(Object.keys(await loadRegistry())).toEqual(paths);
  }, 120_000);
});

describe.runIf(paths.length > 0)('the entries', () => {
  test('have a stored run at full size, with a verdict for each claim', async () => {
    for (const { entry: { id, topic, claims }, records: { full } } of await loadEntries()) {
      expect([topic, id, full?.claims.map((claim) => claim.id)]).toEqual([topic, id, claims.filter(({ only }) => only !== 'quick').map((claim) => claim.id)]);
    }
  }, 120_000);

  test('run at quick size; claims fail only where the entry says so, and no verdict differs from the stored run', async () => {
    const { code, stdout, stderr } = await thalweg(['atlas', 'run', 'all', '--preset', 'quick', '--json', '--out', at('out')]);
    const results = JSON.parse(stdout) as Result[];
    const problems = results.flatMap(({ entry, kind, message = '', record, snapshot }) => [
      ...(kind === 'finished' ? [] : [`${entry}: ${kind} ${message}`]),
      ...(snapshot?.status === 'absent' ? [`${entry}: no quick run is stored; npm start -- atlas run ${entry} --update stores it`] : []),
      ...(record?.claims ?? []).filter(({ verdict, documented }) => verdict === 'fails' && documented !== true).map(({ id, reason = '' }) => `${entry}: ${id} fails (${reason})`),
      ...(snapshot?.changes ?? []).filter(({ kind: what }) => what === 'verdict').map(({ text }) => `${entry}: ${text}`),
    ]);
    // Other processors round otherwise: a value that changed is a notice, a verdict that changed is not.
    for (const { entry, snapshot } of results) for (const { kind, text } of snapshot?.changes ?? []) if (kind !== 'verdict') process.stderr.write(`atlas: ${entry}: ${text}\n`);
    expect(problems, stderr).toEqual([]);
    expect([code, results.map(({ entry }) => entry)]).toEqual([0, paths]);
    for (const path of paths) {
      expect(parseRecord(readFileSync(at('out', `${path}.quick.json`), 'utf8'), path)).toMatchObject({ entry: path, preset: 'quick', seed: 0 });
      expect(readFileSync(at('out', `${path}.quick.svg`), 'utf8')).toContain('<svg');
    }
  }, patience);

  test('are listed, found and shown', async () => {
    const [list, json, found, shown] = await Promise.all([['list'], ['list', '--json'], ['list', '--search', paths[0].split('/')[1].replaceAll('-', ' '), '--json'], ['show', paths[0]]].map((args) => thalweg(['atlas', ...args])));
    expect([list, json, found, shown].map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']));
    for (const path of paths) expect(list.stdout).toContain(path);
    expect((JSON.parse(json.stdout) as { entry: string }[]).map(({ entry }) => entry).sort()).toEqual([...paths].sort());
    expect((JSON.parse(found.stdout) as unknown[]).length).toBeLessThanOrEqual(paths.length);
    for (const heading of [`atlas entry ${paths[0]}`, 'Question', 'Method', 'Claims', 'Built of', 'Run it']) expect(shown.stdout).toContain(heading);
    // Formulas are readable, and the source that is named is there.
    expect(shown.stdout).not.toMatch(/\$|\\[a-z]/);
    const source = /Files\n {2}(.+)/.exec(shown.stdout)![1];
    expect(existsSync(source), source).toBe(true);
  }, 120_000);

  test('are written as a site', async () => {
    const { code, stdout } = await thalweg(['atlas', 'site', '--out', at('site')]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('index.html')]);
    expect(existsSync(at('site', `${paths[0]}.html`))).toBe(true);
  }, 120_000);
});

describe('a command', () => {
  const patient = 120_000;

  test.each([
    [['run', 'no-such-paper'], /no entry of the atlas is named 'no-such-paper'.*\(thalweg atlas list shows all\)/],
    [['run'], /missing required argument 'entries' \(thalweg atlas run --help/],
    [['run', 'all', '--preset', 'slow'], /--preset must be quick or full, got 'slow'/],
    [['run', 'all', '--seed', '1', '--update'], /--update stores runs of seed 0, got --seed 1/],
    [['list', '--topic', 'jokes'], /--topic must be one of architectures, .*got 'jokes'/],
    [['site'], /required option '--out <folder>' not specified/],
  ])('that is mistaken is one line and exit code 2: atlas %j', async (args, message) => {
    const { code, stderr } = await thalweg(['atlas', ...args]);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toMatch(message);
  }, patient);

  // The installed package has the entries in dist/entries alone: a small one is added there.
  test('stores runs, sees what changed, and says so by its exit code', async () => {
    const registry = at('dist', 'entries', 'registry.js');
    writeFileSync(registry, readFileSync(registry, 'utf8').replace(/\};\s*$/, "  'games/small': () => import('./games/small.js'),\n};\n"));
    const entry = ts.transpileModule(skeleton('games', 'small'), { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } }).outputText;
    const measuring = (value: number, control: number): string => entry.replace('measured: exact(NaN)', `measured: exact(${value})`).replace('measured: exact(NaN)', `measured: exact(${control})`);
    const store = (text: string): void => { writeFileSync(at('dist', 'entries', 'games', 'small.js'), text); };
    const small = (...options: string[]) => thalweg(['atlas', 'run', 'small', '--out', at('out'), ...options]);
    mkdirSync(at('dist', 'entries', 'games'), { recursive: true });

    store(entry);
    const unfilled = await small();
    expect([unfilled.code, unfilled.stdout]).toEqual([1, expect.stringContaining('does not hold: TODO: nothing is measured yet')]);
    store(measuring(1, 0));
    const stored = await small('--update', '--twice');
    expect([stored.code, stored.stdout]).toEqual([0, expect.stringContaining('stored: ')]);
    expect((await small()).stdout).not.toContain('differs');
    store(measuring(1, 1));
    const changed = await small();
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain("VERDICT CHANGED: the verdict of to-do is 'fails', it was 'holds'");
    expect(readdirSync(at('dist', 'entries', 'games')).sort()).toEqual(['small.js', 'small.quick.changed.json', 'small.quick.changed.svg', 'small.quick.json', 'small.quick.svg']);
    store(measuring(1, 0));
    expect((await small()).code).toBe(0);
    expect(readdirSync(at('dist', 'entries', 'games'))).toHaveLength(3);
  }, patient);

  test('that is interrupted keeps what had finished, and ends with 130', async () => {
    const file = at('dist', 'entries', 'games', 'small.js');
    writeFileSync(file, readFileSync(file, 'utf8').replace('await progress(', 'for (;;) await progress('));
    let sent = false;
    const { code, stdout, stderr } = await thalweg(['atlas', 'run', 'small', '--out', at('out')], { onOutput: (text, child) => { if (!sent && text.includes('preset quick')) { sent = true; setTimeout(() => child.kill('SIGINT'), 3000); } } });
    expect([code, stdout]).toEqual([130, expect.stringContaining('games/small: interrupted')]);
    expect(stderr).toContain('interrupted: finishing what is at hand');
  }, patient);
});
