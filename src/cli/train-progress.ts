/** A training run in the terminal: one line that is rewritten, or a line every tenth of the run where output is not a terminal. @module */
import { formatMeasurement, formatNumber, formatSeconds, sparkline } from '../charts/index.ts';
import type { MeasurementTable, TrainEvent } from '../train/index.ts';
import { progressLine } from './progress.ts';

const SPARK_WIDTH = 16;
/** Lines without a terminal: ten a run, and one after so many seconds of silence. */
const PLAIN_LINES = 10;
const SILENCE_SECONDS = 30;
/** Headline columns in a plain line. */
const MOST_COLUMNS = 4;

/** The course of the loss, by its logarithm where all losses are positive. */
export const lossSparkline = (losses: readonly number[], width = SPARK_WIDTH): string => sparkline(losses.every((loss) => loss > 0) ? losses.map(Math.log) : losses, width);

/** The last values of what probes of one number or of the test split measured. */
function headlines(table: MeasurementTable): string[] {
  const names = table.columns.filter((name) => name !== 'loss' && name !== 'learningRate' && (!name.includes('.') || name.endsWith('.test')));
  return names.slice(0, MOST_COLUMNS).flatMap((name) => {
    const last = table.last(name);
    return last === undefined ? [] : [`${name} ${formatMeasurement(last.measurement.value, last.measurement.kind === 'rounding' ? undefined : last.measurement.error)}`];
  });
}

/** Shows the events of one run. */
export interface RunReporter {
  event(event: TrainEvent): void;
  /** The line of the whole run, once it has ended. */
  end(): void;
}

/** Writes to `stream`. */
export function runReporter(stream: NodeJS.WriteStream): RunReporter {
  const line = progressLine(stream, true);
  const losses: number[] = [];
  let [begun, last, from, table] = [0, 0, 0, undefined as MeasurementTable | undefined];
  const plain = (step: number, steps: number, loss: number): void => {
    const seconds = (performance.now() - begun) / 1000;
    const left = (seconds / (step - from)) * (steps - step);
    stream.write(`  ${[`step ${step.toLocaleString('en')}/${steps.toLocaleString('en')}`, `loss ${formatNumber(loss)}`, ...(table ? headlines(table) : []), `${formatSeconds(seconds)}${left > 0 ? `, ETA ${formatSeconds(left)}` : ''}`].join('  ')}\n`);
    last = performance.now();
  };
  return {
    event(event) {
      if (event.type === 'begin') {
        [begun, last, from, table] = [performance.now(), performance.now(), event.step, event.table];
        losses.push(...event.table.series('loss').values);
        line.start('training', event.step);
      } else if (event.type === 'step') {
        const { step, steps, loss } = event;
        losses.push(loss);
        if (stream.isTTY === true) line.update(step, steps, () => `steps  loss ${formatNumber(loss)} ${lossSparkline(losses)}`);
        else if (Math.floor((step * PLAIN_LINES) / steps) > Math.floor(((step - 1) * PLAIN_LINES) / steps) || performance.now() - last > 1000 * SILENCE_SECONDS) plain(step, steps, loss);
      }
    },
    end() {
      const seconds = (performance.now() - begun) / 1000;
      line.end(`  training  ${formatSeconds(seconds)}${losses.length > 0 ? `  loss ${formatNumber(losses[losses.length - 1])} ${lossSparkline(losses, 2 * SPARK_WIDTH)}` : ''}`);
    },
  };
}
