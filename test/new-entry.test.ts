/** `npm run new:entry`: what it writes type-checks, and what it refuses. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parsePath, registered, skeleton } from '../scripts/new-entry-text.ts';
import { read, root } from './tree-files.ts';

test('the skeleton type-checks', () => {
  // Inside the repository, so that `thalweg` resolves to this package by its own name.
  const folder = path.join(root, '.cache', `new-entry-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(path.join(folder, 'small.ts'), skeleton('games', 'small'));
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['./small.ts'] }));
    const { stdout } = spawnSync(process.execPath, [path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', folder, '--pretty', 'false'], { cwd: root, encoding: 'utf8' });
    // Errors in the sources are reported by the check of the sources.
    expect(stdout.split('\n').filter((line) => line.includes('small.ts'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

test('the registry gets a line at its end, once', () => {
  const registry = read('atlas/registry.ts');
  const longer = registered(registry, 'games/small');
  expect(longer).toBe(registry.replace(/\};\s*$/, "  'games/small': () => import('./games/small.ts'),\n};\n"));
  expect(() => registered(longer, 'games/small')).toThrow('games/small is in the registry already');
});

test('a name that is none is refused', () => {
  expect(parsePath('games/two-players')).toEqual({ topic: 'games', id: 'two-players' });
  expect(() => parsePath(undefined)).toThrow('an entry is named TOPIC/ID, the id in lower-case words joined by hyphens, got nothing');
  expect(() => parsePath('games/Two_Players')).toThrow("got 'games/Two_Players'");
  expect(() => parsePath('jokes/one')).toThrow(/the topic must be one of architectures, .*, got 'jokes'/);
});
