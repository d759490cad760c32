/** Cases run one after another in a second process, which is ended when one hangs; a crash ends it by itself. The cases behind go on in a new one. */
import { fork } from 'node:child_process';

/** Places of cases, the last exclusive. */
export interface Span { readonly from: number; readonly to: number }

/** What becomes of the cases of a span. */
export interface Watch<Result> {
  /** Milliseconds after which a case counts as hanging. */
  readonly patience: number;
  onResult(at: number, result: Result): void;
  /** A case that hung, or ended the process; `why` in words. */
  onLoss(at: number, why: string): void;
}

/** The variable of the environment by which the second process learns its cases. */
const SPAN = 'THALWEG_CASES';

type Message<Result> = { readonly at: number } | { readonly at: number; readonly result: Result };

/** The span of this process, where it is the second one. */
export function ownSpan(): Span | undefined {
  const text = process.env[SPAN];
  return text === undefined ? undefined : JSON.parse(text) as Span;
}

/** Runs the cases of the span in this process, the second one, and tells the first of each. */
export async function work(span: Span, run: (at: number) => unknown): Promise<void> {
  // A message must have left before a case that may never give the thread back.
  const tell = (message: object): Promise<void> => new Promise((resolve) => { process.send!(message, undefined, {}, () => { resolve(); }); });
  for (let at = span.from; at < span.to; at++) {
    await tell({ at });
    await tell({ at, result: await run(at) });
  }
  process.disconnect();
}

/** Runs the cases of the span by `script`, which calls `work` on its own span. */
export async function supervised<Result>(script: string, span: Span, watch: Watch<Result>): Promise<void> {
  for (let next = span.from; next < span.to;) next = await runSpan(script, { from: next, to: span.to }, watch);
}

/** Returns the place of the first case that is left. */
function runSpan<Result>(script: string, span: Span, { patience, onResult, onLoss }: Watch<Result>): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = fork(script, process.argv.slice(2), { env: { ...process.env, [SPAN]: JSON.stringify(span) }, serialization: 'advanced' });
    // The clock starts with the first case: loading takes its time.
    let current = { at: span.from - 1, since: Infinity, isOpen: false };
    let isDone = false;
    const end = (next: number): void => { isDone = true; clearInterval(clock); resolve(next); };
    const clock = setInterval(() => {
      if (Date.now() - current.since < patience) return;
      worker.kill('SIGKILL');
      onLoss(current.at, `hangs: it was ended after ${patience / 1000} s`);
      end(current.at + 1);
    }, 500);
    worker.on('message', (received) => {
      if (isDone) return;
      const message = received as Message<Result>;
      current = { at: message.at, since: Date.now(), isOpen: !('result' in message) };
      if ('result' in message) onResult(message.at, message.result);
    });
    worker.on('exit', (code, signal) => {
      if (isDone) return;
      if (!current.isOpen) {
        if (code === 0) return end(span.to);
        clearInterval(clock);
        return reject(new Error(`${script} ended (${signal ?? String(code)}) outside of a case`));
      }
      onLoss(current.at, `ends the process (${signal ?? `exit code ${String(code)}`})`);
      end(current.at + 1);
    });
  });
}
