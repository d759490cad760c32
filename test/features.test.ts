/** docs/features.md: made from its rows, and every row's name, test and page is there. */
import { describe, expect, test } from 'vitest';
import { evidenceProblems, featuresPage, testTitles, type Feature, type PageData } from '../scripts/features-page.ts';
import { read } from './tree-files.ts';

const refresh = 'run `npm run features` and commit the result';

describe('docs/features.md', () => {
  test('is what its rows make', () => {
    expect(read('docs/features.md'), refresh).toBe(featuresPage());
  });

  test('claims nothing without a public name, a test of that title and a page', () => {
    expect(evidenceProblems()).toEqual([]);
  });
});

describe('the check of evidence', () => {
  const right: Feature = { feature: 'links', names: { '.': ['grad'] }, tests: [['test/docs.test.ts', 'links'], ['test/features.test.ts', 'is what its rows make']], page: 'errors.md' };
  const problems = (change: Partial<Feature>, more: Partial<PageData> = {}): string[] =>
    evidenceProblems({ groups: [{ title: 'a', rows: [{ ...right, ...change }] }], goldens: [], traps: [], absent: [], ...more });

  test('accepts what is there', () => { expect(problems({})).toEqual([]); });

  test.each<[string, Partial<Feature>, string]>([
    ['a name that is not public', { names: { '.': ['grad', 'gradient'] } }, 'links: thalweg does not export gradient'],
    ['a name of another subpath', { names: { curvature: ['grad'] } }, 'links: thalweg/curvature does not export grad'],
    ['neither name nor command', { names: {} }, 'links: neither a public name nor a command'],
    ['a command that is not there', { commands: ['plane', 'planes'] }, 'links: there is no command thalweg planes'],
    ['a test file that is not there', { tests: [['test/doc.test.ts', 'links']] }, 'links: there is no file test/doc.test.ts'],
    ['a title that is not there', { tests: [['test/docs.test.ts', 'link']] }, "links: test/docs.test.ts has no test 'link'"],
    ['no test', { tests: [] }, 'links: no test'],
    ['a page that is not there', { page: 'error.md' }, 'links: there is no page docs/error.md'],
  ])('refuses %s', (_, change, message) => { expect(problems(change)).toEqual([message]); });

  test('looks at goldens and traps, and refuses a row twice', () => {
    expect(problems({}, { traps: [{ what: 'trap', tests: [['test/docs.test.ts', 'no such']] }] })).toEqual(["trap: test/docs.test.ts has no test 'no such'"]);
    expect(problems({}, { absent: [{ feature: 'links', why: 'none' }] })).toEqual(['links: two rows']);
  });

  test('titles are those of tests that run, not of comments, strings or skipped tests', () => {
    const text = "// test('comment', f)\nconst s = \"test('string', f)\";\ntest('plain', f);\ntest.each([1])('each %i', f);\ndescribe.skipIf(x)('group', () => { test(`it's`, f); });\ntest.skip('skipped', f);\ntest.todo('later');";
    expect([...testTitles('a.test.ts', text)]).toEqual(['plain', 'each %i', 'group', "it's"]);
  });

  test('cells cannot break the table', () => {
    const page = featuresPage({ groups: [{ title: 'a', rows: [{ ...right, feature: 'x | y', except: 'not | z' }] }], goldens: [], traps: [], absent: [] });
    const row = page.split('\n').find((line) => line.startsWith('| x'))!;
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
    expect(page).toContain('1 rows, of which 1 hold in part');
  });
});
