/** docs/survey-json.md against the type of the record: every field is described, and nothing else is. */
import ts from 'typescript';
import { expect, test } from 'vitest';
import { read } from './tree-files.ts';

/** Names of the properties of all interfaces of a source file, those of nested types included. */
function fieldsOf(file: string): Set<string> {
  const fields = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node) && ts.isIdentifier(node.name)) fields.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true), visit);
  return fields;
}

const page = read('docs/survey-json.md');
const described = new Set([...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)));
const mentioned = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
const fields = new Set([...fieldsOf('src/survey/record.ts'), ...fieldsOf('src/problem/measurement.ts')]);

test('every field of the record is on the page', () => {
  expect(fields.size).toBeGreaterThan(40);
  expect([...fields].filter((name) => !mentioned.has(name))).toEqual([]);
});

test('the page describes no field that is not there', () => {
  expect([...described].filter((name) => !fields.has(name))).toEqual([]);
});

test('the schema is that of the code', () => {
  const [, schema] = /SURVEY_SCHEMA = '([^']+)'/.exec(read('src/survey/record.ts')) ?? [];
  expect(page).toContain(`\`${schema}\``);
});
