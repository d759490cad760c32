import { defineConfig } from 'vitest/config';
import { sourceCondition } from './scripts/bootstrap.mjs';

// `thalweg/optim` means the sources here, also where Node itself resolves it.
const conditions = [sourceCondition];

export default defineConfig({
  resolve: { conditions: [...conditions, 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: [...conditions, 'node', 'import', 'default'], externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', '.cache/**'],
    setupFiles: ['test/setup.ts'],
    // The limit of one test; one that needs longer says so itself, and why.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One for each processor; the default leaves one idle.
    maxWorkers: '100%',
    reporters: ['default'],
  },
});
