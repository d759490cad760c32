/** Runs before every test file: a test fails when anything writes to the console, since library code never prints. */
import { afterEach, beforeEach, expect } from 'vitest';

const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;
const printed: string[] = [];
const restore: (() => void)[] = [];

beforeEach(() => {
  printed.length = 0;
  for (const method of methods) {
    const original = console[method];
    console[method] = (...values: unknown[]) => {
      printed.push(`console.${method}: ${values.map(String).join(' ')}`);
      original.apply(console, values);
    };
    restore.push(() => { console[method] = original; });
  }
});

afterEach(() => {
  for (const undo of restore.splice(0).reverse()) undo();
  expect(printed, 'nothing is written to the console during a test (a notice of a test itself goes to process.stderr)').toEqual([]);
});
