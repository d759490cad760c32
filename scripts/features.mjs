/** `npm run features`: rewrites docs/features.md from scripts/features-data.ts and scripts/features-goldens.ts. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/features.ts');
