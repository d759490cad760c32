/** `npm run build`, and what `npm pack` runs first: installs what the build needs, then compiles src to dist. */
import { build, ensureDependencies, ensureNode } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
build();
