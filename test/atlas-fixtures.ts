/** A registry of entries that go wrong, each in its way; and what they are made of. The threads of the harness load it as they load that of the atlas. */
import { defineEntry, exact, type ClaimDefinition, type Entry, type EntryContext } from 'thalweg/atlas';

interface Result { readonly value: number; readonly list: readonly number[] }

/** Holds: the value is above 1, that of the control is not. */
export const claim: ClaimDefinition<Result> = {
  id: 'is-large', text: 'The value exceeds one: $x > 1$.',
  checks: ({ value }) => [{ what: 'value', measured: exact(value), relation: '>', threshold: 1 }],
  controls: () => [{ what: 'value without cause', measured: exact(0), relation: '>', threshold: 1 }],
};

interface Parts {
  readonly run?: (context: EntryContext<unknown>) => Promise<Result>;
  readonly claims?: readonly ClaimDefinition<Result>[];
  readonly figure?: () => string;
}

/** An entry of the topic dynamics. Unless told otherwise its claim holds. */
export const fixture = (id: string, { run = () => Promise.resolve({ value: 2, list: [1, 2, 3] }), claims = [claim], figure = () => '<svg xmlns="http://www.w3.org/2000/svg"/>' }: Parts = {}): Entry => defineEntry<unknown, Result>({
  id, topic: 'dynamics', source: { title: 'A fixture', authors: ['Ada Lovelace'], year: 1843 }, question: 'Does it go wrong?', method: 'It does.',
  deviations: [], built: [{ name: 'exact', from: 'thalweg/atlas', what: 'a number' }], presets: { quick: {}, full: {} }, run, claims, figure,
});

/** Differs from run to run. */
let runs = 0;

const all: Readonly<Record<string, () => Entry>> = {
  'dynamics/holds': () => fixture('holds'),
  'dynamics/without-claims': () => fixture('without-claims', { claims: [] }),
  'dynamics/without-control': () => fixture('without-control', { claims: [{ ...claim, controls: () => [] }] }),
  'dynamics/throws': () => fixture('throws', { run: () => Promise.reject(new RangeError('the matrix is singular')) }),
  'dynamics/dies': () => fixture('dies', { run: () => process.exit(7) }),
  'dynamics/random': () => fixture('random', { run: () => Promise.resolve({ value: 2, list: [1, 2 + runs++, 3] }) }),
  'dynamics/random-figure': () => fixture('random-figure', { figure: () => `<svg id="${runs++}"/>` }),
  'dynamics/not-plain': () => fixture('not-plain', { run: () => Promise.resolve({ value: 2, list: [], when: new Date(0) }) }),
  'dynamics/elsewhere': () => fixture('another-id'),
  'dynamics/endless': () => fixture('endless', { async run({ progress }) { for (;;) await progress(0.5, 'going on'); } }),
  // Never gives the thread back: only its end ends it.
  'dynamics/deaf': () => fixture('deaf', { async run({ progress }) { await progress(0.5, 'not listening'); for (;;) { /* busy */ } } }),
};

/** As atlas/registry.ts. */
export const entries = Object.fromEntries(Object.entries(all).map(([path, make]) => [path, () => Promise.resolve().then(() => ({ entry: make() }))]));
