/**
 * Documentation that cannot drift: every relative link leads somewhere; every block fenced as ```ts run type-checks and runs to its
 * end without throwing, with `thalweg/…` resolved to the sources; every block fenced as ```ts check type-checks among the names
 * that docs/measurements/given.d.ts declares.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceCondition } from '../scripts/bootstrap.mjs';
import { filesUnder, read, root } from './tree-files.ts';

const pages = [...filesUnder('.', (file) => /^[^/]+\.md$/.test(file)), ...filesUnder('docs', (file) => file.endsWith('.md'))];

/** Text without fenced blocks and inline code, where brackets mean something else. */
const prose = (markdown: string): string => markdown.replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1`*[ \t]*$/gm, '').replace(/`[^`\n]*`/g, '');

/** Targets of links and images, and `src`/`href` of HTML, that point into the repository. */
function relativeLinks(markdown: string): string[] {
  const text = prose(markdown);
  const targets = [
    ...[...text.matchAll(/\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1]),
    ...[...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map((match) => match[1]),
    ...[...text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map((match) => match[1]),
  ];
  return targets.filter((target) => target !== undefined && !/^[a-z][a-z+.-]*:/i.test(target)) as string[];
}

/** The anchors of a page, as GitHub derives them from its headings. */
const anchors = (markdown: string): Set<string> => new Set([...prose(markdown.replace(/`/g, '')).matchAll(/^#+\s+(.+)$/gm)]
  .map(([, heading]) => (heading ?? '').trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-')));

interface Example {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

/** The blocks of a page that are fenced so. */
const examples = (page: string, markdown: string, fence: 'ts run' | 'ts check' = 'ts run'): Example[] => [...markdown.matchAll(new RegExp(`^\`{3}${fence}[ \\t]*\\n([\\s\\S]*?)^\`{3}[ \\t]*$`, 'gm'))]
  .map((match) => ({ page, line: markdown.slice(0, match.index).split('\n').length, code: match[1] ?? '' }));

const runnable = pages.flatMap((page) => examples(page, read(page)));
const checked = pages.flatMap((page) => examples(page, read(page), 'ts check'));
// Inside the repository, so that `thalweg` resolves to this package by its own name.
const folder = path.join('.cache', `examples-${process.pid}`);
const fileOf = ({ page, line }: Example): string => path.join(folder, `${page.replace(/[^\w]+/g, '-')}-line-${line}.ts`);

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 120_000 });

describe('links', () => {
  test.each(pages)('%s', (page) => {
    const broken = relativeLinks(read(page)).filter((target) => {
      const [file = '', anchor = ''] = decodeURI(target).split('#');
      const resolved = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      if (!existsSync(path.join(root, resolved))) return true;
      return anchor !== '' && resolved.endsWith('.md') && !anchors(read(resolved)).has(anchor);
    });
    expect(broken, `links of ${page} that lead nowhere`).toEqual([]);
  });

  test('the link finder sees links and leaves code alone', () => {
    const text = '# A `b` c\n[x](a.md#b) ![p](pic.png "t") <img src="i.svg"> [w](https://x.org)\n```ts\nf[0](y)\n```\n`g[1](z)`\n[r]: ref.md\n';
    expect(relativeLinks(text)).toEqual(['a.md#b', 'pic.png', 'ref.md', 'i.svg']);
    expect([...anchors(text)]).toEqual(['a-b-c']);
    expect(examples('p.md', 'x\n```ts run\nlet a = 1;\n```\n```ts\nlet b;\n```\n')).toEqual([{ page: 'p.md', line: 2, code: 'let a = 1;\n' }]);
    expect(examples('p.md', '```ts check\nlet c;\n```\n```ts run\nlet d;\n```\n', 'ts check')).toEqual([{ page: 'p.md', line: 1, code: 'let c;\n' }]);
  });
});

describe('pages of measurements', () => {
  const folderOf = 'docs/measurements/';
  const measurements = pages.filter((page) => page.startsWith(folderOf) && !page.endsWith('/README.md'));

  test.each(measurements)('%s begins with a title, what it is, and how to read it; every example of it is checked', (page) => {
    const markdown = read(page);
    // One paragraph right below the title, of two sentences or more; reports quote it.
    const [, paragraph = ''] = /^# .+\n\n((?:[^\n]+\n)+)\n/.exec(markdown) ?? [];
    expect(paragraph.trim().split(/\.\s+(?=[A-Z])/).length, `sentences below the title of ${page}`).toBeGreaterThan(1);
    expect([...markdown.matchAll(/^```ts[ \t]*$/gm)], `blocks of ${page} that nothing checks: fence them as ts check`).toEqual([]);
    expect(examples(page, markdown, 'ts check').length).toBeGreaterThan(0);
  });

  test('are listed in their index by their titles', () => {
    const listed = [...read(`${folderOf}README.md`).matchAll(/^- \[([^\]]+)\]\(([^)]+)\): .+\.$/gm)].map(([, title, file]) => `${file}: ${title}`);
    const titled = measurements.map((page) => `${page.slice(folderOf.length)}: ${/^# (.+)$/m.exec(read(page))?.[1]}`);
    expect(listed.sort()).toEqual(titled.sort());
  });
});

describe.runIf(runnable.length > 0)('examples', () => {
  beforeAll(() => {
    mkdirSync(path.join(root, folder), { recursive: true });
    for (const example of [...runnable, ...checked]) writeFileSync(path.join(root, fileOf(example)), `${example.code}\nexport {};\n`);
    const configuration = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['./*.ts', '../../docs/measurements/given.d.ts'] };
    writeFileSync(path.join(root, folder, 'tsconfig.json'), JSON.stringify(configuration));
  });
  afterAll(() => { rmSync(path.join(root, folder), { recursive: true, force: true }); });

  test('type-check', () => {
    const result = node('node_modules/typescript/bin/tsc', '-p', folder, '--pretty', 'false');
    // Errors in the sources are reported by the check of the sources.
    expect(result.stdout.split('\n').filter((text) => text.startsWith(folder))).toEqual([]);
  }, 120_000);

  test.each(runnable)('$page line $line runs', (example) => {
    const result = node('--conditions', sourceCondition, '--import', 'tsx', fileOf(example));
    expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
  }, 120_000);
});
