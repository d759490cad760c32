/** The `thalweg` command as a child process, from a build of the sources in a temporary folder. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { filesUnder, isHandWritten, read, root } from './tree-files.ts';

const options: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true, rewriteRelativeImportExtensions: true };

/** A temporary folder that begins with `thalweg-`; links resolved, so that paths in messages are as given. */
export const temporaryFolder = (name: string): string => realpathSync(mkdtempSync(path.join(tmpdir(), `thalweg-${name}-`)));

/**
 * Translates `src` file by file, without checking types, into `folder/dist`, and links the installed packages but those
 * named: the package as it is installed, with some dependencies missing.
 */
export function installSources(folder: string, { without = [] }: { readonly without?: readonly string[] } = {}): void {
  copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  for (const file of filesUnder('src', (name) => name.endsWith('.ts') && !/\.(d|test|test-helper)\.ts$/.test(name) && (isHandWritten(name) || name.endsWith('_pb.ts')))) {
    const target = path.join(folder, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(read(file), { compilerOptions: options, fileName: file }).outputText);
  }
  // Scripts that are built from the sources and shipped as they are.
  for (const file of filesUnder('src', (name) => name.endsWith('.js'))) copyFileSync(path.join(root, file), path.join(folder, file.replace(/^src/, 'dist')));
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
  readonly onOutput?: (stdout: string, child: { kill(signal: 'SIGINT'): boolean }) => void;
  readonly cwd?: string;
}

/** Runs the command of an installed package to its end. */
export function runCommand(folder: string, args: readonly string[], { onOutput, cwd = folder }: Watch = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, 'dist', 'cli', 'main.js'), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; onOutput?.(stdout, child); });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    child.on('error', reject);
    child.on('close', (code) => { resolve({ code, stdout, stderr }); });
  });
}
