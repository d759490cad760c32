/** `npm start [-- options]`: the main job, `thalweg survey`, from a fresh clone; `npm start -- COMMAND ...` for another command. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureNode, root } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
ensureBuild();

// In this process, not in a child: one Ctrl-C then reaches the survey exactly once, and its exit code is ours.
const main = path.join(root, 'dist', 'cli', 'main.js');
const words = process.argv.slice(2);
const isNamed = words.length > 0 && !words[0].startsWith('-');
process.argv = [process.argv[0], main, ...(isNamed ? [] : ['survey']), ...words];
await import(pathToFileURL(main).href);
