import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

// Inherited by the workers, where the fuzzing tests read it.
process.env['FUZZ_INPUTS'] ??= '20000';
process.env['FUZZ_SEED'] ??= String(Date.now() % 2 ** 31);
process.env['JOB_KILLS'] ??= '20';
process.env['FAULTS'] ??= 'every way';
process.env['METADATA'] ??= 'every route';

/**
 * The same tests with ten times as many fuzzed inputs, more kills of the app in a larger job, and faults by every way of
 * asking, images with metadata on every route; and those of test/nightly, which need the whole machine for minutes. The fuzzing seed changes each time; it is
 * printed, so that you can repeat a failure.
 */
export default mergeConfig(config, {
  test: {
    projects: [
      { extends: true, test: { name: 'nightly', include: ['test/nightly/**/*.test.ts'], sequence: { groupOrder: 3 } } },
    ],
  },
});
