/** `npm run lists`: rewrites docs/optimizers.md from the registries of optimizers and schedules. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/lists.ts');
