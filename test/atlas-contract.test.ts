/** What the atlas refuses: entries that cannot fail, do fail, or are not what was stored, each with a message that says so. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { compareRecords, defineEntry, exact, judge, recordOf, runEntry, type Entry, type EntryRecord } from 'thalweg/atlas';
import { nodeExecutor } from 'thalweg/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRegistry, checkSnapshot, runEntries, writeSnapshot, type EntryOutcome, type HarnessEvent } from '../src/atlas/node.ts';
import { claim, fixture } from './atlas-fixtures.ts';
import { root } from './tree-files.ts';

const location = { registry: pathToFileURL(path.join(root, 'test', 'atlas-fixtures.ts')).href, folder: root };
const executor = nodeExecutor({ threads: 1 });
const figure = '<svg/>';
const recordFor = async (entry: Entry): Promise<EntryRecord> => recordOf(await runEntry(entry, { executor }), executor);

let folder = '';
beforeAll(() => { folder = mkdtempSync(path.join(tmpdir(), 'thalweg-contract-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** The message of an outcome that failed. */
const messageOf = (outcomes: readonly EntryOutcome[], id: string): string => {
  const outcome = outcomes.find(({ entry }) => entry === `dynamics/${id}`)!;
  return outcome.kind === 'failed' ? outcome.message : outcome.kind;
};

describe('a claim', () => {
  test('must be there: an entry without claims cannot fail', () => {
    expect(() => fixture('none', { claims: [] })).toThrow(/claims must have at least one claim: an entry without claims cannot fail, got 0/);
  });

  test('must have a control, and a check', () => {
    expect(() => judge({ ...claim, controls: () => [] }, { value: 2, list: [] })).toThrow(/claim is-large: it must have a control that can fail, got none\.\s+Try: run the case where the cause is missing/);
    expect(() => judge({ ...claim, checks: () => [] }, { value: 2, list: [] })).toThrow(/it must have a check that can fail/);
  });

  test('fails when its control holds too, and when nothing was measured', () => {
    expect(judge({ ...claim, controls: claim.checks }, { value: 2, list: [] })).toMatchObject({ verdict: 'fails', reason: 'holds for the control as well: value' });
    expect(judge(claim, { value: NaN, list: [] })).toMatchObject({ verdict: 'fails', reason: 'does not hold: value' });
  });

  test('of a stored run that is gone is a change of verdict; a new one is not', async () => {
    const before = await recordFor(fixture('holds', { claims: [claim, { ...claim, id: 'second' }] }));
    const now = await recordFor(fixture('holds', { claims: [claim, { ...claim, id: 'third' }] }));
    expect(compareRecords(before, now)).toEqual([
      { kind: 'verdict', claim: 'second', text: "the claim second is gone: it was stored with the verdict 'holds'" },
      { kind: 'claim', claim: 'third', text: "the claim third is new: its verdict is 'holds'" },
    ]);
  });
});

describe('a run', () => {
  const events: HarnessEvent[] = [];
  let outcomes: readonly EntryOutcome[] = [];
  beforeAll(async () => {
    const names = ['throws', 'holds', 'without-claims', 'without-control', 'dies', 'random', 'random-figure', 'not-plain', 'elsewhere'];
    outcomes = await runEntries(names.map((name) => `dynamics/${name}`), { location, twice: true, out: folder, workers: 2, onEvent: (event) => { events.push(event); } });
  }, 120_000);

  test('that throws is reported with what it threw, and the others go on', () => {
    expect(messageOf(outcomes, 'throws')).toBe('the matrix is singular');
    expect(outcomes[0]).toMatchObject({ stack: expect.stringContaining('atlas-fixtures') as string });
    expect(outcomes.find(({ entry }) => entry === 'dynamics/holds')).toMatchObject({ kind: 'finished', record: { seed: 0, preset: 'quick', claims: [{ verdict: 'holds' }], provenance: { executor: expect.stringMatching(/^onnxruntime/) as string } } });
    expect(events.filter(({ kind }) => kind === 'end')).toHaveLength(outcomes.length);
  });

  test('whose thread dies is an error of that entry alone', () => {
    expect(messageOf(outcomes, 'dies')).toBe('its thread ended before the entry did (exit code 7)');
  });

  test('of an entry without claims, or of a claim without a control, says so', () => {
    expect(messageOf(outcomes, 'without-claims')).toContain('an entry without claims cannot fail');
    expect(messageOf(outcomes, 'without-control')).toContain('claim is-large: it must have a control that can fail');
  });

  test('that is not deterministic fails at the first difference, in the result or in the figure', () => {
    expect(messageOf(outcomes, 'random')).toBe('not deterministic: first difference at result.list[1] (2 and 3)');
    expect(messageOf(outcomes, 'random-figure')).toBe('not deterministic: the figure is drawn differently though the results are the same');
  });

  test('must return plain data', () => {
    expect(messageOf(outcomes, 'not-plain')).toContain('result.when must be plain data (numbers, texts, lists, records, typed arrays of numbers), got an instance of Date');
  });

  test('of an entry that says another id than its place says so', () => {
    expect(messageOf(outcomes, 'elsewhere')).toContain('topic and id must be those of the file, dynamics/elsewhere, got dynamics/another-id');
  });

  test('of an entry that is not registered is refused before anything runs', async () => {
    await expect(runEntries(['dynamics/unknown'], { location })).rejects.toThrow("entries must be in the registry, got 'dynamics/unknown'");
  });
});

describe('an interruption', () => {
  test('ends those that run, at their progress or with their threads; what had finished stays, the rest is not begun', async () => {
    const interrupt = new AbortController();
    const seen = new Set<string>();
    const outcomes = await runEntries(['holds', 'endless', 'deaf', 'holds'].map((name) => `dynamics/${name}`), {
      location, workers: 2, grace: 300, signal: interrupt.signal,
      onEvent(event) {
        if (event.kind === 'progress') seen.add(event.entry);
        if (seen.size === 2) interrupt.abort();
      },
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'interrupted', 'interrupted', 'interrupted']);
    expect(outcomes[1].seconds).toBeGreaterThan(0);
    expect(outcomes[3].seconds).toBe(0);
  }, 120_000);
});

describe('the registry', () => {
  const at = (...names: string[]): string => path.join(folder, 'registered', ...names);
  const entryFile = (id: string): string => `export const entry = { topic: 'games', id: '${id}' };\n`;

  test('must name every file, have a file for every name, and agree with what the files say', async () => {
    mkdirSync(at('games'), { recursive: true });
    mkdirSync(at('jokes'), { recursive: true });
    for (const id of ['right', 'forgotten', 'other']) writeFileSync(at('games', `${id}.ts`), entryFile(id === 'other' ? 'wrong' : id));
    writeFileSync(at('games', 'empty.ts'), 'export const nothing = 0;\n');
    writeFileSync(at('jokes', 'one.ts'), entryFile('one'));
    writeFileSync(at('registry.ts'), `export const entries = {${['right', 'other', 'empty'].map((id) => `'games/${id}': () => import('./games/${id}.ts')`).join(', ')}, 'games/gone': () => import('./games/gone' + '.ts') };\n`);
    expect(await checkRegistry({ registry: pathToFileURL(at('registry.ts')).href, folder: at() })).toEqual([
      expect.stringContaining('jokes/one.ts: a folder of the atlas must be one of architectures, curvature'),
      "games/forgotten.ts is not in the registry: add 'games/forgotten': () => import('./games/forgotten.ts') to registry.ts",
      expect.stringContaining('jokes/one.ts is not in the registry'),
      'games/gone is in the registry and has no file games/gone.ts',
      'atlas games/other: topic and id must be those of the file, games/other, got games/wrong.',
      expect.stringMatching(/^atlas games\/empty: the file must export entry, got no such name/),
    ]);
  });
});

describe('a stored run', () => {
  test('is compared with: a result that changes the verdict is named, and written beside', async () => {
    const store = path.join(folder, 'stored');
    const before = await recordFor(fixture('holds'));
    const now = await recordFor(fixture('holds', { run: () => Promise.resolve({ value: 0.5, list: [] }) }));
    expect(checkSnapshot(store, { record: before, figure }, { out: folder })).toEqual({ status: 'absent', changes: [] });
    writeSnapshot(store, { record: before, figure });
    expect(checkSnapshot(store, { record: before, figure }, { out: folder })).toEqual({ status: 'same', changes: [] });
    expect(checkSnapshot(store, { record: now, figure: '<svg id="x"/>' }, { out: folder })).toEqual({
      status: 'changed', file: path.join(store, 'dynamics', 'holds.quick.changed.json'),
      changes: [
        { kind: 'verdict', claim: 'is-large', text: "the verdict of is-large is 'fails', it was 'holds' (does not hold: value)" },
        { kind: 'value', claim: 'is-large', text: 'is-large: value is 0.5, it was 2' },
        { kind: 'figure', text: 'the figure is drawn differently' },
      ],
    });
  });
});

test('a description that a reader cannot use is refused by name', () => {
  const { presets, ...entry } = fixture('holds');
  expect(() => defineEntry({ ...entry, presets, question: 'This is none.' })).toThrow('question must be a sentence that ends with a question mark');
  expect(() => defineEntry({ ...entry, presets, claims: [{ ...claim, deviation: 'a', failure: 'b' }] })).toThrow('must have a deviation or a failure, not both');
  expect(exact(1)).toEqual({ value: 1, error: 0, kind: 'exact' });
});
