import { defineConfig } from 'vitest/config';
import { sourceCondition } from './scripts/bootstrap.mjs';

// `thalweg/optim` means the sources here, also where Node itself resolves it.
const conditions = [sourceCondition];

const library = ['src/**/*.test.ts', 'bench/**/*.test.ts', ...['golden', 'peers-*', 'primitives*', 'random-programs', 'transforms*'].map((name) => `test/${name}.test.ts`)];

const shared = {
  exclude: ['**/node_modules/**', 'dist/**', '.cache/**'],
  setupFiles: ['test/setup.ts'],
  // The limit of one test; one that needs longer says so itself, and why.
  testTimeout: 30_000,
  hookTimeout: 60_000,
  pool: 'forks' as const,
};

export default defineConfig({
  resolve: { conditions: [...conditions, 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: [...conditions, 'node', 'import', 'default'], externalConditions: conditions } },
  test: {
    projects: [
      // Tests of the library share a process, which loads and warms up its modules once: half the time. So a test leaves global state as it found it.
      { extends: true, test: { ...shared, name: 'library', include: library, isolate: false } },
      { extends: true, test: { ...shared, name: 'whole', include: ['test/**/*.test.ts'], exclude: [...shared.exclude, ...library] } },
    ],
    // One for each processor; the default leaves one idle.
    maxWorkers: '100%',
    reporters: ['default'],
  },
});
