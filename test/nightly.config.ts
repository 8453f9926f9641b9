// Inherited by the workers, where the fuzzing tests read it.
process.env['FUZZ_INPUTS'] ??= '20000';

/** The same tests, with ten times as many fuzzed inputs. */
export { default } from './vitest.config.ts';
