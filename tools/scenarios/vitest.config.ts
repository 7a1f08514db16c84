import { defineConfig } from 'vitest/config';

// One file at a time: rigs of one driver name cannot stand side by side in a cluster, and two cores are soon busy.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.scenario.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 900_000,
    hookTimeout: 600_000,
    teardownTimeout: 120_000,
  },
});
