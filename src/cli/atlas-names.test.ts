import { describe, expect, test } from 'vitest';
import { entriesNamed, entryNamed } from './atlas-names.ts';

const paths = ['curvature/empirical-hessian', 'dynamics/catapult', 'dynamics/edge-of-stability', 'games/catapult'];

describe('an entry', () => {
  test('is named by its path, or by its id where one topic has it', () => {
    expect(entryNamed('dynamics/catapult', paths)).toBe('dynamics/catapult');
    expect(entryNamed('edge-of-stability', paths)).toBe('dynamics/edge-of-stability');
    expect(() => entryNamed('catapult', paths)).toThrow("'catapult' is the id of several entries: name one of dynamics/catapult, games/catapult");
  });

  test('of another name is none; near names are told', () => {
    expect(() => entryNamed('empirical-hesian', paths)).toThrow("no entry of the atlas is named 'empirical-hesian'; did you mean curvature/empirical-hessian? (thalweg atlas list shows all)");
    expect(() => entryNamed('dynamics/edge', paths)).toThrow('did you mean dynamics/edge-of-stability');
    expect(() => entryNamed('zzzzzz', paths)).toThrow("no entry of the atlas is named 'zzzzzz' (thalweg");
  });
});

test('several are all, those of topics, and names, each once, in the order of the atlas', () => {
  expect(entriesNamed(['all'], paths)).toEqual(paths);
  expect(entriesNamed(['games', 'dynamics', 'edge-of-stability'], paths)).toEqual(paths.slice(1));
  expect(() => entriesNamed(['losses'], paths)).toThrow('the topic losses has no entries yet');
});
