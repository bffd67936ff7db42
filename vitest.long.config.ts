import { defineConfig } from 'vitest/config';

/** What takes longer than a newcomer should wait for: `npm run test:long`. */
export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/long/**/*.spec.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
});
