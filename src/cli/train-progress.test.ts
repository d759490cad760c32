import { describe, expect, test } from 'vitest';
import { MeasurementTable } from '../train/index.ts';
import { lossSparkline, runReporter } from './train-progress.ts';

function memory(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  return { stream: { isTTY, columns: 200, write: (part: string) => { text += part; return true; } } as unknown as NodeJS.WriteStream, text: () => text };
}

/** Steps from `from` to `to` of `steps`, with a measurement of accuracy after the first. */
function reported(isTTY: boolean, from: number, to: number, steps: number): string {
  const { stream, text } = memory(isTTY);
  const table = new MeasurementTable();
  for (let step = 0; step < from; step++) table.add('loss', { step, epoch: 0, measurement: { value: 2, error: 0, kind: 'rounding' } });
  const reporter = runReporter(stream);
  reporter.event({ type: 'begin', step: from, steps, table });
  for (let step = from + 1; step <= to; step++) {
    table.add('accuracy.test', { step, epoch: 0, measurement: { value: 0.9, error: 0.01, kind: 'standard error' } });
    table.add('update-ratio.layers.0', { step, epoch: 0, measurement: { value: 0.9, error: 0, kind: 'rounding' } });
    reporter.event({ type: 'step', step, steps, epoch: 0, loss: 1 / step, learningRate: 0.1 });
  }
  reporter.end();
  return text();
}

test('the sparkline follows the logarithm of positive losses', () => {
  expect(lossSparkline([100, 10, 1, 0.1])).toBe('█▆▃▁');
  expect(lossSparkline([1, 0, -1])).toBe('█▅▁');
  expect(lossSparkline(Array.from({ length: 1000 }, (_, i) => 1000 - i))).toHaveLength(16);
});

describe('where output is not a terminal', () => {
  test('a line every tenth of the run, with the headline measurements, and one at the end', () => {
    const lines = reported(false, 0, 1000, 1000).trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[0]).toMatch(/^ {2}step 100\/1,000 {2}loss 0\.01 {2}accuracy\.test 0\.900 ± 0\.010 {2}\d.* ms, ETA \d/);
    expect(lines[9]).not.toContain('ETA');
    expect(lines[10]).toMatch(/^ {2}training .* loss 0\.001 [▁-█]{32}$/);
    expect(lines.join('')).not.toContain('update-ratio');
  });

  test('a run that goes on begins where it was', () => {
    const lines = reported(false, 900, 1000, 1000).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ {2}step 1,000\/1,000/);
    expect(lines).toHaveLength(2);
  });
});

test('on a terminal one line with rate, time left and the course of the loss', () => {
  const drawn = reported(true, 0, 50, 50).split('\r\x1b[2K');
  expect(drawn.filter((line) => line.includes('\n')).length).toBeLessThanOrEqual(1);
  expect(drawn.find((line) => line.includes('50/50'))).toMatch(/^ {2}training \[#{20}\] 100 % {2}50\/50 steps {2}loss 0\.02 [▁-█]{16} {2}[\d.]+\/s {2}ETA 0\.0 s/);
});
