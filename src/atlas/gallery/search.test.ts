import { describe, expect, test } from 'vitest';
import { excerpt, stretches } from './client/marks.ts';
import { normalise, paperSearch, type PaperDocument } from './client/search.ts';
import { emptyState, formatState, orderOf, parseState, type GalleryState } from './client/state.ts';

const paper = (path: string, more: Partial<PaperDocument>): PaperDocument => ({ path, topic: path.split('/')[0], title: 'T', authors: ['Ada Example'], year: 2020, question: 'Q?', method: 'M.', claims: ['C.'], built: ['b'], verdicts: ['holds'], ...more });
const papers = [
  paper('curvature/a', { title: 'Spectra of the Hessian', authors: ['Léon Bottou', 'Ada Example'], year: 2017 }),
  paper('curvature/b', { title: 'Noise', method: 'The Hessian is formed densely.', verdicts: ['holds', 'fails'], year: 2021 }),
  paper('dynamics/c', { title: 'Catapults', claims: ['The sharpness λ₁ falls below 2/η.'], authors: ['Władysław Zet'], verdicts: ['deviation'], year: 2019 }),
];
const search = paperSearch(papers);
const find = (state: Partial<GalleryState>): string[] => search.find({ ...emptyState, ...state }).map(({ document }) => document.path);

describe('search', () => {
  test('a title counts for more than a method, and all words must occur', () => {
    expect(find({ search: 'hessian' })).toEqual(['curvature/a', 'curvature/b']);
    expect(find({ search: 'hessian densely' })).toEqual(['curvature/b']);
    expect(find({ search: '  ' })).toEqual(['curvature/a', 'curvature/b', 'dynamics/c']);
  });

  test('beginnings, small slips, accents and case are forgiven', () => {
    expect(find({ search: 'hess' })).toEqual(['curvature/a', 'curvature/b']);
    expect(find({ search: 'hessain' })).toContain('curvature/a');
    expect(find({ search: 'LEON' })).toEqual(['curvature/a']);
    expect(find({ search: 'wladyslaw' })).toEqual(['dynamics/c']);
    expect(normalise('Poincaré')).toBe('poincare');
  });

  test('filters and search combine', () => {
    expect(find({ search: 'hessian', year: '2021' })).toEqual(['curvature/b']);
    expect(find({ topic: 'curvature', author: 'Ada Example', verdict: 'holds' })).toEqual(['curvature/a']);
    expect(find({ verdict: 'fails' })).toEqual(['curvature/b']);
    expect(find({ search: 'catapults', topic: 'curvature' })).toEqual([]);
    expect(search.suggestion('catpults')).toBe('catapults');
    expect(find({ search: 'catpults' })).toEqual(['dynamics/c']);
    expect(find({ search: 'quetzalcoatl' })).toEqual([]);
  });

  test('orders', () => {
    expect(find({ order: 'newest' })).toEqual(['curvature/b', 'dynamics/c', 'curvature/a']);
    expect(find({ order: 'title' })).toEqual(['dynamics/c', 'curvature/b', 'curvature/a']);
    expect(find({ order: 'author' })).toEqual(['curvature/a', 'curvature/b', 'dynamics/c']);
    expect(orderOf({ ...emptyState, search: 'x' })).toBe('relevance');
    expect(orderOf({ ...emptyState, order: 'relevance' })).toBe('topic');
  });
});

describe('the address', () => {
  test('says what is asked, and is read back', () => {
    const state: GalleryState = { search: 'λ & noise', topic: 'games', author: 'V. Uğur Güney', year: '2017', verdict: 'fails', order: 'newest' };
    expect(parseState(formatState(state))).toEqual(state);
    expect(formatState(emptyState)).toBe('');
    expect(parseState('#sort=nonsense&other=1')).toEqual(emptyState);
  });
});

describe('marks', () => {
  const words = new Set(['hessian', 'leon']);
  test('whole words, whatever their accents', () => {
    expect(stretches('Léon on the Hessian, hessians', words)).toEqual([{ text: 'Léon', isMatch: true }, { text: ' on the ', isMatch: false }, { text: 'Hessian', isMatch: true }, { text: ', hessians', isMatch: false }]);
  });

  test('an excerpt is cut at words around the first match', () => {
    const text = `${'before '.repeat(40)}the Hessian ${'after '.repeat(40)}`;
    const cut = excerpt(['nothing here', text], words)!;
    expect(cut).toMatch(/^… before .*the Hessian after .* …$/);
    expect(cut.length).toBeLessThan(220);
    expect(excerpt(['nothing'], words)).toBeUndefined();
  });
});
