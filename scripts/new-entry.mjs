/** `npm run new:entry -- TOPIC/ID`: a new entry of the atlas that type-checks, runs, and fails until its claims are written. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/new-entry.ts', process.argv.slice(2));
