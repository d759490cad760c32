/** Runs the ONNX project's node tests: a table per operator, thalweg-out/conformance.json, docs/onnx-operators.md. Fails on a wrong number or below 90 %. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './bootstrap.mjs';
import { operatorOfTest, runCase, withoutExpansion, type CaseResult } from './conformance-case.ts';
import { writeFixture } from './conformance-fixture.ts';
import { operatorsPage, shareOf, tableText, talliesOf, tallyOf, totalsText } from './conformance-page.ts';
import { namesOf, nodeTestFolder, nodeTests, readTest } from './onnx-node-tests.ts';
import { ownSpan, supervised, work } from './supervised.ts';

/** The share of applicable tests that must pass. */
const REQUIRED = 0.9;
/** Milliseconds after which a test is reported as slow, and after which it has failed: all are small. */
const [SLOW, HANGING] = [20_000, 60_000];

const { values } = parseArgs({ options: { folder: { type: 'string' }, only: { type: 'string', default: '' }, fixture: { type: 'boolean', default: false } } });
const say = (line: string): void => { process.stderr.write(`${line}\n`); };

/** The tests that are asked for, and the operator that each is about. */
function selection(folder: string): { names: string[]; operatorOf: (name: string) => string } {
  const all = namesOf(folder);
  const known = new Set(all);
  return {
    names: all.filter((name) => name.includes(values.only)),
    operatorOf(name) {
      // A function body written out belongs to the operator that it defines.
      const main = withoutExpansion(name);
      return (main !== name && known.has(main) ? operatorOfTest(readTest(folder, main)) : undefined) ?? operatorOfTest(readTest(folder, name)) ?? '(several)';
    },
  };
}

async function main(): Promise<void> {
  const folder = values.folder ?? await nodeTests(say);
  const { names, operatorOf } = selection(folder);
  if (names.length === 0) throw new Error(`${folder} must hold node tests${values.only === '' ? '' : ` with '${values.only}' in their names`}, got none`);
  const results: CaseResult[] = [];
  let since = performance.now();
  await supervised<CaseResult>(fileURLToPath(import.meta.url), { from: 0, to: names.length }, {
    patience: HANGING,
    onResult(at, result) {
      if (at % 100 === 0) say(`${at} of ${names.length} tests`);
      if (performance.now() - since > SLOW) say(`${names[at]} took ${((performance.now() - since) / 1000).toFixed(0)} s`);
      since = performance.now();
      results.push(result);
    },
    onLoss(at, why) {
      since = performance.now();
      results.push({ name: names[at], operator: operatorOf(names[at]), outcome: 'failed', reason: why, gradient: 'none' });
    },
  });
  const total = tallyOf('total', results);
  process.stdout.write(`${tableText([...talliesOf(results), total])}\n\n`);
  for (const { name, reason } of results.filter(({ outcome }) => outcome === 'failed' || outcome === 'disputed')) process.stdout.write(`${name}: ${reason}\n`);
  for (const { name, gradientReason } of results.filter(({ gradient }) => gradient === 'failed')) process.stdout.write(`${name}: derivative ${gradientReason}\n`);
  process.stdout.write(`\n${totalsText(total)}\n`);
  mkdirSync(path.join(root, 'thalweg-out'), { recursive: true });
  writeFileSync(path.join(root, 'thalweg-out', 'conformance.json'), `${JSON.stringify({ total, results }, undefined, 1)}\n`);
  if (values.fixture) {
    if (values.only !== '') throw new Error('--fixture chooses among all tests, got --only beside it');
    const { names: chosen, bytes } = writeFixture(folder, results);
    say(`test/golden/onnx/conformance.zip: ${chosen.length} tests, ${(bytes / 1024).toFixed(0)} KiB`);
  }
  if (values.only === '') writeFileSync(path.join(root, 'docs', 'onnx-operators.md'), operatorsPage(results));
  process.exitCode = total.outcomes.failed > 0 || total.gradients.failed > 0 || shareOf(total) < REQUIRED ? 1 : 0;
}

const span = ownSpan();
if (span === undefined) {
  await main().catch((error: unknown) => {
    say((error as Error).message);
    process.exitCode = 1;
  });
} else {
  const folder = values.folder ?? nodeTestFolder;
  const { names, operatorOf } = selection(folder);
  await work(span, (at) => runCase(readTest(folder, names[at]), operatorOf(names[at])));
}
