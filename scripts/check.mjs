/** `npm run check`: what can be judged without running the library: types, lint, import direction, sizes, public names. */
import { ensureDependencies, ensureNode } from './bootstrap.mjs';
import { runStaticChecks } from './checks.mjs';
import { runTests, summary } from './vitest-run.mjs';

ensureNode();
ensureDependencies();
const checks = await runStaticChecks();
const tests = runTests(['test/layers.test.ts', 'test/sizes.test.ts', 'test/exports.test.ts']);
const total = { passed: checks.passed + tests.passed, failed: checks.failed + tests.failed, skipped: tests.skipped };
process.stdout.write(`\n${summary(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
