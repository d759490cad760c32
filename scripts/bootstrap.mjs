/**
 * What every npm script begins with: the right Node, the locked dependencies, an up-to-date build.
 * Runs before anything is installed, so it imports Node's own modules only.
 * All notices go to stderr: `npm pack --json` and `thalweg --json` keep stdout for themselves.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync, chmodSync, cpSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder of package.json. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The export condition under which `thalweg/…` resolves to the TypeScript sources. */
export const sourceCondition = 'thalweg-source';

const minimumNode = [20, 19];

/** Prints a notice about the work of a script. */
export const say = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);

/** Prints one line and ends the process. */
export function fail(/** @type {string} */ text, code = 1) {
  say(text);
  process.exit(code);
}

/** The path of a program of node_modules, or the name as it is. */
export function executable(/** @type {string} */ command) {
  const local = path.join(root, 'node_modules', '.bin', command);
  return existsSync(local) ? local : command;
}

/**
 * Runs a program of node_modules or Node itself in the repository root with inherited streams; returns its exit code.
 * @param {string} command a name under node_modules/.bin, or an executable
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, stdio?: import('node:child_process').StdioOptions }} [options]
 */
export function run(command, args, { env = {}, stdio = 'inherit' } = {}) {
  const result = spawnSync(executable(command), args, { cwd: root, stdio, env: { ...process.env, ...env }, shell: process.platform === 'win32' });
  if (result.error) {
    say(`${command}: ${result.error.message}`);
    return 127;
  }
  return result.status ?? 1;
}

/** Runs one TypeScript file on the sources, without a build; returns its exit code. */
export const runTypeScript = (/** @type {string} */ file, /** @type {readonly string[]} */ args = []) =>
  run(process.execPath, ['--conditions', sourceCondition, '--import', 'tsx', file, ...args]);

/** Stops with one line when Node is older than package.json asks for. */
export function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
    fail(`thalweg: Node ${minimumNode.join('.')} or newer is required, got ${process.versions.node}.`, 2);
  }
}

const readJson = (/** @type {string} */ file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

/** The first locked package that node_modules lacks or holds in another version; undefined when all agree. */
export function staleDependency() {
  const installedRecord = 'node_modules/.package-lock.json';
  if (!existsSync(path.join(root, installedRecord))) return 'node_modules';
  const locked = readJson('package-lock.json').packages;
  const installed = readJson(installedRecord).packages;
  const own = new Set(Object.keys(locked[''].optionalDependencies ?? {}).map((name) => `node_modules/${name}`));
  return Object.keys(locked).find((name) => {
    if (name === '') return false;
    // An optional package that is absent belongs to another platform, except for those that this package itself asks for.
    if (!(name in installed)) return !locked[name].optional || own.has(name);
    return installed[name].version !== locked[name].version || !existsSync(path.join(root, name));
  });
}

/** Installs the locked dependencies when they are missing or stale, and makes what is generated from sources. */
export function ensureDependencies() {
  installDependencies();
  ensureViewer();
}

/**
 * A script of pages, bundled into a module that holds it as text: `NAMEScript`, and its digest `NAMEHash`.
 * @typedef {{ name: string, what: string, entry: string, output: string, inputs: readonly string[], banner: string }} ScriptBundle
 */

/** Each is made anew when one of its inputs is newer. @type {readonly ScriptBundle[]} */
export const bundles = [
  {
    name: 'viewer', what: 'the viewer of reports', entry: 'src/charts/viewer/main.ts', output: 'src/charts/viewer-bundle.js',
    inputs: ['src/charts/viewer', 'src/charts/surface-data.ts', 'scripts/viewer.mjs'], banner: 'Contains three.js, (c) 2010-2026 three.js authors, MIT licence.',
  },
  {
    name: 'client', what: 'the script of the gallery', entry: 'src/atlas/gallery/client/main.ts', output: 'src/atlas/gallery/client-bundle.js',
    inputs: ['src/atlas/gallery/client', 'scripts/viewer.mjs'], banner: 'Contains MiniSearch, (c) Luca Ongaro, MIT licence.',
  },
];

function ensureViewer() {
  for (const { name, what, output, inputs } of bundles) {
    const bundle = path.join(root, output);
    if (existsSync(bundle) && inputs.every((input) => newest(path.join(root, input)) <= statSync(bundle).mtimeMs)) continue;
    if (run(process.execPath, [path.join('scripts', 'viewer.mjs'), name], { stdio: ['ignore', 2, 2] }) !== 0) fail(`thalweg: bundling ${what} failed.`, 1);
  }
}

function installDependencies() {
  const stale = staleDependency();
  if (stale === undefined) return;
  say(`thalweg: installing dependencies (${stale} is missing or out of date)`);
  // No dependency needs its install script: onnxruntime-node's would only fetch CUDA libraries of several hundred megabytes.
  const code = run('npm', ['ci', '--ignore-scripts', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) fail(`thalweg: npm ci failed with code ${code}; is the package registry reachable?`, 1);
}

/** Newest modification time under a file or folder, in milliseconds. */
function newest(/** @type {string} */ entry) {
  const stats = statSync(entry);
  if (!stats.isDirectory()) return stats.mtimeMs;
  // A folder's own time moves when a file in it is deleted or renamed.
  return readdirSync(entry).reduce((time, name) => Math.max(time, newest(path.join(entry, name))), stats.mtimeMs);
}

/** Its time is that of the last complete build. */
const buildStamp = path.join('dist', '.built');
const buildInputs = ['src', 'atlas', 'scripts/bundle.mjs', 'package.json', 'tsconfig.base.json', 'tsconfig.build.json', 'tsconfig.entries.json'];

/** True when dist is missing or older than a source. */
export function buildIsStale() {
  const stamp = path.join(root, buildStamp);
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return buildInputs.some((input) => newest(path.join(root, input)) > built);
}

/** Compiles src to dist, and the entries of atlas to dist/entries. The new build replaces the old one only when it is complete, so no stale file survives. */
export function build() {
  const fresh = path.join(root, '.cache', 'build');
  rmSync(fresh, { recursive: true, force: true });
  const started = Date.now();
  // tsc reports on stdout; ours goes to stderr. It writes the declarations; the JavaScript is bundled.
  const code = run('tsc', ['-p', 'tsconfig.build.json', '--outDir', fresh], { stdio: ['ignore', 2, 2] }) || run(process.execPath, ['scripts/bundle.mjs', fresh], { stdio: ['ignore', 2, 2] });
  if (code !== 0) fail('thalweg: the build failed; dist is unchanged.', 1);
  buildEntries(path.join(fresh, 'entries'));
  const dist = path.join(root, 'dist');
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  writeFileSync(path.join(root, buildStamp), '');
  // A source saved while tsc ran belongs to the next build.
  utimesSync(path.join(root, buildStamp), new Date(started), new Date(started));
  const main = path.join(dist, 'cli', 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  say(`thalweg: built dist in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * Translates the entries of the atlas, which import the package by its name: types are those of the sources, checked by `npm run check`.
 * Declarations stay for the registry alone; snapshots and the entries' own text, which the gallery shows, go along.
 */
function buildEntries(/** @type {string} */ to) {
  if (run('tsc', ['-p', 'tsconfig.entries.json', '--outDir', to], { stdio: ['ignore', 2, 2] }) !== 0) fail('thalweg: building the entries of the atlas failed; dist is unchanged.', 1);
  copyEntryFiles(to);
  for (const { topic, name } of entryFiles(to)) if (name.endsWith('.d.ts')) rmSync(path.join(to, topic, name));
}

/** Files of the topics' folders. */
const entryFiles = (/** @type {string} */ folder) => readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  .flatMap(({ name: topic }) => readdirSync(path.join(folder, topic)).map((name) => ({ topic, name })));

/** Copies the snapshots of the entries, and their TypeScript as `ID.ts.txt`: in an installed package a `.ts` file would be taken for a module. */
export function copyEntryFiles(/** @type {string} */ to) {
  for (const { topic, name } of entryFiles(path.join(root, 'atlas'))) {
    const kept = /\.(quick|full)\.(json|svg)$/.test(name) ? name : name.endsWith('.ts') ? `${name}.txt` : undefined;
    if (kept === undefined) continue;
    mkdirSync(path.join(to, topic), { recursive: true });
    cpSync(path.join(root, 'atlas', topic, name), path.join(to, topic, kept));
  }
}

/** Builds when a source is newer than dist. */
export function ensureBuild() {
  if (buildIsStale()) build();
}

/** True when the file of `url` is the program that Node was started with. */
export const isMain = (/** @type {string} */ url) => process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;

if (isMain(import.meta.url)) {
  ensureNode();
  ensureDependencies();
  ensureBuild();
}
