/** Writes the skeleton of an entry and its line of the registry. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, root, say } from './bootstrap.mjs';
import { parsePath, registered, skeleton } from './new-entry-text.ts';

const registry = path.join(root, 'atlas', 'registry.ts');
try {
  const [name] = process.argv.slice(2);
  const { topic, id } = parsePath(name);
  const file = path.join(root, 'atlas', topic, `${id}.ts`);
  if (existsSync(file)) throw new Error(`${path.relative(root, file)} exists already`);
  const listed = registered(readFileSync(registry, 'utf8'), `${topic}/${id}`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, skeleton(topic, id));
  writeFileSync(registry, listed);
  say(`wrote atlas/${topic}/${id}.ts and its line of atlas/registry.ts. Next:
  1. fill in what is marked TODO (docs/adding-an-entry.md says what an entry needs)
  2. npm start -- atlas run ${topic}/${id} --twice      runs it; its claim fails until it measures something
  3. npm start -- atlas run ${topic}/${id} --update     stores the run that tests compare with; --preset full --update the one of the gallery
  4. npm test -- test/atlas`);
} catch (error) {
  fail(`new:entry: ${(error as Error).message}`, 2);
}
