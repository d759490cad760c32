/** `npm start [-- options]`: the main job, `thalweg survey`, from a fresh clone. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureNode, root } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
ensureBuild();

// In this process, not in a child: one Ctrl-C then reaches the survey exactly once, and its exit code is ours.
const main = path.join(root, 'dist', 'cli', 'main.js');
process.argv = [process.argv[0], main, 'survey', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
