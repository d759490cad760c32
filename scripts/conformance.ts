/** Runs the ONNX project's node tests: a table per operator, thalweg-out/conformance.json, docs/onnx-operators.md. Fails on a wrong number or below 90 %. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './bootstrap.mjs';
import { operatorOfTest, runCase, withoutExpansion, type CaseResult } from './conformance-case.ts';
import { operatorsPage, shareOf, tableText, talliesOf, tallyOf, totalsText } from './conformance-page.ts';
import { namesOf, nodeTests, readTest } from './onnx-node-tests.ts';

/** The share of applicable tests that must pass. */
const REQUIRED = 0.9;
/** A test that takes longer is reported: all are small. */
const SLOW = 20_000;

const { values } = parseArgs({ options: { folder: { type: 'string' }, only: { type: 'string', default: '' } } });
const say = (line: string): void => { process.stderr.write(`${line}\n`); };

async function main(): Promise<void> {
  const folder = values.folder ?? await nodeTests(say);
  const all = namesOf(folder);
  const names = all.filter((name) => name.includes(values.only));
  if (names.length === 0) throw new Error(`${folder} must hold node tests${values.only === '' ? '' : ` with '${values.only}' in their names`}, got none`);
  const known = new Set(all);
  const results: CaseResult[] = [];
  for (const [i, name] of names.entries()) {
    if (i % 100 === 0) say(`${i} of ${names.length} tests`);
    const test = readTest(folder, name);
    // A function body written out belongs to the operator that it defines.
    const main = withoutExpansion(name);
    const operator = (main !== name && known.has(main) ? operatorOfTest(readTest(folder, main)) : undefined) ?? operatorOfTest(test) ?? '(several)';
    const started = performance.now();
    results.push(await runCase(test, operator));
    if (performance.now() - started > SLOW) say(`${name} took ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  const total = tallyOf('total', results);
  process.stdout.write(`${tableText([...talliesOf(results), total])}\n\n`);
  for (const { name, reason } of results.filter(({ outcome }) => outcome === 'failed' || outcome === 'disputed')) process.stdout.write(`${name}: ${reason}\n`);
  for (const { name, gradientReason } of results.filter(({ gradient }) => gradient === 'failed')) process.stdout.write(`${name}: derivative ${gradientReason}\n`);
  process.stdout.write(`\n${totalsText(total)}\n`);
  mkdirSync(path.join(root, 'thalweg-out'), { recursive: true });
  writeFileSync(path.join(root, 'thalweg-out', 'conformance.json'), `${JSON.stringify({ total, results }, undefined, 1)}\n`);
  if (values.only === '') writeFileSync(path.join(root, 'docs', 'onnx-operators.md'), operatorsPage(results));
  process.exitCode = total.outcomes.failed > 0 || total.gradients.failed > 0 || shareOf(total) < REQUIRED ? 1 : 0;
}

await main().catch((error: unknown) => {
  say((error as Error).message);
  process.exitCode = 1;
});
