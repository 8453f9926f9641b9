import type { Parameters } from 'fast-check';
import { FULL } from '../tier.ts';

/** How many inputs a fuzz test sends. The nightly run sets FUZZ_INPUTS to a much larger number. */
export const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? (FULL ? 2_000 : 400));

/** The same seed in every run, so that results are repeatable. The nightly run sets a new FUZZ_SEED each time. */
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

/** The parameters of a property for `fast-check`. It prints the seed, so that a failure can be reproduced. */
export function runs(numRuns: number): Parameters<unknown> {
  process.stdout.write(`fuzzing with FUZZ_SEED=${seed}, ${numRuns} runs\n`);
  return { seed, numRuns, endOnFailure: true };
}
