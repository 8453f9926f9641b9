import { defineConfig } from 'vitest/config';
import { FULL } from './tier.ts';

function e2e(...names: string[]): string[] {
  return names.map((name) => `test/e2e/${name}.test.ts`);
}

/** Files that measure time or memory. They run after most others, two at a time, so that each has one of two cores. */
const QUIET = e2e('identity', 'malformed', 'overload', 'streaming');

/** The README's commands, which rebuild `dist/`, and the bench. They run after the others, one after the other. */
const ALONE = [...e2e('readme'), 'test/bench/bench.test.ts'];

/**
 * Files that only the full run includes: tools that serve no request, behaviour of the emulators that the tests of jobs
 * do not need, and jobs with many failures at once.
 */
const FULL_ONLY = [
  'test/bench/bench.test.ts',
  'test/dev/emulator/storage.test.ts',
  'test/dev/host/queue-trigger.test.ts',
  'test/jobs/chaos.test.ts',
  'test/soak/soak.test.ts',
];

const EXCLUDED = FULL ? [] : FULL_ONLY;

/** Tests of the built app in its own process. The other tests import modules. */
const E2E = ['test/e2e/**/*.test.ts', 'test/fuzz/**/*.test.ts', 'test/soak/soak.test.ts', 'test/bench/bench.test.ts'];

/**
 * Files of {@link E2E} that run against the app as a server, too. In these, the behaviour depends on whether the
 * Functions host or the server receives the request. The full run adds files in which it should make no difference.
 */
const SERVED_BOTH_WAYS = [
  ...e2e('chunked', 'faults', 'main-job', 'malformed', 'not-found', 'openapi', 'overload', 'streaming'),
  ...(FULL ? e2e('blobs', 'chat-errors', 'environment', 'fail-over', 'field-requests', 'identity', 'metadata') : []),
  ...(FULL ? e2e('phone-pictures', 'privacy', 'proxy', 'ready', 'responses', 'upstream-failures', 'ways-to-ask') : []),
];

/** test/nightly.config.ts runs these. */
const NIGHTLY = 'test/nightly/**';

/** test/infra.config.ts runs these. */
const NEED_DOTNET = ['test/infra/bicep/**', 'test/infra/nuget/**'];

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    globalSetup: ['test/setup.ts'],
    // A busy machine takes several times as long as a quiet one.
    testTimeout: 90_000,
    hookTimeout: 180_000,
    // Most tests wait for another process, so five workers keep two cores busy. In the full run, more tests compute.
    maxWorkers: FULL ? 4 : 5,
    // Concurrent tests mostly wait, so many of them can run at once.
    maxConcurrency: 12,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...E2E, ...EXCLUDED, ...NEED_DOTNET, NIGHTLY],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: ['test/e2e/browser-setup.ts'],
          include: E2E,
          exclude: [...QUIET, ...ALONE, ...EXCLUDED],
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
          exclude: EXCLUDED,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
