/** The static checks, shared by `npm test` and `npm run check`. */
import { run, say } from './bootstrap.mjs';

/** @type {readonly { readonly name: string, readonly command: string, readonly args: readonly string[] }[]} */
const checks = [
  { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the platform-neutral folders', command: 'tsc', args: ['-p', 'tsconfig.neutral.json'] },
  { name: 'types of what runs in a browser', command: 'tsc', args: ['-p', 'tsconfig.dom.json'] },
  { name: 'lint', command: 'eslint', args: ['.', '--max-warnings=0'] },
];

/** Runs every static check, also after one has failed; returns how many passed and failed. */
export function runStaticChecks() {
  let passed = 0;
  for (const { name, command, args } of checks) {
    const started = Date.now();
    const ok = run(command, args) === 0;
    if (ok) passed += 1;
    say(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }
  return { passed, failed: checks.length - passed };
}
