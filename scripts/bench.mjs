/** `npm run bench -- NAME [options]`: runs bench/NAME.ts on the sources; without a name it lists what there is. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies, ensureNode, root, runTypeScript, say } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
const folder = path.join(root, 'bench');
const names = existsSync(folder)
  ? readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).map((file) => file.slice(0, -3)).sort()
  : [];
const [name, ...options] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  if (name !== undefined) say(`bench: NAME must be one of the benchmarks, got ${name}.`);
  say(`Usage: npm run bench -- NAME [options]\nBenchmarks: ${names.join(', ') || '(none yet)'}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  process.exitCode = runTypeScript(path.join('bench', `${name}.ts`), options);
}
