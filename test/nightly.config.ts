// Inherited by the workers, where the fuzzing tests read it.
process.env['FUZZ_INPUTS'] ??= '20000';
process.env['FUZZ_SEED'] ??= String(Date.now() % 2 ** 31);

/** The same tests, with ten times as many fuzzed inputs, others each time; the seed is printed, to have a failure again. */
export { default } from './vitest.config.ts';
