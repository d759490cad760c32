import { describe, expect, test } from 'vitest';
import { progressLine, progressText } from './progress.ts';

describe('progressText', () => {
  test('a bar of twenty, the share, what is done, the rate and the time left', () => {
    expect(progressText(1218, 2340, 2, 'loss 0.3')).toBe('[##########          ]  52 %  1,218/2,340 loss 0.3  609/s  ETA 1.8 s');
    expect(progressText(1, 4, 8)).toBe('[#####               ]  25 %  1/4  0.13/s  ETA 24.0 s');
  });
  test('at the ends', () => {
    expect(progressText(0, 10, 0)).toBe('[                    ]   0 %  0/10  0.0/s  ETA ?');
    expect(progressText(10, 10, 5)).toBe('[####################] 100 %  10/10  2.0/s  ETA 0.0 s');
    expect(progressText(0, 0, 1)).toBe('[                    ]   0 %  0/0  0.0/s  ETA ?');
    // More than was foreseen.
    expect(progressText(12, 10, 6)).toBe('[####################] 100 %  12/10  2.0/s  ETA 0.0 s');
  });
  test('the rate is of what was done since the clock was started', () => { expect(progressText(150, 200, 10, 'steps', 100)).toBe('[###############     ]  75 %  150/200 steps  5.0/s  ETA 10.0 s'); });
  test.each([[59.94, '59.9 s'], [59.96, '1 min 0 s'], [119.7, '2 min 0 s'], [3725, '62 min 5 s']])('%d seconds left are %s', (seconds, text) => {
    expect(progressText(1, 1 + seconds, 1)).toMatch(new RegExp(`ETA ${text}$`));
  });
});

/** A stream that keeps what is written. */
function memory(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  return { stream: { isTTY, columns: 60, write: (part: string) => { text += part; return true; } } as unknown as NodeJS.WriteStream, text: () => text };
}

describe('progressLine', () => {
  test('without a terminal writes one line a part, at its end', () => {
    const { stream, text } = memory(false);
    const line = progressLine(stream, true);
    line.start('training');
    line.update(1, 2, 'loss 1');
    line.end('  training  1.0 s');
    expect(text()).toBe('  training  1.0 s\n');
  });
  test('on a terminal rewrites one line, cut to its width', () => {
    const { stream, text } = memory(true);
    const line = progressLine(stream, true);
    line.start('training');
    line.update(1, 1, 'loss 1');
    line.end('done');
    const drawn = text().split('\r\x1b[2K').slice(1);
    expect(drawn[0]).toBe('  training ...');
    expect(drawn[1]).toMatch(/^ {2}training \[#{20}\] 100 %/);
    expect(drawn.every((part) => part.replace(/\r?done\n|\r/, '').length <= 59)).toBe(true);
    expect(text().endsWith('done\n')).toBe(true);
  });
  test('writes nothing when it is not enabled', () => {
    const { stream, text } = memory(true);
    const line = progressLine(stream, false);
    line.start('a');
    line.update(1, 1);
    line.end('b');
    expect(text()).toBe('');
  });
});
