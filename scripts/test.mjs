/**
 * `npm test`: dependencies, types, lint, every test. The last line is the count, alone; the exit code is 1 when anything failed.
 * Each static check counts as one test. `npm test -- src/optim` runs the tests of one folder after the same checks.
 */
import { ensureDependencies, ensureNode } from './bootstrap.mjs';
import { runStaticChecks } from './checks.mjs';
import { runTests, summary } from './vitest-run.mjs';

ensureNode();
ensureDependencies();
const checks = await runStaticChecks();
const tests = runTests(process.argv.slice(2));
const total = { passed: checks.passed + tests.passed, failed: checks.failed + tests.failed, skipped: tests.skipped };
process.stdout.write(`\n${summary(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
