/** Progress in the terminal: one line that is rewritten, or one line an event where output is not a terminal. @module */

export interface ProgressLine {
  /** A part begins, or goes on where so much of it was done before: the rate is of the rest. */
  start(title: string, from?: number): void;
  /** A note that takes work to make is a function, called when the line is drawn. */
  update(done: number, total: number, note?: string | (() => string)): void;
  /** The part's line is replaced by this one. */
  end(text: string): void;
}

const REFRESH_MS = 100;

function clock(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  // Rounded first: 119.7 s is 2 min 0 s.
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `[##########          ]  52 %  1,218/2,340 points  630/s  ETA 1.8 s`; `from` was done before the clock was started. */
export function progressText(done: number, total: number, seconds: number, note = '', from = 0): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const bar = '#'.repeat(Math.round(share * 20)).padEnd(20);
  const rate = seconds > 0 ? (done - from) / seconds : 0;
  const left = rate > 0 ? Math.max(0, total - done) / rate : NaN;
  const speed = rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2);
  return `[${bar}] ${String(Math.round(100 * share)).padStart(3)} %  ${done.toLocaleString('en')}/${total.toLocaleString('en')}${note === '' ? '' : ` ${note}`}  ${speed}/s  ETA ${Number.isFinite(left) ? clock(left) : '?'}`;
}

/** Writes to `stream`; quiet when `enabled` is false. */
export function progressLine(stream: NodeJS.WriteStream, enabled: boolean): ProgressLine {
  let title = '';
  let start = 0;
  let before = 0;
  let last = 0;
  const live = enabled && stream.isTTY === true;
  const rewrite = (text: string): void => { stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stream.columns ?? 100) - 1))}`); };
  return {
    start(next, from = 0) {
      title = next;
      before = from;
      start = performance.now();
      last = 0;
      if (live) rewrite(`  ${title} ...`);
    },
    update(done, total, note) {
      const now = performance.now();
      if (!live || (now - last < REFRESH_MS && done < total)) return;
      last = now;
      rewrite(`  ${title} ${progressText(done, total, (now - start) / 1000, typeof note === 'function' ? note() : note, before)}`);
    },
    end(text) {
      if (!enabled) return;
      if (live) rewrite('');
      stream.write(`${live ? '\r' : ''}${text}\n`);
    },
  };
}
