/** Thalweg's side of the line protocol of peers/README.md: what each of its child processes does alike. @module */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Threads that a library is to use. */
export const THREADS = Number(process.env.THALWEG_PEER_THREADS ?? '2');

/** VmRSS (now) or VmHWM (peak since the last reset) of this process in MB; null where there is no /proc. */
export function memory(field: 'VmRSS' | 'VmHWM'): number | null {
  try {
    return Math.round(Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'ascii'))![1]) / 102.4) / 10;
  } catch {
    return null;
  }
}

/** Lets the peak start again from now; where the system refuses, it stays the peak since process start. */
export function resetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch { /* the peak since process start is the best there is */ }
}

/** The result, and how long it took to come. */
export async function milliseconds<T>(f: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await f();
  return [result, performance.now() - start];
}

/** The answer to `info`. */
export function infoOfThalweg(): object {
  const { version } = JSON.parse(readFileSync(new URL('../../node_modules/onnxruntime-node/package.json', import.meta.url), 'utf8')) as { version: string };
  return { peer: 'thalweg', versions: { node: process.versions.node, 'onnxruntime-node': version }, threads: THREADS, device: 'cpu', rss_mb: memory('VmRSS') };
}

/** A request's answer; an object that becomes JSON. */
export type Command = (request: never) => object | Promise<object>;

/** One JSON request a line on standard input, one JSON answer a line on standard output, until `quit` or the end. */
export async function serve(commands: Readonly<Record<string, Command>>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    let answer: unknown;
    try {
      const request = JSON.parse(line) as { cmd: string };
      if (request.cmd === 'quit') break;
      if (!Object.hasOwn(commands, request.cmd)) throw new Error(`cmd must be one of ${Object.keys(commands).join(', ')}, quit; got ${request.cmd}`);
      answer = { ok: true, ...(await commands[request.cmd](request as never)) };
    } catch (error) {
      answer = { ok: false, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
