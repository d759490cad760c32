/** Runs of entries in the terminal: a table that is rewritten, or a line an entry where output is not a terminal. @module */
import type { EntryOutcome, HarnessEvent } from '../atlas/node.ts';
import { formatSeconds } from '../charts/index.ts';
import { verdictCounts } from './atlas-text.ts';
import { progressText } from './progress.ts';

const REFRESH_MS = 100;
const BAR = 12;

/** What this needs of a stream. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Shows the events of one run of many entries. */
export interface EntriesReporter {
  event(event: HarnessEvent): void;
  /** Takes the table away; what ended stays. */
  end(): void;
}

interface Running {
  readonly begun: number;
  fraction: number;
  what: string;
}

/** How an entry ended, in a few words. */
export function outcomeText(outcome: EntryOutcome): string {
  if (outcome.kind === 'finished') return verdictCounts(outcome.record.claims);
  if (outcome.kind === 'failed') return `ERROR: ${outcome.message.replaceAll(/\s*\n\s*/g, ' ')}`;
  return outcome.seconds > 0 ? 'interrupted' : 'not begun';
}

/** Writes to `stream`; `total` entries will run, their names at most `width` letters. `now` is a clock in ms. */
export function entriesReporter(stream: Terminal, total: number, width: number, now: () => number = () => performance.now()): EntriesReporter {
  const live = stream.isTTY === true;
  const begun = now();
  const running = new Map<string, Running>();
  let [ended, drawn, last] = [0, 0, -Infinity];

  const clear = (): string => (drawn === 0 ? '' : `\x1b[${drawn}A\r\x1b[J`);
  /** The table, with lines that stay above it. */
  const draw = (above: readonly string[] = []): void => {
    if (!live) {
      above.forEach((line) => stream.write(`${line}\n`));
      return;
    }
    const fit = (line: string): string => line.slice(0, Math.max(20, (stream.columns ?? 100) - 1));
    const shares = [...running.values()].reduce((sum, { fraction }) => sum + fraction, 0);
    const rows = ended === total ? [] : [
      ...[...running].map(([entry, { begun: since, fraction, what }]) =>
        `  ${entry.padEnd(width)}  [${'#'.repeat(Math.round(fraction * BAR)).padEnd(BAR)}] ${String(Math.round(100 * fraction)).padStart(3)} %  ${formatSeconds((now() - since) / 1000)}  ${what}`),
      `  ${progressText(Number((ended + shares).toFixed(1)), total, (now() - begun) / 1000, 'entries')}`,
    ].map(fit);
    stream.write(clear() + [...above, ...rows].map((line) => `${line}\n`).join(''));
    drawn = rows.length;
    last = now();
  };

  return {
    event(event) {
      if (event.kind === 'start') {
        running.set(event.entry, { begun: now(), fraction: 0, what: 'starting' });
        if (live) draw();
      } else if (event.kind === 'progress') {
        Object.assign(running.get(event.entry)!, { fraction: event.fraction, what: event.what });
        if (live && now() - last >= REFRESH_MS) draw();
      } else {
        const { outcome } = event;
        running.delete(outcome.entry);
        ended += 1;
        const place = `${String(ended).padStart(String(total).length)}/${total}`;
        draw([`  ${place}  ${outcome.entry.padEnd(width)}  ${formatSeconds(outcome.seconds).padStart(9)}  ${outcomeText(outcome)}`]);
      }
    },
    end() {
      if (drawn > 0) stream.write(clear());
      drawn = 0;
    },
  };
}
