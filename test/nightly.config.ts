// Inherited by the workers, where the fuzzing tests read it.
process.env['FUZZ_INPUTS'] ??= '20000';
process.env['FUZZ_SEED'] ??= String(Date.now() % 2 ** 31);
process.env['JOB_KILLS'] ??= '20';

/**
 * The same tests with ten times as many fuzzed inputs, and with more kills of the app in a larger job. The fuzzing seed changes each
 * time; it is printed, so that you can repeat a failure.
 */
export { default } from './vitest.config.ts';
