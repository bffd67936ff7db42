import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['test/long/**', 'node_modules/**', 'dist/**'],
    // Many tests wait for servers and processes: one worker alone would leave a machine of two cores idle.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: {
      provider: 'v8',
      // Every source file counts, one that no test loads included.
      include: ['libs/**/*.ts', 'apps/**/*.ts'],
      exclude: ['**/*.spec.ts', '**/*.contract.ts', '**/src/testing.ts', '**/src/testing/**'],
      reporter: ['text-summary', 'html'],
      // A little below what is measured, so that a drop is seen.
      thresholds: { lines: 81, functions: 82, statements: 80, branches: 71 },
    },
  },
});
