/** `npm run smoke`: does it live? The quick tests only; under 15 s. */
import { ensureDependencies, ensureNode } from './bootstrap.mjs';
import { runTests, summary } from './vitest-run.mjs';

// The foundation, one path from a model to a measured eigenvalue, and the rules on the tree itself.
const quick = ['src/util/', 'src/tree/', 'src/core/', 'src/linalg/', 'test/smoke.test.ts', 'test/layers.test.ts', 'test/sizes.test.ts'];

ensureNode();
ensureDependencies();
const started = Date.now();
const total = runTests(quick);
process.stdout.write(`\nsmoke: ${((Date.now() - started) / 1000).toFixed(1)} s\n${summary(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
