import { defineConfig } from 'vitest/config';

/** The tests that need the Bicep compiler, or NuGet and the .NET SDK. `npm test` does not run them. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/infra/bicep/**/*.test.ts', 'test/infra/nuget/**/*.test.ts'],
    // Checking a template takes seconds, and longer on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
