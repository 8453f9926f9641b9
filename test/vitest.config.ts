import { defineConfig } from 'vitest/config';

/**
 * Files that measure time or memory, and the README's commands, which write `dist/` anew. They run one after the other
 * when everything else is done.
 */
const ALONE = [
  ...['streaming', 'malformed', 'identity', 'overload', 'readme'].map((name) => `test/e2e/${name}.test.ts`),
  'test/bench/bench.test.ts',
];

/** Tests of the built app, in a process of its own. The others test modules. */
const E2E = ['test/e2e/**/*.test.ts', 'test/fuzz/**/*.test.ts', 'test/soak/soak.test.ts', 'test/bench/bench.test.ts'];

/** Those of {@link E2E} that also run against the app as a server: routes, problems, streaming, faults and privacy. */
const SERVED_BOTH_WAYS = [
  'chat-errors',
  'chunked',
  'fail-over',
  'faults',
  'field-requests',
  'main-job',
  'malformed',
  'not-found',
  'openapi',
  'overload',
  'privacy',
  'ready',
  'responses',
  'streaming',
  'upstream-failures',
  'ways-to-ask',
].map((name) => `test/e2e/${name}.test.ts`);

/** They have a configuration of their own, test/nightly.config.ts. */
const NIGHTLY = 'test/nightly/**';

/** They have a configuration of their own, test/infra.config.ts. */
const NEED_DOTNET = ['test/infra/bicep/**', 'test/infra/nuget/**'];

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    globalSetup: ['test/setup.ts'],
    // A busy machine takes several times as long as a quiet one.
    testTimeout: 90_000,
    hookTimeout: 180_000,
    // Most tests wait for another process. Two workers for each of two cores keep both busy.
    maxWorkers: 4,
    // Tests that are marked concurrent mostly wait.
    maxConcurrency: 12,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...E2E, ...NEED_DOTNET, NIGHTLY],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: ['test/e2e/browser-setup.ts'],
          include: E2E,
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: 'e2e-server',
          env: { SERVED_BY: 'server' },
          include: SERVED_BOTH_WAYS,
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone-server',
          env: { SERVED_BY: 'server' },
          include: SERVED_BOTH_WAYS.filter((file) => ALONE.includes(file)),
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
