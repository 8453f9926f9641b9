import { defineConfig } from 'vitest/config';

/** The tests that need the Bicep compiler, or NuGet and the .NET SDK, and so are not part of `npm test`. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/infra/bicep/**/*.test.ts', 'test/infra/nuget/**/*.test.ts'],
    // A check of a template takes seconds, and longer beside other work.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
