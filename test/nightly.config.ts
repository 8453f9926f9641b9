import { mergeConfig } from 'vitest/config';

// These are set before the import below, because vitest.config.ts reads TIER. The workers inherit them.
process.env['TIER'] = 'full';
process.env['FUZZ_INPUTS'] ??= '20000';
process.env['FUZZ_SEED'] ??= String(Date.now() % 2 ** 31);
process.env['JOB_KILLS'] ??= '20';
const { default: config } = await import('./vitest.config.ts');

/**
 * Runs the same tests with all rows of their tables, 50 times as many fuzz inputs, and more kills of the app in a
 * larger job. Also runs test/nightly, whose tests need the whole machine for minutes. The fuzz seed changes each time.
 * It is printed, so that you can repeat a failure.
 */
export default mergeConfig(config, {
  test: {
    projects: [
      { extends: true, test: { name: 'nightly', include: ['test/nightly/**/*.test.ts'], sequence: { groupOrder: 3 } } },
    ],
  },
});
