import { mergeConfig } from 'vitest/config';

// Inherited by the workers. It is set before anything reads it: the configuration does, too.
process.env['TIER'] = 'full';
process.env['FUZZ_INPUTS'] ??= '20000';
process.env['FUZZ_SEED'] ??= String(Date.now() % 2 ** 31);
process.env['JOB_KILLS'] ??= '20';
const { default: config } = await import('./vitest.config.ts');

/**
 * The same tests with all rows of their tables, 50 times as many fuzzed inputs and more kills of the app in a larger job; and
 * those of test/nightly, which need the whole machine for minutes. The fuzzing seed changes each time; it is printed, so that
 * you can repeat a failure.
 */
export default mergeConfig(config, {
  test: {
    projects: [
      { extends: true, test: { name: 'nightly', include: ['test/nightly/**/*.test.ts'], sequence: { groupOrder: 3 } } },
    ],
  },
});
