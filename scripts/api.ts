/** Writes `exports` in package.json and the list test/api.txt from the sources; `git diff` then shows what changed for users. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './bootstrap.mjs';
import { apiList, exportMap, publicNames } from './public-surface.ts';

const manifestFile = path.join(root, 'package.json');
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Record<string, unknown>;
const updated = `${JSON.stringify({ ...manifest, exports: exportMap() }, null, 2)}\n`;
if (updated !== readFileSync(manifestFile, 'utf8')) writeFileSync(manifestFile, updated);
const names = publicNames();
writeFileSync(path.join(root, 'test', 'api.txt'), apiList(names));
process.stdout.write(`${Object.keys(exportMap()).length - 1} subpaths, ${names.length} names\n`);
