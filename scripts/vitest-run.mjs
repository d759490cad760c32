/** Runs vitest and counts what it reports. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, run, say } from './bootstrap.mjs';

/**
 * Runs the tests whose paths contain one of `filters` (all when empty).
 * A file that cannot be loaded counts as one failure, and so does an error outside of any test.
 * @param {readonly string[]} filters
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function runTests(filters = []) {
  const file = path.join('.cache', `test-results-${process.pid}.json`);
  const report = path.join(root, file);
  const code = run('vitest', ['run', ...filters, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  if (!existsSync(report)) {
    say('vitest ended without a report.');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const results = JSON.parse(readFileSync(report, 'utf8'));
  rmSync(report);
  const passed = results.numPassedTests;
  const skipped = results.numPendingTests + results.numTodoTests;
  const unloaded = results.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
  let failed = results.numFailedTests + unloaded;
  if (code !== 0 && failed === 0) failed = 1;
  if (passed + failed === 0) failed = 1; // A run without a single test is not a success.
  return { passed, failed, skipped };
}

/** `N passed, N failed`, with the skipped ones where there are any. */
export const summary = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
