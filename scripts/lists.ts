/** Writes docs/optimizers.md. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './bootstrap.mjs';
import { optimizersPage } from './lists-page.ts';

writeFileSync(path.join(root, 'docs', 'optimizers.md'), optimizersPage());
