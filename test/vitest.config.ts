import { defineConfig } from 'vitest/config';

/**
 * Files that measure time or memory run by themselves, when all else is done, and again where another process was in the
 * way. So does the README's: its npm start writes dist/ anew, which the others serve.
 */
const ALONE = [
  'test/e2e/streaming.test.ts',
  'test/e2e/malformed.test.ts',
  'test/e2e/identity.test.ts',
  'test/e2e/overload.test.ts',
  'test/e2e/readme.test.ts',
];

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    globalSetup: ['test/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most of them wait for another process: two for each of two cores keep both busy.
    maxWorkers: 4,
    // What is marked concurrent mostly waits.
    maxConcurrency: 12,
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['test/**/*.test.ts'], exclude: ALONE, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, retry: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
