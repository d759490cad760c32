/** Damages real ONNX files and imports them, in a second process that is ended when it hangs. A case is its file and a seed. */
import { fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzCase, type FuzzResult } from '../src/onnx/import/fuzz-case.test-helper.ts';
import { root } from './bootstrap.mjs';
import { namesOf, nodeTestFolder } from './onnx-node-tests.ts';

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

/** The variable of the environment by which the second process learns its cases. */
const SPAN = 'THALWEG_FUZZ_SPAN';

interface Span { readonly from: number; readonly to: number }
interface Report { readonly at: number; readonly file: string; readonly result: FuzzResult; readonly bytes: number }

/** Every other case damages one of the models, which are few. */
async function work({ from, to }: Span): Promise<void> {
  const bases = basesOf().map(([name, file]) => [name, new Uint8Array(readFileSync(file))] as const).filter(([, bytes]) => bytes.length <= LARGEST);
  const models = bases.filter(([name]) => name.endsWith('.onnx'));
  const tests = bases.length > models.length ? bases.filter(([name]) => !name.endsWith('.onnx')) : models;
  for (let at = from; at < to; at++) {
    const list = at % 2 === 0 ? tests : models;
    const [file, bytes] = list[(at >> 1) % list.length];
    process.send!({ at, file });
    // Messages leave between cases.
    await new Promise((resolve) => { setImmediate(resolve); });
    const result = fuzzCase(bytes, at);
    process.send!({ at, file, result, bytes: process.memoryUsage().arrayBuffers } satisfies Report);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } } });
  const [count, from] = [Number(values.cases), Number(values.seed)];
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(from) || from < 0) throw new Error(`--cases must be a positive and --seed a non-negative integer, got ${values.cases} and ${values.seed}`);
  const outcomes: Record<string, number> = {};
  const findings = new Map<string, string>();
  const find = (kind: string, at: number, file: string, label: string): void => { if (!findings.has(kind)) findings.set(kind, `seed ${at}, ${file} (${label}): ${kind}`); };
  const started = Date.now();
  for (let next = from; next < from + count;) next = await runSpan({ from: next, to: from + count }, ({ at, file, result, bytes }) => {
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
    if (result.isFinding) find(result.message.split('\n').slice(0, 4).join('\n'), at, file, result.label);
    if (result.milliseconds > SLOW) find(`${(result.milliseconds / 1000).toFixed(0)} s`, at, file, result.label);
    if (bytes > GREEDY) find(`${(bytes / 2 ** 20).toFixed(0)} MiB of arrays`, at, file, result.label);
    if ((at - from) % 1000 === 999) process.stderr.write(`${at - from + 1} of ${count} cases, ${findings.size} findings, ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
  }, (at, file) => find('hangs', at, file, `longer than ${HANGING / 1000} s`));
  const totals = Object.entries(outcomes).map(([name, n]) => `${n} ${name}`).join(', ');
  process.stdout.write(`${[...findings.values()].join('\n')}${findings.size > 0 ? '\n' : ''}${count} cases from seed ${from}: ${totals}; ${findings.size} findings\n`);
  process.exitCode = findings.size > 0 ? 1 : 0;
}

/** Runs cases in a second process; returns the first that is left: after the span, or behind a case that hangs. */
function runSpan(span: Span, onResult: (report: Report) => void, onHang: (at: number, file: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, [SPAN]: JSON.stringify(span) } });
    // The clock starts with the first case: loading takes its time.
    let current = { at: span.from, file: '', since: Infinity };
    let isDone = false;
    const end = (next: number): void => { isDone = true; clearInterval(watch); worker.kill('SIGKILL'); resolve(next); };
    const watch = setInterval(() => {
      if (Date.now() - current.since < HANGING) return;
      onHang(current.at, current.file);
      end(current.at + 1);
    }, 1000);
    worker.on('message', (received) => {
      const message = received as Report | { at: number; file: string };
      current = { at: message.at, file: message.file, since: Date.now() };
      if (!isDone && 'result' in message) onResult(message);
    });
    worker.on('exit', (code, signal) => {
      if (isDone) return;
      clearInterval(watch);
      if (code === 0) resolve(span.to);
      else reject(new Error(`the process ended (${signal ?? String(code)}) at seed ${current.at}, ${current.file}`));
    });
  });
}

const span = process.env[SPAN];
if (span === undefined) {
  await main().catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  });
} else {
  await work(JSON.parse(span) as Span);
  process.disconnect();
}
