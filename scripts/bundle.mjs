/**
 * `node scripts/bundle.mjs FOLDER`: the sources as the JavaScript that is shipped. A file for each public subpath, for the command and for what is
 * started by its URL; what they share lies in `chunks`, so that there is one of everything. Forty files load in half the time of six hundred.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { isMain, root } from './bootstrap.mjs';

/** Started by URL: written as `../atlas/...` there, which is the same place from a chunk. */
const started = ['src/cli/main.ts', 'src/atlas/harness-worker.node.ts', 'src/interop/user-modules-hooks.node.ts'];

/** Writes the bundles into `folder`, which stands for `dist`. */
export function bundleSources(/** @type {string} */ folder) {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const subpaths = Object.values(exports).map((target) => target['thalweg-source']).filter((source) => source?.startsWith('./src/'));
  buildSync({
    absWorkingDir: root, entryPoints: [...subpaths, ...started], outbase: 'src', outdir: folder, chunkNames: 'chunks/[name]-[hash]',
    bundle: true, splitting: true, format: 'esm', platform: 'neutral', target: 'es2022', packages: 'external', external: ['node:*'], logLevel: 'warning',
  });
}

if (isMain(import.meta.url)) bundleSources(path.resolve(process.argv[2]));
