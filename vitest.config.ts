import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests named *.root.test.ts make mounts and loop devices. They run as root on Linux, by `npm run test:root` and in CI.
const isRootRun = process.env.HOLDFAST_ROOT_TESTS === '1';
// They start whole programs, several for a test, and format disks.
const timeoutMs = isRootRun ? 180_000 : 30_000;

const folders = [
  ...readdirSync(join(import.meta.dirname, 'packages')).map(
    (name) => [name, join(import.meta.dirname, 'packages', name)] as const,
  ),
  ['tools', join(import.meta.dirname, 'tools')] as const,
];

export default defineConfig({
  test: {
    projects: folders.map(([name, root]) => ({
      root,
      test: {
        name,
        include: isRootRun ? ['**/*.root.test.ts'] : ['**/*.test.ts'],
        exclude: ['**/node_modules/**', '**/dist/**', ...(isRootRun ? [] : ['**/*.root.test.ts'])],
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        fileParallelism: !isRootRun,
        passWithNoTests: true,
      },
    })),
  },
});
