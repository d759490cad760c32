import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { loadedFixture, type Fixture } from './fixtures.test-helper.ts';
import { relatedEntries } from './related.ts';

const related = (fixtures: readonly Fixture[]): (path: string) => { readonly path: string; readonly reason: string }[] => {
  const found = relatedEntries(fixtures.map((fixture) => loadedFixture({ presets: [], ...fixture }, tmpdir()).entry));
  return (path) => found.get(path)!.map(({ entry, reason }) => ({ path: `${entry.topic}/${entry.id}`, reason }));
};
const built = (name: string): Fixture['built'] => [{ name, from: 'thalweg/curvature', what: 'a piece' }];

test('named entries come first, then those that name it; what is not there is left out', () => {
  const of = related([
    { topic: 'curvature', id: 'a', related: ['kernels/c', 'games/unknown', 'curvature/a'], built: built('hessian') },
    { topic: 'curvature', id: 'b', built: built('trace') }, { topic: 'kernels', id: 'c', built: built('kernel') }, { topic: 'games', id: 'd', related: ['curvature/a'], built: built('hvp') },
  ]);
  expect(of('curvature/a').slice(0, 2)).toEqual([{ path: 'kernels/c', reason: 'belongs beside it' }, { path: 'games/d', reason: 'refers to it' }]);
  expect(of('curvature/a').map(({ path }) => path)).not.toContain('curvature/a');
});

test('a shared piece of the library counts for more than the topic, and rare words for more than common ones', () => {
  const of = related([
    { topic: 'curvature', id: 'a', built: built('hessian'), question: 'Do outliers of the spectrum come from clusters?', method: 'Eigenvalues of the matrix.' },
    { topic: 'games', id: 'shares', built: built('hessian'), question: 'Who wins the auction?', method: 'Bids of the matrix.' },
    { topic: 'curvature', id: 'topic', built: built('trace'), question: 'How large is noise?', method: 'Batches of the matrix.' },
    { topic: 'losses', id: 'words', built: built('loss'), question: 'Do outliers of the spectrum come from clusters too?', method: 'Outliers, clusters, spectrum.' },
    { topic: 'losses', id: 'far', built: built('other'), question: 'Is a margin wide?', method: 'Margins of the matrix.' },
  ]);
  const paths = of('curvature/a').map(({ path }) => path);
  expect(paths).not.toContain('losses/far');
  expect(paths.indexOf('games/shares')).toBeLessThan(paths.indexOf('curvature/topic'));
  expect(paths).toContain('losses/words');
  expect(of('curvature/a').find(({ path }) => path === 'games/shares')?.reason).toBe('also shows hessian');
});

test('at most four, in the same order whatever order the entries come in', () => {
  const fixtures: Fixture[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ topic: 'dynamics', id }));
  expect(related(fixtures)('dynamics/c')).toHaveLength(4);
  expect(related([...fixtures].reverse())('dynamics/c')).toEqual(related(fixtures)('dynamics/c'));
});
