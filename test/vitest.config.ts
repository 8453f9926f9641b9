import { defineConfig } from 'vitest/config';
import { FULL } from './tier.ts';

function e2e(...names: string[]): string[] {
  return names.map((name) => `test/e2e/${name}.test.ts`);
}

/** Files that measure time or memory. They run when everything else is done, two at a time: one for each of two cores. */
const QUIET = e2e('identity', 'malformed', 'overload', 'streaming');

/** The README's commands, which write `dist/` anew, and the bench. They run last, one after the other. */
const ALONE = [...e2e('readme'), 'test/bench/bench.test.ts'];

/**
 * In the full run only: tools that serve no request, what an emulator does beside what the tests of jobs ask of it, and jobs for
 * which everything goes wrong at once.
 */
const FULL_ONLY = [
  'test/bench/bench.test.ts',
  'test/dev/emulator/storage.test.ts',
  'test/dev/host/queue-trigger.test.ts',
  'test/jobs/chaos.test.ts',
  'test/soak/soak.test.ts',
];

const NOT_NOW = FULL ? [] : FULL_ONLY;

/** Tests of the built app, in a process of its own. The others test modules. */
const E2E = ['test/e2e/**/*.test.ts', 'test/fuzz/**/*.test.ts', 'test/soak/soak.test.ts', 'test/bench/bench.test.ts'];

/**
 * Those of {@link E2E} that also run against the app as a server: what the front door has a part in, and in the full run more
 * that it should not be seen in.
 */
const SERVED_BOTH_WAYS = [
  ...e2e('chunked', 'faults', 'main-job', 'malformed', 'not-found', 'openapi', 'overload', 'streaming'),
  ...(FULL ? e2e('chat-errors', 'fail-over', 'field-requests', 'privacy', 'ready', 'responses') : []),
  ...(FULL ? e2e('upstream-failures', 'ways-to-ask') : []),
];

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
    // Most tests wait for another process. Five workers keep two cores busy; in the full run more of them compute.
    maxWorkers: FULL ? 4 : 5,
    // Tests that are marked concurrent mostly wait.
    maxConcurrency: 12,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...E2E, ...NOT_NOW, ...NEED_DOTNET, NIGHTLY],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: ['test/e2e/browser-setup.ts'],
          include: E2E,
          exclude: [...QUIET, ...ALONE, ...NOT_NOW],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e-server',
          env: { SERVED_BY: 'server' },
          include: SERVED_BOTH_WAYS,
          exclude: QUIET,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'quiet', include: QUIET, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: 'quiet-server',
          env: { SERVED_BY: 'server' },
          include: SERVED_BOTH_WAYS.filter((file) => QUIET.includes(file)),
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          exclude: NOT_NOW,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
