/** Damages real ONNX files and imports them, in a second process that is ended when it hangs. A case is its file and a seed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzCase, type FuzzResult } from '../src/onnx/import/fuzz-case.test-helper.ts';
import { mutated } from '../src/onnx/import/mutations.test-helper.ts';
import { root } from './bootstrap.mjs';
import { namesOf, nodeTestFolder } from './onnx-node-tests.ts';
import { ownSpan, supervised, work } from './supervised.ts';

/** Milliseconds after which a case counts as slow, and after which as hanging. */
const [SLOW, HANGING] = [5000, 30_000];
/** Bytes of arrays after which a case counts as greedy. */
const GREEDY = 2 ** 30;
/** Larger files take longer and have the same operators. */
const LARGEST = 20_000;

/** Files by name: the small models of the tests, and the ONNX project's node tests where they were fetched. */
function basesOf(): [string, string][] {
  const goldens = path.join(root, 'test', 'golden', 'onnx');
  const models = readdirSync(goldens).filter((name) => name.endsWith('.onnx')).map((name): [string, string] => [name, path.join(goldens, name)]);
  const tests = existsSync(nodeTestFolder) ? namesOf(nodeTestFolder).map((name): [string, string] => [name, path.join(nodeTestFolder, name, 'model.onnx')]) : [];
  return [...models, ...tests];
}

type Case = readonly [name: string, bytes: Uint8Array];

/** The file of each case: every other case damages one of the models, which are few. */
function cases(): (at: number) => Case {
  const bases = basesOf().map(([name, file]): Case => [name, new Uint8Array(readFileSync(file))]).filter(([, bytes]) => bytes.length <= LARGEST);
  const models = bases.filter(([name]) => name.endsWith('.onnx'));
  const tests = bases.length > models.length ? bases.filter(([name]) => !name.endsWith('.onnx')) : models;
  return (at) => {
    const list = at % 2 === 0 ? tests : models;
    return list[(at >> 1) % list.length];
  };
}

interface Report { readonly result: FuzzResult; readonly bytes: number }

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } } });
  const [count, from] = [Number(values.cases), Number(values.seed)];
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(from) || from < 0) throw new Error(`--cases must be a positive and --seed a non-negative integer, got ${values.cases} and ${values.seed}`);
  const caseAt = cases();
  const outcomes: Record<string, number> = {};
  const findings = new Map<string, string>();
  const find = (kind: string, at: number, label: string): void => { if (!findings.has(kind)) findings.set(kind, `seed ${at}, ${caseAt(at)[0]} (${label}): ${kind}`); };
  const started = Date.now();
  await supervised<Report>(fileURLToPath(import.meta.url), { from, to: from + count }, {
    patience: HANGING,
    onResult(at, { result, bytes }) {
      outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
      if (result.isFinding) find(result.message.split('\n').slice(0, 4).join('\n'), at, result.label);
      if (result.milliseconds > SLOW) find(`${(result.milliseconds / 1000).toFixed(0)} s`, at, result.label);
      if (bytes > GREEDY) find(`${(bytes / 2 ** 20).toFixed(0)} MiB of arrays`, at, result.label);
      if ((at - from) % 1000 === 999) process.stderr.write(`${at - from + 1} of ${count} cases, ${findings.size} findings, ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
    },
    onLoss(at, why) {
      outcomes['lost'] = (outcomes['lost'] ?? 0) + 1;
      find(`${why} (${at})`, at, mutated(caseAt(at)[1], at).label);
    },
  });
  const totals = Object.entries(outcomes).map(([name, n]) => `${n} ${name}`).join(', ');
  process.stdout.write(`${[...findings.values()].join('\n')}${findings.size > 0 ? '\n' : ''}${count} cases from seed ${from}: ${totals}; ${findings.size} findings\n`);
  process.exitCode = findings.size > 0 ? 1 : 0;
}

const span = ownSpan();
if (span === undefined) {
  await main().catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
} else {
  const caseAt = cases();
  await work(span, (at): Report => ({ result: fuzzCase(caseAt(at)[1], at), bytes: process.memoryUsage().arrayBuffers }));
}
