/** The static checks, shared by `npm test` and `npm run check`. */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { executable, root, say } from './bootstrap.mjs';

// The longest first: they run side by side.
/** @type {readonly { readonly name: string, readonly command: string, readonly args: readonly string[] }[]} */
const checks = [
  { name: 'lint', command: 'eslint', args: ['.', '--max-warnings=0'] },
  { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the platform-neutral folders', command: 'tsc', args: ['-p', 'tsconfig.neutral.json'] },
  { name: 'types of what runs in a browser', command: 'tsc', args: ['-p', 'tsconfig.dom.json'] },
];

/** Runs a check and returns whether it passed; what it printed comes out at its end, so that checks side by side stay legible. */
function runCheck(/** @type {typeof checks[number]} */ { name, command, args }) {
  const started = Date.now();
  return new Promise((/** @type {(ok: boolean) => void} */ resolve) => {
    const child = spawn(executable(command), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    /** @type {Buffer[]} */
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    const end = (/** @type {boolean} */ ok) => {
      say(`${Buffer.concat(output).toString()}${ok ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      resolve(ok);
    };
    child.on('error', (error) => { output.push(Buffer.from(`${command}: ${error.message}\n`)); end(false); });
    child.on('close', (code) => end(code === 0));
  });
}

/** Runs every static check, as many at a time as there are processors, also after one has failed; returns how many passed and failed. */
export async function runStaticChecks() {
  const waiting = [...checks];
  let passed = 0;
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (await runCheck(next)) passed += 1;
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), checks.length) }, lane));
  return { passed, failed: checks.length - passed };
}
