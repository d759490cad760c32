/** `npm run size [-- REVISION]`: source lines per folder, and the change against a git revision (HEAD by default). */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './bootstrap.mjs';

const revision = process.argv[2] ?? 'HEAD';
const counted = (file) => /^(src|atlas|bench|scripts|test)\/.*\.(ts|mjs)$/.test(file) && !file.endsWith('_pb.ts');
const kind = (file) => (/\.test\.ts$/.test(file) || file.startsWith('test/') ? 'tests' : 'source');
const folder = (file) => file.split('/').slice(0, file.startsWith('src/') && file.split('/').length > 2 ? 2 : 1).join('/');
const lineCount = (text) => text.split('\n').filter((line) => line.trim() !== '').length;
const git = (...args) => {
  const result = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  return result.status === 0 ? result.stdout : undefined;
};

function tally(files, read) {
  const table = new Map();
  for (const file of files.filter(counted)) {
    const row = table.get(folder(file)) ?? { files: 0, source: 0, tests: 0, longest: 0 };
    const count = lineCount(read(file));
    row.files += 1;
    row[kind(file)] += count;
    row.longest = Math.max(row.longest, count);
    table.set(folder(file), row);
  }
  return table;
}

const present = ['src', 'atlas', 'bench', 'scripts', 'test'].flatMap((top) => {
  try {
    return readdirSync(path.join(root, top), { recursive: true }).map((file) => `${top}/${file}`.split(path.sep).join('/'));
  } catch {
    return [];
  }
});
const now = tally(present, (file) => readFileSync(path.join(root, file), 'utf8'));
const before = tally((git('ls-tree', '-r', '--name-only', revision) ?? '').split('\n'), (file) => git('show', `${revision}:${file}`) ?? '');

const none = { files: 0, source: 0, tests: 0, longest: 0 };
const cell = (value) => String(value).padStart(8);
const signed = (value) => (value === 0 ? '' : value > 0 ? `+${value}` : String(value));
const print = (name, a, b) =>
  process.stdout.write(`${name.padEnd(18)}${cell(a.files)}${cell(a.source)}${cell(signed(a.source - b.source))}${cell(a.tests)}${cell(signed(a.tests - b.tests))}${cell(a.longest)}\n`);

process.stdout.write(`non-blank lines, against ${revision}\n${'folder'.padEnd(18)}${['files', 'source', '+-', 'tests', '+-', 'longest'].map(cell).join('')}\n`);
const total = (table) => [...table.values()].reduce((sum, row) => ({ files: sum.files + row.files, source: sum.source + row.source, tests: sum.tests + row.tests, longest: Math.max(sum.longest, row.longest) }), none);
for (const name of [...new Set([...now.keys(), ...before.keys()])].sort()) print(name, now.get(name) ?? none, before.get(name) ?? none);
print('total', total(now), total(before));
