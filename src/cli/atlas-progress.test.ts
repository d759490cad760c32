import { expect, test } from 'vitest';
import type { EntryOutcome } from '../atlas/node.ts';
import { entriesReporter, outcomeText } from './atlas-progress.ts';

const finished = (entry: string): EntryOutcome => ({ entry, kind: 'finished', seconds: 2, figure: '', record: { claims: [{ verdict: 'holds' }, { verdict: 'fails' }] } as never });

function watched(isTTY: boolean): string {
  let text = '';
  let clock = 0;
  const reporter = entriesReporter({ write(piece) { text += piece; }, isTTY, columns: 80 }, 2, 7, () => clock);
  reporter.event({ kind: 'start', entry: 'games/a' });
  clock = 1000;
  reporter.event({ kind: 'progress', entry: 'games/a', fraction: 0.5, what: 'half' });
  clock = 2000;
  reporter.event({ kind: 'end', outcome: finished('games/a') });
  reporter.event({ kind: 'start', entry: 'games/b' });
  reporter.event({ kind: 'end', outcome: { entry: 'games/b', kind: 'failed', seconds: 0.5, message: 'a\n  b' } });
  reporter.end();
  return text;
}

test('where output is not a terminal, a line an entry', () => {
  expect(watched(false)).toBe('  1/2  games/a        2 s  1 holds, 1 fails\n  2/2  games/b     500 ms  ERROR: a b\n');
});

test('on a terminal, a table that is rewritten, with shares, times and what remains', () => {
  const text = watched(true);
  expect(text).toContain('  games/a  [######      ]  50 %  1 s  half\n');
  expect(text).toContain('0.5/2 entries');
  expect(text).toContain('ETA 3.0 s');
  // Two lines of the table go before they are written anew.
  expect(text).toContain('\x1b[2A\r\x1b[J');
  expect(text.split('\x1b[J').at(-1)).toBe('  2/2  games/b     500 ms  ERROR: a b\n');
});

test('interrupted entries are told from those not begun', () => {
  expect([1, 0].map((seconds) => outcomeText({ entry: 'games/a', kind: 'interrupted', seconds }))).toEqual(['interrupted', 'not begun']);
});
