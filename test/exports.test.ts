/** The public surface is deliberate: the export map, the index files and the stored list of names agree, and every name is documented. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiList, exportMap, publicNames } from '../scripts/public-surface.ts';
import type { PublicName } from '../scripts/public-surface.ts';
import { filesUnder, read, root } from './tree-files.ts';

const regenerate = 'after a deliberate change of the public surface, run `npm run api` and commit the result';

/** What an index file may hold: `export { a, type B } from './file.ts'`. Returns one line for each other statement. */
function foreignStatements(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const named = ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined
      && statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause);
    const line = source.getLineAndCharacterOfPosition(statement.getStart(source)).line + 1;
    return named ? [] : [`${file}:${line}: an index holds only named re-exports, got ${statement.getText(source).split('\n')[0]}`];
  });
}

describe('index files', () => {
  test('hold only named re-exports', () => {
    const indexes = filesUnder('src', (file) => file.endsWith('/index.ts'));
    expect(indexes.flatMap((file) => foreignStatements(file, read(file)))).toEqual([]);
  });

  test('the rule refuses what it should', () => {
    expect(foreignStatements('index.ts', "/** Doc. */\nexport { a, type B } from './a.ts';\nexport type { C } from './c.ts';\n")).toEqual([]);
    expect(foreignStatements('index.ts', "export * from './a.ts';\nexport * as b from './b.ts';\nexport const c = 1;\nimport './d.ts';")).toHaveLength(4);
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(read('package.json')) as { exports: unknown; bin: Record<string, string>; files: readonly string[] };

  test('exports the subpaths that have a source', () => {
    expect(manifest.exports, regenerate).toEqual(exportMap());
  });

  test('the command is built from a source that exists', () => {
    for (const target of Object.values(manifest.bin)) {
      const source = target.replace(/^(\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts');
      expect(existsSync(path.join(root, source)), `${source} exists`).toBe(true);
      expect(read(source).startsWith('#!/usr/bin/env node\n'), `${source} begins with #!/usr/bin/env node`).toBe(true);
    }
  });
});

describe('public names', () => {
  let names: PublicName[] = [];
  beforeAll(() => { names = publicNames(); });

  test('all resolve to a declaration', () => {
    expect(names.filter(({ kind }) => kind === 'unresolved').map(({ subpath, name }) => `${subpath}: ${name}`)).toEqual([]);
  });

  test('agree with the stored list', () => {
    expect(apiList(names), regenerate).toBe(read('test/api.txt'));
  });

  test('are documented where they are declared', () => {
    const bare = names.filter(({ documented }) => !documented);
    expect(bare.map(({ name, declaredIn }) => `${declaredIn}: ${name} is public and has no doc comment`)).toEqual([]);
  });
});
