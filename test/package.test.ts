/** `npm pack` into an empty project: what is shipped is enough, for the command and for the library. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remove, temporaryFolder } from './command.ts';
import { root } from './tree-files.ts';

// Compiles the whole package, and asks the registry for its dependencies.
const patience = 300_000;
// Settings of the npm that runs the tests must not reach the inner one, which works elsewhere.
const environment = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_|lifecycle_)/i.test(name))), ONNXRUNTIME_NODE_INSTALL: 'skip', npm_config_update_notifier: 'false' };

function run(command: string, args: readonly string[], cwd: string): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', env: environment, timeout: patience });
  expect(status, `${command} ${args.join(' ')}\n${error ?? ''}\n${stdout}\n${stderr}`).toBe(0);
  return { stdout, stderr };
}

/** Packs a copy of the tree, so that neither `dist` nor another build of it is disturbed. */
function pack(folder: string): string {
  for (const name of ['src', 'atlas', 'scripts', 'package.json', 'package-lock.json', 'LICENSE', 'README.md', 'CHANGELOG.md', ...readdirSync(root).filter((file) => /^tsconfig.*\.json$/.test(file))]) {
    if (existsSync(path.join(root, name))) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  const { stdout } = run('npm', ['pack', '--json', '--loglevel=error'], folder);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map((file) => file.path);
  return path.join(folder, filename);
}

let packed: readonly string[] = [];
let copy = '';
let project = '';

beforeAll(() => {
  copy = temporaryFolder('pack');
  const tarball = pack(copy);
  project = temporaryFolder('project');
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'a-project', private: true, type: 'module' }));
  run('npm', ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], project);
}, patience);
afterAll(() => { [copy, project].filter((folder) => folder !== '').forEach(remove); });

describe('the package', () => {
  test('holds the build and the licence, and neither sources nor tests', () => {
    expect(packed).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'dist/entries/registry.js', 'dist/entries/registry.d.ts']));
    expect(packed.filter((file) => !/^(dist\/.*\.(js|d\.ts|css|html|json|svg)|dist\/entries\/.*\.ts\.txt|[^/]+\.md|LICENSE|package\.json)$/.test(file) || /\.test(-helper)?\./.test(file))).toEqual([]);
  });

  test('brings the command', () => {
    expect(run('npx', ['--no-install', 'thalweg', '--version'], project).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    run('npx', ['--no-install', 'thalweg', 'survey', '--data', 'iris', '--model', 'mlp:4-8-3', '--preset', 'quick', '--only', 'quality', '--out', 'out'], project);
    expect(readdirSync(path.join(project, 'out'))).toContain('report.html');
  }, patience);

  test('computes a Hessian-vector product on the backend', () => {
    // f(x) = sum x^4 / 12 has the Hessian diag(x^2).
    writeFileSync(path.join(project, 'product.js'), `
      import { array, compile, hvp } from 'thalweg';
      import 'thalweg/node';
      import { mul, sum } from 'thalweg/ops';
      const f = (x) => sum(mul(1 / 12, mul(mul(x, x), mul(x, x))));
      const product = compile((x, v) => hvp(f)(x, v));
      console.log(JSON.stringify([...(await product(array([1, 2, -3]), array([1, 1, 2]))).data].map((x) => Number(x.toFixed(4)))));
    `);
    expect(run(process.execPath, ['product.js'], project).stdout).toBe('[1,4,18]\n');
  }, patience);

  test('is typed: TypeScript resolves every subpath without the sources', () => {
    const subpaths = ['thalweg', ...['ops', 'transforms', 'nn', 'losses', 'data', 'problem', 'optim', 'train', 'curvature', 'landscape', 'survey', 'atlas', 'atlas/node', 'atlas/entries', 'node'].map((name) => `thalweg/${name}`)];
    writeFileSync(path.join(project, 'check.ts'), `${subpaths.map((name, i) => `import * as m${i} from '${name}';`).join('\n')}\nexport const names: number = ${subpaths.map((_, i) => `Object.keys(m${i}).length`).join(' + ')};\n`);
    run(path.join(root, 'node_modules', '.bin', 'tsc'), ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', 'check.ts'], project);
  }, patience);
});
